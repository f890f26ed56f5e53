"""The processes of the demo, in the order in which they start."""

import sys
import urllib.request
from http.client import HTTPException
from pathlib import Path

from contactreason import embedded
from contactreason.supervisor import Program

API_ALLOWANCE = 1_000_000
"""A large org's; with a new Case every few seconds a demo lasts for days, not for an afternoon."""
CELERY = (sys.executable, "-m", "celery", "-A", "contactreason")


def broker(var_dir: Path) -> Program:
    return Program(
        "broker", embedded.command(var_dir), is_ready=lambda: embedded.answers(var_dir)
    )


def org(*, port: int, web_port: int, cases: Path, package: Path) -> Program:
    return Program(
        "org",
        [
            *(sys.executable, "manage.py", "local_org"),
            *(
                "--port",
                str(port),
                "--cases",
                str(cases),
                "--split",
                "test",
                "--deploy",
                str(package),
                "--allowance",
                str(API_ALLOWANCE),
                "--outbound",
                f"http://127.0.0.1:{web_port}",
            ),
        ],
        is_ready=lambda: answers(f"http://127.0.0.1:{port}/local/ledger"),
        ready_seconds=60,
        serves_the_others=True,
    )


def web(port: int) -> Program:
    return Program(
        "web",
        [
            *(sys.executable, "-m", "gunicorn", "contactreason.wsgi"),
            *("--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "4"),
            *("--no-control-socket", "--graceful-timeout", "1"),
        ],
        is_ready=lambda: answers(f"http://127.0.0.1:{port}/healthz"),
        ready_seconds=60,
    )


def worker() -> Program:
    return Program(
        "worker",
        [
            *(sys.executable, "-m", "contactreason.worker"),
            *("--queues", "decide,salesforce,errands", "--concurrency", "3"),
        ],
    )


def watchman() -> Program:
    return Program("watchman", [sys.executable, "-m", "contactreason.watchman"])


def beat() -> Program:
    return Program("beat", [*CELERY, "beat", "--pidfile=", "--max-interval", "1"])


def answers(url: str) -> bool:
    """Return whether something answers 200 at ``url`` right now."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own loopback address
            return bool(answer.status == 200)  # noqa: PLR2004
    except (OSError, HTTPException):
        return False
