"""A local org with a clock of its own, and the real gateway in front of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from sfsync.calls import OpenGate
from sfsync.credentials import Credentials
from sfsync.gate import SharedGate
from sfsync.gateway import SalesforceGateway
from sfsync.local_org.door import InProcessDoor
from sfsync.local_org.oauth import ClientApp
from sfsync.local_org.org import LocalOrg
from sfsync.local_org.records import Record, Said
from sfsync.transport import open_session

NOON = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)


class OrgClock:
    """The org's time: stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> OrgClock:
    return OrgClock()


@pytest.fixture
def org(clock: OrgClock) -> LocalOrg:
    return LocalOrg(clock)


@pytest.fixture(scope="session")
def key_pair() -> tuple[str, str]:
    """A private key and its public half, made once: making one takes a tenth of a second."""
    app = ClientApp("", "", "", set())
    return app.new_private_key(), app.public_keys[0]


@pytest.fixture
def credentials(org: LocalOrg, key_pair: tuple[str, str]) -> Credentials:
    """What an administrator of the org would put into our environment: the JWT flow."""
    private_key, public_key = key_pair
    org.app.public_keys.append(public_key)
    (username,) = org.app.approved
    return Credentials("acme.my", org.app.client_id, username, private_key)


@pytest.fixture
def connect(
    credentials: Credentials, request: pytest.FixtureRequest
) -> Callable[[LocalOrg], SalesforceGateway]:
    """Return a gateway to an org, not logged in yet: what a new process would make.

    Its calls are counted where the test has a database.
    """
    has_database = "db" in request.fixturenames or request.node.get_closest_marker("django_db")
    gate = SharedGate() if has_database else OpenGate()

    def connected(org: LocalOrg) -> SalesforceGateway:
        return SalesforceGateway(credentials, open_session(InProcessDoor(org)), gate)

    return connected


@pytest.fixture
def gateway(
    org: LocalOrg, connect: Callable[[LocalOrg], SalesforceGateway]
) -> SalesforceGateway:
    return connect(org)


@pytest.fixture
def open_case(org: LocalOrg) -> Callable[..., str]:
    """Let a Case come in just now, by web form unless told otherwise; return its id."""

    def opened(*words: str, channel: str = "web", subject: str = "Hello") -> str:
        turns = tuple(Said("customer", text) for text in words or ("My card does not work.",))
        number = len(list(org.table("Case"))) + 1
        return org.people.open_case(Record(f"case-{number}", turns, channel, subject))

    return opened
