"""Reviewing: a person says what a conversation is about, and that word stands."""

from collections.abc import Sequence
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
    categories: Sequence[Category],
    source: Feedback.Source,
    said_at: datetime,
    person: str = "",
    person_name: str = "",
    said_value: str = "",
    note: str = "",
    reference: str = "",
    is_blind: bool = False,
    is_adjudication: bool = False,
    decided_by: AbstractBaseUser | None = None,
) -> Heard:
    """Keep what a person said about ``thread``; where they name a category, it stands.

    ``categories``: the primary reason first. None of them: unclear, out of scope, or a value
    that is none of our categories; then what stood keeps standing. A
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
            categories=categories,
            source=source,
            said_at=said_at,
            person=person,
            person_name=person_name,
            said_value=said_value,
            note=note,
            reference=reference,
            is_blind=is_blind,
            is_adjudication=is_adjudication,
        )
        if categories and verdict != Feedback.Verdict.UNCLEAR:
            Decision.objects.stand_by_person(
                thread, categories, at=said_at, decided_by=decided_by
            )
        return Heard(feedback, is_new=True)
