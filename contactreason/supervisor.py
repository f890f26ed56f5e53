"""The processes of one machine: started in order, watched, restarted, stopped in order."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from contactreason import leash

SERVED_GRACE_SECONDS = 1.5
SERVING_GRACE_SECONDS = 0.6
"""How long programs may take to stop by themselves after TERM: within 5 s all is over."""
RESTART_PAUSE_SECONDS = 0.5
"""Before a process that died is started again: no tight loop."""


class StartFailed(RuntimeError):
    """A process did not come up; the message names it and its log."""


@dataclass
class Program:
    """One process to keep running."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    is_ready: Callable[[], bool] | None = None
    """Asked until it says yes before the next program starts; None: no wait."""
    ready_seconds: float = 30.0
    serves_the_others: bool = False
    """Stopped only when the rest has ended, so that nobody loses it in the middle of a task."""


@dataclass
class _Running:
    program: Program
    process: subprocess.Popen[bytes]
    died_at: float | None = None


class Supervisor:
    """Keeps programs running until it is stopped; leaves no process behind, however it ends.

    Every program runs in a process group of its own, so that Ctrl-C reaches only the
    supervisor, which stops them in reverse order of start.
    """

    def __init__(self, log_dir: Path) -> None:
        self.log_dir = log_dir
        log_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._running: dict[str, _Running] = {}
        self._leash = subprocess.Popen(
            # By path and isolated: it must start in a few milliseconds and import nothing of ours.
            [sys.executable, "-I", "-S", leash.__file__],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def start(self, program: Program) -> None:
        """Start ``program`` and wait until it is ready.

        Raises:
            StartFailed: it ended, or was not ready in time.
        """
        self.begin(program)
        self.wait_for(program.name)

    def begin(self, program: Program) -> None:
        """Start ``program`` and let it get ready while other things are done."""
        self._running[program.name] = _Running(program, self._spawn(program))

    def wait_for(self, name: str) -> None:
        """Wait until a program that has begun is ready; its time counts from now.

        Raises:
            StartFailed: it ended, or was not ready in time.
        """
        running = self._running[name]
        program = running.program
        if program.is_ready is None:
            return
        deadline = time.monotonic() + program.ready_seconds
        while not program.is_ready():
            if running.process.poll() is not None:
                raise StartFailed(f"{name} ended at once. {self._last_words(program)}")
            if time.monotonic() > deadline:
                raise StartFailed(
                    f"{name} was not ready after {program.ready_seconds:.0f} s."
                    f" {self._last_words(program)}"
                )
            time.sleep(0.05)

    def pid(self, name: str) -> int:
        """Return the process id that ``name`` has now."""
        return self._running[name].process.pid

    def pids(self) -> dict[str, int]:
        """Return the process id of every program."""
        return {name: running.process.pid for name, running in self._running.items()}

    def revive(self) -> list[str]:
        """Start again what has died since; return the names of what was started."""
        revived = []
        for name, running in self._running.items():
            if running.process.poll() is None:
                continue
            if running.died_at is None:
                running.died_at = time.monotonic()
                self._tell_leash(-running.process.pid)
                # Its children (a worker's pool) must not live on beside the new ones.
                _signal_group(running.process.pid, signal.SIGKILL)
            if time.monotonic() - running.died_at >= RESTART_PAUSE_SECONDS:
                running.process = self._spawn(running.program)
                running.died_at = None
                revived.append(name)
        return revived

    def stop(self) -> None:
        """Stop everything, what serves the others last; what does not stop in time is killed."""
        served = [one for one in self._running.values() if not one.program.serves_the_others]
        serving = [one for one in self._running.values() if one.program.serves_the_others]
        _stop_all(served, SERVED_GRACE_SECONDS)
        _stop_all(serving, SERVING_GRACE_SECONDS)
        self._running.clear()
        if self._leash.stdin:
            self._leash.stdin.close()
        self._leash.wait()

    def _spawn(self, program: Program) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **program.environment}
        # Without bytecode each process would compile a few thousand modules at every start.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        with self._log(program) as log:
            process = subprocess.Popen(
                list(program.command),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._tell_leash(process.pid)
        return process

    def _tell_leash(self, group: int) -> None:
        if self._leash.stdin:
            self._leash.stdin.write(b"%d\n" % group)
            self._leash.stdin.flush()

    def _log(self, program: Program) -> IO[bytes]:
        return (self.log_dir / f"{program.name}.log").open("ab")

    def _last_words(self, program: Program) -> str:
        path = self.log_dir / f"{program.name}.log"
        lines = path.read_text(errors="replace").strip().splitlines()[-5:]
        return "\n".join([f"The end of {path}:", *lines])


def _stop_all(running: Sequence[_Running], grace_seconds: float) -> None:
    deadline = time.monotonic() + grace_seconds
    for one in reversed(running):
        _signal_group(one.process.pid, signal.SIGTERM, leader_only=True)
    for one in reversed(running):
        with contextlib.suppress(subprocess.TimeoutExpired):
            one.process.wait(max(0.05, deadline - time.monotonic()))
        _signal_group(one.process.pid, signal.SIGKILL)
        one.process.wait()


def _signal_group(pid: int, number: int, *, leader_only: bool = False) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if leader_only:
            os.kill(pid, number)
        else:
            os.killpg(pid, number)
