"""The outbox of alarms: which notice is told outside, by which way, when, and how it ended."""

from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Q

from classifier.leases import Leased


class AlarmQuerySet(models.QuerySet["Alarm"]):
    """Narrows to what waits, and moves it on."""

    def due(self, moment: datetime) -> Self:
        """Return what may be sent now, oldest first."""
        return self.filter(ended_at=None, due_at__lte=moment).order_by("due_at", "id")

    def settle(self, alarm: "Alarm", **changes: Any) -> bool:
        """Write down what became of ``alarm`` and end the lease; False if it is not ours."""
        mine = self.filter(pk=alarm.pk, epoch=alarm.epoch, lease_token=alarm.lease_token)
        return bool(mine.update(**changes, lease_token=None, leased_until=None))

    def drop(self, at: datetime) -> int:
        """End what waits and nobody is sending just now, unsent; return how many."""
        free = Q(leased_until=None) | Q(leased_until__lt=at)
        return self.filter(free, ended_at=None).update(
            ended_at=at, due_at=None, outcome=Alarm.Outcome.DROPPED
        )


class Alarm(Leased):
    """One notice, told once by one way. ``due_at`` set: waits to be sent.

    It holds no words: what is told is the notice's own text, read when it is sent.
    """

    class Kind(models.TextChoices):
        RAISED = "raised", "alarm"
        REPEATED = "repeated", "reminder"
        CLEARED = "cleared", "all-clear"

    class Channel(models.TextChoices):
        EMAIL = "email", "e-mail"
        WEBHOOK = "webhook", "webhook"

    class Outcome(models.TextChoices):
        SENT = "sent", "sent"
        DROPPED = "dropped", "no longer needed"
        DEAD = "dead", "given up"

    notice = models.ForeignKey("sfsync.Notice", models.CASCADE, related_name="alarms")
    kind = models.CharField(max_length=8, choices=Kind)
    number = models.PositiveIntegerField(
        default=0, help_text="0 for the first; reminders count on."
    )
    channel = models.CharField(max_length=7, choices=Channel)
    made_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=7, choices=Outcome, blank=True)
    trouble = models.CharField(max_length=200, blank=True, help_text="Why the last try failed.")

    objects = AlarmQuerySet.as_manager()

    class Meta:
        ordering = ("-made_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=["notice", "channel", "kind", "number"],
                name="an_alarm_is_told_once_by_each_way",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, outcome="", due_at__isnull=False)
                | (Q(ended_at__isnull=False, due_at=None) & ~Q(outcome="")),
                name="an_alarm_is_due_or_has_an_outcome",
            ),
        )
        indexes = (
            models.Index(
                fields=["due_at", "id"], condition=Q(ended_at=None), name="alarms_due"
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} by {self.get_channel_display()}"
