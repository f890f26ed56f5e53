"""Who acts on our own pages: the people at the desk, and the doors through which Cases ring."""

from collections.abc import Callable
from random import Random

from django.db import InternalError, OperationalError, connections

from classifier import leases
from classifier.models import Category, Decision, Transcript
from contactreason.celery import DECIDE, DELIVER, RUNG
from sfsync.models import Connection, Doorbell, WriteBack
from sfsync.pushing import deliver_again
from sfsync.ringing import Ring, note_rings
from tests.simulation.crew import Crew
from tests.simulation.scheduler import NEVER, Process, Scheduler
from tests.simulation.template import KEYWORDS
from tests.simulation.weather import Faults

WORDS = 4
"""A person at the desk says so many words on average while the world lives."""


class Desk:
    """Reviewers and admins: they decide, pause, go on and deliver again."""

    def __init__(self, scheduler: Scheduler, faults: Faults, crew: Crew, dice: Random) -> None:
        self._scheduler = scheduler
        self._faults = faults
        self._crew = crew
        self._dice = dice
        self.is_closing = False

    def open(self, seconds: float) -> None:
        process = Process("desk", is_mortal=False)

        def work() -> None:
            deeds = (self._review, self._review, self._pause, self._again, self._decide_again)
            while not self.is_closing:
                self._scheduler.pause(self._dice.expovariate(WORDS / seconds))
                if not self.is_closing:
                    self._try(self._dice.choice(deeds))

        self._scheduler.spawn("desk", process, work)

    def _try(self, deed: Callable[[], str]) -> None:
        try:
            told = deed()
        except (OperationalError, InternalError) as error:
            told = type(error).__name__
            connections["default"].close()
        self._scheduler.note(told)

    def _review(self) -> str:
        threads = Transcript.objects.current().order_by("id").values_list("thread", flat=True)
        if not threads:
            return "nothing to review"
        thread, code = self._dice.choice(list(threads)), self._dice.choice(sorted(KEYWORDS))
        category = Category.objects.get(code=code)
        Decision.objects.stand_by_person(thread, [category], at=leases.now())
        self._crew.ring(DELIVER)
        return f"a reviewer says {thread} = {code}"

    def _pause(self) -> str:
        Connection.objects.update(paused_at=leases.now())
        self._scheduler.note("writing is paused")
        self._scheduler.pause(self._dice.uniform(5.0, 60.0))
        while True:
            try:
                Connection.objects.update(paused_at=None)
                return "writing goes on"
            except (OperationalError, InternalError):
                connections["default"].close()
                self._scheduler.pause(1.0)

    def _again(self) -> str:
        ended = WriteBack.objects.filter(outcome__in=["dead", "ceded", "delivered"])
        chosen = list(ended.order_by("id").values_list("pk", flat=True))
        if not chosen:
            return "nothing to deliver again"
        rows = WriteBack.objects.filter(pk__in=self._dice.sample(chosen, min(3, len(chosen))))
        return f"{deliver_again(rows)} write-backs are due again"

    def _decide_again(self) -> str:
        threads = list(
            Transcript.objects.current().order_by("id").values_list("thread", flat=True)
        )
        chosen = self._dice.sample(threads, min(3, len(threads)))
        count = Transcript.objects.decide_again(chosen)
        self._crew.ring(DECIDE)
        return f"{count} conversations are decided again"


class Doors:
    """Salesforce rings when a Case changes: lost, late, twice, before it can be seen."""

    def __init__(
        self, scheduler: Scheduler, faults: Faults, crew: Crew, org_id: str, dice: Random
    ) -> None:
        self.accepted: set[str] = set()
        """Notifications that were answered with “received”."""
        self._scheduler = scheduler
        self._faults = faults
        self._crew = crew
        self._org_id = org_id
        self._dice = dice
        self._numbers = 0
        self._sent: list[tuple[float, Ring]] = []

    def open(self) -> None:
        process = Process("web", is_mortal=False)
        self._fiber = self._scheduler.spawn("web", process, self._receive)

    def ring(self, case_id: str) -> None:
        """Let Salesforce notify us that something happened to a Case."""
        if self._faults.strikes("ring_lost"):
            return
        self._numbers += 1
        ring = Ring(f"notification-{self._numbers}", case_id)
        for _ in range(2 if self._faults.strikes("ring_twice") else 1):
            self._sent.append((self._scheduler.now + self._dice.uniform(0.1, 8.0), ring))
        self._sent.sort(key=lambda one: one[0])
        self._fiber.wake_at = min(self._fiber.wake_at, self._sent[0][0])

    def _receive(self) -> None:
        while True:
            while self._sent and self._sent[0][0] <= self._scheduler.now:
                _, ring = self._sent.pop(0)
                self._note(ring)
            self._scheduler.pause(
                self._sent[0][0] - self._scheduler.now if self._sent else NEVER
            )

    def _note(self, ring: Ring) -> None:
        try:
            note_rings(Doorbell.Source.WEBHOOK, self._org_id, [ring])
        except (OperationalError, InternalError):
            connections["default"].close()
            return  # Salesforce got a 503, and may send it again
        self.accepted.add(ring.notification_id)
        self._crew.ring(RUNG)
