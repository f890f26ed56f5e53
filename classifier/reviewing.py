"""Reviewing: a person says what a conversation is about, and that word stands."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from classifier.models import Category, Decision, Feedback, Transcript


@dataclass(frozen=True, slots=True)
class Heard:
    """The feedback row of a person's word, and whether the word was new to us."""

    feedback: Feedback
    is_new: bool


def hear_word(
    *,
    thread: str,
    verdict: Feedback.Verdict,
    category: Category | None,
    source: Feedback.Source,
    said_at: datetime,
    person: str = "",
    said_value: str = "",
    note: str = "",
    reference: str = "",
    decided_by: AbstractBaseUser | None = None,
) -> Heard:
    """Keep what a person said about ``thread``; where they name a category, it stands.

    ``category`` None: unclear, or none of our categories; then what stood keeps standing. A
    word that came before (same ``source`` and ``reference``) changes nothing, so that an old
    word repeated never beats a newer one. One transaction.

    Raises:
        Transcript.DoesNotExist: the thread is not known here.
    """
    with transaction.atomic():
        known = (
            reference and Feedback.objects.filter(source=source, reference=reference).first()
        )
        if known:
            return Heard(known, is_new=False)
        if not Transcript.objects.current().filter(thread=thread).exists():
            raise Transcript.DoesNotExist(f"no transcript of thread {thread!r}")
        feedback = Feedback.objects.hear(
            thread=thread,
            verdict=verdict,
            category=category,
            source=source,
            said_at=said_at,
            person=person,
            said_value=said_value,
            note=note,
            reference=reference,
        )
        if category is not None and verdict != Feedback.Verdict.UNCLEAR:
            Decision.objects.stand_by_person(
                thread, category, at=said_at, decided_by=decided_by
            )
        return Heard(feedback, is_new=True)
