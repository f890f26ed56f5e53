"""The demo's own world: its folder, ports and secrets, all made for one run."""

import contextlib
import fcntl
import os
import secrets
import shutil
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone

from classifier.commands import HIGHEST_PORT
from sfsync.local_org.ids import new_id
from sfsync.models import Connection

MARK = "CONTACTREASON_DEMO_ORG_PORT"
"""Set in the environment of every process of the demo: the port of its local org."""
PORTS_TRIED = 20
LOCAL_ORG_ID = new_id("00D", 1)


def environment(base: Mapping[str, str], var_dir: Path, secret_key: str) -> dict[str, str]:
    """Return the environment of the demo's processes: ``base`` with a world of its own.

    Every secret is random and lives as long as the run.
    """
    org_port = free_port(0)
    return {
        **base,
        MARK: str(org_port),
        "VAR_DIR": str(var_dir / "demo"),
        "SECRET_KEY": secret_key,
        "PLAIN_HTTP": "true",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "SALESFORCE_DOMAIN": "acme.my",
        "SALESFORCE_CLIENT_ID": "demo-" + secrets.token_hex(16),
        "SALESFORCE_CLIENT_SECRET": secrets.token_hex(32),
        "SALESFORCE_USERNAME": "",
        "SALESFORCE_PRIVATE_KEY": "",
        "SALESFORCE_PRIVATE_KEY_FILE": "",
        "SALESFORCE_LOCAL_ORIGIN": f"http://127.0.0.1:{org_port}",
        # One thread a process: two cores are shared by web, worker and org.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


@contextlib.contextmanager
def sole_use(var_dir: Path) -> Iterator[None]:
    """Hold the folder for this run alone.

    Raises:
        CommandError: another demo runs there.
    """
    var_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (var_dir / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(
                f"Another demo is running in {var_dir}. Stop it with Ctrl-C first."
            ) from None
        yield


def empty(var_dir: Path) -> None:
    """Remove everything that an earlier demo left in ``var_dir``, the lock aside."""
    for path in var_dir.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "lock":
            path.unlink()


def empty_database() -> None:
    """Drop the tables of an earlier demo from a server's database (DATABASE_URL).

    Raises:
        CommandError: the database holds anything else; nothing was touched.
    """
    tables = connection.introspection.table_names()
    if not tables:
        return
    if Connection._meta.db_table not in tables or not _holds_a_demo():
        raise CommandError(
            "DATABASE_URL names a database that is in use. The demo begins with an empty one:"
            " name another database, or drop this one's tables if nobody needs them."
        )
    names = ", ".join(connection.ops.quote_name(table) for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {names} CASCADE")


def claim_database() -> None:
    """Pin the new tables to the local org at once: a run that is cut off can be told by it."""
    Connection.objects.create(id=1, org_id=LOCAL_ORG_ID, connected_at=timezone.now())


def _holds_a_demo() -> bool:
    return Connection.objects.filter(org_id=LOCAL_ORG_ID).exists()


def free_port(wanted: int) -> int:
    """Return ``wanted`` or the next free port after it on loopback; 0: any free one.

    Raises:
        CommandError: none of ``PORTS_TRIED`` is free.
    """
    for port in range(wanted, min(wanted + PORTS_TRIED, HIGHEST_PORT + 1)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            # As the server itself will bind: a port in its last TIME_WAIT is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise CommandError(f"No free port from {wanted} on. Name another one with --port.")


def is_inside() -> bool:
    """Return whether this process already lives in a demo's world."""
    return MARK in os.environ
