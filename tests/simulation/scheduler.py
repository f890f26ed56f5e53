"""Who runs when: virtual processes in one thread, exactly one at a time, chosen by the seed.

Production code runs unchanged in greenlets. It is asked at every network call, transaction and
some statements whether another may run now; there it may be killed or frozen, too. Time passes
only where somebody waits.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any

from django.db import connections
from greenlet import getcurrent, greenlet

from classifier import leases

BEGIN = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NEVER = float("inf")
STEPS_SHOWN = 60


class Killed(BaseException):
    """The process is dead: nothing in it runs on, and nothing it still tries has an effect."""


class Stuck(Exception):
    """Everybody waits for nothing."""


@dataclass(eq=False)
class Process:
    """A virtual process: it is killed, and frozen, as a whole."""

    name: str
    frozen_until: float = 0.0
    is_dead: bool = False
    is_mortal: bool = True
    fibers: list["Fiber"] = field(default_factory=list)


@dataclass(eq=False)
class Fiber:
    """One line of work within a process, with a database connection of its own."""

    name: str
    process: Process
    greenlet: Any
    connection: Any
    wake_at: float = 0.0
    run: int = 0
    """Which of all runs of a station it is at: tells claims of one run from those of the next."""

    @property
    def may_run_at(self) -> float:
        return max(self.wake_at, self.process.frozen_until)


class Trace:
    """What happened, step by step; the same seed gives the same digest."""

    def __init__(self) -> None:
        self.steps = 0
        self.last: deque[str] = deque(
            maxlen=int(os.environ.get("SIMULATION_STEPS", STEPS_SHOWN))
        )
        self._hash = sha256()

    def note(self, line: str) -> None:
        self.steps += 1
        self.last.append(line)
        self._hash.update(line.encode())
        self._hash.update(b"\n")

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()[:16]


class Scheduler:
    """Runs fibers by simulated time. ``dice`` chooses among those that may run."""

    def __init__(self, dice: Random) -> None:
        self.dice = dice
        self.now = 0.0
        self.trace = Trace()
        self.current: Fiber | None = None
        self.after_step: Callable[[], None] = lambda: None
        self._fibers: list[Fiber] = []
        self._hub = getcurrent()
        self._failure: BaseException | None = None

    def moment(self) -> datetime:
        """Return the simulated time, as an aware moment."""
        return BEGIN + timedelta(seconds=self.now)

    def seconds(self) -> float:
        return self.now

    def note(self, what: str) -> None:
        who = self.current.name if self.current else "world"
        self.trace.note(f"{self.now:9.2f} s  {who:<14} {what}")

    def spawn(self, name: str, process: Process, work: Callable[[], None]) -> Fiber:
        """Let ``work`` run as a fiber of ``process`` from now on."""
        connection = connections.create_connection("default")

        def body() -> None:
            try:
                leases.keeper.set(self._keeper)
                work()
            except Killed:
                pass
            except BaseException as error:  # noqa: BLE001 -- the hub raises it
                self._failure = error
            finally:
                self._bury(fiber)

        fiber = Fiber(name, process, greenlet(body, self._hub), connection, self.now)
        process.fibers.append(fiber)
        self._fibers.append(fiber)
        return fiber

    def run(self, until: float, *, is_over: Callable[[], bool] = lambda: False) -> None:
        """Run everybody until the simulated second ``until``, or until ``is_over``."""
        while not is_over():
            fiber = self._next(until)
            if fiber is None:
                self.now = max(self.now, until)
                return
            self._step(fiber)

    def pause(self, seconds: float) -> None:
        """Let the present fiber wait."""
        fiber = self.fiber
        if fiber.process.is_dead:
            raise Killed
        fiber.wake_at = self.now + seconds
        self._hub.switch()
        if fiber.process.is_dead:
            raise Killed

    def give_way(self) -> None:
        """Let somebody else run now, if anybody wants to."""
        self.pause(0.0)

    @property
    def fiber(self) -> Fiber:
        assert self.current is not None, "nobody runs"
        return self.current

    def wake(self, fiber: Fiber) -> None:
        fiber.wake_at = min(fiber.wake_at, self.now)

    def kill(self, process: Process) -> None:
        """Kill a process where it stands: ``kill -9``. Open transactions are rolled back."""
        process.is_dead = True
        for fiber in tuple(process.fibers):
            _disconnect(fiber)
            if fiber is not self.current:
                self._throw(fiber)

    def freeze(self, process: Process, seconds: float) -> None:
        """Stop a process for a while: SIGSTOP and SIGCONT."""
        process.frozen_until = self.now + seconds

    def thaw(self) -> None:
        """Let everybody who is frozen go on."""
        for fiber in self._fibers:
            fiber.process.frozen_until = 0.0

    def bury_all(self) -> None:
        """End everything, so that the next world begins without leftovers."""
        for fiber in tuple(self._fibers):
            fiber.process.is_dead = True
            _disconnect(fiber)
            self._throw(fiber)

    def _next(self, until: float) -> Fiber | None:
        earliest = min((one.may_run_at for one in self._fibers), default=NEVER)
        if earliest > until:
            return None
        self.now = max(self.now, earliest)
        ready = [one for one in self._fibers if one.may_run_at <= self.now]
        return ready[0] if len(ready) == 1 else ready[self.dice.randrange(len(ready))]

    def _step(self, fiber: Fiber) -> None:
        self.current = fiber
        connections["default"] = fiber.connection
        fiber.wake_at = NEVER
        fiber.greenlet.switch()
        self.current = None
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        self.after_step()

    def _throw(self, fiber: Fiber) -> None:
        if not fiber.greenlet:  # never begun, or at its end
            self._bury(fiber)
            return
        before, self.current = self.current, fiber
        connections["default"] = fiber.connection
        fiber.greenlet.parent = getcurrent()
        fiber.greenlet.throw(Killed)
        self.current = before
        if before is not None:
            connections["default"] = before.connection

    def _bury(self, fiber: Fiber) -> None:
        _disconnect(fiber)
        if fiber in self._fibers:
            self._fibers.remove(fiber)
        if fiber in fiber.process.fibers:
            fiber.process.fibers.remove(fiber)

    @contextmanager
    def _keeper(self, renew: Callable[[], None], seconds: float) -> Iterator[None]:
        """Keep claims by the simulated clock, in a fiber of the same process."""
        is_over = False

        def keep() -> None:
            while True:
                self.pause(seconds)
                if is_over:
                    return
                renew()

        owner = self.fiber
        keeper = self.spawn(f"{owner.name}'s keeper", owner.process, keep)
        try:
            yield
        finally:
            is_over = True
            if not owner.process.is_dead:
                while not keeper.greenlet.dead and _is_at_work(keeper):
                    self.pause(0.01)  # as the thread is joined
                if not keeper.greenlet.dead:
                    self._throw(keeper)


def _is_at_work(keeper: Fiber) -> bool:
    return bool(keeper.connection.in_atomic_block)


def _disconnect(fiber: Fiber) -> None:
    raw = fiber.connection.connection
    fiber.connection.connection = None
    if raw is not None:
        raw.close()  # which rolls back
