"""What one person said about one decision."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from classifier.models.category import Category
from classifier.models.decision import Decision
from classifier.models.transcript import Transcript

SAID_VALUE_CHARACTERS = 255
PERSON_CHARACTERS = 120


class FeedbackManager(models.Manager["Feedback"]):
    """Keeps what people say, each word once."""

    def hear(
        self,
        *,
        thread: str,
        verdict: "Feedback.Verdict | str",
        source: "Feedback.Source | str",
        said_at: datetime,
        category: Category | None = None,
        said_value: str = "",
        person: str = "",
        note: str = "",
        reference: str = "",
    ) -> "Feedback":
        """Return the feedback row of a person's word about ``thread``, made if it is new.

        It is linked to the thread's current transcript and standing decision. With a
        ``reference`` the same word of the same source counts once, however often it comes.
        """
        said = {
            "thread": thread,
            "transcript": Transcript.objects.current().filter(thread=thread).first(),
            "decision": Decision.objects.standing().filter(thread=thread).first(),
            "verdict": verdict,
            "category": category,
            "said_value": said_value[:SAID_VALUE_CHARACTERS],
            "person": person[:PERSON_CHARACTERS],
            "said_at": said_at,
            "note": note,
        }
        if not reference:
            return self.create(source=source, **said)
        feedback, _ = self.get_or_create(source=source, reference=reference, defaults=said)
        return feedback


class Feedback(models.Model):
    """A person's word: confirmed, corrected or unclear; where it was said, and when."""

    class Verdict(models.TextChoices):
        CONFIRMED = "confirmed", "confirmed"
        CORRECTED = "corrected", "corrected"
        UNCLEAR = "unclear", "unclear"

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
    verdict = models.CharField(max_length=9, choices=Verdict)
    category = models.ForeignKey(
        "classifier.Category", models.PROTECT, null=True, blank=True, related_name="feedback"
    )
    """What the person says it is; empty where their value is none of our categories."""
    said_value = models.CharField(
        max_length=SAID_VALUE_CHARACTERS,
        blank=True,
        help_text="The value as the person left it.",
    )
    source = models.CharField(max_length=10, choices=Source)
    person = models.CharField(
        max_length=PERSON_CHARACTERS, blank=True, help_text="Who said it, as far as known."
    )
    said_at = models.DateTimeField()
    note = models.TextField(blank=True)
    reference = models.CharField(
        max_length=200,
        blank=True,
        help_text="Makes the same word count once, however often it comes.",
    )

    objects = FeedbackManager()

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
        )

    def __str__(self) -> str:
        return f"{self.thread}: {self.get_verdict_display()}"
