"""What the pages of a backfill show: figures per verdict and category, and the Cases."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet

from classifier.models import Category
from classifier.models.remit import within_remit
from sfsync.backfill_writing import PORTION
from sfsync.bulk_writing import FROM_ROWS, JOB_ROWS
from sfsync.models import Backfill, BackfillCase
from sfsync.soql import IDS_PER_QUERY

SHOWN = 50
CALLS_PER_JOB = 10
"""Of an ingest job besides looking at the Cases: open, upload, complete, polls, two results."""
HEADER = (
    "case_number",
    "case_id",
    "verdict",
    "category",
    "detail",
    "now",
    "proposed",
    "outcome",
)
Verdict = BackfillCase.Verdict


@dataclass(frozen=True, slots=True)
class Line:
    """How many Cases have one verdict, outcome or category."""

    name: str
    count: int
    code: str = ""
    is_chosen: bool = False


def seen_by(backfill: Backfill, user: Any) -> QuerySet[BackfillCase]:
    """Return the Cases of a backfill that a person may see."""
    found: QuerySet[BackfillCase] = within_remit(backfill.cases.all(), user)
    return found


def verdicts(backfill: Backfill, chosen: str) -> list[Line]:
    """Return how many Cases have which verdict, whoever may see them; one query."""
    counts = dict(backfill.cases.values_list("verdict").order_by().annotate(Count("id")))
    return [
        Line(_begun(str(verdict.label)), counts[verdict], verdict, verdict == chosen)
        for verdict in Verdict
        if counts.get(verdict)
    ]


def categories(backfill: Backfill) -> list[Line]:
    """Return how many Cases would get which category, the largest number first; two queries."""
    counts = (
        backfill.cases.filter(verdict=Verdict.CHANGE, category__isnull=False)
        .values_list("category")
        .order_by()
        .annotate(number=Count("id"))
        .order_by("-number", "category")
    )
    rows = list(counts)
    names = Category.objects.with_parents().in_bulk([pk for pk, _ in rows])
    return [Line(names[pk].path_label, number) for pk, number in rows]


def outcomes(backfill: Backfill) -> list[Line]:
    """Return what became of the approved changes; one query."""
    counts = dict(
        backfill.cases.filter(verdict=Verdict.CHANGE)
        .exclude(outcome="")
        .values_list("outcome")
        .order_by()
        .annotate(Count("id"))
    )
    return [
        Line(_begun(str(outcome.label)), counts[outcome])
        for outcome in BackfillCase.Outcome
        if counts.get(outcome)
    ]


def writing_in_words(changes: int) -> str:
    """Return how so many changes would be written, and about how many API calls it takes."""
    looks = -(-changes // IDS_PER_QUERY)
    if changes > FROM_ROWS:
        calls = looks + CALLS_PER_JOB * -(-changes // JOB_ROWS)
        return f"by Bulk jobs, in about {calls:,} API calls"
    return f"{PORTION} at a time, in about {2 * -(-changes // PORTION):,} API calls"


@dataclass(frozen=True, slots=True)
class Change:
    """What would change on one Case: the field that says most, and the names of the others."""

    field: str
    now: str
    proposed: str
    others: str


def change_of(row: BackfillCase) -> Change | None:
    """Return what would be changed; None where nothing would."""
    if not row.proposed:
        return None
    first, *others = row.proposed
    now, proposed = in_words(row.present.get(first)), in_words(row.proposed[first])
    return Change(first, now, proposed, ", ".join(others))


def in_words(value: object) -> str:
    return "empty" if value is None or value == "" else str(value)


def sheet_rows(rows: QuerySet[BackfillCase]) -> Iterator[list[Any]]:
    """Yield the rows of the downloaded list."""
    for row in rows.select_related("category").iterator():
        yield [
            row.case_number,
            row.case_id,
            row.get_verdict_display(),
            row.category.code if row.category else "",
            row.detail,
            _joined(row.present),
            _joined(row.proposed),
            row.get_outcome_display(),
        ]


def _joined(fields: Mapping[str, object]) -> str:
    return "; ".join(f"{name}={value}" for name, value in fields.items() if value is not None)


def stage_in_words(backfill: Backfill) -> str:
    """Return what goes on, or why nothing does."""
    if backfill.error:
        return backfill.error
    if backfill.stage == Backfill.Stage.CANCELLED:
        return "Nothing more is written. What was written before stays."
    if backfill.is_over:
        return backfill.said or "What was approved is written, or told below."
    if backfill.is_cancelled:
        return "It is being cancelled; Salesforce’s own jobs are ended first."
    if backfill.paused_at:
        return "Paused. What Salesforce has begun it finishes; nothing else is done."
    if backfill.said:
        return backfill.said
    return _begun(str(backfill.get_stage_display()))


def rows_in_words(backfill: Backfill) -> str:
    """Return the rows done of the present stage, and of how many."""
    if not backfill.total or backfill.is_over or backfill.stage == Backfill.Stage.REVIEW:
        return ""
    return f"{backfill.done:,} of {backfill.total:,}"


def _begun(words: str) -> str:
    """Return words as a sentence begins, names in them left as they are."""
    return words[:1].upper() + words[1:]
