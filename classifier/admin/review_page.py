"""One question as the review page shows it; in a blind audit nothing of what was thought."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from classifier.admin.conversation import ShownTurn, shown_turns
from classifier.admin.shown_reasons import ShownGround, ShownReason, shown_reasons
from classifier.admin.shown_text import visible
from classifier.admin.words import doubt_in_words
from classifier.models import Category, Decision, DecisionReason, Feedback, Review, Transcript

CHOICES = 9
"""As many as there are digits to press."""
FACTS = {
    "priority": "Priority",
    "status": "Status",
    "product": "Product",
    "queue": "Queue",
    "team": "Team",
    "owner": "Owner",
    "language": "Language",
}
"""What is shown of ``Transcript.context``: no field of it may tell what was decided."""
WHY = {
    Review.Kind.AUDIT: "Drawn at random for a blind audit. Say what it is about from the words "
    "alone: what the automation thought is hidden until you have answered.",
    Review.Kind.CONFLICT: "People disagree about this one. Your word settles it.",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A reason that can be chosen with one key, and what speaks for it."""

    code: str
    label: str
    score: float | None = None
    """In per cent; None where people said it."""
    who: str = ""
    rules: Sequence[ShownGround] = ()
    terms: Sequence[ShownGround] = ()


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """All that is shown of one question."""

    review: Review
    transcript: Transcript
    why: str
    turns: Sequence[ShownTurn]
    hidden_turns: int
    choices: Sequence[Choice]
    facts: Sequence[tuple[str, str]]
    has_marks: bool
    chosen: Sequence[str] = ()
    """Codes of an answer that was taken back, to begin with."""
    verdict: str = ""
    note: str = ""

    @property
    def came_at(self) -> datetime:
        return self.transcript.contacted_at or self.transcript.received_at


@dataclass(frozen=True, slots=True)
class _Grounds:
    """What may be shown of the automation's and of people's opinions."""

    decision: Decision | None = None
    reasons: Sequence[DecisionReason] = ()
    words: Sequence[Feedback] = ()
    labels: Mapping[int, str] = field(default_factory=dict)


def review_page(
    review: Review, *, taken_back: Feedback | None = None, is_whole: bool = False
) -> ReviewPage:
    """Return the question as it is shown now: the newest words, evidence where it fits them."""
    transcript = Transcript.objects.current().filter(thread=review.thread).first()
    transcript = transcript or review.transcript
    grounds = _Grounds() if review.is_blind else _grounds(review)
    decision = grounds.decision
    is_fit = decision is not None and decision.transcript_id == transcript.pk
    marked = grounds.reasons if is_fit else ()
    turns = shown_turns(transcript, marked, grounds.labels, is_whole=is_whole)
    return ReviewPage(
        review=review,
        transcript=transcript,
        why=_why(review, decision),
        turns=turns,
        hidden_turns=len(transcript.turns) - len(turns),
        choices=_choices(grounds),
        facts=_facts(transcript),
        has_marks=any(reason.evidence for reason in marked),
        chosen=[category.code for category in taken_back.named] if taken_back else (),
        verdict=taken_back.verdict if taken_back else "",
        note=taken_back.note if taken_back else "",
    )


def _grounds(review: Review) -> _Grounds:
    standing = Decision.objects.standing().select_related("transcript", "category")
    decision = standing.filter(thread=review.thread).first()
    reasons = list(decision.reasons.select_related("category")) if decision else []
    words: list[Feedback] = []
    if review.kind == Review.Kind.CONFLICT:
        said = Feedback.objects.counted().filter(thread=review.thread, category__isnull=False)
        words = list(said.select_related("category").prefetch_related("reasons__category"))
    ids = {reason.category_id for reason in reasons}
    ids.update(category.pk for word in words for category in word.named)
    labels = {
        category.pk: category.path_label
        for category in Category.objects.with_parents().filter(pk__in=ids)
    }
    return _Grounds(decision, reasons, words, labels)


def _why(review: Review, decision: Decision | None) -> str:
    if review.kind in WHY:
        return WHY[Review.Kind(review.kind)]
    return doubt_in_words((decision and decision.doubt) or Decision.DoubtCode.UNSURE)


def _choices(grounds: _Grounds) -> list[Choice]:
    decision = grounds.decision
    choices = _said(grounds.words, grounds.labels)
    if decision is not None:
        usable = [reason for reason in grounds.reasons if reason.category.is_active]
        turns = decision.transcript.turns
        choices += [_guess(reason) for reason in shown_reasons(usable, turns, grounds.labels)]
    first = {choice.code: choice for choice in reversed(choices)}
    return [choice for choice in choices if first[choice.code] is choice][:CHOICES]


def _said(words: Iterable[Feedback], labels: Mapping[int, str]) -> list[Choice]:
    """Return what people named, the most often named first; nobody is told who."""
    count = Counter(category for word in words for category in word.named if category.is_active)
    return [
        Choice(
            category.code,
            labels[category.pk],
            who="one person said so" if number == 1 else f"{number} people said so",
        )
        for category, number in count.most_common()
    ]


def _guess(reason: ShownReason) -> Choice:
    return Choice(
        reason.code,
        reason.label,
        reason.score,
        "" if reason.score is not None else reason.ground,
        reason.rules,
        reason.terms,
    )


def _facts(transcript: Transcript) -> list[tuple[str, str]]:
    known = {
        "queue": transcript.queue,
        "team": transcript.team,
        "product": transcript.product,
        "language": transcript.language,
        **{str(name).lower(): value for name, value in transcript.context.items()},
    }
    return [
        (title, visible(str(known[name]))) for name, title in FACTS.items() if known.get(name)
    ]
