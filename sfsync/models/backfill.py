"""Backfills: Cases of the past that get reasons, once a person has seen which."""

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from classifier.leases import Leased

WORTH_ESTIMATING = 0.03
"""Share done from which on the time left is told: before, it would be a wild guess."""
TEXT_CHARACTERS = 500


class StepTakenOver(Exception):
    """Another worker does this now, or a person changed it: stop, nothing more is kept."""


class BackfillQuerySet(models.QuerySet["Backfill"]):
    """Narrows to what may go on."""

    def under_way(self) -> Self:
        return self.filter(ended_at=None)

    def due(self, moment: datetime) -> Self:
        """Return those whose next step may be done, longest waiting first."""
        return self.filter(ended_at=None, paused_at=None, due_at__lte=moment).order_by(
            "due_at", "id"
        )


class Backfill(Leased):
    """One span of the past, and how far it is. ``due_at`` set: its next step waits for a worker.

    ``done`` and ``total`` are rows of the present stage; ``pace_at`` and ``pace_done`` are
    where its pace is measured from.
    """

    class Stage(models.TextChoices):
        LIST = "list", "Salesforce lists the Cases"
        TAKE = "take", "the list is taken over"
        READ = "read", "Cases are read and decided"
        COMPARE = "compare", "decisions are compared with what stands in Salesforce"
        REVIEW = "review", "waits for approval"
        WRITE = "write", "reasons are written"
        DONE = "done", "done"
        CANCELLED = "cancelled", "cancelled"

    created_from = models.DateTimeField(help_text="Cases created at or after this.")
    created_to = models.DateTimeField(help_text="Cases created before this.")
    record_types = models.JSONField(default=list, blank=True, help_text="Empty: all.")
    origins = models.JSONField(default=list, blank=True, help_text="Empty: all.")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    asked_at = models.DateTimeField()
    approved_by = models.CharField(max_length=150, blank=True)
    approved_at = models.DateTimeField(null=True)
    approved_changes = models.PositiveIntegerField(default=0)
    by_bulk = models.BooleanField(default=False)

    stage = models.CharField(max_length=9, choices=Stage, default=Stage.LIST)
    due_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    is_cancelled = models.BooleanField(default=False, help_text="A person ended it.")
    ended_at = models.DateTimeField(null=True)
    said = models.CharField(max_length=TEXT_CHARACTERS, blank=True)
    error = models.CharField(max_length=TEXT_CHARACTERS, blank=True)
    failures = models.PositiveIntegerField(
        default=0, help_text="In a row, each of which passes."
    )

    job_asked_at = models.DateTimeField(
        null=True, help_text="When the query was asked for, by the org's time."
    )
    job_id = models.CharField(max_length=18, blank=True)
    locator = models.CharField(max_length=200, blank=True)
    polls = models.PositiveIntegerField(default=0)

    stage_at = models.DateTimeField(null=True)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    pace_at = models.DateTimeField(null=True)
    pace_done = models.PositiveIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0, help_text="API calls so far.")

    objects = BackfillQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        permissions = (("approve_backfill", "Can approve what a backfill would write"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(created_from__lt=models.F("created_to")),
                name="a_backfill_spans_some_time",
            ),
            models.CheckConstraint(
                condition=~Q(stage="write") | Q(approved_at__isnull=False),
                name="nothing_is_backfilled_without_approval",
            ),
            models.UniqueConstraint(
                fields=["job_id"], condition=~Q(job_id=""), name="a_query_is_one_backfills"
            ),
        )
        indexes = (
            models.Index(
                fields=["due_at", "id"],
                condition=Q(ended_at=None, paused_at=None, due_at__isnull=False),
                name="backfills_due",
            ),
        )

    def __str__(self) -> str:
        return f"Cases created {self.created_from:%d %b %Y} to {self.created_to:%d %b %Y}"

    @property
    def is_over(self) -> bool:
        return self.ended_at is not None

    @property
    def share(self) -> float:
        """How much of the present stage is done, 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    @property
    def percent(self) -> int:
        return int(100 * self.share)

    def seconds_left(self, now: datetime) -> float | None:
        """Return how long this stage will take at the pace so far; None: nobody can tell."""
        since, rows = self.pace_at, self.done - self.pace_done
        if self.is_over or self.paused_at or since is None or not self.total:
            return None
        if rows <= 0 or rows / self.total < WORTH_ESTIMATING:
            return None
        left: float = (now - since) / timedelta(seconds=1) * (self.total - self.done) / rows
        return max(0.0, left)

    def note(self, **changes: Any) -> None:
        """Write these fields down, as long as the claim holds.

        Raises:
            StepTakenOver: it does not, or a person ended it; let it pass.
        """
        mine = Backfill.objects.filter(pk=self.pk, epoch=self.epoch, ended_at=None)
        if not mine.update(**changes):
            raise StepTakenOver
        for name, value in changes.items():
            setattr(self, name, value)

    def enter(self, stage: "Backfill.Stage", at: datetime, *, total: int = 0) -> None:
        """Begin a stage, its bar and its pace.

        Raises:
            StepTakenOver: the claim is lost.
        """
        self.note(
            stage=stage, stage_at=at, total=total, done=0, pace_at=at, pace_done=0, said=""
        )


class BulkWriting(models.Model):
    """One ingest job of a backfill. Noted before Salesforce is asked for it."""

    class State(models.TextChoices):
        PREPARING = "preparing", "being prepared"
        RUNNING = "running", "Salesforce works on it"
        RECORDED = "recorded", "its results are recorded"
        DROPPED = "dropped", "given up before Salesforce began with it"

    backfill = models.ForeignKey(Backfill, models.CASCADE, related_name="writings")
    state = models.CharField(max_length=9, choices=State, default=State.PREPARING)
    asked_at = models.DateTimeField(help_text="By the org's time.")
    looked_at = models.DateTimeField(
        null=True,
        help_text="When its Cases were looked at; empty: the org's guard protects them later too.",
    )
    job_id = models.CharField(max_length=18, blank=True)
    rows = models.PositiveIntegerField(default=0)
    polls = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=["backfill"],
                condition=Q(state__in=["preparing", "running"]),
                name="a_backfill_writes_one_job_at_a_time",
            ),
        )

    def __str__(self) -> str:
        return self.job_id or "not opened yet"


class BackfillCase(models.Model):
    """One Case of a backfill: what stood in Salesforce, what we propose, what came of it."""

    class Verdict(models.TextChoices):
        CHANGE = "change", "would be changed"
        SAME = "same", "already as decided"
        PERSON = "person", "a person’s word stands there"
        UNSURE = "unsure", "nobody is sure: a person must look"
        HELD = "held", "could not be written"
        KNOWN = "known", "looked after already"
        GONE = "gone", "deleted meanwhile"
        UNREADABLE = "unreadable", "could not be read"

    class Outcome(models.TextChoices):
        SENDING = "sending", "being written"
        WRITTEN = "written", "written"
        UNCHANGED = "unchanged", "already as decided"
        CEDED = "ceded", "a person’s word stands there now"
        MOVED_ON = "moved_on", "decided anew since the approval"
        GONE = "gone", "deleted meanwhile"
        HELD = "held", "held back by mode, scope, picklist or field"
        LATER = "later", "left to the ordinary delivery"
        FAILED = "failed", "given up: see Write-backs"

    backfill = models.ForeignKey(Backfill, models.CASCADE, related_name="cases")
    case_id = models.CharField(max_length=18)
    case_number = models.CharField(max_length=30, blank=True)
    queue = models.CharField(max_length=255, blank=True)
    team = models.CharField(max_length=255, blank=True)
    present = models.JSONField(default=dict, help_text="Field → value as Salesforce listed it.")
    verdict = models.CharField(max_length=10, choices=Verdict, blank=True)
    detail = models.CharField(max_length=340, blank=True)
    category = models.ForeignKey(
        "classifier.Category", models.SET_NULL, null=True, related_name="+"
    )
    proposed = models.JSONField(default=dict, help_text="Field → value that we would write.")
    write_back = models.ForeignKey(
        "sfsync.WriteBack", models.SET_NULL, null=True, related_name="+"
    )
    writing = models.ForeignKey(BulkWriting, models.SET_NULL, null=True, related_name="cases")
    outcome = models.CharField(max_length=9, choices=Outcome, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=["backfill", "case_id"], name="a_case_is_backfilled_once"
            ),
        )
        indexes = (
            models.Index(
                fields=["backfill", "verdict", "outcome", "id"], name="backfilled_by_verdict"
            ),
        )

    def __str__(self) -> str:
        return self.case_number or self.case_id
