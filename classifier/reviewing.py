"""Reviewing: a person says what a conversation is about, and that word stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractBaseUser, User
from django.db import transaction

from classifier import leases
from classifier.models import Category, Decision, Feedback, Review, Transcript

UNDONE_WITHIN = timedelta(hours=12)
"""How long an answer can be taken back at the desk: a working day, as long as a session lasts."""


class ReviewLost(Exception):
    """The answer cannot be kept: the question is somebody else's by now, or closed."""


class WordsChanged(Exception):
    """More was said while the reviewer was reading: they should look again, then answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reviewer says about one conversation."""

    seen: int
    """The id of the transcript that they read."""
    categories: Sequence[Category] = ()
    """The primary reason first; none of them: none of our reasons, unless it is unclear."""
    is_unclear: bool = False
    note: str = ""

    def verdict_on(self, decision: Decision | None) -> Feedback.Verdict:
        """Return how this compares with what was decided, or suggested first where nothing was."""
        if self.is_unclear:
            return Feedback.Verdict.UNCLEAR
        if not self.categories:
            return Feedback.Verdict.OUT_OF_SCOPE
        held = _held(decision)
        is_same = held[:1] == [self.categories[0]] and set(held) == set(self.categories)
        return Feedback.Verdict.CONFIRMED if is_same else Feedback.Verdict.CORRECTED


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


def answer(review_id: int, said: Answer, user: User) -> Review:
    """Keep a reviewer's answer, close the question, and return it.

    The same answer sent twice counts once. One transaction; the person's word stands and goes
    on to where the conversation came from.

    Raises:
        ReviewLost: somebody else has the question by now, or it is closed.
        WordsChanged: there are newer words than those that were read.
    """
    at = leases.now()
    with transaction.atomic():
        review = _locked(review_id)
        if review.closed_at is not None:
            if review.feedback_id is not None and review.reserved_by_id == user.pk:
                return review
            raise ReviewLost
        if review.reserved_by_id != user.pk or not Review.objects.hold(review.pk, user, at):
            raise ReviewLost
        if not Transcript.objects.current().filter(pk=said.seen, thread=review.thread).exists():
            raise WordsChanged
        standing = Decision.objects.standing().filter(thread=review.thread).first()
        verdict = said.verdict_on(standing)
        review.feedback = hear_word(
            thread=review.thread,
            verdict=verdict,
            categories=() if said.is_unclear else said.categories,
            source=Feedback.Source.DESK,
            said_at=at,
            person=user.get_username(),
            person_name=user.get_full_name(),
            note=said.note,
            is_blind=review.is_blind,
            is_adjudication=review.kind == Review.Kind.CONFLICT,
            decided_by=user,
        ).feedback
        review.closed_at, review.outcome = at, Review.Outcome(verdict)
        review.save(update_fields=["closed_at", "outcome", "feedback"])
    return review


def skip(review_id: int, user: User) -> None:
    """Pass a question on to others; it does not come back to ``user``.

    Raises:
        ReviewLost: there is no such question.
    """
    with transaction.atomic():
        review = _locked(review_id)
        Review.objects.release(review.pk, user)
        review.skipped_by.add(user)


def last_answered(user: User) -> Review | None:
    """Return the question that ``user`` answered last, None where that is too long ago."""
    mine = Review.objects.filter(
        reserved_by=user, feedback__isnull=False, closed_at__gte=leases.now() - UNDONE_WITHIN
    )
    return mine.order_by("-closed_at").first()


def undo(review_id: int, user: User) -> Review:
    """Take back what ``user`` did with a question, and reserve it to them again; return it.

    An answer: the word is withdrawn, what stood before stands again (``Decision.take_back``),
    the question is open. A skip: it is theirs once more. One transaction.

    Raises:
        ReviewLost: it was not theirs, is too long ago, or somebody else has it by now.
    """
    at = leases.now()
    with transaction.atomic():
        review = _locked(review_id)
        if review.closed_at is None:
            return _taken_again(review, user, at)
        said = review.feedback
        if (
            said is None
            or review.reserved_by_id != user.pk
            or review.closed_at < at - UNDONE_WITHIN
        ):
            raise ReviewLost
        Feedback.objects.filter(pk=said.pk).withdraw(at)
        restored = Decision.objects.take_back(said.thread, said_at=said.said_at, at=at)
        asked_anew = Review.objects.filter(
            thread=review.thread, kind=review.kind, closed_at=None
        ).first()
        if asked_anew is not None:
            return _taken_again(asked_anew, user, at)
        review.decision = restored or review.decision
        review.closed_at, review.outcome, review.feedback = None, "", None
        review.reserved_until = None
        review.save()
        return _taken_again(review, user, at)


def _locked(review_id: int) -> Review:
    rows = Review.objects.select_for_update(of=("self",)).select_related("feedback")
    review = rows.filter(pk=review_id).first()
    if review is None:
        raise ReviewLost
    return review


def _taken_again(review: Review, user: User, at: datetime) -> Review:
    review.skipped_by.remove(user)
    theirs = Review.objects.for_person(user).filter(pk=review.pk)
    if not theirs.exists() or not Review.objects.hold(review.pk, user, at):
        raise ReviewLost
    return theirs.get()


def _held(decision: Decision | None) -> list[Category]:
    """Return what was decided; where nothing was, the one suggestion that came first."""
    if decision is None:
        return []
    if decision.category is not None:
        return decision.named
    guesses = decision.reasons.filter(is_suggestion=True).select_related("category")
    return [guess.category for guess in guesses.order_by("rank")[:1]]
