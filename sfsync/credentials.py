"""From the environment to a logged-in client: JWT bearer or client credentials, nothing else."""

import re
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from simple_salesforce.api import Salesforce

from sfsync.errors import NotConfigured
from sfsync.transport import SalesforceSession

PUBLIC_DOMAINS = {"login", "test"}
# Sandboxes and scratch orgs log in at test.salesforce.com: acme--dev.sandbox.my, x.scratch.my.
SANDBOX_DOMAIN = re.compile(r"--|\.(sandbox|scratch)\.my$")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are to Salesforce, complete and right in form. Secrets stay out of ``repr``."""

    domain: str
    """``login``, ``test`` or a My Domain such as ``acme.my``."""
    client_id: str
    username: str = ""
    private_key: str = field(default="", repr=False)
    client_secret: str = field(default="", repr=False)

    @classmethod
    def from_settings(cls) -> "Credentials":
        """Return the credentials that the environment holds.

        Raises:
            NotConfigured: naming every setting that is missing or wrong, a sentence each.
        """
        credentials = cls(
            domain=settings.SALESFORCE_DOMAIN,
            client_id=settings.SALESFORCE_CLIENT_ID,
            username=settings.SALESFORCE_USERNAME,
            private_key=settings.SALESFORCE_PRIVATE_KEY,
            client_secret=settings.SALESFORCE_CLIENT_SECRET,
        )
        if problems := credentials.problems():
            raise NotConfigured(
                "Salesforce is not configured yet. " + " ".join(problems), code="NOT_CONFIGURED"
            )
        return credentials

    @property
    def is_jwt(self) -> bool:
        return bool(self.private_key)

    @property
    def audience(self) -> str:
        """``login`` or ``test``: whom a JWT addresses, also where a My Domain hands out tokens."""
        if self.domain in PUBLIC_DOMAINS:
            return self.domain
        return "test" if SANDBOX_DOMAIN.search(self.domain) else "login"

    def problems(self) -> list[str]:
        """Return what is missing or wrong, one sentence each; empty when all is well."""
        found = []
        if not self.domain:
            found.append("Set SALESFORCE_DOMAIN to login, test or your My Domain (acme.my).")
        if not self.client_id:
            found.append("Set SALESFORCE_CLIENT_ID to the External Client App's consumer key.")
        return found + (self._secret_problems() if self.client_secret else self._jwt_problems())

    def _secret_problems(self) -> list[str]:
        found = []
        if self.private_key:
            found.append(
                "Set either SALESFORCE_CLIENT_SECRET or SALESFORCE_PRIVATE_KEY, not both."
            )
        if self.domain in PUBLIC_DOMAINS:
            found.append(
                "With SALESFORCE_CLIENT_SECRET, SALESFORCE_DOMAIN must be your My Domain"
                " (acme.my), because Salesforce gives no such token at login or test."
            )
        return found

    def _jwt_problems(self) -> list[str]:
        if not self.username and not self.private_key:
            return [
                "Set SALESFORCE_CLIENT_SECRET, or SALESFORCE_USERNAME together with"
                " SALESFORCE_PRIVATE_KEY (or SALESFORCE_PRIVATE_KEY_FILE)."
            ]
        if not self.username:
            return ["Set SALESFORCE_USERNAME to the integration user's name."]
        if not self.private_key:
            return ["Set SALESFORCE_PRIVATE_KEY (or SALESFORCE_PRIVATE_KEY_FILE)."]
        if not _is_rsa_key(self.private_key):
            return [
                "SALESFORCE_PRIVATE_KEY must be an RSA private key in PEM form without a"
                " passphrase."
            ]
        return []


def connect(credentials: Credentials, session: SalesforceSession) -> Salesforce:
    """Return a logged-in client that renews its own token.

    The caller wraps it in ``typed_errors``. SOAP and password logins are never offered:
    Salesforce has removed them from the API version that we speak.
    """
    version = settings.SALESFORCE_API_VERSION
    if not credentials.is_jwt:
        return Salesforce(
            consumer_key=credentials.client_id,
            consumer_secret=credentials.client_secret,
            domain=credentials.domain,
            session=session,
            version=version,
        )
    is_public = credentials.domain in PUBLIC_DOMAINS
    return Salesforce(
        username=credentials.username,
        consumer_key=credentials.client_id,
        privatekey=credentials.private_key,
        domain=credentials.audience,
        # The client wants the token host's prefix here, not an address (its pull request 711).
        instance_url=None if is_public else credentials.domain,
        session=session,
        version=version,
    )


def _is_rsa_key(text: str) -> bool:
    try:
        return isinstance(load_pem_private_key(text.encode(), password=None), RSAPrivateKey)
    except (ValueError, TypeError):  # not PEM, or with a passphrase
        return False
