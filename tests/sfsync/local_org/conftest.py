"""An org with a clock of its own, and the real client in front of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from simple_salesforce import Salesforce

from sfsync.local_org.door import InProcessDoor
from sfsync.local_org.http_door import HttpDoor
from sfsync.local_org.oauth import ClientApp
from sfsync.local_org.org import LocalOrg

NOW = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, **span: float) -> None:
        self.now += timedelta(**span)


class ToLocal(HTTPAdapter):
    """Sends every call to one local address, the real host name kept in the header."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        super().__init__()

    def send(self, request, **rest):
        parts = urlsplit(request.url)
        request.headers["Host"] = parts.netloc
        query = f"?{parts.query}" if parts.query else ""
        request.url = self.origin + parts.path + query
        return super().send(request, **{**rest, "proxies": {}, "timeout": 10})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def org(clock: Clock) -> LocalOrg:
    return LocalOrg(clock)


@pytest.fixture(scope="session")
def keys() -> tuple[str, list[str]]:
    """A private key and its public half, made once: making one costs a tenth of a second."""
    app = ClientApp("", "", "", set())
    return app.new_private_key(), app.public_keys


@pytest.fixture
def private_key(org: LocalOrg, keys: tuple[str, list[str]]) -> str:
    org.app.public_keys.extend(keys[1])
    return keys[0]


@pytest.fixture(params=["in_process", "http"])
def adapter(request: pytest.FixtureRequest, org: LocalOrg):
    """One of the two doors."""
    if request.param == "in_process":
        yield InProcessDoor(org)
        return
    request.getfixturevalue("socket_enabled")
    with HttpDoor(org) as door:
        yield ToLocal(door.origin)


@pytest.fixture
def connect(org: LocalOrg) -> Callable[[BaseAdapter], Salesforce]:
    """Return a logged-in client behind an adapter."""

    def connected(adapter: BaseAdapter) -> Salesforce:
        session = requests.Session()
        session.mount("https://", adapter)
        return Salesforce(
            consumer_key=org.app.client_id,
            consumer_secret=org.app.client_secret,
            domain="acme.my",
            session=session,
            version="66.0",
        )

    return connected


@pytest.fixture
def sf(org: LocalOrg, connect: Callable[[BaseAdapter], Salesforce]) -> Salesforce:
    """A logged-in client behind the in-process door."""
    return connect(InProcessDoor(org))
