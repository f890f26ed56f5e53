"""What we answer, as values: one shape for a fresh verdict and for a stored decision."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from classifier.engine.counterfactual import Counterfactual
from classifier.engine.leaving_out import phrases
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.text import Transcript
from classifier.engine.verdict import Reason, Verdict
from classifier.models import Decision, DecisionReason
from classifier.models.category import PATH_SEPARATOR
from classifier.models.decision import evidence_row
from classifier.serving import Serving

DIGITS = 4
"""Decimal places of scores: more would be noise."""


@dataclass(frozen=True, slots=True)
class ToldEvidence:
    """A span of the conversation's own words: ``turns[turn].text[start:end]`` is ``words``."""

    turn: int
    start: int
    end: int
    words: str
    rule: str
    term: str
    weight: float


@dataclass(frozen=True, slots=True)
class ToldReason:
    """One contact reason with its scores kept apart."""

    code: str
    label: str
    confidence: float | None
    """Calibrated, 0 to 1; None: a person said so."""
    rule_score: float | None
    model_score: float | None
    ground: str
    evidence: tuple[ToldEvidence, ...]


@dataclass(frozen=True, slots=True)
class ToldChange:
    """The fewest words found without which the answer would be another."""

    words: tuple[str, ...]
    """As they were said; neighbours are one. Empty: nothing that was tried changes the answer."""
    code: str | None
    """What the primary reason would be; None: abstained, or nothing changes the answer."""
    label: str | None
    confidence: float | None
    is_smallest: bool
    """Every smaller set of words was tried, and changes nothing."""
    words_tried: int
    """Even without so many words, those that count most, the answer stays; 0 where it changes."""

    @classmethod
    def of(
        cls, found: Counterfactual, transcript: Transcript, labels: Mapping[str, str]
    ) -> "ToldChange":
        """Return a counterfactual as told; ``labels``: category code → what people read."""
        primary = found.verdict.primary if found.verdict else None
        return cls(
            words=tuple(phrases(transcript, found.removed)),
            code=primary.category if primary else None,
            label=labels[primary.category] if primary else None,
            confidence=_rounded(primary.confidence) if primary else None,
            is_smallest=found.is_smallest,
            words_tried=found.words_tried,
        )


@dataclass(frozen=True, slots=True)
class ToldVerdict:
    """What the engine says about one conversation now; nothing of it is stored."""

    reasons: tuple[ToldReason, ...]
    suggestions: tuple[ToldReason, ...]
    abstained: bool
    doubt: str | None
    model: int | None
    rulebook: str
    latency_ms: float
    change: ToldChange | None = None
    """Only where it was asked for."""

    @classmethod
    def of(
        cls,
        verdict: Verdict,
        texts: Sequence[str],
        serving: Serving,
        *,
        seconds: float,
        change: ToldChange | None = None,
    ) -> "ToldVerdict":
        """Return the verdict as told; ``texts`` are the turns it speaks of."""
        labels = path_labels(serving.taxonomy)

        def told(reasons: Iterable[Reason]) -> tuple[ToldReason, ...]:
            return tuple(_of_reason(reason, texts, labels) for reason in reasons)

        return cls(
            reasons=told(verdict.reasons),
            suggestions=told(verdict.suggestions),
            abstained=verdict.is_abstention,
            doubt=verdict.doubt,
            model=serving.model_version.number if serving.model_version else None,
            rulebook=serving.rulebook.digest,
            latency_ms=round(seconds * 1000, 2),
            change=change,
        )


@dataclass(frozen=True, slots=True)
class ToldDecision:
    """A decision as it stands, or stood."""

    id: int
    thread: str
    source: str
    code: str | None
    label: str | None
    confidence: float | None
    doubt: str | None
    reasons: tuple[ToldReason, ...]
    suggestions: tuple[ToldReason, ...]
    model: int | None
    decided_at: datetime
    superseded_at: datetime | None

    @classmethod
    def of(cls, decision: Decision) -> "ToldDecision":
        """Return the decision as told; reasons, categories and transcript should be loaded."""
        texts = [turn["text"] for turn in decision.transcript.turns]
        rows = decision.reasons.all()
        version = decision.model_version
        category = decision.category
        return cls(
            id=decision.pk,
            thread=decision.thread,
            source=decision.source,
            code=category.code if category else None,
            label=category.path_label if category else None,
            confidence=_rounded(decision.confidence),
            doubt=decision.doubt or None,
            reasons=tuple(_of_row(row, texts) for row in rows if not row.is_suggestion),
            suggestions=tuple(_of_row(row, texts) for row in rows if row.is_suggestion),
            model=version.number if version else None,
            decided_at=decision.decided_at,
            superseded_at=decision.superseded_at,
        )


def path_labels(taxonomy: Taxonomy) -> dict[str, str]:
    """Return each category's labels from the top down: ``Billing > Refund``."""
    own = {node.code: node.label for node in taxonomy}
    return {
        code: PATH_SEPARATOR.join(
            own[step] for step in (*reversed(taxonomy.ancestors(code)), code)
        )
        for code in own
    }


def _of_reason(reason: Reason, texts: Sequence[str], labels: Mapping[str, str]) -> ToldReason:
    return ToldReason(
        code=reason.category,
        label=labels[reason.category],
        confidence=_rounded(reason.confidence),
        rule_score=_rounded(reason.rule_score),
        model_score=_rounded(reason.model_score),
        ground=reason.ground,
        evidence=tuple(_evidence(evidence_row(span), texts) for span in reason.evidence),
    )


def _of_row(row: DecisionReason, texts: Sequence[str]) -> ToldReason:
    return ToldReason(
        code=row.category.code,
        label=row.category.path_label,
        confidence=_rounded(row.score),
        rule_score=_rounded(row.rule_score),
        model_score=_rounded(row.model_score),
        ground=row.ground,
        evidence=tuple(_evidence(span, texts) for span in row.evidence),
    )


def _evidence(span: Mapping[str, Any], texts: Sequence[str]) -> ToldEvidence:
    turn = span["turn"]
    text = texts[turn] if turn < len(texts) else ""  # the words may be forgotten since
    return ToldEvidence(
        turn=turn,
        start=span["start"],
        end=span["end"],
        words=text[span["start"] : span["end"]],
        rule=span.get("rule", ""),
        term=span.get("term", ""),
        weight=span["weight"],
    )


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, DIGITS)
