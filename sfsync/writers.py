"""How fast we write: fewer writers and smaller batches while Salesforce is slow.

Salesforce bears 25 requests at once that last 20 seconds or longer, whosever they are.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from classifier import leases
from sfsync.calls import Operation, Outcome
from sfsync.models import Writer, WritingPace

STEPS = ((4, 200), (2, 100), (1, 50), (1, 25), (1, 12), (1, 10))
"""Writers, and rows each sends at once: from full speed, halved step by step, to the least."""
SLOW_SECONDS = 10.0
"""Of the answers 95 % must be quicker: at 20 s Salesforce calls a request long-running."""
JUDGED, LATEST = 5, 20
"""So many answers at least, and at most, are judged together."""
CALM = timedelta(minutes=1)
"""So long at least at one step before the next faster one is tried."""
TOO_MANY_AT_ONCE = "CONCURRENT_REQUESTS"


@dataclass(frozen=True, slots=True)
class Speed:
    """How many may write at the same time, and how many rows each sends at once."""

    writers: int
    rows: int


def speed() -> Speed:
    """Return how fast we may write now."""
    pace = WritingPace.objects.filter(id=1).first()
    return Speed(*STEPS[pace.step if pace else 0])


@contextmanager
def a_writer() -> Iterator[int]:
    """Be one of those who write; yields how many rows may be sent at once, 0 where all write.

    The place is free again afterwards, or some seconds after its worker was killed.
    """
    may = speed()
    _seat(STEPS[0][0])
    places = leases.take(Writer.objects.filter(number__lte=may.writers), limit=1)
    if not places:
        yield 0
        return
    try:
        with leases.kept(places):
            yield may.rows
    finally:
        leases.release(places)


def note(operation: Operation, outcome: Outcome, at: datetime) -> None:
    """Hear how long an answer took: writing becomes slower at once, quicker step by step."""
    is_crowded = outcome.error is not None and outcome.error.code == TOO_MANY_AT_ONCE
    if operation is not Operation.WRITE and not is_crowded:
        return
    WritingPace.objects.get_or_create(id=1, defaults={"changed_at": at})
    with transaction.atomic():
        pace = WritingPace.objects.select_for_update().get(id=1)
        pace.seconds = [*pace.seconds, round(outcome.seconds, 3)][-LATEST:]
        step = _next_step(pace, at, is_crowded=is_crowded)
        if step != pace.step:
            pace.step, pace.changed_at, pace.seconds = step, at, []
        pace.save()


def _seat(places: int) -> None:
    """Make sure that there are so many places."""
    if Writer.objects.count() < places:
        made = [Writer(number=number) for number in range(1, places + 1)]
        Writer.objects.bulk_create(made, ignore_conflicts=True)


def _next_step(pace: WritingPace, at: datetime, *, is_crowded: bool) -> int:
    if is_crowded:
        return min(pace.step + 1, len(STEPS) - 1)
    if len(pace.seconds) < JUDGED:
        return pace.step
    if _percentile_95(pace.seconds) > SLOW_SECONDS:
        return min(pace.step + 1, len(STEPS) - 1)
    return max(pace.step - 1, 0) if at - pace.changed_at >= CALM else pace.step


def _percentile_95(seconds: Sequence[float]) -> float:
    """Return the nearest rank: of fewer than twenty the slowest."""
    return sorted(seconds)[math.ceil(0.95 * len(seconds)) - 1]
