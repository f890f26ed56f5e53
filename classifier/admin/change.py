"""What would have to be missing from a conversation for another answer, in words for its page."""

from dataclasses import dataclass

from classifier import serving
from classifier.admin.shown_text import visible
from classifier.answers import ToldChange, path_labels
from classifier.models import Decision, Transcript


@dataclass(frozen=True, slots=True)
class ShownChange:
    """The fewest words without which the answer is another, ready for the template."""

    words: tuple[str, ...]
    """Empty: nothing that was tried changes the answer."""
    answer: str
    """The contact reason then; empty: a person would have to look."""
    score: float | None
    """In per cent; None: a person would look, or a rule that was never measured answers."""
    is_smallest: bool
    words_tried: int
    answer_today: str | None
    """What these words get today where the decision says another thing; empty: nobody is sure.
    None: the same."""


def may_change(decision: Decision | None, transcript: Transcript) -> bool:
    """Say whether it makes sense to ask: automation decided, and there are words."""
    if decision is None or decision.source == Decision.Source.PERSON:
        return False
    return bool(transcript.turns)


def shown_change(decision: Decision, transcript: Transcript) -> ShownChange:
    """Return what changes the answer of today's rules and model to these words."""
    current = serving.current()
    words = transcript.words
    found = current.counterfactual(words)
    labels = path_labels(current.taxonomy)
    told = ToldChange.of(found, words, labels)
    stands = decision.category.code if decision.category else None
    return ShownChange(
        words=tuple(map(visible, told.words)),
        answer=told.label or "",
        score=None if told.confidence is None else told.confidence * 100,
        is_smallest=told.is_smallest,
        words_tried=told.words_tried,
        answer_today=None if found.answer == stands else labels.get(found.answer or "", ""),
    )
