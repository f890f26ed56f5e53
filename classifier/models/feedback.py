"""What one person said about one decision."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Self

from django.db import models, transaction
from django.db.models import Q

from classifier.models.category import Category
from classifier.models.decision import Decision
from classifier.models.transcript import Transcript
from classifier.models.trust import Trust

SAID_VALUE_CHARACTERS = 255
PERSON_CHARACTERS = 120


class FeedbackQuerySet(models.QuerySet["Feedback"]):
    """Keeps what people say, each word once; narrows to what counts."""

    def counted(self) -> Self:
        """Return what nobody took back."""
        return self.filter(withdrawn_at=None)

    def unsettled(self) -> Self:
        """Return what waits to be settled into gold labels, withdrawals included."""
        return self.filter(settled_at=None).order_by("id")

    def withdraw(self, at: datetime) -> int:
        """Let the people take these words back; what was settled with them is settled anew."""
        return self.filter(withdrawn_at=None).update(withdrawn_at=at, settled_at=None)

    def hear(
        self,
        *,
        thread: str,
        verdict: "Feedback.Verdict | str",
        source: "Feedback.Source | str",
        said_at: datetime,
        categories: Sequence[Category] = (),
        said_value: str = "",
        person: str = "",
        person_name: str = "",
        note: str = "",
        reference: str = "",
        is_blind: bool = False,
        is_adjudication: bool = False,
    ) -> "Feedback":
        """Return the feedback row of a person's word about ``thread``, made if it is new.

        ``categories``: the primary reason first, then the further ones. It is linked to the
        words and the decision that stood when it was said. With a ``reference`` the same word
        of the same source counts once, however often it comes. One transaction.
        """
        primary, *others = dict.fromkeys(categories) or (None,)
        said = {
            "thread": thread,
            "transcript": Transcript.objects.as_of(thread, said_at),
            "decision": Decision.objects.as_of(thread, said_at),
            "verdict": verdict,
            "category": primary,
            "said_value": said_value[:SAID_VALUE_CHARACTERS],
            "person": person[:PERSON_CHARACTERS],
            "person_name": person_name[:PERSON_CHARACTERS],
            "said_at": said_at,
            "note": note,
            "is_blind": is_blind,
            "is_adjudication": is_adjudication,
        }
        with transaction.atomic():
            if reference:
                feedback, is_new = self.get_or_create(
                    source=source, reference=reference, defaults=said
                )
            else:
                feedback, is_new = self.create(source=source, **said), True
            if is_new:
                FeedbackReason.objects.bulk_create(
                    FeedbackReason(feedback=feedback, category=category, rank=rank)
                    for rank, category in enumerate(others, start=1)
                )
        return feedback

    def hear_named(self, *, nameless: Collection[str], **said: Any) -> "Feedback":
        """Do what ``hear`` does; a word that was heard before without its person becomes theirs.

        ``nameless``: references under which that may have been. One transaction.
        """
        with transaction.atomic():
            known = (
                self.counted()
                .filter(source=said["source"], person="", reference__in=list(nameless))
                .select_for_update()
                .first()
            )
            if known is None:
                return self.hear(**said)
            if known.was_right is not None:
                Trust.count(known.source, "", "", right=-int(known.was_right), settled=-1)
            named, *others = said.pop("categories") or (None,)
            known.reasons.all().delete()
            for name, value in {**said, "category": named}.items():
                setattr(known, name, value)
            known.transcript = Transcript.objects.as_of(known.thread, known.said_at)
            known.decision = Decision.objects.as_of(known.thread, known.said_at)
            known.settled_at = known.was_right = None
            known.save()
            FeedbackReason.objects.bulk_create(
                FeedbackReason(feedback=known, category=category, rank=rank)
                for rank, category in enumerate(others, start=1)
            )
        return known


class Feedback(models.Model):
    """A person's word: confirmed, corrected or unclear; where it was said, and when.

    ``settled_at`` empty means: waits to be settled into a gold label (``settling``).
    """

    class Verdict(models.TextChoices):
        CONFIRMED = "confirmed", "confirmed"
        CORRECTED = "corrected", "corrected"
        UNCLEAR = "unclear", "unclear"
        OUT_OF_SCOPE = "out_of_scope", "none of the reasons"

    class Source(models.TextChoices):
        DESK = "desk", "Review desk"
        SALESFORCE = "salesforce", "Salesforce"
        API = "api", "API"
        IMPORT = "import", "Import"

    thread = models.CharField(max_length=64)
    transcript = models.ForeignKey(
        "classifier.Transcript", models.SET_NULL, null=True, blank=True, related_name="feedback"
    )
    decision = models.ForeignKey(
        "classifier.Decision", models.SET_NULL, null=True, blank=True, related_name="feedback"
    )
    verdict = models.CharField(max_length=12, choices=Verdict)
    category = models.ForeignKey(
        "classifier.Category", models.PROTECT, null=True, blank=True, related_name="feedback"
    )
    """The primary reason they say it is; empty where their value is none of our categories."""
    said_value = models.CharField(
        max_length=SAID_VALUE_CHARACTERS,
        blank=True,
        help_text="The value as the person left it.",
    )
    source = models.CharField(max_length=10, choices=Source)
    person = models.CharField(
        max_length=PERSON_CHARACTERS, blank=True, help_text="Who said it, as far as known."
    )
    person_name = models.CharField(
        max_length=PERSON_CHARACTERS,
        blank=True,
        help_text="How people call that person, where “person” is an id.",
    )
    said_at = models.DateTimeField()
    note = models.TextField(blank=True)
    reference = models.CharField(
        max_length=200,
        blank=True,
        help_text="Makes the same word count once, however often it comes.",
    )
    is_blind = models.BooleanField(
        default=False, help_text="Said without seeing what the automation thought."
    )
    is_adjudication = models.BooleanField(
        default=False, help_text="Settles a conflict between others: it stands alone."
    )
    withdrawn_at = models.DateTimeField(
        null=True, editable=False, help_text="Since when the person took it back (undo)."
    )
    settled_at = models.DateTimeField(null=True, editable=False)
    gold_label = models.ForeignKey(
        "classifier.GoldLabel",
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="feedback",
        help_text="The gold label that this word was settled into.",
    )
    was_right = models.BooleanField(
        null=True,
        editable=False,
        help_text="Whether others came to the same; counted once in the person's trust.",
    )

    objects = FeedbackQuerySet.as_manager()

    class Meta:
        ordering = ("-said_at", "-id")
        verbose_name_plural = "feedback"
        constraints = (
            models.UniqueConstraint(
                fields=["source", "reference"],
                condition=~Q(reference=""),
                name="feedback_is_counted_once",
            ),
        )
        indexes = (
            models.Index(fields=["thread"], name="feedback_by_thread"),
            models.Index(fields=["-said_at", "-id"], name="feedback_newest"),
            models.Index(
                fields=["id"], condition=Q(settled_at=None), name="feedback_to_settle"
            ),
        )

    def __str__(self) -> str:
        return f"{self.thread}: {self.get_verdict_display()}"

    @property
    def named(self) -> list[Category]:
        """The reasons that the person named, the primary one first."""
        if self.category is None:
            return []
        return [self.category, *(reason.category for reason in self.reasons.all())]


class FeedbackReason(models.Model):
    """A further contact reason that a person named beside the primary one (rank 1, 2, …)."""

    feedback = models.ForeignKey(Feedback, models.CASCADE, related_name="reasons")
    category = models.ForeignKey("classifier.Category", models.PROTECT, related_name="+")
    rank = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("rank",)
        constraints = (
            models.UniqueConstraint(
                fields=["feedback", "category"], name="a_reason_is_said_once"
            ),
        )

    def __str__(self) -> str:
        return str(self.category)
