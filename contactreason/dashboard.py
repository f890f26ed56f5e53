"""What the first page says: trays, pace, shares, allowance and what is wrong, as frozen values."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q, QuerySet, Sum
from django.db.models.functions import TruncHour
from django.urls import reverse

from classifier.models import (
    Category,
    Decision,
    GoldLabel,
    KeywordRule,
    ModelVersion,
    Transcript,
)
from classifier.models.remit import is_limited, within_remit
from contactreason.api_calls import ApiCalls, api_calls
from contactreason.door_figures import DoorFigures
from sfsync.models import (
    ApiSpending,
    Connection,
    Mode,
    Notice,
    Reconciliation,
    Source,
    WriteBack,
)

OF_CASE = "case_link__"
"""From a write-back to the queue and team of its Case."""
HOURS = 24
DAYS = 7
TOP_REASONS = 8
NOTICES = 5
LATE = timedelta(minutes=15)  # a tray whose oldest row is older has stopped moving
ROUND = ((5, 5), (50, 10), (200, 50), (1000, 200), (10**9, 1000))  # chart height: below, step


@dataclass(frozen=True, slots=True)
class Tray:
    """Rows that wait at one station."""

    name: str
    size: int
    oldest_at: datetime | None
    url: str
    is_late: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart: its length is a share of the longest, in per cent."""

    label: str
    count: int
    percent: float
    tone: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Allowance:
    """API calls: ours today, the whole org's in 24 hours, and how many it may make."""

    ours_today: int
    org_used: int
    org_allowed: int

    @property
    def percent(self) -> float:
        return min(100.0, 100 * self.org_used / self.org_allowed) if self.org_allowed else 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """Something still to be set up, and the command or page that does it."""

    words: str
    command: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The whole page."""

    connection: Connection
    mode: Mode
    trays: Sequence[Tray]
    hours: Sequence[Bar]
    hours_total: int
    hours_scale: int
    shares: Sequence[Bar]
    reasons: Sequence[Bar]
    allowance: Allowance
    calls: ApiCalls
    doors: DoorFigures
    last_check: Reconciliation | None
    """The weekly look at every Case; what the pull missed should be 0."""
    notices: Sequence[Notice]
    steps: Sequence[Step]
    is_limited: bool
    """The figures are those of some queues and teams: the person's own."""


Seen = Callable[..., QuerySet[Any]]
"""Narrows rows to those that a person may see; takes a path as ``within_remit`` does."""


def dashboard(now: datetime, user: Any = None, *, may_review: bool = False) -> Dashboard:
    """Return the figures as of ``now``, in a fixed number of aggregate queries.

    ``user``: whose conversations are counted; None: all of them. ``may_review``: what waits for
    a person leads to where they answer it, else to its list.
    """

    def seen(rows: QuerySet[Any], path: str = "") -> QuerySet[Any]:
        return rows if user is None else within_remit(rows, user, path)

    connection = Connection.objects.filter(pk=1).first() or Connection(id=1)
    per_hour = _per_hour(now, seen)
    return Dashboard(
        connection=connection,
        mode=Mode(connection.mode),
        trays=_trays(now, connection, seen, may_review=may_review),
        hours=_hour_bars(per_hour, now),
        hours_total=sum(per_hour.values()),
        hours_scale=_scale(max(per_hour.values(), default=0)),
        shares=_shares(now, seen),
        reasons=_reasons(now, seen),
        allowance=_allowance(connection, now),
        calls=api_calls(now),
        doors=DoorFigures.at(now),
        last_check=Reconciliation.objects.ended().first(),
        notices=_notices(),
        steps=_steps(connection),
        is_limited=user is not None and is_limited(user),
    )


def page(model: str, query: str = "") -> str:
    """Return the address of a list page, for ``app_model``."""
    return reverse(f"admin:{model}_changelist") + query


def _notices() -> list[Notice]:
    """Return the newest open notices; what pulling and writing both met is told once."""
    newest = Notice.objects.filter(cleared_at=None)[: 2 * NOTICES]
    return list({notice.text: notice for notice in newest}.values())[:NOTICES]


def _trays(
    now: datetime, connection: Connection, seen: Seen, *, may_review: bool
) -> list[Tray]:
    to_decide = (
        seen(Transcript.objects.waiting())
        .order_by()
        .aggregate(size=Count("id"), oldest=Min("received_at"))
    )
    to_stage = seen(Decision.objects.filter(staged_at=None, superseded_at=None)).aggregate(
        size=Count("id"), oldest=Min("decided_at")
    )
    waiting = seen(WriteBack.objects.filter(ended_at=None), OF_CASE)
    due = waiting.filter(due_at__isnull=False).aggregate(
        size=Count("id"), oldest=Min("staged_at")
    )
    held = _held(waiting)
    for_person = seen(Decision.objects.filter(category=None, superseded_at=None)).aggregate(
        size=Count("id"), oldest=Min("decided_at")
    )
    writing = {
        "size": to_stage["size"] + due["size"],
        "oldest": min(filter(None, (to_stage["oldest"], due["oldest"])), default=None),
    }
    return [
        _tray(
            "Waiting for a decision",
            to_decide,
            page("classifier_transcript", "?state=waiting"),
            now,
        ),
        _tray(
            "Waiting to be written",
            writing,
            page("sfsync_writeback", "?state=due"),
            now,
            note=_held_note(held),
            is_still=connection.paused_at is not None,
        ),
        _tray(
            "Waiting for a person",
            for_person,
            reverse("review") if may_review else page("classifier_decision", "?waiting=yes"),
            now,
            is_still=True,
        ),
    ]


def _tray(
    name: str,
    row: Mapping[str, Any],
    url: str,
    now: datetime,
    *,
    note: str = "",
    is_still: bool = False,
) -> Tray:
    """Return a tray; where it ``is_still`` on purpose, an old row is no alarm."""
    oldest = row["oldest"]
    is_late = not is_still and oldest is not None and now - oldest > LATE
    return Tray(name, row["size"], oldest, url, is_late, note)


def _held(waiting: QuerySet[Any]) -> dict[str, int]:
    rows = waiting.exclude(held_because="")
    counts = rows.order_by().values_list("held_because").annotate(Count("id"))
    return {str(WriteBack.Hold(because).label): number for because, number in counts}


def _held_note(held: Mapping[str, int]) -> str:
    if not held:
        return ""
    parts = ", ".join(f"{number:,} ({because})" for because, number in sorted(held.items()))
    return f"Held back: {parts}"


def _per_hour(now: datetime, seen: Seen) -> dict[datetime, int]:
    first = _hour(now) - timedelta(hours=HOURS - 1)
    rows = (
        seen(Decision.objects.filter(decided_at__gte=first, decided_at__lte=now))
        .order_by()
        .annotate(hour=TruncHour("decided_at"))
        .values_list("hour")
        .annotate(Count("thread", distinct=True))
    )
    return dict(rows)


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _hour_bars(per_hour: Mapping[datetime, int], now: datetime) -> list[Bar]:
    scale = _scale(max(per_hour.values(), default=0))
    hours = [_hour(now) - timedelta(hours=back) for back in reversed(range(HOURS))]
    return [
        Bar(f"{hour:%H}:00", number, 100 * number / scale)
        for hour in hours
        for number in [per_hour.get(hour, 0)]
    ]


def _scale(highest: int) -> int:
    """Return a round number at or above ``highest``, for the top of the chart."""
    step = next(step for below, step in ROUND if highest <= below)
    return max(step, -(-highest // step) * step)


def _recent(now: datetime, seen: Seen) -> Any:
    since = now - timedelta(days=DAYS)
    rows = Decision.objects.filter(decided_at__gte=since, superseded_at=None)
    return seen(rows).order_by()


def _shares(now: datetime, seen: Seen) -> list[Bar]:
    counts: Counter[str] = Counter(
        dict(_recent(now, seen).values_list("source").annotate(Count("id")))
    )
    total = counts.total()
    names = {**dict(Decision.Source.choices), "nobody": "Waiting for a person"}
    tones = {
        "rules": "rule",
        "model": "model",
        "both": "both",
        "person": "good",
        "nobody": "warn",
    }
    return [
        Bar(
            names[source],
            counts[source],
            100 * counts[source] / total,
            tones[source],
            page("classifier_decision", f"?source__exact={source}"),
        )
        for source in names
        if total
    ]


def _reasons(now: datetime, seen: Seen) -> list[Bar]:
    counts = (
        _recent(now, seen)
        .filter(category__isnull=False)
        .values_list("category")
        .annotate(number=Count("id"))
        .order_by("-number", "category")[:TOP_REASONS]
    )
    rows = list(counts)
    categories = Category.objects.with_parents().in_bulk([pk for pk, _ in rows])
    most = max((number for _, number in rows), default=1)
    return [
        Bar(
            categories[pk].path_label,
            number,
            100 * number / most,
            url=page("classifier_decision", f"?category__id__exact={pk}"),
        )
        for pk, number in rows
    ]


def _allowance(connection: Connection, now: datetime) -> Allowance:
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    spent = ApiSpending.objects.filter(started_at__gte=today).aggregate(calls=Sum("calls"))
    return Allowance(
        spent["calls"] or 0, connection.org_calls_used, connection.org_calls_allowed
    )


def _steps(connection: Connection) -> list[Step]:
    """Return what is still to be done before Cases receive reasons, in order."""
    has_category = Category.objects.filter(is_active=True).exists()
    has_rule = KeywordRule.objects.filter(is_active=True).exists()
    champions = ModelVersion.objects.aggregate(
        champion=Count("id", filter=Q(stage=ModelVersion.Stage.CHAMPION)), all=Count("id")
    )
    steps = []
    if not connection.org_id:
        steps.append(
            Step(
                "No Salesforce org is connected yet. Set the SALESFORCE_ variables of "
                ".env.example, then see what works and what is missing:",
                "python manage.py check_salesforce",
            )
        )
    if not has_category:
        steps.append(
            Step(
                "There are no categories yet. Add your own, or begin with the starter pack:",
                "python manage.py load_starter_pack",
                reverse("admin:classifier_category_add"),
            )
        )
    if has_category and not has_rule and not champions["champion"]:
        steps.append(
            Step(
                "There is no keyword rule and no model, so every Case will wait for a person. "
                "Add a first rule.",
                url=reverse("admin:classifier_keywordrule_add"),
            )
        )
    if not champions["champion"]:
        steps.append(_model_step(has_candidate=bool(champions["all"])))
    if connection.org_id and not Source.objects.filter(is_enabled=True).exists():
        steps.append(Step("Every source is switched off.", url=page("sfsync_source")))
    return steps


def _model_step(*, has_candidate: bool) -> Step:
    if has_candidate:
        return Step("A model is trained but none is promoted.", "python manage.py promote")
    if GoldLabel.objects.exists():
        return Step("No model is trained yet; the labels are there.", "python manage.py train")
    return Step(
        "No model is trained yet, so keyword rules decide alone. To train one, import "
        "conversations whose reason is known:",
        "python manage.py import_gold FILE --create-categories",
    )
