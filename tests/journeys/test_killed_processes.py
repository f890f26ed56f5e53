"""The promise that nothing is lost, put to the real processes of the demo."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event
from time import monotonic

import pytest

pytestmark = [pytest.mark.processes, pytest.mark.timeout(150)]
ROOT = Path(__file__).resolve().parents[2]
CASES = 600
WORDS = {
    "parcel": "my parcel never came and the tracking has not moved since it left the depot",
    "refund": "please give me my money back because the jacket I returned arrived weeks ago",
    "login": "I cannot sign in to my account although I asked twice for a new password",
}


def write_cases(path):
    """Three reasons; every text a different cut of its sentence, so that a model can learn them."""
    seeded = random.Random(7)

    def record(number, split):
        label = list(WORDS)[number % len(WORDS)]
        words = seeded.sample(WORDS[label].split(), 9)
        return {
            "id": f"{split}-{number}",
            "text": f"{label} {' '.join(words)}",
            "labels": [label],
            "split": split,
            "language": "en",
        }

    records = [record(n, "train") for n in range(120)] + [
        record(n, "test") for n in range(CASES)
    ]
    path.write_text("\n".join(json.dumps(one) for one in records))


class RunningDemo:
    """The demo as a user starts it, with its world in a folder of its own."""

    def __init__(self, folder):
        self.world = folder / "demo"
        write_cases(folder / "cases.jsonl")
        command = [sys.executable, "manage.py", "demo", "--exit", "--json", "--port", "8700"]
        environment = {
            k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}
        }
        self.process = subprocess.Popen(
            [*command, "--cases", str(folder / "cases.jsonl")],
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


@pytest.fixture
def demo(tmp_path):
    demo = RunningDemo(tmp_path)
    yield demo
    demo.process.terminate()
    demo.process.communicate(timeout=20)


def test_no_case_is_lost_or_written_twice_when_worker_and_broker_are_killed(demo):
    demo.wait_until(demo.is_line_up)
    demo.wait_until(lambda: demo.count("classifier_transcript", "purpose='decide'") > 0)
    os.kill(demo.pid("worker"), signal.SIGKILL)
    demo.wait_until(lambda: demo.count("classifier_decision") > 0)
    os.kill(demo.pid("broker"), signal.SIGKILL)
    os.kill(demo.pid("worker"), signal.SIGKILL)

    out, err = demo.process.communicate(timeout=120)

    told = json.loads(out.strip().splitlines()[-1])
    assert demo.process.returncode == 0, err
    assert "The worker had died and was started again." in err
    assert "The broker had died and was started again." in err
    assert (told["cases"], told["lost"], told["failed"]) == (CASES, 0, 0)
    assert told["most_writes_of_a_case"] == 1
    assert told["written"] == CASES
    assert demo.count("classifier_decision") == CASES, "a Case was decided twice"
