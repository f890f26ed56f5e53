"""Rings at our doors: Salesforce says that a Case changed, and we go and look."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q

KEPT = timedelta(days=7)
"""So long an id is remembered, so that a notification that comes again changes nothing.

Salesforce stops sending after 24 hours; Standard Webhooks asks for five minutes."""
NOTIFICATION_CHARACTERS = 100


class DoorbellQuerySet(models.QuerySet["Doorbell"]):
    """Narrows to what is waited for."""

    def unheard(self) -> Self:
        return self.filter(heard="")

    def due(self, moment: datetime) -> Self:
        """Return the rings whose Case must be looked at again by ``moment``."""
        return self.filter(due_at__lte=moment).order_by("due_at", "id")

    def of_cases(self, case_ids: Collection[str], *, since: datetime) -> Self:
        return self.filter(case_id__in=case_ids, received_at__gte=since)

    def rung_before(self, source: str, org_id: str, ids: Iterable[str]) -> set[str]:
        """Return those of the notification ids that we have accepted already."""
        known = self.filter(source=source, org_id=org_id, notification_id__in=list(ids))
        return set(known.values_list("notification_id", flat=True))

    def first_at(self) -> datetime | None:
        """Return when the oldest ring came that we still remember; None: no door is in use."""
        return self.order_by("received_at").values_list("received_at", flat=True).first()


class Doorbell(models.Model):
    """One accepted notification about one Case. It is a hint: nothing it says is believed.

    ``heard`` empty: the Case is about to be read, or waits until ``due_at`` to be read again
    because what changed was not visible yet.
    """

    class Source(models.TextChoices):
        OUTBOUND = "outbound", "Outbound Message"
        WEBHOOK = "webhook", "signed webhook"
        EVENT = "event", "change event"

    class Heard(models.TextChoices):
        HINT = "hint", "brought the change"
        EARLIER = "earlier", "we knew already"
        LATER = "later", "found later, by asking"
        MISSED = "missed", "nothing had changed"

    source = models.CharField("came as", max_length=8, choices=Source)
    org_id = models.CharField("organisation", max_length=18, blank=True)
    notification_id = models.CharField("notification", max_length=NOTIFICATION_CHARACTERS)
    case_id = models.CharField("Case id", max_length=18)
    changed_at = models.DateTimeField(
        "says it changed", null=True, help_text="SystemModstamp of the Case, where it was told."
    )
    received_at = models.DateTimeField()
    due_at = models.DateTimeField("looked at again", null=True)
    tries = models.PositiveSmallIntegerField(
        default=0, help_text="How often the Case was read without the change."
    )
    heard = models.CharField("what came of it", max_length=7, choices=Heard, blank=True)
    heard_at = models.DateTimeField(null=True)

    objects = DoorbellQuerySet.as_manager()

    class Meta:
        verbose_name = "ring"
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=["source", "org_id", "notification_id", "case_id"],
                name="a_notification_rings_once_for_a_case",
            ),
            models.CheckConstraint(
                condition=Q(heard="", heard_at=None)
                | (~Q(heard="") & Q(heard_at__isnull=False, due_at=None)),
                name="a_ring_that_was_heard_waits_no_more",
            ),
        )
        indexes = (
            models.Index(
                fields=["due_at", "id"],
                condition=Q(due_at__isnull=False),
                name="rings_to_look_at_again",
            ),
            models.Index(fields=["received_at"], condition=Q(heard=""), name="rings_not_heard"),
            models.Index(
                fields=["received_at"], condition=Q(heard="missed"), name="rings_missed"
            ),
            models.Index(fields=["case_id", "received_at"], name="rings_by_case"),
            models.Index(fields=["received_at"], name="rings_by_time"),
        )

    def __str__(self) -> str:
        return f"{self.get_source_display()}: {self.case_id}"
