"""The token endpoint: JWT bearer and client credentials; and what a token stands for."""

import base64
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import load_pem_x509_certificate

from sfsync.local_org.errors import Refusal
from sfsync.local_org.state import OrgState

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LONGEST_ASSERTION_SECONDS = 300
_KEY_BITS = 2048


class TokenRefused(Exception):
    """A token call refused; the body is an object, unlike every other error."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description

    def as_body(self) -> dict[str, str]:
        return {"error": self.error, "error_description": self.description}


@dataclass(slots=True)
class ClientApp:
    """An External Client App registered in the org."""

    client_id: str
    client_secret: str
    run_as: str
    """Id of the user that client credentials act as."""
    approved: set[str]
    """Usernames that may use the JWT flow without having clicked on Allow."""
    public_keys: list[str] = field(default_factory=list)
    """PEM of the public keys whose signatures count."""

    def new_private_key(self) -> str:
        """Make a key pair, register its public half; return the private half as PEM."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.public_keys.append(public.decode())
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return private.decode()

    def register_certificate(self, pem: str) -> None:
        """Register the public key of a certificate, as one uploads it to a real app."""
        public = load_pem_x509_certificate(pem.encode()).public_key()
        self.public_keys.append(
            public.public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            ).decode()
        )


class TokenOffice:
    """Registered apps, issued tokens."""

    def __init__(self, org: OrgState) -> None:
        """Open the office with one app that runs as the integration user."""
        self._org = org
        founders = org.founders
        self.app = ClientApp(
            client_id="3MVG9" + secrets.token_urlsafe(60),
            client_secret=secrets.token_hex(32).upper(),
            run_as=founders.integration,
            approved={org.username_of(founders.integration)},
        )
        self.apps = {self.app.client_id: self.app}
        self._tokens: dict[str, str] = {}

    def rename_app(self, client_id: str, client_secret: str) -> None:
        """Give the org's app the id and secret that a caller chose."""
        del self.apps[self.app.client_id]
        self.app.client_id, self.app.client_secret = client_id, client_secret
        self.apps[client_id] = self.app

    def user_of(self, token: str) -> str:
        """Return the id of the user a token stands for.

        Raises:
            Refusal: INVALID_SESSION_ID if the token is unknown, expired or revoked.
        """
        user_id = self._tokens.get(token)
        if user_id is None:
            raise Refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
        return user_id

    def revoke(self, token: str) -> None:
        """End one token."""
        self._tokens.pop(token, None)

    def revoke_all(self) -> None:
        """End every token, as an administrator or the end of their lifetime does."""
        self._tokens.clear()

    def token_for(self, form: Mapping[str, str], authorization: str, host: str) -> object:
        """Return the body of a token answer.

        ``host`` is the name the call went to; client credentials work on My Domain only.

        Raises:
            TokenRefused: with the error and description a real org gives.
        """
        grant = form.get("grant_type")
        if grant == JWT_GRANT:
            return self._answer(self._user_by_assertion(form.get("assertion", "")))
        if grant == "client_credentials":
            return self._answer(self._user_by_secret(form, authorization, host))
        raise TokenRefused("unsupported_grant_type", "grant type not supported")

    def _answer(self, user_id: str) -> dict[str, str]:
        org = self._org
        token = f"{org.org_id[:15]}!AQ{secrets.token_urlsafe(66)}"
        self._tokens[token] = user_id
        org.ledger.logins += 1
        login = "test" if org.is_sandbox else "login"
        return {
            "access_token": token,
            "signature": base64.b64encode(secrets.token_bytes(32)).decode(),
            "scope": "api",
            "instance_url": org.instance_url,
            "id": f"https://{login}.salesforce.com/id/{org.org_id}/{user_id}",
            "token_type": "Bearer",
            "issued_at": str(int(time.time() * 1000)),
        }

    def _user_by_assertion(self, assertion: str) -> str:
        claims = self._verified(assertion)
        app = self.apps[str(claims["iss"])]
        audience = "test" if self._org.is_sandbox else "login"
        if claims.get("aud") != f"https://{audience}.salesforce.com":
            raise TokenRefused("invalid_grant", "audience is invalid")
        self._refuse_stale(claims.get("exp"))
        username = str(claims.get("sub"))
        user = self._org.user_named(username)
        if user is None or username not in app.approved:
            raise TokenRefused("invalid_grant", "user hasn't approved this consumer")
        if not user["IsActive"]:
            raise TokenRefused("invalid_grant", "inactive user")
        return str(user["Id"])

    def _verified(self, assertion: str) -> Mapping[str, object]:
        """Return the claims of an assertion whose RS256 signature is right."""
        unchecked = {"verify_signature": False}
        try:
            issuer = jwt.decode(assertion, options=unchecked).get("iss")  # type: ignore[arg-type]  # a partial dict is fine
        except jwt.InvalidTokenError as broken:
            raise TokenRefused("invalid_grant", "invalid assertion") from broken
        app = self.apps.get(str(issuer))
        if app is None:
            raise TokenRefused("invalid_client_id", "client identifier invalid")
        for key in app.public_keys:
            claims = _claims(assertion, key)
            if claims is not None:
                return claims
        raise TokenRefused("invalid_grant", "invalid assertion")

    def _refuse_stale(self, expires: object) -> None:
        # The machine's clock, not the org's: the client stamps its assertion with it.
        text = str(expires)
        left = int(text) - datetime.now(UTC).timestamp() if text.isdigit() else -1
        if not 0 < left <= LONGEST_ASSERTION_SECONDS:
            raise TokenRefused("invalid_grant", "expired authorization code")

    def _user_by_secret(self, form: Mapping[str, str], authorization: str, host: str) -> str:
        if host.startswith(("login.salesforce.com", "test.salesforce.com")):
            raise TokenRefused("invalid_grant", "request not supported on this domain")
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        if authorization.lower().startswith("basic "):
            client_id, secret = _basic(authorization)
        app = self.apps.get(client_id)
        if app is None:
            raise TokenRefused("invalid_client_id", "client identifier invalid")
        if not secrets.compare_digest(app.client_secret.encode(), secret.encode()):
            raise TokenRefused("invalid_client", "invalid client credentials")
        return app.run_as


def _claims(assertion: str, public_key: str) -> Mapping[str, object] | None:
    options = {"verify_exp": False, "verify_aud": False}
    try:
        return jwt.decode(assertion, public_key, algorithms=["RS256"], options=options)  # type: ignore[arg-type]  # a partial dict is fine
    except jwt.InvalidTokenError:
        return None


def _basic(authorization: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(authorization[6:], validate=True).decode()
    except ValueError:
        return "", ""
    client_id, _, secret = text.partition(":")
    return client_id, secret
