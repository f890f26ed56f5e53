"""What the first page says of our API calls: a week of them, beside what a naive loop would use."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Sum
from django.db.models.functions import TruncDate
from django.utils.text import capfirst

from classifier.models import Transcript
from sfsync import budget
from sfsync.budget import Budget
from sfsync.calls import Purpose
from sfsync.models import ApiSpending, WriteBack

DAYS = 7


@dataclass(frozen=True, slots=True)
class Figures:
    """Calls of one day, or of all of them."""

    calls: int
    cases: int
    """Cases with something new to read."""
    naive: int
    """One GET for each text that was read and one PATCH for each Case that was written."""

    @property
    def per_thousand(self) -> int | None:
        """Calls per 1,000 Cases; None where no Case came in."""
        return round(1000 * self.calls / self.cases) if self.cases else None

    @property
    def naive_per_thousand(self) -> int | None:
        return round(1000 * self.naive / self.cases) if self.cases else None


@dataclass(frozen=True, slots=True)
class Share:
    """Calls of one purpose in the week, as a share of the largest, in per cent."""

    label: str
    calls: int
    percent: float


@dataclass(frozen=True, slots=True)
class ApiCalls:
    """The week, the budget of 24 hours, and what the calls were for."""

    days: Sequence[tuple[date, Figures]]
    week: Figures
    purposes: Sequence[Share]
    budget: Budget

    @property
    def percent(self) -> float:
        """How much of the budget is used, in per cent."""
        allowed = self.budget.allowed
        return min(100.0, 100 * self.budget.used / allowed) if allowed else 100.0

    @property
    def left(self) -> int:
        return max(0, self.budget.allowed - self.budget.used)


def api_calls(now: datetime) -> ApiCalls:
    """Return the figures as of ``now``, days by UTC, today last; in eight queries."""
    first = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS - 1)
    spent = _by_day(
        ApiSpending.objects.filter(started_at__gte=first).order_by(),
        "started_at",
        Sum("calls"),
        "purpose",
    )
    texts = Transcript.objects.filter(received_at__gte=first).order_by()
    cases = _by_day(texts, "received_at", Count("thread", distinct=True))
    read = _by_day(texts, "received_at", Count("id"))
    written = _by_day(
        WriteBack.objects.filter(
            staged_at__gte=first, outcome=WriteBack.Outcome.DELIVERED
        ).order_by(),
        "staged_at",
        Count("id"),
    )
    calls: Counter[date] = Counter()
    purposes: Counter[str] = Counter()
    for (day, purpose), number in spent.items():
        calls[day] += number
        purposes[purpose] += number
    days = [(first + timedelta(days=number)).date() for number in range(DAYS)]
    figures = [
        (day, Figures(calls[day], cases[day,], read[day,] + written[day,])) for day in days
    ]
    return ApiCalls(
        figures, _sum(each for _, each in figures), _shares(purposes), budget.standing(now)
    )


def _by_day(rows: Any, stamp: str, total: Any, *also: str) -> Counter[tuple[Any, ...]]:
    """Return (day, …) → total; what is not there counts 0."""
    counted = rows.annotate(day=TruncDate(stamp)).values_list("day", *also).annotate(n=total)
    return Counter({tuple(key): number for *key, number in counted})


def _sum(figures: Iterable[Figures]) -> Figures:
    each = list(figures)
    return Figures(
        sum(one.calls for one in each),
        sum(one.cases for one in each),
        sum(one.naive for one in each),
    )


def _shares(purposes: Counter[str]) -> list[Share]:
    most = max(purposes.values(), default=1)
    return [
        Share(capfirst(Purpose(code).label), number, 100 * number / most)
        for code, number in purposes.most_common()
    ]
