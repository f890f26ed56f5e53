"""One conversation as a page shows it: turns with marked evidence, and the verdict beside them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from classifier.admin.category import path_labels
from classifier.admin.change import ShownChange, may_change, shown_change
from classifier.admin.shown_reasons import ShownReason, shown_reasons
from classifier.admin.shown_text import Mark, Segment, segments, visible
from classifier.admin.words import SPEAKERS, doubt_in_words
from classifier.models import Decision, DecisionReason, Feedback, Transcript
from classifier.models.model_version import LARGE_OF_MODEL

TURNS_SHOWN = 400  # a page of more is slow to open; the rest is one click away


@dataclass(frozen=True, slots=True)
class ShownTurn:
    """One utterance, ready for the template."""

    speaker: str
    who: str
    at: datetime | None
    segments: Sequence[Segment]


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """All that the page of one transcript says."""

    transcript: Transcript
    decision: Decision | None
    turns: Sequence[ShownTurn]
    hidden_turns: int
    reasons: Sequence[ShownReason]
    suggestions: Sequence[ShownReason]
    doubt: str
    versions: Sequence[Transcript]
    decisions: Sequence[Decision]
    feedback: Sequence[Feedback]
    context: Mapping[str, str]
    may_change: bool = False
    """It makes sense to ask what would change the answer."""
    change: ShownChange | None = None
    is_blind: bool = False
    """Whoever looks may be asked about it in a blind audit: no verdict and no word about it."""

    @property
    def headline(self) -> str:
        return self.reasons[0].label if self.reasons else "A person should look"

    @property
    def has_rule_marks(self) -> bool:
        return any(reason.rules for reason in self.reasons or self.suggestions)

    @property
    def has_model_marks(self) -> bool:
        return any(reason.terms for reason in self.reasons or self.suggestions)

    @property
    def has_marks_against(self) -> bool:
        return any(reason.terms_against for reason in self.reasons or self.suggestions)


def conversation_page(
    transcript: Transcript,
    *,
    decision_id: str = "",
    is_whole: bool = False,
    is_blind: bool = False,
    asks_change: bool = False,
) -> ConversationPage:
    """Return the page of ``transcript``, with the decision asked for, else the newest on it.

    ``asks_change``: also what would change the answer, which takes up to a second.
    """
    if is_blind:
        return _blind_page(transcript, is_whole=is_whole)
    decisions = list(
        Decision.objects.filter(thread=transcript.thread)
        .select_related("category", "model_version", "decided_by")
        .defer(*(f"model_version__{name}" for name in LARGE_OF_MODEL))
    )
    decision = _chosen(decisions, transcript, decision_id)
    reasons = _reasons_of(decision)
    labels = path_labels()
    shown = shown_reasons(reasons, transcript.turns, labels)
    turns = shown_turns(transcript, reasons, labels, is_whole=is_whole)
    can_change = may_change(decision, transcript)
    return ConversationPage(
        transcript=transcript,
        decision=decision,
        turns=turns,
        hidden_turns=len(transcript.turns) - len(turns),
        reasons=[reason for reason in shown if not reason.is_suggestion],
        suggestions=[reason for reason in shown if reason.is_suggestion],
        doubt=doubt_in_words(decision.doubt) if decision and decision.doubt else "",
        versions=_versions(transcript),
        decisions=decisions,
        feedback=list(
            Feedback.objects.filter(thread=transcript.thread).select_related("category")
        ),
        context={
            str(key).replace("_", " "): visible(str(value))
            for key, value in transcript.context.items()
        },
        may_change=can_change,
        change=(
            shown_change(decision, transcript)
            if decision and can_change and asks_change
            else None
        ),
    )


def _blind_page(transcript: Transcript, *, is_whole: bool) -> ConversationPage:
    turns = shown_turns(transcript, (), {}, is_whole=is_whole)
    return ConversationPage(
        transcript=transcript,
        decision=None,
        turns=turns,
        hidden_turns=len(transcript.turns) - len(turns),
        reasons=(),
        suggestions=(),
        doubt="",
        versions=_versions(transcript),
        decisions=(),
        feedback=(),
        context={},
        is_blind=True,
    )


def _chosen(
    decisions: Sequence[Decision], transcript: Transcript, decision_id: str
) -> Decision | None:
    own = [decision for decision in decisions if decision.transcript_id == transcript.pk]
    asked = [decision for decision in own if str(decision.pk) == decision_id]
    return next(iter(asked or own), None)


def _reasons_of(decision: Decision | None) -> "Sequence[DecisionReason]":
    if decision is None:
        return []
    return list(decision.reasons.select_related("category"))


def shown_turns(
    transcript: Transcript,
    reasons: "Sequence[DecisionReason]",
    labels: Mapping[int, str],
    *,
    is_whole: bool = False,
) -> list[ShownTurn]:
    """Return the first ``TURNS_SHOWN`` utterances, or all, with the words of ``reasons`` marked.

    ``labels``: category id → what people read.
    """
    turns = transcript.turns if is_whole else transcript.turns[:TURNS_SHOWN]
    # The words of guesses that do not stand would bury those of the reasons that do.
    standing = [reason for reason in reasons if not reason.is_suggestion]
    marks = _marks(standing or reasons, labels)
    return [_turn(turn, marks.get(number, ())) for number, turn in enumerate(turns)]


def _versions(transcript: Transcript) -> Sequence[Transcript]:
    # Without the words: a thread may have many versions, and each repeats the one before.
    return list(
        Transcript.objects.filter(thread=transcript.thread).defer("turns").order_by("-id")
    )


def _turn(turn: Mapping[str, Any], marks: Iterable[Mark]) -> ShownTurn:
    speaker = str(turn.get("speaker", ""))
    at = turn.get("at")
    return ShownTurn(
        speaker=speaker if speaker in SPEAKERS else "bot",
        who=SPEAKERS.get(speaker, "Somebody") + (", subject" if turn.get("is_subject") else ""),
        at=parse_datetime(at) if at else None,
        segments=segments(str(turn.get("text", "")), marks),
    )


def _marks(
    reasons: Sequence[DecisionReason], labels: Mapping[int, str]
) -> dict[int, list[Mark]]:
    """Return the marks of each turn, by the turn's number."""
    marks: dict[int, list[Mark]] = {}
    for reason in reasons:
        label = labels.get(reason.category_id, reason.category.code)
        for one in reason.evidence:
            mark = Mark(
                one["start"],
                one["end"],
                _because(one, label),
                is_rule=bool(one.get("rule")),
                speaks_against=not one.get("rule") and one.get("weight", 0) < 0,
            )
            marks.setdefault(one["turn"], []).append(mark)
    return marks


def _because(evidence: Mapping[str, Any], label: str) -> str:
    if evidence.get("rule"):
        return f"Rule “{evidence['rule']}” speaks for {label}."
    return f"The model counts this {evidence.get('weight', 0):+.2f} for {label}."
