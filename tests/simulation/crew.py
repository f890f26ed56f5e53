"""The virtual processes: workers that run the stations as they are, a beat, a supervisor."""

from collections import deque
from collections.abc import Callable

from django.db import InternalError, OperationalError, connections

from classifier import deciding
from contactreason.celery import DECIDE, DELIVER, HEAR, OPEN, PULL, RINGS, RUNG, SETTLE
from sfsync import hearing, pulling, pushing, ringing, staging
from sfsync.credentials import Credentials
from sfsync.errors import SalesforceError
from sfsync.gateway import SalesforceGateway
from sfsync.local_org.org import LocalOrg
from sfsync.pushing import Pace
from sfsync.transport import open_session
from tests.simulation.ports import Ports
from tests.simulation.scheduler import NEVER, Fiber, Process, Scheduler
from tests.simulation.weather import Faults
from tests.simulation.wire import Wire

TIMETABLE = {PULL: 30.0, RUNG: 30.0, DECIDE: 25.0, DELIVER: 25.0, HEAR: 60.0}
"""Station → seconds between two sweeps: less often than in production where rings do as well."""
QUEUES = {**dict.fromkeys((PULL, RUNG, DELIVER, HEAR), "salesforce"), DECIDE: "decide"}
QUEUE_OF = {"salesforce": ("salesforce-1", "salesforce-2"), "decide": ("decide-1", "decide-2")}
LEFT_OUT = {OPEN, SETTLE}
"""Stations of the other loop; nothing here rings them."""
RESTART_SECONDS = (1.0, 5.0)
DECIDED_AT_ONCE = 50


class Crew:
    """Everybody who works for us. ``ring`` is the broker: it may lose and double messages."""

    def __init__(
        self, org: LocalOrg, scheduler: Scheduler, faults: Faults, ports: Ports, wire: Wire
    ) -> None:
        self._org = org
        self._scheduler = scheduler
        self._faults = faults
        self._ports = ports
        self._wire = wire
        self._messages: dict[str, deque[str]] = {name: deque() for name in QUEUE_OF}
        self._waiting: dict[str, list[Fiber]] = {name: [] for name in QUEUE_OF}
        self._runs = 0
        self._alive: dict[Process, str] = {}

    def begin(self) -> None:
        """Start all processes."""
        for queue, names in QUEUE_OF.items():
            for name in names:
                self._start(name, queue)
        beat = Process("beat", is_mortal=False)
        for station, seconds in TIMETABLE.items():
            self._scheduler.spawn("beat", beat, self._sweeps(station, seconds))
        self._scheduler.spawn(
            "supervisor", Process("supervisor", is_mortal=False), self._supervise
        )

    def ring(self, station: str) -> None:
        """Ask for a run of a station."""
        if station in LEFT_OUT or self._faults.strikes("bell_lost"):
            return
        times = 2 if self._faults.strikes("bell_twice") else 1
        queue = QUEUES[station]
        for _ in range(times):
            if self._messages[queue].count(station) < 3:
                self._messages[queue].append(station)
        for fiber in self._waiting[queue]:
            self._scheduler.wake(fiber)

    def _sweeps(self, station: str, seconds: float) -> Callable[[], None]:
        def sweep() -> None:
            self._scheduler.pause(self._faults.dice.uniform(0.0, seconds))
            while True:
                self.ring(station)
                self._scheduler.pause(seconds)

        return sweep

    def _supervise(self) -> None:
        """Start again what died."""
        while True:
            self._scheduler.pause(self._faults.dice.uniform(*RESTART_SECONDS))
            for process, queue in list(self._alive.items()):
                if process.is_dead:
                    del self._alive[process]
                    self._start(process.name, queue)

    def _start(self, name: str, queue: str) -> None:
        process = Process(name)
        self._alive[process] = queue
        self._waiting[queue] = [one for one in self._waiting[queue] if not one.process.is_dead]
        self._scheduler.spawn(name, process, lambda: self._work(queue))

    def _work(self, queue: str) -> None:
        """Run station after station, as a worker does that takes one message at a time."""
        fiber, messages = self._scheduler.fiber, self._messages[queue]
        gateway = self._gateway()
        self._waiting[queue].append(fiber)
        while True:
            if not messages:
                self._scheduler.pause(NEVER)
                continue
            station = messages.popleft()
            self._runs += 1
            fiber.run = self._runs
            moved_on = self._run(station, gateway)
            self._end_task()
            if moved_on:
                for name in RINGS[station]:
                    self.ring(name)
            self._scheduler.give_way()

    def _run(self, station: str, gateway: SalesforceGateway) -> int:
        """Return how many rows moved on; what production's tasks and ``Station`` do about errors."""
        try:
            moved_on = self._call(station, gateway)
        except SalesforceError as error:
            self._scheduler.note(f"{_short(station)}: {type(error).__name__} {error.code}")
            return 0
        except (OperationalError, InternalError) as error:
            self._scheduler.note(f"{_short(station)}: {type(error).__name__}")
            return 0
        if moved_on:
            self._scheduler.note(f"{_short(station)}: {moved_on} moved on")
        return moved_on

    def _call(self, station: str, gateway: SalesforceGateway) -> int:
        if station in {PULL, RUNG}:
            ringing.heed_rings()
            pull = pulling.pull_changed if station == PULL else pulling.read_due
            pulled = pull(gateway)
            return pulled.cases_read if pulled.is_partial else pulled.transcripts_new
        if station == DECIDE:
            return deciding.decide_waiting(limit=DECIDED_AT_ONCE).taken
        if station == HEAR:
            return hearing.hear_changes(gateway)
        staged = staging.stage_decisions()
        pace = Pace(chance=self._faults.dice.random)
        return staged + pushing.deliver_due(gateway, pace=pace).moved_on

    def _gateway(self) -> SalesforceGateway:
        app = self._org.app
        credentials = Credentials("acme.my", app.client_id, client_secret=app.client_secret)
        session = open_session(self._wire, clock=self._scheduler.seconds)
        return SalesforceGateway(credentials, session)

    def _end_task(self) -> None:
        """Close a connection that an error may have broken, as Celery's Django fix-up does."""
        connection = connections["default"]
        if connection.errors_occurred:
            connection.close()


def _short(station: str) -> str:
    return station.rpartition(".")[2]
