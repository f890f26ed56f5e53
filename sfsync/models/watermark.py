"""Up to where an object's changes have been pulled, safely."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import models
from django.db.models.functions import Coalesce, Greatest

from classifier import leases
from classifier.leases import Leased

AWAKE = timedelta(minutes=15)
"""So long after a change it is asked at its own pace."""
QUIET_PER_REST = 30
"""After an hour in which nothing changed it rests two minutes."""


class Watermark(Leased):
    """All changes of ``sobject`` before ``covered_until`` are durably ours.

    The time is Salesforce's own word (``latestDateCovered``), never our clock's. It never
    moves back, and moves on only after the rows of its window are committed.
    """

    sobject = models.CharField(max_length=80, unique=True)
    covered_until = models.DateTimeField(null=True)
    deleted_until = models.DateTimeField(null=True)
    deletions_asked_at = models.DateTimeField(null=True)
    pulled_at = models.DateTimeField(null=True)
    """When Salesforce was last asked, by its own time."""
    changed_at = models.DateTimeField(null=True)
    """When something new was last found (at first: when it was first asked), by the same time."""
    seen = models.JSONField(
        default=dict,
        editable=False,
        help_text="Record id → SystemModstamp of the window that the next pull asks for again.",
    )

    class Meta:
        ordering = ("sobject",)

    def __str__(self) -> str:
        return self.sobject

    @classmethod
    def claim(cls, sobject: str) -> "Watermark | None":
        """Return the object's watermark, leased; None while somebody else pulls it."""
        cls.objects.get_or_create(sobject=sobject)
        claimed = leases.take(cls.objects.filter(sobject=sobject), limit=1)
        return claimed[0] if claimed else None

    def is_resting(self, pause: timedelta, now: datetime) -> bool:
        """Return whether it was asked less than ``pause`` before ``now``, the org's time."""
        return self.pulled_at is not None and now - pause < self.pulled_at <= now

    def rest(self, pause: timedelta, longest: timedelta, now: datetime) -> timedelta:
        """Return how long it rests between two questions: longer the longer nothing changed.

        ``pause`` is the least, ``longest`` the most that quiet adds to.
        """
        quiet = now - (self.changed_at or now)
        if quiet <= AWAKE:
            return pause
        return max(pause, min(longest, quiet / QUIET_PER_REST))

    def advance(
        self,
        covered_until: datetime,
        *,
        seen: Mapping[str, str],
        at: datetime,
        has_news: bool = False,
    ) -> None:
        """Move on; the lease stays. Call it after the window's rows are committed."""
        self.seen = dict(seen)
        if has_news or self.changed_at is None:
            self.changed_at = at
        self._mine().update(
            covered_until=_later("covered_until", covered_until),
            seen=self.seen,
            pulled_at=at,
            changed_at=self.changed_at,
        )

    def advance_deleted(self, deleted_until: datetime, *, at: datetime) -> None:
        """Note up to where deletions are known; the lease stays."""
        self._mine().update(
            deleted_until=_later("deleted_until", deleted_until), deletions_asked_at=at
        )

    def release(self) -> None:
        """End the lease."""
        self._mine().update(lease_token=None, leased_until=None, attempts=0)

    @classmethod
    def wake(cls, sobject: str) -> None:
        """Let an object (empty: all) be asked at the next pull, however quiet it was."""
        known = cls.objects.filter(sobject=sobject) if sobject else cls.objects.all()
        known.update(pulled_at=None)

    def _mine(self) -> "models.QuerySet[Watermark]":
        return Watermark.objects.filter(pk=self.pk, epoch=self.epoch)


def _later(field: str, moment: datetime) -> Greatest:
    """Return the later of the column and ``moment``: a watermark never moves back."""
    new = models.Value(moment, output_field=models.DateTimeField())
    return Greatest(Coalesce(field, new), new)
