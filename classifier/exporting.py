"""Exporting: decisions, feedback and gold labels leave as files, with who, when and which version.

Rows are read in portions by key: a fixed number of queries for each ``ROWS_AT_ONCE`` rows, and
little memory whatever the length.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from classifier.engine.text import Speaker
from classifier.errands import ErrandFailed, Run
from classifier.models import (
    Category,
    Decision,
    DecisionReason,
    Feedback,
    FeedbackReason,
    GoldLabel,
    GoldReason,
    Transcript,
)
from classifier.models.remit import within_remit
from classifier.spreadsheets import (
    FORMS,
    JSONL,
    MOST_ROWS,
    XLSX,
    Cell,
    Form,
    written,
    written_lines,
)

ROWS_AT_ONCE = 1_000
ERRAND = "export"
SEPARATOR = "; "
"""Between several codes in one cell."""
PARENTS = "parent__parent__parent"
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


@dataclass(frozen=True, slots=True)
class Sheet:
    """One kind of export."""

    code: str
    label: str
    permission: str
    """To look at its rows; exporting needs more, see ``MAY_EXPORT``."""
    columns: tuple[str, ...]
    rows: Callable[[], QuerySet[Any]]
    moment: str
    """Column of the time that ``since`` and ``until`` speak of."""
    facets: str
    """Path to the row with channel, language, queue and team; empty: itself."""
    category: str
    """Path to the primary reason."""
    whole: Q
    """What counts unless the whole is asked for."""
    cells: Callable[[Any, str], Sequence[Cell]]
    """Row and the conversation's name elsewhere → one cell per column."""
    transcript: Callable[[Any], Transcript | None]
    thread: Callable[[Any], str]
    unread: tuple[str, ...] = ()
    """Large columns of the rows' neighbours that no cell needs."""
    training: Callable[[Any], Mapping[str, Any]] | None = None
    """With words, as JSON lines: what ``import_gold`` reads, instead of one column of text."""


MAY_EXPORT = "classifier.add_errand"
"""Taking everything away in one file is more than looking at it row by row."""


def selected(sheet: Sheet, selection: Selection, user: Any) -> QuerySet[Any]:
    """Return the rows that ``user`` may take away, in order of their keys."""
    rows = within_remit(sheet.rows(), user, sheet.facets)
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


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


LARGE_OF_MODEL = ("recipe", "metrics", "trained_on")


def _codes(categories: Sequence[Category]) -> str:
    return SEPARATOR.join(category.code for category in categories)


def _decisions() -> QuerySet[Decision]:
    further = (
        DecisionReason.objects.filter(is_suggestion=False)
        .select_related("category")
        .defer("evidence")
    )
    return Decision.objects.select_related(
        f"category__{PARENTS}", "model_version", "decided_by", "transcript"
    ).prefetch_related(Prefetch("reasons", further))


def _decision_cells(decision: Decision, name: str) -> Sequence[Cell]:
    version = decision.model_version
    return (
        decision.pk, decision.thread, name,
        decision.category.path_label if decision.category else None,
        decision.category.code if decision.category else None,
        _codes(decision.named[1:]),
        decision.source, decision.confidence, decision.doubt,
        decision.decided_by.get_username() if decision.decided_by else None,
        _iso(decision.decided_at), _iso(decision.superseded_at),
        version.number if version else None, version.sha256 if version else None,
        decision.rulebook_digest, decision.is_audit, decision.audit_probability,
        decision.channel, decision.language, decision.product, decision.queue, decision.team,
        _iso(decision.contacted_at),
    )  # fmt: skip


def _feedback() -> QuerySet[Feedback]:
    further = FeedbackReason.objects.select_related("category")
    return Feedback.objects.select_related(
        f"category__{PARENTS}",
        "decision__category",
        "decision__model_version",
        "transcript",
        "gold_label",
    ).prefetch_related(Prefetch("reasons", further))


def _feedback_cells(feedback: Feedback, name: str) -> Sequence[Cell]:
    decision, words = feedback.decision, feedback.transcript
    version = decision.model_version if decision else None
    return (
        feedback.pk, feedback.thread, name, feedback.verdict,
        feedback.category.code if feedback.category else None,
        _codes(feedback.named[1:]),
        feedback.category.path_label if feedback.category else None,
        feedback.said_value, feedback.note,
        feedback.source, feedback.person, feedback.person_name, _iso(feedback.said_at),
        feedback.reference, feedback.is_blind, feedback.is_adjudication,
        _iso(feedback.withdrawn_at),
        decision.category.code if decision and decision.category else None,
        decision.source if decision else None,
        version.number if version else None,
        decision.rulebook_digest if decision else None,
        feedback.gold_label_id, _iso(feedback.settled_at),
        words.channel if words else None, words.language if words else None,
        words.queue if words else None, words.team if words else None,
    )  # fmt: skip


def _gold_labels() -> QuerySet[GoldLabel]:
    reasons = GoldReason.objects.select_related(f"category__{PARENTS}")
    return GoldLabel.objects.select_related("transcript").prefetch_related(
        Prefetch("reasons", reasons),
        Prefetch("feedback", Feedback.objects.counted().order_by("id")),
    )


def _gold_cells(label: GoldLabel, name: str) -> Sequence[Cell]:
    reasons = [reason.category for reason in label.reasons.all()]
    said = [f"{one.person_name or one.person} ({one.source})" for one in label.feedback.all()]
    return (
        label.pk, label.thread, name, _codes(reasons),
        SEPARATOR.join(category.path_label for category in reasons),
        "train" if label.split == GoldLabel.Split.TRAIN else "test",
        label.split == GoldLabel.Split.AUDIT,
        label.source, _iso(label.settled_at), label.agreement,
        SEPARATOR.join(said), label.transcript.digest, label.transcript.language,
    )  # fmt: skip


def _training(label: GoldLabel) -> Mapping[str, Any]:
    """Return a label as a line of a data file (``classifier.engine.datasets``)."""
    return {
        "labels": [reason.category.path_label for reason in label.reasons.all()],
        "turns": label.transcript.turns,
    }


SHEETS = {
    sheet.code: sheet
    for sheet in (
        Sheet(
            code="decisions",
            label="Decisions",
            permission="classifier.view_decision",
            columns=(
                "decision",
                "thread",
                "case",
                "reason",
                "code",
                "further_codes",
                "source",
                "confidence",
                "doubt",
                "decided_by",
                "decided_at",
                "superseded_at",
                "model",
                "model_sha256",
                "rulebook",
                "is_audit",
                "audit_probability",
                "channel",
                "language",
                "product",
                "queue",
                "team",
                "contacted_at",
            ),
            rows=_decisions,
            moment="decided_at",
            facets="",
            category="category",
            whole=Q(superseded_at=None),
            cells=_decision_cells,
            transcript=lambda decision: decision.transcript,
            thread=lambda decision: decision.thread,
            unread=(
                "transcript__context",
                *(f"model_version__{one}" for one in LARGE_OF_MODEL),
            ),
        ),
        Sheet(
            code="feedback",
            label="Feedback",
            permission="classifier.view_feedback",
            columns=(
                "feedback",
                "thread",
                "case",
                "verdict",
                "category",
                "further_codes",
                "reason",
                "said_value",
                "note",
                "source",
                "person",
                "person_name",
                "said_at",
                "reference",
                "is_blind",
                "is_adjudication",
                "withdrawn_at",
                "decided",
                "decided_source",
                "model",
                "rulebook",
                "gold_label",
                "settled_at",
                "channel",
                "language",
                "queue",
                "team",
            ),
            rows=_feedback,
            moment="said_at",
            facets="transcript__",
            category="category",
            whole=Q(withdrawn_at=None),
            cells=_feedback_cells,
            transcript=lambda feedback: feedback.transcript,
            thread=lambda feedback: feedback.thread,
            unread=(
                "transcript__context",
                *(f"decision__model_version__{one}" for one in LARGE_OF_MODEL),
            ),
        ),
        Sheet(
            code="gold_labels",
            label="Gold labels",
            permission="classifier.view_goldlabel",
            columns=(
                "gold_label",
                "thread",
                "case",
                "codes",
                "reasons",
                "split",
                "is_audit",
                "source",
                "settled_at",
                "agreement",
                "said_by",
                "digest",
                "language",
            ),
            rows=_gold_labels,
            moment="settled_at",
            facets="transcript__",
            category="reasons__category",
            whole=Q(),
            cells=_gold_cells,
            transcript=lambda label: label.transcript,
            thread=lambda label: label.thread,
            unread=("transcript__context",),
            training=_training,
        ),
    )
}
