"""The account of our own API calls."""

from datetime import datetime

from django.db import models
from django.db.models import F

from sfsync.calls import Purpose


class ApiSpending(models.Model):
    """How many API calls we made for one purpose in the five minutes from ``started_at`` on.

    A call is counted before it is made, and stays counted where it got no answer.
    """

    started_at = models.DateTimeField()
    purpose = models.CharField(max_length=8, choices=Purpose)
    calls = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("-started_at", "purpose")
        verbose_name_plural = "API spending"
        constraints = (
            models.UniqueConstraint(
                fields=["started_at", "purpose"], name="one_account_per_purpose_and_slot"
            ),
        )

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M} {self.purpose}: {self.calls}"

    @classmethod
    def add(cls, started_at: datetime, purpose: Purpose, calls: int = 1) -> bool:
        """Count more calls; return whether they are the first of this slot and purpose."""
        slot = cls.objects.filter(started_at=started_at, purpose=purpose)
        if slot.update(calls=F("calls") + calls):
            return False
        cls.objects.create(started_at=started_at, purpose=purpose, calls=calls)
        return True
