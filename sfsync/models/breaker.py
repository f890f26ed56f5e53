"""What is known of one kind of call's failures, and whether it is cut off for a while."""

from django.db import models

from sfsync.calls import Operation


class Breaker(models.Model):
    """One kind of call: its latest outcomes, and until when no such call is made."""

    operation = models.CharField(max_length=7, choices=Operation, unique=True)
    outcomes = models.JSONField(default=list)
    """Pairs of POSIX time and whether it worked, oldest first, since the first failure."""
    opened_at = models.DateTimeField(null=True)
    open_until = models.DateTimeField(null=True)
    """From then on one call may try; null: all may."""
    openings = models.PositiveSmallIntegerField(default=0)
    """How often in a row; the waits grow with it."""
    is_probing = models.BooleanField(default=False)
    """Whether one call is trying just now."""
    was_refused = models.BooleanField(default=False)
    """Whether Salesforce refuses us; else it fails."""

    class Meta:
        ordering = ("operation",)

    def __str__(self) -> str:
        return self.get_operation_display()
