"""However the demo is ended, nothing of it is left, and its status tells no lie."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event
from time import monotonic

import pytest

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]
ROOT = Path(__file__).resolve().parents[3]
WORDS = {
    "parcel": "my parcel never came and number {} has not moved since",
    "refund": "please give me my money back for order {} of last month",
}


def write_cases(path):
    rows = [
        {"text": words.format(number), "labels": [label], "split": split}
        for number in range(60)
        for split in ("train", "test")
        for label, words in WORDS.items()
    ]
    path.write_text("\n".join(map(json.dumps, rows)))


@pytest.fixture
def demo(tmp_path):
    write_cases(tmp_path / "cases.jsonl")
    command = [sys.executable, "manage.py", "demo", "--port", "8720"]
    environment = {
        k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}
    }
    with subprocess.Popen(
        [*command, "--cases", str(tmp_path / "cases.jsonl")],
        cwd=ROOT,
        env={**environment, "VAR_DIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        yield process
        process.terminate()


def read_until(demo, sign):
    """Return once a line of the demo's own words holds ``sign``."""
    seen = []
    for line in demo.stdout:
        seen.append(line)
        if sign in line:
            return
    pytest.fail("".join(seen))


def living_in(folder):
    """Return the command lines of every process, children of children included, of one world."""
    mark = f"VAR_DIR={folder}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes():
                found.append((entry / "cmdline").read_bytes())
        except OSError:  # it ended meanwhile, or is another user's
            continue
    return found


def all_is_over_within(seconds, folder):
    deadline = monotonic() + seconds
    while living_in(folder):
        if monotonic() > deadline:
            return False
        Event().wait(0.05)
    return True


def test_term_ends_everything_within_five_seconds(demo, tmp_path):
    read_until(demo, "/admin/sign-in/")
    assert len(living_in(tmp_path)) >= 8

    demo.send_signal(signal.SIGTERM)

    assert all_is_over_within(5, tmp_path)
    assert demo.wait() == 0


def test_ctrl_c_before_every_case_is_through_is_no_success(demo, tmp_path):
    read_until(demo, "Starting the line")

    demo.send_signal(signal.SIGINT)

    assert all_is_over_within(5, tmp_path)
    assert demo.wait() == 130


def test_kill_9_leaves_no_process_behind(demo, tmp_path):
    read_until(demo, "/admin/sign-in/")

    demo.kill()
    demo.wait()

    assert all_is_over_within(5, tmp_path)
