"""What a look at every Case of 30 days found that the pull had missed."""

from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Q

from classifier.leases import Leased
from sfsync.models.backfill import StepTakenOver


class ReconciliationQuerySet(models.QuerySet["Reconciliation"]):
    def due(self, moment: datetime) -> Self:
        return self.filter(ended_at=None, due_at__lte=moment).order_by("due_at", "id")

    def ended(self) -> Self:
        """Return those that came to their end, newest first."""
        return self.filter(ended_at__isnull=False, error="").order_by("-ended_at", "-id")


class Reconciliation(Leased):
    """One look at all Cases that changed in a span; all times of the span are the org's own."""

    since = models.DateTimeField(help_text="Cases changed at or after this, by the org's time.")
    until = models.DateTimeField(help_text="And before this: up to there the pull had come.")
    swept_until = models.DateTimeField(help_text="How far it is.")
    slice_seconds = models.PositiveIntegerField(help_text="How much it looks at per step.")
    started_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    looked_at = models.PositiveIntegerField(default=0)
    missed = models.PositiveIntegerField(
        default=0, help_text="Cases that the pull had not found; they are read now."
    )
    gone = models.PositiveIntegerField(
        default=0,
        help_text="Cases that are deleted or no longer shared, which nobody had told us.",
    )
    calls = models.PositiveIntegerField("API calls", default=0)
    error = models.CharField(max_length=500, blank=True)

    objects = ReconciliationQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name = "weekly check"
        constraints = (
            models.CheckConstraint(
                condition=Q(ended_at__isnull=False) | Q(due_at__isnull=False),
                name="a_reconciliation_under_way_has_a_next_step",
            ),
        )
        indexes = (
            models.Index(
                fields=["due_at", "id"], condition=Q(ended_at=None), name="reconciliations_due"
            ),
        )

    def __str__(self) -> str:
        return f"{self.since:%d %b} to {self.until:%d %b %Y}"

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        whole = self.until - self.since
        return (self.swept_until - self.since) / whole if whole else 1.0

    def note(self, **changes: Any) -> None:
        """Write these fields down, as long as the claim holds.

        Raises:
            StepTakenOver: it does not; let it pass.
        """
        mine = Reconciliation.objects.filter(pk=self.pk, epoch=self.epoch, ended_at=None)
        if not mine.update(**changes):
            raise StepTakenOver
        for name, value in changes.items():
            setattr(self, name, value)
