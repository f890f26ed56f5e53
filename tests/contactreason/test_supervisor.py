import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event

import pytest

from contactreason.supervisor import Program, StartFailed, Supervisor

ROOT = Path(__file__).resolve().parents[2]


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A killed process that nobody has waited for yet still has a number.
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def wait_until(holds, seconds=10):
    deadline = time.monotonic() + seconds
    while not holds():
        Event().wait(0.01)
        assert time.monotonic() < deadline, "it never came to pass"


def sleeper(name="sleeper", **options):
    return Program(name, ["sleep", "60"], **options)


@pytest.fixture
def supervisor(tmp_path):
    supervisor = Supervisor(tmp_path)
    yield supervisor
    supervisor.stop()


def test_stopping_ends_every_program(supervisor):
    supervisor.start(sleeper("one"))
    supervisor.start(sleeper("two"))
    pids = supervisor.pids()

    supervisor.stop()

    assert [pid for pid in pids.values() if is_alive(pid)] == []


def test_a_program_that_ignores_term_is_killed_in_time(supervisor, tmp_path):
    ready = tmp_path / "ready"
    stubborn = f"trap '' TERM; touch {ready}; while :; do sleep 1; done"
    supervisor.start(Program("stubborn", ["sh", "-c", stubborn], is_ready=ready.exists))
    pid = supervisor.pid("stubborn")

    supervisor.stop()

    assert not is_alive(pid)


def test_a_killed_program_comes_back(supervisor):
    supervisor.start(sleeper())
    first = supervisor.pid("sleeper")

    os.kill(first, signal.SIGKILL)
    wait_until(lambda: supervisor.revive() == ["sleeper"])

    assert supervisor.pid("sleeper") != first
    assert is_alive(supervisor.pid("sleeper"))


def test_a_program_that_ends_at_once_is_reported_with_its_last_words(supervisor):
    program = Program("broken", ["sh", "-c", "echo no disk; exit 3"], is_ready=lambda: False)

    with pytest.raises(StartFailed, match="no disk"):
        supervisor.start(program)


def test_a_program_that_never_gets_ready_is_reported(supervisor):
    with pytest.raises(StartFailed, match="not ready"):
        supervisor.start(sleeper(is_ready=lambda: False, ready_seconds=0.2))


OWNER = """
import signal, sys
from pathlib import Path
from threading import Event
from contactreason.supervisor import Program, Supervisor
supervisor = Supervisor(Path(sys.argv[1]))
supervisor.start(Program("family", ["sh", "-c", "sleep 60 & echo $! > $0/child; wait", sys.argv[1]]))
Path(sys.argv[1], "pid").write_text(str(supervisor.pid("family")))
signal.pause()
"""


def test_kill_9_of_the_supervisor_leaves_no_process_behind(tmp_path):
    with subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], cwd=ROOT) as owner:
        written = [tmp_path / "pid", tmp_path / "child"]
        wait_until(lambda: all(path.exists() and path.read_text().strip() for path in written))
        pids = [int(path.read_text()) for path in written]

        owner.kill()

        wait_until(lambda: not any(is_alive(pid) for pid in pids))
