"""Where production code is interrupted: each statement, each commit, each call over the wire."""

import sqlite3
from datetime import UTC

from tests.simulation.database.base import PORT
from tests.simulation.row_invariants import RowInvariants
from tests.simulation.scheduler import Killed, Scheduler
from tests.simulation.weather import Faults

LOCK_SECONDS = 0.25
MOST_WAITS = 80
"""20 seconds in all, as production's ``busy_timeout``."""


class Ports:
    """Lets the weather strike at yield points, and gives every connection the simulated clock."""

    def __init__(self, scheduler: Scheduler, faults: Faults, rows: RowInvariants) -> None:
        self._scheduler = scheduler
        self._faults = faults
        self._rows = rows
        self._cut: set[int] = set()
        """Ids of raw connections that broke."""
        self._kept: list[sqlite3.Connection] = []
        """So that no new connection gets the id of a broken one."""

    def open(self) -> None:
        PORT.connecting = self._connecting
        PORT.cursor = self._cursor
        PORT.rolling_back = self._cursor
        PORT.statement = self._statement
        PORT.waits = self._waits
        PORT.committing = self._committing
        PORT.committed = self._committed

    @staticmethod
    def close() -> None:
        fresh = type(PORT)()
        for name in vars(fresh):
            setattr(PORT, name, getattr(fresh, name))

    def may_die(self, where: str) -> None:
        """Let the weather kill or freeze the process here."""
        scheduler, faults = self._scheduler, self._faults
        process = scheduler.fiber.process
        if process.is_dead:
            raise Killed
        if not process.is_mortal:
            return
        if faults.strikes("kill") or self._is_poisoned():
            scheduler.note(f"killed {where}")
            scheduler.kill(process)
            raise Killed
        is_spared = scheduler.fiber.connection.in_atomic_block and faults.dice.random() < 0.9
        if not is_spared and any(faults.strikes("freeze") for _ in range(self._tries())):
            seconds = faults.dice.uniform(20.0, 120.0)
            scheduler.note(f"frozen for {seconds:.0f} s {where}")
            scheduler.freeze(process, seconds)
            scheduler.give_way()

    def _tries(self) -> int:
        """Return how often a freeze is drawn: more where there are few yield points."""
        return 10 if self._scheduler.fiber.name.startswith("decide") else 1

    def _is_poisoned(self) -> bool:
        """Return whether the fiber is about to write down what it made of words that kill."""
        fiber = self._scheduler.fiber
        if not self._rows.poison or not fiber.name.startswith("decide"):
            return False
        self._scheduler.after_step()  # what was claimed by now
        return self._who() in self._rows.poisoned

    def _connecting(self, raw: sqlite3.Connection) -> None:
        raw.create_function("strftime", 2, self._strftime)
        raw.create_function("simulated_who", 0, self._who)
        raw.create_function("simulated_at", 0, self._scheduler.seconds)

    def _strftime(self, form: str, moment: str) -> str:
        if (form, moment) != ("%Y-%m-%d %H:%M:%f", "now"):
            raise ValueError(f"the simulation knows no strftime({form!r}, {moment!r})")
        now = self._scheduler.moment().astimezone(UTC)
        self._rows.clock_read[self._who()] = self._scheduler.seconds()
        return f"{now:%Y-%m-%d %H:%M:%S}.{now.microsecond // 1000:03d}"

    def _who(self) -> str:
        fiber = self._scheduler.current
        return f"{fiber.name}/{fiber.run}" if fiber else "world/0"

    def _cursor(self, raw: sqlite3.Connection) -> None:
        if id(raw) in self._cut:
            raise sqlite3.OperationalError("the connection is closed")

    def _statement(self, query: str) -> None:
        fiber = self._scheduler.current
        if fiber is None:
            return
        if fiber.process.is_dead:
            raise Killed
        faults = self._faults
        if query.startswith("BEGIN"):
            self._turn("begin")
        elif faults.strikes("statement"):
            self._scheduler.give_way()
            self.may_die("before a statement")
        if faults.strikes("database_locked"):
            self._scheduler.note("database is locked")
            raise sqlite3.OperationalError("database is locked")
        if query == "connect":
            return
        self._cursor(fiber.connection.connection)
        if faults.strikes("database_gone"):
            self._cut_off("the connection to the database broke")

    def _turn(self, where: str) -> None:
        if self._faults.strikes("switch"):
            self._scheduler.give_way()
        self.may_die(f"at {where}")

    def _waits(self, waited: int) -> bool:
        if self._scheduler.current is None or waited >= MOST_WAITS:
            return False
        self._scheduler.pause(LOCK_SECONDS)
        return True

    def _committing(self) -> None:
        fiber = self._scheduler.current
        if fiber is None:
            return
        self._cursor(fiber.connection.connection)
        self._turn("commit")
        if self._faults.strikes("commit_unknown"):
            if self._faults.dice.random() < 0.5:
                fiber.connection.connection.commit()
            self._cut_off("the connection broke at a commit")

    def _committed(self) -> None:
        if self._scheduler.current is not None:
            self._turn("after commit")

    def _cut_off(self, words: str) -> None:
        self._scheduler.note(words)
        raw = self._scheduler.fiber.connection.connection
        raw.rollback()
        self._cut.add(id(raw))
        self._kept.append(raw)
        raise sqlite3.OperationalError(words)
