"""The web app as it is served: gunicorn, in front of a database of its own, for a benchmark."""

import http.client
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit, urlunsplit

import psycopg

SERVER = os.environ.get("TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
START_SECONDS = 60
POSTGRESQL, SQLITE = "postgresql", "sqlite"


@dataclass(frozen=True, slots=True)
class Served:
    """A running gunicorn with one worker of four threads."""

    port: int
    pid: int

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    @property
    def resident_mb(self) -> float:
        """Memory of the worker process."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        status = Path(f"/proc/{children[0]}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024


@contextmanager
def database(kind: str, name: str) -> Iterator[str]:
    """Make an empty database of that kind, yield its URL, and drop it."""
    if kind == SQLITE:
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/bench.sqlite3"
        return
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {name}")
    try:
        yield urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(SERVER, autocommit=True) as server:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def environment(database_url: str, **more: str) -> dict[str, str]:
    """Return the environment of the web app and of this process, beside the machine's own."""
    return {
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "contactreason.settings",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "PLAIN_HTTP": "true",
        "ALLOWED_HOSTS": "127.0.0.1,testserver",
        "ENV_FILE": "",
        "REDIS_URL": os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/13"),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        **more,
    }


@contextmanager
def served(application: str, variables: Mapping[str, str]) -> Iterator[Served]:
    """Serve a WSGI application until the block ends."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}"),
        *("--workers", "1", "--threads", "4", "--no-control-socket", "--keep-alive", "30"),
    ]
    with subprocess.Popen(
        command, env={**os.environ, **variables}, stderr=subprocess.DEVNULL
    ) as process:
        one = Served(port, process.pid)
        try:
            _wait_for(one)
            yield one
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_for(one: Served) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError), closing(one.connection()) as connection:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == http.client.OK:
                return
        Event().wait(0.2)
    raise SystemExit("The web app did not start.")


def percentile(values: list[float], share: float) -> float:
    """Return the value below which ``share`` of them lie, by the nearest rank."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]
