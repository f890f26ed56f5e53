"""From settings to a login; everything that is missing is told at once."""

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sfsync import gateway as gateways
from sfsync.calls import OpenGate
from sfsync.credentials import Credentials
from sfsync.errors import NotConfigured, SalesforceDenied
from sfsync.gateway import SalesforceGateway
from sfsync.transport import open_session
from tests.sfsync.wires import Tap, is_login


def pem(key, password: bytes | None = None) -> str:
    encryption = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    ).decode()


def test_the_login_by_signed_assertion_works(gateway, org, credentials):
    assert credentials.is_jwt
    assert gateway.identity().user_id == org.founders.integration


def test_the_login_by_client_secret_works(org):
    secret = Credentials("acme.my", org.app.client_id, client_secret=org.app.client_secret)

    identity = SalesforceGateway(secret, open_session(Tap(org)), OpenGate()).identity()

    assert identity.user_id == org.founders.integration


def test_no_login_ever_sends_a_password_or_speaks_soap(org, credentials):
    tap = Tap(org)
    secret = Credentials("acme.my", org.app.client_id, client_secret=org.app.client_secret)
    for one in (credentials, secret):
        SalesforceGateway(one, open_session(tap), OpenGate()).identity()

    bodies = [str(request.body) for request in tap.sent if is_login(request)]
    assert len(bodies) == 2
    assert not any("password" in body for body in bodies)
    assert tap.urls("Soap") == []


@pytest.mark.parametrize(
    ("domain", "audience"),
    [
        ("login", "login"),
        ("test", "test"),
        ("acme.my", "login"),
        ("acme-dev-ed.develop.my", "login"),
        ("acme--dev.sandbox.my", "test"),
        ("acme--dev.my", "test"),
        ("acme.sandbox.my", "test"),
        ("dream-flow-1.scratch.my", "test"),
    ],
)
def test_the_audience_stays_login_or_test(domain, audience):
    assert Credentials(domain, "id").audience == audience


@pytest.mark.parametrize(
    ("domain", "host"),
    [("login", "login.salesforce.com"), ("acme.my", "acme.my.salesforce.com")],
)
def test_the_token_comes_from_the_my_domain_where_there_is_one(org, key_pair, domain, host):
    private_key, public_key = key_pair
    org.app.public_keys.append(public_key)
    (username,) = org.app.approved
    tap = Tap(org)
    one = Credentials(domain, org.app.client_id, username, private_key)

    SalesforceGateway(one, open_session(tap), OpenGate()).identity()

    (login,) = [request for request in tap.sent if is_login(request)]
    assertion = str(login.body).partition("assertion=")[2]
    claims = jwt.decode(assertion, options={"verify_signature": False})
    assert host in str(login.url)
    assert claims["aud"] == "https://login.salesforce.com"


def test_a_user_that_nobody_approved_is_told_in_a_sentence(org, credentials):
    org.app.approved.clear()

    with pytest.raises(SalesforceDenied, match="pre-authorised") as caught:
        SalesforceGateway(credentials, open_session(Tap(org)), OpenGate()).identity()

    assert caught.value.code == "invalid_grant"


def test_a_wrong_secret_is_told_in_a_sentence(org):
    wrong = Credentials("acme.my", org.app.client_id, client_secret="wrong")

    with pytest.raises(SalesforceDenied, match="SALESFORCE_CLIENT_SECRET"):
        SalesforceGateway(wrong, open_session(Tap(org)), OpenGate()).identity()


def test_all_missing_settings_are_told_at_once():
    with pytest.raises(NotConfigured) as caught:
        Credentials.from_settings()

    sentence = str(caught.value)
    assert "SALESFORCE_DOMAIN" in sentence
    assert "SALESFORCE_CLIENT_ID" in sentence
    assert "SALESFORCE_CLIENT_SECRET" in sentence
    assert "SALESFORCE_PRIVATE_KEY" in sentence


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"username": "u"}, "Set SALESFORCE_PRIVATE_KEY"),
        ({"private_key": "k"}, "Set SALESFORCE_USERNAME"),
        ({"username": "u", "private_key": "no key"}, "RSA private key in PEM form"),
        ({"client_secret": "s", "domain": "login"}, "must be your My Domain"),
        ({"client_secret": "s", "private_key": "k", "username": "u"}, "not both"),
    ],
)
def test_what_does_not_fit_together_is_told(given, told):
    (problem,) = Credentials(**({"domain": "acme.my", "client_id": "id"} | given)).problems()

    assert told in problem


def test_a_key_of_another_kind_or_with_a_passphrase_is_refused():
    curve = pem(ec.generate_private_key(ec.SECP256R1()))
    locked = pem(rsa.generate_private_key(public_exponent=65537, key_size=2048), b"secret")

    for key in (curve, locked):
        assert Credentials("login", "id", "u", key).problems() != []


def test_secrets_are_not_shown():
    shown = repr(Credentials("acme.my", "id", "u", "the key", "the secret"))

    assert "the key" not in shown
    assert "the secret" not in shown


@pytest.fixture
def configured(settings, org, credentials):
    settings.SALESFORCE_DOMAIN = credentials.domain
    settings.SALESFORCE_CLIENT_ID = credentials.client_id
    settings.SALESFORCE_USERNAME = credentials.username
    settings.SALESFORCE_PRIVATE_KEY = credentials.private_key
    gateways.close()
    yield
    gateways.close()


@pytest.mark.usefixtures("configured")
def test_one_gateway_serves_a_process_until_it_is_closed():
    first = gateways.open()

    assert gateways.open() is first
    gateways.close()
    assert gateways.open() is not first
