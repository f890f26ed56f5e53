"""Questions for the review desk in a browser: a few conversations with suggestions."""

from datetime import datetime, timedelta

from classifier.models import Category, Decision, Feedback, Review
from tests import factories as make
from tests.browser.world import SAID, categories, conversation

GUIDELINES = {
    "Refund": "The customer wants money back that was paid. Not a wrong invoice.",
    "Late parcel": "It was promised for a day and has not come. Not a wrong address.",
}


def tree() -> dict[str, Category]:
    """Return the categories by label, some with guidelines."""
    found = categories()
    for label, guideline in GUIDELINES.items():
        Category.objects.filter(pk=found[label].pk).update(guideline=guideline)
    return found


def unsure_case(found: dict[str, Category], name: str, at: datetime, *guesses: str) -> Review:
    """Return a question about what the customer said of ``name``, with suggestions."""
    decision = conversation(None, SAID[name], at, source="nobody")
    decision.reasons.all().delete()
    for rank, guess in enumerate(guesses or (name,)):
        make.make_reason(
            decision,
            category=found[guess],
            rank=rank,
            is_suggestion=True,
            score=0.46 - rank * 0.15,
            rule_score=None,
            ground="model",
            evidence=[_evidence(SAID[name])],
        )
    return asked("unsure", decision, at)


def asked(kind: str, decision: Decision, at: datetime) -> Review:
    return Review.objects.open(kind, decision.transcript, decision, at=at)[0]


def audited_case(found: dict[str, Category], name: str, at: datetime) -> Review:
    """Return a blind question about a conversation that was decided."""
    decision = conversation(
        found[name], SAID[name], at, source="both", confidence=0.97, is_audit=True
    )
    return asked("audit", decision, at)


def disputed_case(found: dict[str, Category], name: str, other: str, at: datetime) -> Review:
    decision = conversation(found[name], SAID[name], at, source="model", confidence=0.91)
    for person, said in (("bob", name), ("eve", other)):
        make.make_feedback(
            thread=decision.thread,
            transcript=decision.transcript,
            decision=decision,
            category=found[said],
            verdict="confirmed" if said == name else "corrected",
            person=person,
            said_at=at + timedelta(hours=1),
        )
    assert Feedback.objects.filter(thread=decision.thread).count() == 2
    return asked("conflict", decision, at)


def _evidence(said: str) -> dict[str, object]:
    words = " ".join(said.split()[3:6]).rstrip(".,?")
    start = said.index(words)
    return {
        "turn": 0, "start": start, "end": start + len(words),
        "rule": "", "term": words, "weight": 0.4,
    }  # fmt: skip
