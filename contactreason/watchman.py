"""``python -m contactreason.watchman``: keeps the line moving where nobody rings for it.

The broker and the beat only say *when* to look; what there is to do stands in the tables. So this
process needs neither. It looks at when each station last ran: while the broker is silent it runs
the stations at their pace, and where a station that the broker should have brought to somebody has
not run for longer (no beat, workers that hear nothing), it runs that one. Leases make it harmless
beside workers.

What may take minutes (errands) waits for the broker: one of them would hold up everything else.
"""

import logging
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from types import FrameType

import django
from django.conf import settings
from django.db import DatabaseError, close_old_connections

from contactreason.celery import RINGS, app

LOOK_SECONDS = 2.0
PATIENCE = timedelta(seconds=5)
"""How much longer than its pace a station may be silent while the broker answers."""
CHAIN_SECONDS = 60.0
"""Then the broker is asked again, even if there is more to do."""

logger = logging.getLogger(__name__)


class Watchman:
    """Looks, and works where nobody does."""

    def __init__(
        self,
        broker_answers: Callable[[], bool],
        clock: Callable[[], datetime],
        stations: Mapping[str, Callable[[], int]],
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """``stations``: name of a task → what runs it and returns how many rows it moved on."""
        self._look_seconds = look_seconds
        self._broker_answers = broker_answers
        self._clock = clock
        self._stations = stations
        self.is_over = threading.Event()

    def watch(self) -> None:
        """Look again and again until ``is_over`` is set."""
        while not self.is_over.is_set():
            try:
                moved = self.look()
            except (
                DatabaseError
            ) as error:  # without tables there is nothing to do; they come back
                logger.warning("watchman=waits cause=%s", type(error).__name__)
                moved = 0
            close_old_connections()
            if not moved:
                self.is_over.wait(self._look_seconds)

    def look(self) -> int:
        """Run what nobody rings for and what follows from it; return how many rows moved on."""
        patience = PATIENCE if self._broker_answers() else timedelta(0)
        names = overdue(self._stations, self._clock(), patience)
        moved = self._work(names)
        if names:
            logger.info("watchman=worked stations=%d moved=%d", len(names), moved)
        return moved

    def _work(self, names: Iterable[str]) -> int:
        waiting, total = deque(names), 0
        until = self._clock() + timedelta(seconds=CHAIN_SECONDS)
        while waiting and not self.is_over.is_set() and self._clock() < until:
            name = waiting.popleft()
            moved = self._stations[name]()
            total += moved
            follow = RINGS.get(name, ()) if moved else ()
            waiting.extend(
                one for one in follow if one in self._stations and one not in waiting
            )
        return total


def overdue(names: Iterable[str], now: datetime, patience: timedelta) -> list[str]:
    """Return the stations of the timetable that have not run for their pace and ``patience``."""
    from django_celery_beat.models import PeriodicTask  # noqa: PLC0415  # after django.setup()

    from contactreason.models import StationRun  # noqa: PLC0415

    ran = dict(StationRun.objects.values_list("station", "ran_at"))
    rows = PeriodicTask.objects.filter(
        enabled=True, interval__isnull=False, task__in=list(names)
    )
    return [
        row.task
        for row in rows.select_related("interval").order_by("interval__every", "name")
        if row.task not in ran or now - ran[row.task] > row.schedule.run_every + patience
    ]


def stations() -> dict[str, Callable[[], int]]:
    """Return the tasks of the timetable that are done within seconds, by name."""
    app.loader.import_default_modules()
    slow = {
        name
        for name, route in settings.CELERY_TASK_ROUTES.items()
        if route["queue"] == "errands"
    }
    ours = [name for name in app.tasks if name.startswith(("classifier.", "sfsync."))]
    return {name: app.tasks[name] for name in ours if name not in slow}


def main() -> int:
    """Watch until told to stop, and return the process's exit status."""
    django.setup()
    from classifier import leases  # noqa: PLC0415  # after django.setup()
    from contactreason import broker  # noqa: PLC0415

    watchman = Watchman(broker.answers, leases.now, stations())

    def stop(number: int, frame: FrameType | None) -> None:
        watchman.is_over.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    watchman.watch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
