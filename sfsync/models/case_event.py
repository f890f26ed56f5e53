"""What happened to a Case in Salesforce, besides being talked on: told on its page."""

from datetime import datetime

from django.db import models


class CaseEventManager(models.Manager["CaseEvent"]):
    """Notes what happened, each thing once."""

    def note(
        self, case_link_id: int, kind: "CaseEvent.Kind", at: datetime, detail: str = ""
    ) -> None:
        """Keep that something happened; the same thing at the same moment is kept once."""
        event = CaseEvent(case_link_id=case_link_id, kind=kind, at=at, detail=detail[:255])
        self.bulk_create([event], ignore_conflicts=True)


class CaseEvent(models.Model):
    """Something that happened to one Case, and when (by the database's or the org's time)."""

    class Kind(models.TextChoices):
        DELETED = "deleted", "Deleted in Salesforce"
        MERGED = "merged", "Merged into another Case"
        UNSEEN = "unseen", "No longer visible to our user"
        RETURNED = "returned", "Came back"
        REOPENED = "reopened", "Reopened"
        OWNER = "owner", "Changed its owner"
        AUTOMATION = "automation", "Another integration wrote the reason"

    case_link = models.ForeignKey("sfsync.CaseLink", models.CASCADE, related_name="events")
    kind = models.CharField(max_length=10, choices=Kind)
    detail = models.CharField(max_length=255, blank=True)
    """Names of owners, or the id of the Case it was merged into; no customer's words."""
    at = models.DateTimeField()

    objects = CaseEventManager()

    class Meta:
        ordering = ("-at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=["case_link", "kind", "at"], name="an_event_is_noted_once"
            ),
        )

    def __str__(self) -> str:
        return self.get_kind_display()
