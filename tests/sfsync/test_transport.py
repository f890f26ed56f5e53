"""The traps of the client and of the network, each with its test."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import requests
from simple_salesforce import Salesforce

from sfsync.calls import OpenGate
from sfsync.cases import CaseUpdate
from sfsync.credentials import Credentials
from sfsync.errors import (
    NotConfigured,
    SalesforceDenied,
    SalesforceRejected,
    SalesforceUnavailable,
)
from sfsync.gateway import SalesforceGateway
from sfsync.local_org.http_door import HttpDoor
from sfsync.local_org.org import LocalOrg
from sfsync.transport import (
    SalesforceAdapter,
    SalesforceSession,
    is_own_machine,
    is_salesforce,
    open_session,
    typed_errors,
)
from tests.sfsync.wires import Judge, Tap, answer, is_login, is_rest

SOQL = "SELECT Id FROM Case"


@pytest.fixture
def tapped(
    org: LocalOrg, credentials: Credentials
) -> Callable[..., tuple[SalesforceGateway, Tap]]:
    """Return a gateway whose wire is listened to."""

    def made(judge: Judge = lambda request: None) -> tuple[SalesforceGateway, Tap]:
        tap = Tap(org, judge)
        return SalesforceGateway(credentials, open_session(tap), OpenGate()), tap

    return made


@pytest.fixture
def client(org: LocalOrg) -> Callable[[Tap], Salesforce]:
    """Return the bare client over our session, for traps that our gateway never steps into."""

    def made(tap: Tap) -> Salesforce:
        app = org.app
        return Salesforce(
            consumer_key=app.client_id,
            consumer_secret=app.client_secret,
            domain="acme.my",
            session=open_session(tap),
            version="66.0",
        )

    return made


def test_every_call_has_a_time_limit_the_login_too(tapped):
    gateway, tap = tapped()

    gateway.identity()

    assert {tuple(options["timeout"]) for options in tap.options} == {(5.0, 30.0)}
    assert any(is_login(request) for request in tap.sent)


def test_constant_headers_reach_every_call_and_survive_a_new_login(tapped, org, open_case):
    case_id = open_case()
    gateway, tap = tapped()
    gateway.identity()
    org.tokens.revoke_all()

    gateway.update_cases([CaseUpdate(case_id, {"Priority": "Low"})])

    rest = [request for request in tap.sent if is_rest(request)]
    assert org.ledger.logins == 2
    assert {request.headers["Sforce-Auto-Assign"] for request in rest} == {"FALSE"}
    assert {request.headers["Sforce-Call-Options"] for request in rest} == {
        "client=contact-reason"
    }


def test_a_write_after_a_new_login_does_not_take_the_case_from_its_owner(
    gateway, org, open_case
):
    case_id = open_case()
    owner = org.row("Case", case_id)["OwnerId"]
    gateway.identity()
    org.tokens.revoke_all()

    gateway.update_cases([CaseUpdate(case_id, {"Priority": "Low"})])

    assert org.row("Case", case_id)["OwnerId"] == owner


def refuse_tokens(request: requests.PreparedRequest) -> requests.Response | None:
    if not is_rest(request):
        return None
    body = '[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]'
    return answer(request, 401, body, **{"Content-Type": "application/json"})


def test_a_token_that_stays_refused_is_renewed_once_and_then_told(tapped):
    gateway, tap = tapped(refuse_tokens)

    with pytest.raises(SalesforceDenied) as caught:
        gateway.identity()

    assert caught.value.code == "INVALID_SESSION_ID"
    assert len(tap.urls("/services/data/")) == 2
    assert len(tap.urls("/services/oauth2/")) == 2


def test_the_clients_endless_recursion_ends_here(org, client):
    tap = Tap(org)
    sf = client(tap)
    tap.judge = refuse_tokens

    with pytest.raises(SalesforceDenied):
        sf.Case.get("500000000000001AAA")

    assert len(tap.urls("/sobjects/Case/")) == 2


def test_the_next_call_after_a_refusal_may_renew_again(tapped, org):
    refusals = iter([True, True, False])
    gateway, _ = tapped(
        lambda request: (
            refuse_tokens(request) if is_rest(request) and next(refusals, False) else None
        )
    )
    with pytest.raises(SalesforceDenied):
        gateway.identity()

    assert gateway.identity().org_id == org.org_id


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, "<?xml version='1.0'?><Error>LOGIN_OAUTH_INVALID_TOKEN</Error>"),
        (401, "{}"),
        (401, '[{"message":"Connected app is not attached to Agent"}]'),
        (403, "<html>no</html>"),
    ],
)
def test_a_refusal_that_is_no_expiry_makes_no_new_login(tapped, status, body):
    gateway, tap = tapped(
        lambda request: answer(request, status, body) if is_rest(request) else None
    )

    with pytest.raises(SalesforceDenied):
        gateway.identity()

    assert len(tap.urls("/services/oauth2/")) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(tapped, status):
    gateway, tap = tapped(
        lambda request: (
            answer(request, status, "", Location="https://evil.my.salesforce.com/")
            if is_rest(request)
            else None
        )
    )

    with pytest.raises(SalesforceRejected, match="follow no redirect"):
        gateway.identity()

    assert tap.urls("evil") == []


def test_no_redirect_of_the_login_is_followed(tapped):
    gateway, tap = tapped(
        lambda request: (
            answer(request, 302, "", Location="https://evil.example/")
            if is_login(request)
            else None
        )
    )

    with pytest.raises(SalesforceRejected, match="SALESFORCE_DOMAIN"):
        gateway.identity()

    assert len(tap.sent) == 1


@pytest.mark.parametrize("body", ["<html>We are down</html>", "", "null", "7", '"x"', "[1]"])
@pytest.mark.parametrize("status", [200, 503])
def test_an_answer_that_is_not_salesforces_is_an_outage(tapped, status, body):
    gateway, _ = tapped(
        lambda request: answer(request, status, body) if is_rest(request) else None
    )

    with pytest.raises(SalesforceUnavailable):
        gateway.identity()


def test_a_login_page_in_html_is_an_outage_and_not_a_wrong_password(tapped, org):
    org.faults.outages_of_login = 1
    gateway, _ = tapped()

    with pytest.raises(SalesforceUnavailable) as caught:
        gateway.identity()

    assert caught.value.code == "HTTP_503"


def test_a_login_answer_without_an_instance_is_an_outage(tapped):
    gateway, _ = tapped(
        lambda request: (
            answer(request, 200, '{"access_token": "x"}') if is_login(request) else None
        )
    )

    with pytest.raises(SalesforceUnavailable):
        gateway.identity()


@pytest.mark.parametrize(
    "error",
    [requests.ConnectionError(), requests.ReadTimeout(), requests.exceptions.SSLError()],
)
def test_a_network_that_fails_is_an_outage(tapped, error):
    def fail(request: requests.PreparedRequest) -> requests.Response:
        raise error

    gateway, _ = tapped(fail)

    with pytest.raises(SalesforceUnavailable, match=type(error).__name__):
        gateway.identity()


def test_the_client_is_made_anew_when_the_org_moves_to_another_host(tapped, org):
    gateway, tap = tapped()
    gateway.identity()
    org.instance_url = "https://acme-new.my.salesforce.com"
    org.tokens.revoke_all()
    gateway.describe("Case")

    gateway.describe("CaseComment")

    assert urlsplit(tap.urls("/sobjects/CaseComment")[-1]).hostname == (
        "acme-new.my.salesforce.com"
    )


def test_api_calls_are_counted_as_salesforce_counts_them(gateway, org):
    gateway.identity()
    gateway.describe("Case")

    assert gateway.calls == org.ledger.api_calls == 2


@pytest.mark.parametrize(
    "url",
    [
        "https://login.salesforce.com/services/oauth2/token",
        "https://test.salesforce.com/x",
        "https://acme.my.salesforce.com/x",
        "https://acme--dev.sandbox.my.salesforce.com:443/x",
        "https://acme-dev-ed.develop.my.salesforce.com/x",
    ],
)
def test_salesforces_hosts_are_known(url):
    assert is_salesforce(urlsplit(url))


FOREIGN = [
    "http://acme.my.salesforce.com/x",
    "https://evil.com/x",
    "https://evil.com#.my.salesforce.com",
    "https://acme.my.salesforce.com@evil.com/x",
    "https://user@acme.my.salesforce.com/x",
    "https://acme.my.salesforce.com.evil.com/x",
    "https://evilmy.salesforce.com/x",
    "https://acme.my.salesforce.com:8443/x",
    "https://acme.my.salesforce.com:99999/x",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/x",
    "https://acme.lightning.force.com/x",
    "https:///x",
]


@pytest.mark.parametrize("url", FOREIGN)
def test_foreign_hosts_are_known(url):
    assert not is_salesforce(urlsplit(url))


@pytest.mark.parametrize("url", ["https://evil.com/x", "http://acme.my.salesforce.com/x"])
def test_nothing_is_sent_to_a_foreign_host(org, url):
    tap = Tap(org)

    with pytest.raises(SalesforceRejected):
        open_session(tap).get(url)

    assert tap.sent == []


@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:8099", "http://localhost:1", "http://[::1]:8099/"]
)
def test_this_very_machine_may_be_spoken_to_in_plain_http(origin):
    assert is_own_machine(origin)
    assert SalesforceAdapter(requests.adapters.HTTPAdapter(), local_origin=origin)


@pytest.mark.parametrize(
    "origin",
    [
        "http://192.0.2.1:8099",
        "https://127.0.0.1:8099",
        "http://127.0.0.1.evil.com:80",
        "http://user@127.0.0.1:80",
        "http://127.0.0.1:80/path",
        "http://0.0.0.0:80",
        "ftp://127.0.0.1",
        "nonsense",
    ],
)
def test_another_machine_is_refused_at_construction(origin):
    with pytest.raises(NotConfigured, match="SALESFORCE_LOCAL_ORIGIN"):
        SalesforceAdapter(requests.adapters.HTTPAdapter(), local_origin=origin)


def test_the_local_origin_is_reached_in_plain_http_with_the_real_host_name(
    org, credentials, settings, socket_enabled
):
    with HttpDoor(org) as door:
        settings.SALESFORCE_LOCAL_ORIGIN = door.origin
        session = open_session()
        identity = SalesforceGateway(credentials, session, OpenGate()).identity()
        session.close()

    assert identity.instance_host == "acme.my.salesforce.com"
    assert identity.org_id == org.org_id


def test_eight_threads_and_one_expired_token_make_one_login(tapped, org, open_case):
    case_id = open_case()
    gateway, tap = tapped()
    gateway.identity()
    org.tokens.revoke_all()

    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(gateway.field_values, [case_id], ["Status"]) for _ in range(8)]
        found = [one.result()[case_id]["Status"] for one in asked]

    assert found == ["New"] * 8
    assert len([request for request in tap.sent if is_login(request)]) == 2


def test_a_companys_proxy_is_used(tapped, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    gateway, tap = tapped()

    gateway.identity()

    assert {options["proxies"]["https"] for options in tap.options} == {
        "http://proxy.example:3128"
    }


def test_a_password_file_does_not_replace_our_token(tmp_path, monkeypatch, org, credentials):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    tap = Tap(org)

    SalesforceGateway(credentials, open_session(tap), OpenGate()).identity()

    assert [
        request.headers["Authorization"].split()[0] for request in tap.sent if is_rest(request)
    ] == ["Bearer"]


def test_the_session_can_reach_nothing_but_through_our_adapter(org):
    session = SalesforceSession(SalesforceAdapter(Tap(org)))

    assert set(session.adapters.values()) == {session.adapter}


def test_an_error_of_ours_passes_through_untouched():
    with pytest.raises(SalesforceDenied, match="as it is"), typed_errors("reading"):
        raise SalesforceDenied("as it is")
