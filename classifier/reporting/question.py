"""What a report is asked: a period, how reasons are counted, and which contacts count."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from classifier.models import Decision

WEEK = timedelta(days=7)
BLOCKS_BEFORE = 8
FACETS = {
    "channel": "Channel",
    "product": "Product",
    "team": "Team",
    "queue": "Queue",
    "language": "Language",
}
"""Facet of a decision → how people call it."""


class Level(StrEnum):
    TOP = "top"
    """Everything below a top category counts there."""
    LEAF = "leaf"
    """Each category by itself, as decided."""


class Reach(StrEnum):
    PRIMARY = "primary"
    """Each contact counts once, under its primary reason."""
    ALL = "all"
    """Each contact counts under each of its reasons."""


class Compared(StrEnum):
    """Which block of time is held against the blocks before it."""

    LAST_WEEK = "last"
    THIS_WEEK = "week"
    PERIOD = "period"


class Decider(StrEnum):
    """Whose decisions count, beside the single values of ``Decision.Source``."""

    ANYBODY = ""
    AUTOMATION = "automation"


AUTOMATION = (Decision.Source.RULES, Decision.Source.MODEL, Decision.Source.BOTH)


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of time, half-open, UTC."""

    start: datetime
    end: datetime

    @property
    def is_week(self) -> bool:
        return self.end - self.start == WEEK

    def before(self, count: int = BLOCKS_BEFORE) -> list["Block"]:
        """Return as long blocks before this one, of the same days of the week, nearest first."""
        steps = [k * self.step for k in range(1, count + 1)]
        return [Block(self.start - step, self.end - step) for step in steps]

    @property
    def step(self) -> timedelta:
        """The whole weeks from one block to the next."""
        return max(1, -(-(self.end - self.start) // WEEK)) * WEEK


@dataclass(frozen=True, slots=True)
class Question:
    """One report. ``start`` and ``end`` (half-open, midnights in UTC) are when customers came.

    ``category_id``: only that reason and what lies below it is listed; shares stay shares of
    all contacts. ``source``: a ``Decision.Source``, ``"automation"`` or empty for all.
    """

    start: datetime
    end: datetime
    now: datetime
    level: Level = Level.TOP
    reach: Reach = Reach.PRIMARY
    compared: Compared = Compared.LAST_WEEK
    across: str = "channel"
    """The facet that reasons are tabled against."""
    source: str = ""
    category_id: int | None = None
    facets: tuple[tuple[str, str], ...] = field(default=())
    """Only contacts with these values, as (facet, value)."""

    @property
    def block(self) -> Block:
        """The block of time that is held against those before it.

        Of the current week only what has passed by now, in whole hours, so that like is
        compared with like.
        """
        latest = min(self.end, self.now.replace(minute=0, second=0, microsecond=0))
        if self.compared is Compared.PERIOD:
            return Block(self.start, max(latest, self.start))
        monday = monday_of(latest)
        if self.compared is Compared.THIS_WEEK and latest > monday:
            return Block(monday, latest)
        return Block(monday - WEEK, monday)


def monday_of(moment: datetime) -> datetime:
    """Return the midnight (UTC) at which the moment's week began."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=midnight.weekday())


def last_weeks(count: int, now: datetime) -> tuple[datetime, datetime]:
    """Return the period of the current week and those before it, ``count`` in all."""
    end = monday_of(now) + WEEK
    return end - count * WEEK, end
