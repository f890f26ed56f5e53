"""Runs the test suite lane by lane and says which lanes ran: ``python -m tests.lanes``.

Lanes: SQLite with the embedded broker (always; needs nothing but the lock), the browser tests
within it where Chromium is there, and once more on PostgreSQL and Redis where servers answer.
``--require browser,postgres,redis`` makes a skipped lane a failure (CI does).
"""

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass

import psycopg
import redis

from tests.browser.chromium import find_chromium

DATABASE_URL = os.environ.get(
    "TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres"
)
REDIS_URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")
PER_SERVER = "(database or redis) and not browser and not node and not processes"
"""What may behave otherwise on another database or broker."""
SIDE_BY_SIDE = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
"""Two files at a time, in the order of ``tests.environment``: half of the suite waits."""


@dataclass(frozen=True)
class Outcome:
    lane: str
    reason: str
    """Why it was skipped; empty where it ran."""
    failed: bool = False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--require", default="", help="lanes that must not be skipped")
    options = parser.parse_args()
    required = {name for name in options.require.split(",") if name}
    started = time.monotonic()

    outcomes = [
        embedded_lane(),
        Outcome("browser", "" if find_chromium() else "no Chromium found on this machine"),
        *server_lanes(),
    ]

    print(f"\nLanes ({time.monotonic() - started:.0f} s in all):")
    for outcome in outcomes:
        word = (
            "FAILED"
            if outcome.failed
            else f"skipped: {outcome.reason}"
            if outcome.reason
            else "ran"
        )
        print(f"  {outcome.lane:9} {word}")
    missing = [o.lane for o in outcomes if o.reason and o.lane in required]
    if missing:
        print(f"These lanes must run here and did not: {', '.join(missing)}.")
    return 1 if missing or any(o.failed for o in outcomes) else 0


def embedded_lane() -> Outcome:
    return Outcome("embedded", "", failed=not passes([], {"DATABASE_URL": "", "REDIS_URL": ""}))


def server_lanes() -> list[Outcome]:
    no_postgres, no_redis = why_no_postgres(), why_no_redis()
    lanes = [Outcome("postgres", no_postgres), Outcome("redis", no_redis)]
    servers = {}
    if not no_postgres:
        servers["DATABASE_URL"] = DATABASE_URL
    if not no_redis:
        servers["REDIS_URL"] = REDIS_URL
    if servers and not passes(["-m", PER_SERVER], servers):
        lanes = [Outcome(o.lane, o.reason, failed=not o.reason) for o in lanes]
    return lanes


def passes(arguments: list[str], environment: dict[str, str]) -> bool:
    command = [sys.executable, "-m", "pytest", "--durations=10", *SIDE_BY_SIDE, *arguments]
    shown = " ".join(f"{name}={value}" for name, value in environment.items() if value)
    print(
        f"\n== pytest {' '.join(arguments)} {shown or '(SQLite, embedded broker)'}", flush=True
    )
    return (
        subprocess.run(command, env={**os.environ, **environment}, check=False).returncode == 0
    )


def why_no_postgres() -> str:
    try:
        psycopg.connect(DATABASE_URL, connect_timeout=2).close()
    except psycopg.OperationalError as error:
        return f"no PostgreSQL at TEST_DATABASE_URL ({str(error).strip().splitlines()[-1]})"
    return ""


def why_no_redis() -> str:
    client = redis.Redis.from_url(REDIS_URL, socket_connect_timeout=2)
    try:
        client.ping()
    except redis.RedisError as error:
        return f"no Redis at TEST_REDIS_URL ({error})"
    finally:
        client.close()
    return ""


if __name__ == "__main__":
    sys.exit(main())
