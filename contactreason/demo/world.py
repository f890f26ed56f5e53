"""The demo's own world: its folder, ports and secrets, all made for one run.

Imports nothing that reads the settings, for they are read in this world.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

from django.core.management.base import CommandError

from classifier.commands import HIGHEST_PORT
from contactreason.environment import Environment

MARK = "CONTACTREASON_DEMO_ORG_PORT"
"""Set in the environment of every process of the demo: the port of its local org."""
PORTS_TRIED = 20


def enter(base_dir: Path) -> None:
    """Make this process and all that it starts live in a world of their own.

    Call it before Django reads the settings.

    Raises:
        ImproperlyConfigured: the environment around it is not right.
    """
    around = Environment.read(base_dir)
    os.environ.update(environment(os.environ, around.var_dir, around.secret_key))


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
        "OUTBOUND_SECRETS": secrets.token_hex(32),
        "OUTBOUND_ORGANISATIONS": "",
        "OUTBOUND_ACTIONS": "",
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
