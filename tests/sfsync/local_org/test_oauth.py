"""Tokens are issued to those who prove who they are, by the flows that still exist."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed

from sfsync.local_org.door import InProcessDoor
from sfsync.local_org.founding import INTEGRATION_USERNAME

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@pytest.fixture
def session(org):
    session = requests.Session()
    session.mount("https://", InProcessDoor(org))
    return session


def log_in(org, session, private_key, **rest):
    values = {
        "username": INTEGRATION_USERNAME,
        "consumer_key": org.app.client_id,
        "privatekey": private_key,
    }
    return Salesforce(**{**values, **rest}, session=session, version="66.0")


def post(session, form, host="acme.my"):
    return session.post(f"https://{host}.salesforce.com/services/oauth2/token", data=form)


def assertion(org, private_key, **claims):
    soon = datetime.now(UTC) + timedelta(minutes=2)
    standard = {
        "iss": org.app.client_id,
        "sub": INTEGRATION_USERNAME,
        "aud": "https://login.salesforce.com",
        "exp": str(int(soon.timestamp())),
    }
    signed = jwt.encode({**standard, **claims}, private_key, algorithm="RS256")
    return {"grant_type": JWT_GRANT, "assertion": signed}


def test_the_real_client_logs_in_with_a_signed_assertion(org, session, private_key):
    sf = log_in(org, session, private_key)

    assert sf.sf_instance == "acme.my.salesforce.com"
    assert sf.query("SELECT Id FROM Organization")["records"][0]["Id"] == org.org_id


def test_the_token_may_be_asked_for_at_my_domain_while_the_audience_is_login(
    org, session, private_key
):
    sf = log_in(org, session, private_key, instance_url="acme.my")

    assert sf.query("SELECT COUNT() FROM Case")["totalSize"] == 0


def test_a_token_answer_says_who_and_where_but_not_how_long(org, session, private_key):
    body = post(session, assertion(org, private_key), host="login").json()

    assert body["id"].endswith(f"/id/{org.org_id}/{org.founders.integration}")
    assert body["instance_url"] == "https://acme.my.salesforce.com"
    assert body["issued_at"].isdigit()
    assert not {"expires_in", "refresh_token"} & body.keys()


def test_an_assertion_signed_by_another_key_is_refused(org, session, private_key):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

    with pytest.raises(SalesforceAuthenticationFailed) as refused:
        log_in(org, session, other.decode())

    assert refused.value.code == "invalid_grant"


@pytest.mark.parametrize(
    ("claims", "error", "description"),
    [
        ({"aud": "https://test.salesforce.com"}, "invalid_grant", "audience is invalid"),
        ({"aud": "https://acme.my.salesforce.com"}, "invalid_grant", "audience is invalid"),
        ({"iss": "somebody else"}, "invalid_client_id", "client identifier invalid"),
        (
            {"sub": "ann.bell@acme.example"},
            "invalid_grant",
            "user hasn't approved this consumer",
        ),
        ({"exp": "1000"}, "invalid_grant", "expired authorization code"),
        ({"exp": "99999999999"}, "invalid_grant", "expired authorization code"),
    ],
)
def test_an_assertion_with_a_wrong_claim_is_refused(
    org, session, private_key, claims, error, description
):
    answer = post(session, assertion(org, private_key, **claims), host="login")

    assert answer.status_code == 400
    assert answer.json() == {"error": error, "error_description": description}
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_certificate_can_be_registered_instead_of_a_key(org, session):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "contact-reason")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    org.app.register_certificate(certificate.public_bytes(serialization.Encoding.PEM).decode())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()

    sf = log_in(org, session, pem)

    assert sf.query("SELECT COUNT() FROM Case")["totalSize"] == 0


def test_client_credentials_act_as_the_integration_user(org, sf):
    assert sf.oauth2("userinfo")["user_id"] == org.founders.integration


def test_client_credentials_do_not_work_at_the_common_login(org, session):
    form = {
        "grant_type": "client_credentials",
        "client_id": org.app.client_id,
        "client_secret": org.app.client_secret,
    }

    answer = post(session, form, host="login")

    assert answer.json()["error_description"] == "request not supported on this domain"


@pytest.mark.parametrize(
    ("changed", "error"),
    [({"client_secret": "wrong"}, "invalid_client"), ({"client_id": "x"}, "invalid_client_id")],
)
def test_wrong_client_credentials_are_refused(org, session, changed, error):
    form = {
        "grant_type": "client_credentials",
        "client_id": org.app.client_id,
        "client_secret": org.app.client_secret,
    }

    answer = post(session, {**form, **changed})

    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_the_password_flow_is_not_offered(org, session):
    answer = post(session, {"grant_type": "password", "username": "u", "password": "p"})

    assert answer.json()["error"] == "unsupported_grant_type"


def test_a_soap_login_is_refused_at_this_version(org, session):
    with pytest.raises(SalesforceAuthenticationFailed) as refused:
        Salesforce(
            username="u", password="p", security_token="t", session=session, version="66.0"
        )

    assert refused.value.code == "UNSUPPORTED_API_VERSION"


def test_an_outage_of_the_login_is_told_apart_from_bad_credentials(org, session, private_key):
    org.faults.outages_of_login = 1

    with pytest.raises(SalesforceAuthenticationFailed) as refused:
        log_in(org, session, private_key)

    assert refused.value.code == 503


def test_a_revoked_token_is_refused_and_the_client_logs_in_again(org, sf):
    org.tokens.revoke_all()
    old = sf.session.get(sf.base_url, headers=sf.headers)

    found = sf.query("SELECT COUNT() FROM Case")

    assert old.status_code == 401
    assert old.json() == [
        {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}
    ]
    assert found["totalSize"] == 0
    assert org.ledger.logins == 2
