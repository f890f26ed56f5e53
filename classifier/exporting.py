"""Exporting: decisions, feedback and gold labels leave as files, with who, when and which version.

Rows are read in portions by key: a fixed number of queries for each ``ROWS_AT_ONCE`` rows, and
little memory whatever the length.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from classifier.engine.text import Speaker
from classifier.errands import ErrandFailed, Run
from classifier.export_sheets import SHEETS, Sheet
from classifier.models import Category, Transcript
from classifier.models.blindness import without_hidden
from classifier.models.remit import within_remit
from classifier.spreadsheets import (
    FORMS,
    JSONL,
    MOST_ROWS,
    XLSX,
    Form,
    written,
    written_lines,
)

ROWS_AT_ONCE = 1_000
ERRAND = "export"
FACETS = ("queue", "team", "channel", "language")

Names = Callable[[Sequence[str]], Mapping[str, str]]
NAMES: list[Names] = []
"""What other systems call threads, thread → name; the app that knows one adds its own."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows: empty means all. Days are days of the project's time zone, both included."""

    since: str = ""
    """ISO date; of the decision, the word or the settling."""
    until: str = ""
    queue: str = ""
    team: str = ""
    channel: str = ""
    language: str = ""
    category: str = ""
    """Code; what stands below it counts too."""
    is_whole: bool = False
    """Decisions: the replaced ones too. Feedback: also what was taken back."""
    with_words: bool = False
    """A column with the conversation, redacted as it is stored."""


MAY_EXPORT = "classifier.add_errand"
"""Taking everything away in one file is more than looking at it row by row."""


def selected(sheet: Sheet, selection: Selection, user: Any) -> QuerySet[Any]:
    """Return the rows that ``user`` may take away, in order of their keys.

    Without those that an open blind audit hides from them.
    """
    rows = without_hidden(within_remit(sheet.rows(), user, sheet.facets), user)
    for name in FACETS:
        if value := getattr(selection, name):
            rows = rows.filter(**{f"{sheet.facets}{name}": value})
    if selection.since:
        rows = rows.filter(**{f"{sheet.moment}__gte": _midnight(selection.since)})
    if selection.until:
        rows = rows.filter(**{f"{sheet.moment}__lt": _midnight(selection.until, days=1)})
    if selection.category:
        below = Category.objects.subtree(selection.category)
        named = sheet.rows().filter(**{f"{sheet.category}__in": below})
        rows = rows.filter(pk__in=named.values("pk"))
    return rows if selection.is_whole else rows.filter(sheet.whole)


def records(
    sheet: Sheet,
    selection: Selection,
    user: Any,
    form: Form,
    on_progress: Callable[[int], object] = lambda count: None,
) -> Iterator[Mapping[str, Any]]:
    """Yield each row as column → cell; ``on_progress`` hears how many were yielded so far."""
    unread = sheet.unread if selection.with_words else (*sheet.unread, "transcript__turns")
    rows = selected(sheet, selection, user).defer(*unread).order_by("pk")
    count, after = 0, Q()
    while portion := list(rows.filter(after)[:ROWS_AT_ONCE]):
        names = _names([sheet.thread(row) for row in portion])
        for row in portion:
            cells = sheet.cells(row, names.get(sheet.thread(row), ""))
            record = dict(zip(sheet.columns, cells, strict=True))
            yield {**record, **(_words(sheet, row, form) if selection.with_words else {})}
        count += len(portion)
        after = Q(id__gt=portion[-1].id)
        on_progress(count)


def content(
    sheet: Sheet,
    selection: Selection,
    user: Any,
    form: Form,
    on_progress: Callable[[int], object] = lambda count: None,
) -> Iterator[bytes]:
    """Yield the file, piece by piece."""
    rows = records(sheet, selection, user, form, on_progress)
    if form is JSONL:
        return written_lines(rows)
    columns = (*sheet.columns, "words") if selection.with_words else sheet.columns
    return written(form, columns, (list(row.values()) for row in rows))


def choices(sheet: Sheet, user: Any) -> dict[str, list[str]]:
    """Return the queues, teams, channels and languages of the rows that ``user`` may take away."""
    rows = within_remit(sheet.rows(), user, sheet.facets)
    return {
        name: [value for value in _values(rows, f"{sheet.facets}{name}") if value]
        for name in FACETS
    }


def _values(rows: QuerySet[Any], column: str) -> QuerySet[Any]:
    return rows.order_by(column).values_list(column, flat=True).distinct()


def file_name(sheet: Sheet, form: Form, at: datetime) -> str:
    """Return for example ``decisions-2026-11-21.csv``."""
    return f"{sheet.code.replace('_', '-')}-{at:%Y-%m-%d}.{form.code}"


def order(sheet: Sheet, selection: Selection, form: Form, user: Any) -> dict[str, Any]:
    """Return the parameters of an errand that makes this file for ``user``."""
    return {
        "sheet": sheet.code,
        "form": form.code,
        "selection": asdict(selection),
        "for": user.pk,  # others may see other rows: their order is not the same
    }


def export(run: Run) -> Mapping[str, Any]:
    """Do an errand: write the file and attach it. Its rows are those its asker may see.

    Raises:
        ErrandFailed: whoever asked has no account any more, or there are more rows than the form
            of file can hold.
    """
    sheet, form = SHEETS[run.parameters["sheet"]], FORMS[run.parameters["form"]]
    selection = Selection(**run.parameters["selection"])
    user = run.errand.asked_by
    if user is None or not user.is_active:
        raise ErrandFailed("Whoever asked for this export has no account here any more.")
    whole = selected(sheet, selection, user).count()
    if form is XLSX and whole > MOST_ROWS:
        raise ErrandFailed(
            f"These are {whole:,} rows; a sheet of Excel holds {MOST_ROWS:,}. Choose CSV or JSON"
            " lines, or fewer days at a time."
        )
    count = 0

    def tell(so_far: int) -> None:
        nonlocal count
        count = so_far
        done = min(so_far / max(whole, 1), 1.0)
        run.say(f"{so_far:,} of {whole:,} rows written", done * 0.99)

    file = content(sheet, selection, user, form, tell)
    size = run.attach(file_name(sheet, form, run.errand.asked_at), form.media_type, file)
    return {"rows": count, "bytes": size, "told": f"{count:,} rows written."}


def _midnight(day: str, *, days: int = 0) -> datetime:
    begin = date.fromisoformat(day).toordinal() + days
    return timezone.make_aware(datetime.combine(date.fromordinal(begin), time.min))


def _names(threads: Sequence[str]) -> dict[str, str]:
    return {thread: name for names in NAMES for thread, name in names(threads).items()}


def _words(sheet: Sheet, row: Any, form: Form) -> Mapping[str, Any]:
    """Return the columns with the conversation's words."""
    if form is JSONL and sheet.training is not None:
        return sheet.training(row)
    return {"words": _said(sheet.transcript(row))}


def _said(transcript: Transcript | None) -> str:
    """Return a conversation as text: one line for each turn, its speaker first."""
    if transcript is None:
        return ""
    return "\n".join(
        f"{Speaker(turn['speaker']).value}: {turn['text']}" for turn in transcript.turns
    )
