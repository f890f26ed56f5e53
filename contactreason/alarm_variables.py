"""The variables of alarms and mail: whom to tell, and by which server."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import environ

MAIL_FORM = re.compile(r"[^@\s,<>]+@[^@\s,<>]+")


@dataclass(frozen=True, slots=True)
class AlarmVariables:
    """Whom alarms go to. Empty means: not by this way."""

    emails: list[str]
    webhook_url: str
    webhook_is_local: bool
    """The receiver is on this very machine: for tests and the demo only."""
    mail: dict[str, Any]
    """Django's ``EMAIL_…`` settings, of ``EMAIL_URL``."""
    mail_from: str
    site_url: str
    """Where people find the admin, without a slash at its end."""

    @classmethod
    def read(
        cls, variables: Mapping[str, str], *, is_local: bool, add_problem: Callable[[str], None]
    ) -> "AlarmVariables":
        """Return them checked; what is wrong is told to ``add_problem``."""

        def written(name: str) -> str:
            return variables.get(name, "").strip()

        emails = [one.strip() for one in written("ALARM_EMAILS").split(",") if one.strip()]
        for one in emails:
            if not MAIL_FORM.fullmatch(one):
                add_problem(
                    f"ALARM_EMAILS names {one!r}: write addresses, with commas between."
                )
        webhook, site = written("ALARM_WEBHOOK_URL"), written("SITE_URL").rstrip("/")
        if webhook and not _is_webhook(webhook, is_local=is_local):
            # Not repeated: the address of a webhook is a secret.
            add_problem(
                "ALARM_WEBHOOK_URL must begin with https:// and name a host on the public"
                " internet (with ALARM_WEBHOOK_LOCAL=true: one on this machine)."
            )
        if site and not site.startswith(("https://", "http://")):
            add_problem(f"SITE_URL is {site!r}: write https:// and the host people use.")
        mail = _mail(written("EMAIL_URL"), add_problem)
        if emails and not mail:
            add_problem(
                "ALARM_EMAILS is set, but no EMAIL_URL: write smtp+tls://user:password@host:587."
            )
        return cls(
            emails,
            webhook,
            is_local,
            mail,
            written("DEFAULT_FROM_EMAIL") or "contact-reason@localhost",
            site,
        )


def _is_webhook(url: str, *, is_local: bool) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    schemes = {"https", "http"} if is_local else {"https"}
    return bool(host) and parts.scheme in schemes and parts.username is None


def _mail(url: str, add_problem: Callable[[str], None]) -> dict[str, Any]:
    if not url:
        return {}
    scheme = url.partition(":")[0]
    if scheme not in environ.Env.EMAIL_SCHEMES:
        known = ", ".join(sorted(environ.Env.EMAIL_SCHEMES))
        add_problem(f"EMAIL_URL begins with {scheme!r}: write one of {known}.")
        return {}
    # What it does not name keeps Django's own default.
    return {name: value for name, value in environ.Env.email_url_config(url).items() if value}
