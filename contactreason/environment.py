"""The environment as typed values; everything missing or wrong is told at once."""

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from contactreason.alarm_variables import AlarmVariables
from contactreason.door_variables import DoorVariables

DOMAIN_FORM = re.compile(r"^(login|test|[a-z0-9-]+(--[a-z0-9]+)?(\.[a-z0-9-]+)*\.my)$")
TOPIC_FORM = re.compile(r"/data/(\w{1,90}ChangeEvent|ChangeEvents|\w{1,90}__chn)")
API_VERSION_FORM = re.compile(r"^\d{2,3}\.0$")
TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"", "0", "false", "no", "off"}


@dataclass
class Problems:
    """Collects what is wrong, so that one start shows all of it."""

    found: list[str] = field(default_factory=list)

    def add(self, sentence: str) -> None:
        self.found.append(sentence)

    def raise_if_any(self) -> None:
        if self.found:
            listed = "\n".join(f"  - {sentence}" for sentence in self.found)
            raise ImproperlyConfigured(
                f"The environment is not right yet:\n{listed}\n.env.example describes every variable."
            )


@dataclass(frozen=True, slots=True)
class Environment:
    """Everything that the environment decides, checked."""

    secret_key: str
    debug: bool
    plain_http: bool
    allowed_hosts: list[str]
    csrf_trusted_origins: list[str]
    database: dict[str, Any]
    redis_url: str
    var_dir: Path
    promotion_needs_second_person: bool
    target_precision: float
    out_of_scope_share: float | None
    dask_scheduler: str
    salesforce: "SalesforceVariables"
    alarms: AlarmVariables
    doors: DoorVariables

    @classmethod
    def read(cls, base_dir: Path, variables: Mapping[str, str] | None = None) -> "Environment":
        """Return the checked environment.

        ``variables`` stands in for ``os.environ`` in tests.

        Raises:
            ImproperlyConfigured: naming every variable that is missing or wrong.
        """
        if variables is None:
            file = Path(os.environ.get("ENV_FILE", base_dir / ".env"))
            if file.is_file():
                environ.Env.read_env(str(file))  # what is set already stays
            variables = os.environ
        problems = Problems()
        var_dir = Path(variables.get("VAR_DIR") or base_dir / "var")
        read = cls(
            secret_key=_secret_key(variables, var_dir, problems),
            debug=_truth(variables, "DEBUG", problems),
            plain_http=_truth(variables, "PLAIN_HTTP", problems),
            allowed_hosts=_words(variables.get("ALLOWED_HOSTS", "127.0.0.1,localhost")),
            csrf_trusted_origins=_words(variables.get("CSRF_TRUSTED_ORIGINS", "")),
            database=_database(variables, var_dir, problems),
            redis_url=_redis_url(variables, problems),
            var_dir=var_dir,
            promotion_needs_second_person=_truth(
                variables, "PROMOTION_NEEDS_SECOND_PERSON", problems, default="true"
            ),
            target_precision=_share(
                variables, "TARGET_PRECISION", problems, 0.95, must_not_be=(0.0, 1.0)
            )
            or 0.95,
            out_of_scope_share=_share(
                variables, "OUT_OF_SCOPE_SHARE", problems, None, must_not_be=(1.0,)
            ),
            dask_scheduler=variables.get("DASK_SCHEDULER", "").strip(),
            salesforce=SalesforceVariables.read(variables, problems),
            alarms=AlarmVariables.read(
                variables,
                is_local=_truth(variables, "ALARM_WEBHOOK_LOCAL", problems),
                add_problem=problems.add,
            ),
            doors=DoorVariables.read(variables, add_problem=problems.add),
        )
        problems.raise_if_any()
        return read


@dataclass(frozen=True, slots=True)
class SalesforceVariables:
    """The Salesforce variables, right in form. Empty means: not set."""

    domain: str
    client_id: str
    client_secret: str
    username: str
    private_key: str
    api_version: str
    api_share: float
    local_origin: str
    events_local_origin: str
    event_topics: list[str]

    @classmethod
    def read(cls, variables: Mapping[str, str], problems: Problems) -> "SalesforceVariables":
        def checked(
            name: str, is_right: Callable[[str], bool], sentence: str, default: str = ""
        ) -> str:
            value = variables.get(name, "").strip() or default
            if value and not is_right(value):
                problems.add(f"{name} is {value!r}: {sentence}")
            return value

        return cls(
            domain=checked(
                "SALESFORCE_DOMAIN",
                lambda value: bool(DOMAIN_FORM.match(value)),
                "write login, test, or your My Domain without .salesforce.com, for example acme.my.",
            ),
            client_id=variables.get("SALESFORCE_CLIENT_ID", "").strip(),
            client_secret=variables.get("SALESFORCE_CLIENT_SECRET", "").strip(),
            username=variables.get("SALESFORCE_USERNAME", "").strip(),
            private_key=_private_key(variables, problems),
            api_version=checked(
                "SALESFORCE_API_VERSION",
                lambda value: bool(API_VERSION_FORM.match(value)),
                "write a version such as 66.0.",
                default="66.0",
            ),
            api_share=_share(
                variables, "SALESFORCE_API_SHARE", problems, 0.2, must_not_be=(0.0,)
            )
            or 0.2,
            local_origin=checked(
                "SALESFORCE_LOCAL_ORIGIN",
                is_loopback_origin,
                "only http://127.0.0.1:PORT (or localhost, [::1]) is allowed, because everything"
                " sent there travels unencrypted.",
            ),
            events_local_origin=checked(
                "SALESFORCE_EVENTS_LOCAL_ORIGIN",
                is_loopback_origin,
                "only http://127.0.0.1:PORT (or localhost, [::1]) is allowed, because everything"
                " sent there travels unencrypted.",
            ),
            event_topics=_words(
                checked(
                    "SALESFORCE_EVENT_TOPICS",
                    lambda value: all(map(TOPIC_FORM.fullmatch, _words(value))),
                    "write channels of change events such as /data/CaseChangeEvent, separated by"
                    " commas.",
                    default="/data/CaseChangeEvent",
                )
            ),
        )


def is_loopback_origin(origin: str) -> bool:
    """Return whether ``origin`` is a plain-HTTP address of this very machine, and nothing else."""
    try:
        parts = urlsplit(origin)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    if parts.scheme != "http" or not port or parts.username or parts.path not in {"", "/"}:
        return False
    if parts.query or parts.fragment or not host:
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _secret_key(variables: Mapping[str, str], var_dir: Path, problems: Problems) -> str:
    if key := variables.get("SECRET_KEY", "").strip():
        return key
    key_file = Path(variables.get("SECRET_KEY_FILE") or var_dir / "secret_key")
    try:
        if key := key_file.read_text(encoding="ascii").strip():
            return key
    except FileNotFoundError:
        pass
    except OSError as error:
        problems.add(f"The secret key in {key_file} cannot be read: {error.strerror}.")
        return ""
    problems.add("SECRET_KEY is missing: run `make setup`, or set it to a long random string.")
    return ""


def _private_key(variables: Mapping[str, str], problems: Problems) -> str:
    key = variables.get("SALESFORCE_PRIVATE_KEY", "").replace("\\n", "\n").strip()
    path = variables.get("SALESFORCE_PRIVATE_KEY_FILE", "").strip()
    if key or not path:
        return key
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a PEM text file"
        problems.add(f"SALESFORCE_PRIVATE_KEY_FILE {path} cannot be read: {reason}.")
        return ""


def _database(
    variables: Mapping[str, str], var_dir: Path, problems: Problems
) -> dict[str, Any]:
    url = (
        variables.get("DATABASE_URL", "").strip()
        or f"sqlite:///{var_dir / 'contactreason.sqlite3'}"
    )
    if not url.startswith(("postgres://", "postgresql://", "sqlite:///")):
        problems.add("DATABASE_URL must begin with postgresql:// or sqlite:///.")
        return {}
    database: dict[str, Any] = dict(environ.Env.db_url_config(url))
    if "sqlite" in database["ENGINE"]:
        database["OPTIONS"] = {
            # WAL alone gives 64 % lock errors under three writers; with IMMEDIATE none were
            # measured in 800 contended transactions.
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                "PRAGMA busy_timeout=20000; PRAGMA cache_size=-20000;"
            ),
        }
    else:
        database["CONN_MAX_AGE"] = 60
        database["CONN_HEALTH_CHECKS"] = True
    return database


def _redis_url(variables: Mapping[str, str], problems: Problems) -> str:
    url = variables.get("REDIS_URL", "").strip()
    if url and not url.startswith(("redis://", "rediss://", "unix://")):
        problems.add("REDIS_URL must begin with redis://, rediss:// or unix://.")
    return url


def _share(
    variables: Mapping[str, str],
    name: str,
    problems: Problems,
    default: float | None,
    *,
    must_not_be: tuple[float, ...],
) -> float | None:
    written = variables.get(name, "").strip()
    if not written:
        return default
    try:
        share = float(written)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1 or share in must_not_be:
        problems.add(f"{name} is {written!r}: write a share between 0 and 1, for example 0.2.")
        return default
    return share


def _truth(
    variables: Mapping[str, str], name: str, problems: Problems, *, default: str = ""
) -> bool:
    word = variables.get(name, "").strip().lower() or default
    if word not in TRUE_WORDS | FALSE_WORDS:
        problems.add(f"{name} is {word!r}: write true or false.")
    return word in TRUE_WORDS


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
