"""Export sheets: what a row of decisions, of feedback and of gold labels says, with its lineage."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

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
from classifier.models.model_version import LARGE_OF_MODEL
from classifier.spreadsheets import Cell

SEPARATOR = "; "
"""Between several codes in one cell."""
PARENTS = "parent__parent__parent"


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


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


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
