"""The demo as a real set of processes, for journeys that need them."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

from sfsync.local_org.remote import RemoteOrg

ROOT = Path(__file__).resolve().parents[3]


class RunningDemo:
    """The demo as a user starts it, with its world in a folder of its own.

    ``records`` are its Cases and gold labels; ``options`` go to the command.
    """

    def __init__(
        self, folder: Path, records: Iterable[Mapping[str, Any]], *options: str
    ) -> None:
        self.world = folder / "demo"
        cases = folder / "cases.jsonl"
        cases.write_text("\n".join(map(json.dumps, records)))
        environment = {
            k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}
        }
        command = [sys.executable, "-u", "manage.py", "demo", "--cases", str(cases), *options]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**environment, "VAR_DIR": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def pid(self, name):
        return json.loads((self.world / "processes.json").read_text())[name]

    def rows(self, sql):
        path = self.world / "contactreason.sqlite3"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
            return database.execute(sql).fetchall()

    def count(self, table, condition="1"):
        try:
            return self.rows(f"SELECT count(*) FROM {table} WHERE {condition}")[0][0]
        except sqlite3.OperationalError:  # not migrated yet
            return 0

    def wait_until(self, holds: Callable[[], bool], seconds=90):
        deadline = monotonic() + seconds
        while not holds():
            assert self.process.poll() is None, self.process.communicate()
            assert monotonic() < deadline, "it never came to pass"
            Event().wait(0.02)

    def is_line_up(self):
        return (self.world / "processes.json").exists()

    def org(self):
        """Return the running org; its port stands in the command of its process."""
        words = Path(f"/proc/{self.pid('org')}/cmdline").read_text().split("\0")
        return RemoteOrg(f"http://127.0.0.1:{words[words.index('--port') + 1]}")

    def sign_in_link(self):
        """Return the link that the demo tells once every Case is through."""
        for line in self.process.stdout:
            if "/sign-in/" in line:
                return line.strip()
        raise AssertionError(self.process.communicate())

    def stop(self):
        self.process.terminate()
        self.process.communicate(timeout=20)
