"""The way to Salesforce: one requests adapter, the same in production, demo and tests."""

import ipaddress
import re
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

import requests
from django.conf import settings
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.auth import AuthBase
from simple_salesforce.exceptions import SalesforceAuthenticationFailed
from simple_salesforce.exceptions import SalesforceError as ClientError

from sfsync.calls import Call, Gate, OpenGate, Operation, Outcome, purpose_now
from sfsync.cases import ApiUse
from sfsync.errors import (
    NotConfigured,
    SalesforceDenied,
    SalesforceError,
    SalesforceRejected,
    SalesforceUnavailable,
    answer_error,
    login_error,
    unreachable,
)

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
REFUSED_TOKENS_LIMIT = 2
"""A token is renewed once per call; the client alone would go on for ever (its issue 569)."""
CONSTANT_HEADERS = {
    # Without it an update may run the org's assignment rule and take the Case from its owner.
    "Sforce-Auto-Assign": "FALSE",
    # Marks our own writes in change events.
    "Sforce-Call-Options": "client=contact-reason",
}
SALESFORCE_HOST = re.compile(
    r"(login|test|[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)*\.my)\.salesforce\.com"
)
PAGE = re.compile(r"/query(All)?/01g\w+-\d+")
"""A further page of a list, named by its locator."""
RETRIEVAL = re.compile(r"/composite/sobjects/\w+\Z")
"""Reading rows by their ids is a POST, since they are too many for an address."""
TOKEN_PATH = "/services/oauth2/token"  # noqa: S105 -- a path, not a secret
IDENTITY = re.compile(r"/id/(00D\w{12,15})/(005\w{12,15})")
HTTPS_PORT = 443
LIMIT_INFO = re.compile(r"\bapi-usage=(\d+)/(\d+)")
READS = {"GET", "HEAD"}
REDIRECTS = {301, 302, 303, 307, 308}


@contextmanager
def typed_errors(deed: str) -> Iterator[None]:
    """Turn whatever the client and its transport raise inside into an error of our tree.

    ``deed`` says what was being done, for example "reading Cases". The client's own
    exceptions are cut off, not chained: they carry Salesforce's answer, which may echo what
    a customer wrote, into every traceback.
    """
    try:
        with warnings.catch_warnings():
            # A refused login is told by our error; the client would also warn on stderr.
            warnings.filterwarnings("ignore", module=r"simple_salesforce\.login")
            yield
    except SalesforceAuthenticationFailed as error:
        raise login_error(error.code) from None
    except ClientError as error:
        raise answer_error(error.status, error.content, deed) from None
    except requests.RequestException as error:
        raise unreachable(deed, type(error).__name__) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        # A page that is not JSON, or too short an answer, breaks inside the client.
        raise unreachable(deed, f"{type(error).__name__} in the answer") from None


class SalesforceAdapter(BaseAdapter):
    """Sends each request over ``wire``, to Salesforce and to nobody else.

    It adds the time-outs that the client lacks, follows no redirect, renews no token for
    ever, asks its ``gate`` before each request, and keeps what later questions need: ``calls``
    (API requests sent so far; logins are not counted, as Salesforce does not), ``server_time``
    (the last answer's ``Date``, and when it came by the monotonic clock) and ``identity`` (org
    and user id of the last login).
    """

    def __init__(
        self,
        wire: BaseAdapter,
        *,
        local_origin: str = "",
        timeout_seconds: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``local_origin``: send everything there, in plain HTTP, with the real Host header.

        ``clock`` counts this machine's seconds and never goes back.

        Raises:
            NotConfigured: ``local_origin`` is not an address of this very machine.
        """
        super().__init__()
        if local_origin and not is_own_machine(local_origin):
            raise NotConfigured(
                "SALESFORCE_LOCAL_ORIGIN must be http://127.0.0.1:PORT (or localhost, [::1]):"
                " everything sent there travels unencrypted."
            )
        self.wire = wire
        self.local_origin = local_origin.rstrip("/")
        self.timeout_seconds = timeout_seconds
        self.clock = clock
        self.gate: Gate = OpenGate()
        self.calls = 0
        self.server_time: tuple[datetime, float] | None = None
        self.identity: tuple[str, str] | None = None
        self._refused_tokens = 0

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002
        timeout: Any = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Return the answer, whatever its status, except those below.

        Raises:
            Postponed: the gate does not let it pass now; nothing was sent.
            SalesforceRejected: the address is not Salesforce's, or the answer is a redirect.
            SalesforceDenied: the token was refused and a new one would not help.
        """
        parts = urlsplit(str(request.url))
        if not is_salesforce(parts):
            raise SalesforceRejected(
                "A request to an address that is not Salesforce's was not sent.",
                code="FOREIGN_HOST",
            )
        call = _call(request, parts)
        self.gate.admit(call)
        self.calls += call.is_counted
        with self._noted(call) as seen:
            response = self.wire.send(
                self._addressed(request, parts),
                stream=stream,
                timeout=timeout or self.timeout_seconds,
                verify=verify,
                cert=cert,
                proxies={} if self.local_origin else proxies,
            )
            seen.append(response)
            if not stream:
                response.content  # noqa: B018 -- read here, so that one that breaks off is no answer
            self._note_time(response)
            if call.is_counted:
                self._count_refused_tokens(request, response)
            else:
                self._note_identity(response)
            _refuse_redirect(response)
        return response

    @contextmanager
    def _noted(self, call: Call) -> Iterator[list[requests.Response]]:
        """Tell the gate what becomes of a call; its answer is put into the list."""
        began = self.clock()
        seen: list[requests.Response] = []
        try:
            yield seen
        except (requests.RequestException, SalesforceError) as broken:
            self.gate.note(call, _outcome(seen, self.clock() - began, _meaning(broken)))
            raise
        self.gate.note(call, _outcome(seen, self.clock() - began, answered_with(call, seen[0])))

    def close(self) -> None:
        self.wire.close()

    def _addressed(
        self, request: requests.PreparedRequest, parts: SplitResult
    ) -> requests.PreparedRequest:
        if not self.local_origin:
            return request
        local = request.copy()
        local.headers["Host"] = parts.netloc
        origin = urlsplit(self.local_origin)
        local.url = urlunsplit((origin.scheme, origin.netloc, parts.path, parts.query, ""))
        return local

    def _note_time(self, response: requests.Response) -> None:
        try:
            date = parsedate_to_datetime(response.headers["Date"])
        except (KeyError, ValueError):
            return  # an edge server's answer; the last known time stands
        self.server_time = (date.astimezone(UTC), self.clock())

    def _note_identity(self, response: requests.Response) -> None:
        # The client reads the token and drops the rest of the answer, the identity with it.
        found = IDENTITY.search(response.text) if response.ok else None
        if found:
            self.identity = (found.group(1), found.group(2))

    def _count_refused_tokens(
        self, request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        if response.status_code != HTTPStatus.UNAUTHORIZED:
            self._refused_tokens = 0
            return
        self._refused_tokens += 1
        if self._refused_tokens < REFUSED_TOKENS_LIMIT and _says_expired(response):
            return
        self._refused_tokens = 0
        if PAGE.search(str(request.url)):
            # Says nothing of the new token: the page's locator died with the old one.
            raise SalesforceUnavailable(
                "A page's locator died with its token; the list is asked for again by key.",
                code="INVALID_QUERY_LOCATOR",
            )
        raise SalesforceDenied(
            "Salesforce refuses our token, also a new one (INVALID_SESSION_ID). Check that the"
            " user is active, may use the API, and that the app's access was not revoked.",
            code="INVALID_SESSION_ID",
        )


class SalesforceSession(requests.Session):
    """A requests session that can reach nothing but Salesforce."""

    def __init__(self, adapter: SalesforceAdapter) -> None:
        super().__init__()
        self.adapter = adapter
        self.adapters.clear()
        self.mount("https://", adapter)
        self.mount("http://", adapter)  # which refuses it
        self.headers.update(CONSTANT_HEADERS)
        self.auth = _KeepAuthorization()
        self.trust_env = not adapter.local_origin


def open_session(
    wire: BaseAdapter | None = None, clock: Callable[[], float] = time.monotonic
) -> SalesforceSession:
    """Return a session to Salesforce, or to the local org that the settings name.

    ``wire`` stands in for the network: the local org's in-process door; ``clock`` for this
    machine's seconds.
    """
    if wire is not None:
        return SalesforceSession(SalesforceAdapter(wire, clock=clock))
    local_origin = settings.SALESFORCE_LOCAL_ORIGIN
    return SalesforceSession(SalesforceAdapter(HTTPAdapter(), local_origin=local_origin))


def answered_with(call: Call, response: requests.Response) -> SalesforceError | None:
    """Return what is wrong with an answer; None where it is one, also to an old token."""
    if response.ok:
        is_page = "html" in response.headers.get("Content-Type", "")
        return unreachable("calling", "a web page") if is_page else None
    try:
        content = response.json()
    except ValueError:
        content = None
    if call.operation is Operation.LOGIN:
        word = content.get("error") if isinstance(content, dict) else None
        return login_error(word or response.status_code)
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        return None  # the client asks for a new token
    return answer_error(response.status_code, content, "calling")


def is_salesforce(parts: SplitResult) -> bool:
    """Return whether a token may be sent to this address: https, default port, known host."""
    try:
        port = parts.port
    except ValueError:
        return False
    return (
        parts.scheme == "https"
        and port in {None, HTTPS_PORT}
        and parts.username is None
        and SALESFORCE_HOST.fullmatch(parts.hostname or "") is not None
    )


def is_own_machine(origin: str) -> bool:
    """Return whether ``origin`` is ``http://`` and a loopback host, and nothing else."""
    parts = urlsplit(origin)
    if parts.scheme != "http" or parts.username is not None or parts.path not in {"", "/"}:
        return False
    if parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


class _KeepAuthorization(AuthBase):
    """Stops requests from replacing our token by a password out of ~/.netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def _call(request: requests.PreparedRequest, parts: SplitResult) -> Call:
    if parts.path == TOKEN_PATH:
        operation = Operation.LOGIN
    elif "/connect/" in parts.path:
        operation = Operation.CONNECT
    else:
        is_read = request.method in READS or _only_asks(request, parts)
        operation = Operation.READ if is_read else Operation.WRITE
    return Call(operation, purpose_now())


def _only_asks(request: requests.PreparedRequest, parts: SplitResult) -> bool:
    """Return whether a POST changes nothing: rows by their ids, or queries in one envelope."""
    if RETRIEVAL.search(parts.path):
        return True
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    return parts.path.endswith("/composite") and b'"PATCH"' not in body


def _meaning(broken: requests.RequestException | SalesforceError) -> SalesforceError:
    if isinstance(broken, SalesforceError):
        return broken
    return unreachable("calling", type(broken).__name__)


def _outcome(
    seen: Sequence[requests.Response], seconds: float, error: SalesforceError | None
) -> Outcome:
    if seen:  # a local org in this process tells how long it would have taken
        seconds = max(seconds, seen[0].elapsed.total_seconds())
    return Outcome(seconds, error, _org_use(seen))


def _org_use(seen: Sequence[requests.Response]) -> ApiUse | None:
    told = LIMIT_INFO.search(seen[0].headers.get("Sforce-Limit-Info", "")) if seen else None
    return ApiUse(used=int(told[1]), allowed=int(told[2])) if told else None


def _says_expired(response: requests.Response) -> bool:
    """Return whether this 401 is one that the client understands and renews the token for."""
    try:
        return bool(response.json()[0]["errorCode"] == "INVALID_SESSION_ID")
    except (ValueError, KeyError, IndexError, TypeError):
        return False


def _refuse_redirect(response: requests.Response) -> None:
    if response.status_code in REDIRECTS:
        raise SalesforceRejected(
            f"Salesforce sent us elsewhere (HTTP {response.status_code}), and we follow no"
            " redirect. Set SALESFORCE_DOMAIN to the org's present My Domain.",
            code=f"HTTP_{response.status_code}",
        )
