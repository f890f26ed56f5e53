"""The whole line as an operator runs it: each program of the Procfile a process of its own.

PostgreSQL is a server that runs already, with a database made for this run; Redis, the workers, the
beat, the web app and the org are started here, in a folder and on ports of their own. Without a
database server the line stands on SQLite and the embedded broker.
"""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis

from classifier import starter_pack
from contactreason import embedded
from contactreason.demo import programs, world
from contactreason.supervisor import Program, Supervisor
from sfsync.local_org.moments import parsed
from sfsync.local_org.remote import RemoteOrg

ROOT = Path(__file__).resolve().parents[2]
POSTGRES = os.environ.get("TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
ONE_CALL_EACH = {"messaging", "voice"}
"""Channels whose words cost one call a Case by nature: counted apart, so not in the feed."""
WORKERS = ("worker-1", "worker-2")


@dataclass(frozen=True, slots=True)
class Shape:
    """What the line is made of."""

    on_postgres: bool = True
    """PostgreSQL and Redis; else SQLite and the embedded broker."""
    workers: int = 2
    children: int = 2
    """Processes of each worker's pool."""
    broker: bool = True
    """False: nobody answers where it should be, so that only the watchman works."""
    rings: bool = True
    """Outbound Messages of the org; False: the poll alone."""
    pull_seconds: int = 30
    """How often the org is asked where nobody rings."""


class RunningLine:
    """A line that runs: a context manager that leaves no process and no database behind."""

    def __init__(self, folder: Path, shape: Shape = Shape()) -> None:
        self.folder = folder
        self.shape = shape
        self.org_port = world.free_port(0)
        self.redis_port = world.free_port(0)
        self.web_port = world.free_port(0)
        self.database = f"line_{secrets.token_hex(4)}" if shape.on_postgres else ""
        self.environment = self._environment()
        self.supervisor = Supervisor(folder / "logs")
        self.org = RemoteOrg(f"http://127.0.0.1:{self.org_port}")

    def __enter__(self) -> "RunningLine":
        try:
            self._set_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.supervisor.stop()
        if self.database:
            with psycopg.connect(POSTGRES, autocommit=True) as server:
                server.execute(f"DROP DATABASE IF EXISTS {self.database} WITH (FORCE)")

    # What stands in it

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what a question to the line's own database says."""
        if self.database:
            with psycopg.connect(self.environment["DATABASE_URL"]) as connection:
                return connection.execute(sql).fetchall()
        import sqlite3  # only this kind of line has it
        from contextlib import closing

        path = self.folder / "contactreason.sqlite3"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as found:
            return found.execute(sql).fetchall()

    def unfinished(self) -> int:
        """Return how many Cases of the org have not come to the end of the line."""
        ((finished,),) = self.rows(FINISHED)
        return int(self.org.ledger()["cases"]) - int(finished)

    def wait_until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Return whether ``holds`` came true in time; what has died is started again meanwhile."""
        deadline = monotonic() + seconds
        while not holds():
            if monotonic() > deadline:
                return False
            self.supervisor.revive()
            sleep(0.25)
        return True

    def broker(self) -> redis.Redis:
        """Return a client of the broker."""
        if self.shape.on_postgres:
            return redis.Redis(port=self.redis_port, socket_timeout=2)
        return redis.Redis(unix_socket_path=str(embedded.socket_path(self.folder)))

    # How it comes up

    def _environment(self) -> dict[str, str]:
        made = world.environment(os.environ, self.folder, secrets.token_urlsafe(50))
        made |= {
            "VAR_DIR": str(self.folder),
            world.MARK: str(self.org_port),
            "SALESFORCE_LOCAL_ORIGIN": f"http://127.0.0.1:{self.org_port}",
            "ENV_FILE": "",
        }
        for name in ("DATABASE_URL", "REDIS_URL"):
            made[name] = ""
        if self.database:
            server = urlsplit(POSTGRES)
            made["DATABASE_URL"] = urlunsplit(server._replace(path=f"/{self.database}"))
            made["REDIS_URL"] = f"redis://127.0.0.1:{self.redis_port}/0"
        return made

    def _set_up(self) -> None:
        if self.database:
            with psycopg.connect(POSTGRES, autocommit=True) as server:
                server.execute(f"CREATE DATABASE {self.database}")
        if self.shape.broker:
            self._start(self._broker())
        package = self.folder / "salesforce"
        cases = self.folder / "cases.jsonl"
        cases.write_text(without_calls_of_their_own(), encoding="utf-8")
        self._manage("migrate", "--verbosity", "0")
        self._manage("load_starter_pack")
        self._manage("salesforce_metadata", str(package))
        self._start(self._org(cases, package))
        self._manage("train")
        self._manage("promote")
        self._manage("set_mode", "automatic")
        self._manage("shell", "-v", "0", "-c", PULL_EVERY.format(self.shape.pull_seconds))
        self._start(programs.web(self.web_port))
        for name in WORKERS[: self.shape.workers]:
            self._start(self._worker(name))
        self._start(programs.beat())
        self._start(programs.watchman())

    def _start(self, program: Program) -> None:
        program.environment = self.environment
        self.supervisor.start(program)

    def _broker(self) -> Program:
        if not self.shape.on_postgres:
            return programs.broker(self.folder)
        folder = self.folder / "redis"
        folder.mkdir(parents=True)
        command = ["redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1"]
        command += ["--dir", str(folder), "--appendonly", "yes", "--save", ""]
        command += ["--maxmemory-policy", "noeviction"]
        return Program("broker", command, is_ready=self._broker_answers)

    def _broker_answers(self) -> bool:
        try:
            return bool(self.broker().ping())
        except redis.RedisError:
            return False

    def _org(self, cases: Path, package: Path) -> Program:
        org = programs.org(
            port=self.org_port, web_port=self.web_port, cases=cases, package=package
        )
        if not self.shape.rings:
            at = org.command.index("--outbound")
            org.command = [*org.command[:at], *org.command[at + 2 :]]
        return org

    def _worker(self, name: str) -> Program:
        command = [sys.executable, "-m", "contactreason.worker"]
        command += ["--queues", "decide,salesforce,errands"]
        return Program(name, [*command, "--concurrency", str(self.shape.children)])

    def _manage(self, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )


def without_calls_of_their_own() -> str:
    """Return the starter pack's unseen conversations by e-mail, web and comments, as JSON lines."""
    lines = starter_pack.conversations_path().read_text(encoding="utf-8").splitlines()
    kept = [
        line
        for line, record in ((line, json.loads(line)) for line in lines if line.strip())
        if record["split"] == "test" and record.get("channel") not in ONE_CALL_EACH
    ]
    return "\n".join(kept)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` (0 to 1) of ``values`` do not exceed; nan where none."""
    ordered = sorted(values)
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def written_at(writes: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """Return Case id → when we wrote it through the API, in seconds since 1970, oldest first."""
    written: dict[str, list[float]] = {}
    for write in writes:
        if write["by_api"] and write["sobject"] == "Case":
            moment = parsed(write["at"]).timestamp()
            written.setdefault(write["record_id"], []).append(moment)
    return written


FINISHED = """
SELECT count(*) FROM sfsync_caselink c
WHERE EXISTS (SELECT 1 FROM sfsync_writeback w WHERE w.case_link_id = c.id AND w.outcome <> 'dead')
AND NOT EXISTS (
  SELECT 1 FROM sfsync_writeback w WHERE w.case_link_id = c.id
  AND (w.ended_at IS NULL OR w.outcome = 'dead')
)
"""
PULL_EVERY = """
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from contactreason.celery import HEAR, PULL
interval, _ = IntervalSchedule.objects.get_or_create(every={0}, period="seconds")
PeriodicTask.objects.filter(task__in=[PULL, HEAR]).update(interval=interval, expire_seconds=10)
"""
