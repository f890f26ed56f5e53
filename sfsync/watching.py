"""Watching: conditions that somebody should hear of before a customer does, kept as notices."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, Min, OuterRef, QuerySet
from django.db.models.functions import Coalesce

from classifier.models import Decision, Transcript
from sfsync.models import CaseLink, Connection, Notice, WriteBack

UNREADABLE_TRIES = 6
"""A Case that cannot be read is tried again after 1, 2, 4, … minutes: it was for an hour."""
Level = Notice.Level


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that may be wrong; ``told`` is empty while it is not."""

    key: str
    told: str = ""
    level: Notice.Level = Level.WARNING


def watch(moment: datetime) -> int:
    """Keep one open notice for each condition that holds at ``moment``; return how many do.

    Each of them rings (``sfsync.alarming``); the notice of what holds no longer is closed.
    """
    holding = 0
    for look in LOOKS:
        for condition in look(moment):
            if condition.told:
                holding += 1
                Notice.raise_for(
                    condition.key, condition.level, condition.told, moment, rings=True
                )
            else:
                Notice.clear(condition.key, moment)
    return holding


def trays(moment: datetime) -> Iterator[Condition]:
    """Yield how each tray stands: one whose oldest row is old has stopped moving."""
    yield _tray("read", "to be read", CaseLink.objects.due(moment), "read_due_at", moment)
    # What is decided again at somebody's wish came in long ago.
    decided_before = Decision.objects.filter(transcript=OuterRef("pk"))
    fresh = Transcript.objects.waiting().filter(~Exists(decided_before))
    yield _tray("decide", "to be decided", fresh, "received_at", moment)
    to_stage = Decision.objects.standing().filter(staged_at=None)
    yield _tray("stage", "to be taken over for writing", to_stage, "decided_at", moment)
    due = WriteBack.objects.unended().filter(due_at__isnull=False)
    if Connection.objects.filter(paused_at__isnull=False).exists():
        due = due.none()  # on purpose: an old row is no alarm then
    since = Coalesce("first_failed_at", "due_at")
    yield _tray("write", "to be written", due, since, moment)


def _tray(
    name: str, words: str, waiting: "QuerySet[Any]", since: str | Coalesce, moment: datetime
) -> Condition:
    """Return how a tray stands; its oldest row first, counted only where it is late."""
    key = f"tray:{name}"
    oldest = waiting.order_by().aggregate(oldest=Min(since))["oldest"]
    if oldest is None or moment - oldest <= timedelta(minutes=settings.ALARM_TRAY_MINUTES):
        return Condition(key)
    minutes = int((moment - oldest).total_seconds() // 60)
    number = waiting.count()
    told = (
        f"{_cases(number)} {words}; the oldest for {_span(minutes)}. Look whether the worker and"
        " beat run (Schedules shows when each task was last sent), then at the notices about"
        " Salesforce. Nothing is lost meanwhile: the rows go on where they are."
    )
    return Condition(key, told, Level.ERROR)


def failed(moment: datetime) -> Iterator[Condition]:
    """Yield what was given up, and what cannot be read, for a person to look at."""
    dead = WriteBack.objects.dead_letters()
    reasons = dict(dead.order_by().values_list("error_code").annotate(Count("id")))
    number = sum(reasons.values())
    told = ""
    if number:
        most = max(reasons, key=lambda code: (reasons[code], code))
        told = (
            f"{number} {'write-back was' if number == 1 else 'write-backs were'} given up, most"
            f" often because of {most or 'an unknown cause'} ({reasons[most]}). Mend the cause,"
            " then send them again, or close them with a note, under Write-backs > Given up."
        )
    yield Condition("write-backs-dead", told)
    unreadable = CaseLink.objects.unreadable().filter(attempts__gte=UNREADABLE_TRIES).count()
    told = ""
    if unreadable:
        told = (
            f"{_cases(unreadable)} to be read for an hour or longer, and cannot be. Each says why"
            " in the list of Cases (state “could not be read”); they are tried again every hour."
        )
    yield Condition("cases-unreadable", told)


def _cases(number: int) -> str:
    return "One Case waits" if number == 1 else f"{number:,} Cases wait"


def _span(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest} minutes"
    return f"{hours} h {rest:02d} min" if hours < 48 else f"{hours // 24} days"  # noqa: PLR2004


LOOKS: tuple[Callable[[datetime], Iterator[Condition]], ...] = (trays, failed)
