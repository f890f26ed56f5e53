"""An open question to a person about one conversation."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Self, cast

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from classifier.models.decision import Decision
from classifier.models.feedback import Feedback
from classifier.models.remit import within_remit
from classifier.models.transcript import Transcript

RESERVED = timedelta(minutes=10)
"""How long a Case is a reviewer's alone; the page asks for more while they are at it."""

PRIORITIES = {
    "critical": 300,
    "urgent": 300,
    "p1": 300,
    "high": 200,
    "p2": 200,
    "low": 0,
}
"""What a Case's priority counts, by Salesforce's own words and the usual ones beside them."""
ORDINARY = 100
"""What any other priority counts, and none."""
CLOSED = 0
"""What a conversation counts that is over: nobody waits for its reason any more."""
CRITICAL = 1_000
"""What a conversation counts that may be about something critical: more than all else together."""
KINDS = {"conflict": 50, "audit": 30, "unsure": 0}
"""Two people have spent their time on a conflict already; an audit that waits for ever is none."""


def importance_of(transcript: Transcript, kind: str, decision: Decision | None = None) -> int:
    """Return how early a person is asked: what may be critical, the Case's priority, the kind.

    ``transcript.context["priority"]`` is the priority in the words of the system it came from.
    """
    word = str(transcript.context.get("priority", "")).strip().lower()
    rank = PRIORITIES.get(word, ORDINARY)
    if transcript.moment == Transcript.Moment.CLOSED:
        rank = CLOSED
    if decision is not None and decision.doubt == Decision.DoubtCode.CRITICAL:
        rank += CRITICAL
    return rank + KINDS[kind]


class ReviewQuerySet(models.QuerySet["Review"]):
    """Narrows to what waits; opens and closes questions."""

    def for_person(self, user: Any) -> Self:
        """Return the open reviews that ``user`` may answer, whoever holds them at the moment.

        Within their groups' remit; none that they skipped; where another opinion is wanted
        (a conflict) or an unbiased one (a blind audit), none on which they have spoken already.
        """
        own_words = Feedback.objects.counted().filter(
            thread=OuterRef("thread"),
            person=user.get_username(),
            source__in=[Feedback.Source.DESK, Feedback.Source.API],
        )
        fresh = [Review.Kind.CONFLICT, Review.Kind.AUDIT]
        skipped = Review.skipped_by.through.objects.filter(review=OuterRef("pk"), user=user.pk)
        asked = cast("Self", within_remit(self.waiting(), user))
        return asked.exclude(Exists(skipped)).exclude(Q(kind__in=fresh) & Q(Exists(own_words)))

    def reserve_first(self, user: Any, at: datetime) -> "Review | None":
        """Reserve the first of these for ``user`` and return it, None where none is free.

        What they hold already comes first. A conditional UPDATE: whoever changed the row has
        it, so two people never have the same one, on SQLite and PostgreSQL alike.
        """
        held = self.filter(reserved_by=user.pk, reserved_until__gte=at).first()
        if held is not None and Review.objects.hold(held.pk, user, at):
            return held
        while True:  # each turn that fails was won by somebody else, so it ends
            review = self.free_for(user.pk, at).first()
            if review is None or Review.objects.hold(review.pk, user, at):
                return review

    def hold(self, review_id: int, user: Any, at: datetime) -> bool:
        """Reserve an open review for ``user`` from ``at`` on; False where somebody else has it."""
        mine = self.filter(pk=review_id, closed_at=None).free_for(user.pk, at)
        return bool(mine.update(reserved_by=user.pk, reserved_until=at + RESERVED))

    def release(self, review_id: int, user: Any) -> None:
        """Give an open review back that ``user`` holds."""
        self.filter(pk=review_id, closed_at=None, reserved_by=user.pk).update(
            reserved_by=None, reserved_until=None
        )

    def open(
        self,
        kind: "Review.Kind | str",
        transcript: Transcript,
        decision: Decision | None,
        *,
        at: datetime,
    ) -> "tuple[Review, bool]":
        """Return the open question of this kind about a conversation, and whether it is new.

        One that is open already stays as it is.
        """
        review = self.model.asking(kind, transcript, decision, at=at)
        return self.get_or_create(
            thread=review.thread,
            kind=kind,
            closed_at=None,
            defaults={
                "transcript": transcript,
                "decision": decision,
                "importance": review.importance,
                "queue": review.queue,
                "team": review.team,
                "opened_at": at,
            },
        )

    def open_all(self, reviews: "Iterable[Review]") -> None:
        """Open these questions; one that another worker opened meanwhile is left alone."""
        self.bulk_create(list(reviews), ignore_conflicts=True)

    def close_obsolete(self, at: datetime) -> int:
        """Close the open ones of these unanswered: nobody needs to look any more."""
        return self.filter(closed_at=None).update(closed_at=at, outcome=Review.Outcome.OBSOLETE)

    def waiting(self) -> Self:
        """Return the open reviews, most important and then longest waiting first."""
        return self.filter(closed_at=None).order_by("-importance", "opened_at", "id")

    def free_for(self, user_id: int, moment: datetime) -> Self:
        """Return what nobody else holds at ``moment``."""
        return self.filter(
            Q(reserved_by=None) | Q(reserved_by=user_id) | Q(reserved_until__lt=moment)
        )


class Review(models.Model):
    """One conversation that a person should look at, and why.

    ``reserved_by`` and ``reserved_until`` are a claim that runs out by itself: while it holds,
    nobody else gets this review. ``closed_at`` set: answered, or no longer needed.
    """

    class Kind(models.TextChoices):
        UNSURE = "unsure", "The automation is not sure"
        AUDIT = "audit", "Drawn for blind audit"
        CONFLICT = "conflict", "People disagree"

    class Outcome(models.TextChoices):
        CONFIRMED = "confirmed", "confirmed"
        CORRECTED = "corrected", "corrected"
        UNCLEAR = "unclear", "unclear"
        OUT_OF_SCOPE = "out_of_scope", "none of the reasons"
        OBSOLETE = "obsolete", "no longer needed"

    thread = models.CharField(max_length=64)
    transcript = models.ForeignKey(
        "classifier.Transcript", models.PROTECT, related_name="reviews"
    )
    decision = models.ForeignKey(
        "classifier.Decision", models.PROTECT, null=True, related_name="reviews"
    )
    """What stood when the question was opened."""
    kind = models.CharField(max_length=8, choices=Kind)
    importance = models.PositiveSmallIntegerField(
        default=0, help_text="Higher comes first: from the Case's priority and the kind."
    )
    queue = models.CharField(max_length=120, blank=True)
    team = models.CharField(max_length=120, blank=True)
    opened_at = models.DateTimeField()
    reserved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    reserved_until = models.DateTimeField(null=True, editable=False)
    skipped_by = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+")
    """People who passed this one on: it does not come back to them."""
    closed_at = models.DateTimeField(null=True, editable=False)
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True)
    feedback = models.OneToOneField(
        "classifier.Feedback", models.SET_NULL, null=True, related_name="review"
    )
    """The answer."""

    objects = ReviewQuerySet.as_manager()

    class Meta:
        ordering = ("-importance", "opened_at", "id")
        constraints = (
            models.UniqueConstraint(
                fields=["thread", "kind"],
                condition=Q(closed_at=None),
                name="one_open_review_per_thread_and_kind",
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, outcome="")
                | (Q(closed_at__isnull=False) & ~Q(outcome="")),
                name="a_closed_review_has_an_outcome",
            ),
        )
        indexes = (
            models.Index(
                F("importance").desc(),
                F("opened_at").asc(),
                F("id").asc(),
                condition=Q(closed_at=None),
                name="reviews_waiting",
            ),
            models.Index(fields=["reserved_by", "-closed_at"], name="reviews_by_person"),
        )

    def __str__(self) -> str:
        return f"{self.thread}: {self.get_kind_display()}"

    @classmethod
    def asking(
        cls,
        kind: "Review.Kind | str",
        transcript: Transcript,
        decision: Decision | None,
        *,
        at: datetime,
    ) -> "Review":
        """Return a question about a conversation, not saved yet."""
        return cls(
            thread=transcript.thread,
            transcript=transcript,
            decision=decision,
            kind=kind,
            importance=importance_of(transcript, kind, decision),
            queue=transcript.queue,
            team=transcript.team,
            opened_at=at,
        )

    @property
    def is_blind(self) -> bool:
        """Whether the reviewer must not see what the automation thought."""
        return self.kind == Review.Kind.AUDIT
