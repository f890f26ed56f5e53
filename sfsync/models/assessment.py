"""What an org's own past promises: one assessment, and the Cases that it rests on."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from classifier.engine.text import Transcript as Words
from classifier.models import Transcript

WORST_SHOWN = 200
"""Doubtful tags that the page shows; the downloaded list has all."""


class AssessmentQuerySet(models.QuerySet["Assessment"]):
    def finished(self) -> Self:
        """Return those that came to an end, newest first."""
        return self.exclude(finished_at=None).order_by("-finished_at", "-id")


class Assessment(models.Model):
    """Closed Cases as they were read, what was asked, and what came of it.

    ``report`` holds figures and names of picklist values, no words of a customer.
    """

    fields = models.JSONField(help_text="API names of the picklists, top level first.")
    every_source = models.BooleanField(
        default=False, help_text="Words of every source in use, not the Case's own alone."
    )
    most = models.PositiveIntegerField(help_text="Cases read at most, newest first.")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    org_id = models.CharField(max_length=18)
    org_name = models.CharField(max_length=255, blank=True)
    started_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, help_text="When all Cases had been read.")
    finished_at = models.DateTimeField(null=True)
    calls = models.PositiveIntegerField(default=0, help_text="API calls that reading took.")
    seen = models.PositiveIntegerField(
        default=0, help_text="Tagged closed Cases read, also those that were of no use."
    )
    last_case_id = models.CharField(
        max_length=18, blank=True, help_text="Up to where was read: another run goes on there."
    )
    levels = models.JSONField(
        default=list, help_text="Per field its label and its values: value, label, is active."
    )
    report = models.JSONField(default=dict)

    objects = AssessmentQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"assessment of {', '.join(self.fields)}"


class AssessedCase(models.Model):
    """One closed Case: its words, cleaned and redacted, and the tag that somebody gave it."""

    assessment = models.ForeignKey(Assessment, models.CASCADE, related_name="cases")
    case_id = models.CharField(max_length=18)
    case_number = models.CharField(max_length=30, blank=True)
    path = models.JSONField(help_text="Values of the picklists, top level first.")
    turns = models.JSONField(help_text="As Transcript.turns.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the words.")
    origin = models.CharField(max_length=80, blank=True)
    language = models.CharField(max_length=16, blank=True)
    queue = models.CharField(max_length=120, blank=True)
    team = models.CharField(max_length=120, blank=True)
    doubt = models.PositiveIntegerField(
        null=True, help_text="Place in the list of tags that look wrong, from 1; empty: none."
    )
    suggested = models.JSONField(
        default=list, help_text="Path that the words seem to belong to; only where doubtful."
    )
    odds = models.FloatField(
        null=True, help_text="How many times likelier the suggestion is than the tag."
    )

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=["assessment", "case_id"], name="a_case_is_assessed_once"
            ),
        )
        indexes = (
            models.Index(
                fields=["assessment", "doubt"],
                condition=Q(doubt__isnull=False),
                name="doubtful_tags",
            ),
        )

    def __str__(self) -> str:
        return self.case_number or self.case_id

    @property
    def words(self) -> Words:
        """What the engine reads."""
        return Transcript(turns=self.turns).words
