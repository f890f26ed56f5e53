"""The outbox: what is to be written to which Case, when, and how it ended."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from classifier.leases import Leased


class WriteBackQuerySet(models.QuerySet["WriteBack"]):
    """Narrows to what waits, and moves it on."""

    def unended(self) -> Self:
        return self.filter(ended_at=None)

    def due(self, moment: datetime) -> Self:
        """Return what may be delivered now, oldest first.

        A Case with another write under way waits: of two writes in flight nobody could say
        which one the Case shows in the end.
        """
        under_way = WriteBack.objects.filter(
            case_link=OuterRef("case_link"), leased_until__gte=moment
        ).exclude(pk=OuterRef("pk"))
        return (
            self.filter(ended_at=None, due_at__lte=moment)
            .filter(~Exists(under_way))
            .order_by("due_at", "id")
        )

    def held(self, because: "WriteBack.Hold") -> Self:
        return self.filter(ended_at=None, held_because=because)

    def dead_letters(self) -> Self:
        """Return what was given up and still matters: nobody closed it, nothing replaced it."""
        return self.filter(
            outcome=WriteBack.Outcome.DEAD,
            closed_at=None,
            decision__superseded_at=None,
            case_link__gone_at=None,
        )

    def unanswered(self, links: Iterable[int]) -> Self:
        """Return the attempts on these Cases whose outcome nobody knows."""
        open_or_replaced = Q(outcome__in=["", WriteBack.Outcome.SUPERSEDED])
        return self.filter(open_or_replaced, case_link__in=links).exclude(sent_fields={})

    def make_due(self, at: datetime) -> int:
        """Let the rows be delivered (again) from ``at`` on, as if for the first time."""
        # What is known to have arrived is no attempt without an answer any more.
        self.filter(outcome=WriteBack.Outcome.DELIVERED).update(sent_fields={})
        return self.update(
            due_at=at,
            held_because="",
            hold_detail="",
            ended_at=None,
            outcome="",
            error_code="",
            error_text="",
            first_failed_at=None,
            attempts=0,
            closed_at=None,
            closed_by="",
            closed_note="",
        )

    def hold_for_backfill(self) -> int:
        """Let rows wait (again) until somebody approves their backfill; return how many."""
        return self.update(
            due_at=None,
            held_because=WriteBack.Hold.BACKFILL,
            hold_detail="",
            ended_at=None,
            outcome="",
        )

    def supersede(self, at: datetime) -> int:
        """End the rows for a newer decision.

        A lease is left as it is: a write under way may still arrive, and is recorded then.
        """
        return self.unended().update(
            ended_at=at,
            outcome=WriteBack.Outcome.SUPERSEDED,
            due_at=None,
            held_because="",
            hold_detail="",
        )

    def settle(self, row: "WriteBack", **changes: Any) -> bool:
        """Write down the outcome of ``row`` and give its lease back; False if it is not ours.

        Not ours: the lease ran out and another worker took the row (the epoch tells), or a
        newer decision replaced it meanwhile.
        """
        mine = self.filter(pk=row.pk, epoch=row.epoch, lease_token=row.lease_token)
        free: dict[str, Any] = {"lease_token": None, "leased_until": None}
        if mine.unended().update(**changes, **free):
            return True
        mine.update(**free)
        return False

    def postpone(self, row: "WriteBack", until: datetime) -> bool:
        """Let ``row`` wait until then, as if it had not been claimed; False if it is not ours."""
        return self.settle(row, due_at=until, attempts=F("attempts") - 1)

    def settle_written(self, row: "WriteBack", at: datetime, **changes: Any) -> bool:
        """Write down that ``row`` arrived, also where a newer decision replaced it meanwhile."""
        mine = self.filter(pk=row.pk, epoch=row.epoch, lease_token=row.lease_token)
        return bool(
            mine.update(
                lease_token=None,
                leased_until=None,
                ended_at=at,
                due_at=None,
                outcome=WriteBack.Outcome.DELIVERED,
                error_code="",
                error_text="",
                **changes,
            )
        )


class WriteBack(Leased):
    """One decision on its way to Salesforce.

    ``due_at`` set: waits for delivery. ``held_because`` set: waits for a person to change
    something (mode, scope, picklist). ``ended_at`` set: over, and ``outcome`` says how.
    """

    class Outcome(models.TextChoices):
        DELIVERED = "delivered", "written"
        UNCHANGED = "unchanged", "nothing to write"
        CEDED = "ceded", "ceded to a person"
        SUPERSEDED = "superseded", "replaced by a newer decision"
        GONE = "gone", "Case deleted"
        DEAD = "dead", "given up"

    class Hold(models.TextChoices):
        SHADOW = "shadow", "shadow mode"
        SCOPE = "scope", "outside the scope"
        PICKLIST = "picklist", "value missing in the org's picklist"
        FIELD = "field", "no field that we may write"
        BACKFILL = "backfill", "its backfill is not approved"

    case_link = models.ForeignKey(
        "sfsync.CaseLink", models.PROTECT, related_name="write_backs", verbose_name="Case"
    )
    decision = models.OneToOneField(
        "classifier.Decision", models.PROTECT, related_name="write_back"
    )
    fields = models.JSONField(default=dict, help_text="Case field → value as decided.")
    sent_fields = models.JSONField(
        default=dict, help_text="What was really sent; noted before the call is made."
    )
    due_at = models.DateTimeField(null=True)
    held_because = models.CharField(max_length=8, choices=Hold, blank=True)
    hold_detail = models.CharField(max_length=340, blank=True)
    """The field and value that are missing: 80 and 255 characters in Salesforce."""
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    error_code = models.CharField(max_length=80, blank=True)
    error_text = models.CharField(max_length=1000, blank=True)
    first_failed_at = models.DateTimeField(null=True)
    handed_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="When a Flow was given the values, to write them itself.",
    )
    flow_change = models.CharField(
        max_length=18, blank=True, editable=False, help_text="History row in which it did."
    )
    gap_ms = models.PositiveIntegerField(
        null=True,
        help_text="Milliseconds between looking and writing, where nothing else protected.",
    )
    staged_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(
        null=True, editable=False, help_text="When the Case was read and showed what we wrote."
    )
    traced_at = models.DateTimeField(null=True, editable=False)
    """When its spans were exported, where an exporter is configured."""
    closed_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="Since when nobody need look at it: given up for good.",
    )
    # The database's own defaults, for workers of the version before.
    replays = models.PositiveSmallIntegerField(
        default=0, db_default=0, editable=False, help_text="How often a person sent it again."
    )
    replayed_at = models.DateTimeField(null=True, editable=False)
    replayed_by = models.CharField(
        max_length=150, blank=True, default="", db_default="", editable=False
    )
    closed_by = models.CharField(
        max_length=150, blank=True, default="", db_default="", editable=False
    )
    closed_note = models.CharField(
        max_length=500, blank=True, default="", db_default="", editable=False
    )

    objects = WriteBackQuerySet.as_manager()

    class Meta:
        verbose_name = "write-back"
        verbose_name_plural = "write-backs"
        ordering = ("-staged_at", "-id")
        constraints = (
            models.CheckConstraint(
                condition=Q(ended_at=None, outcome="")
                | (Q(ended_at__isnull=False) & ~Q(outcome="")),
                name="an_ended_write_back_has_an_outcome",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=False, due_at=None)
                | Q(ended_at=None, due_at__isnull=False, held_because="")
                | (Q(ended_at=None, due_at=None) & ~Q(held_because="")),
                name="an_open_write_back_is_due_or_held",
            ),
        )
        indexes = (
            models.Index(
                fields=["due_at", "id"],
                condition=Q(ended_at=None, due_at__isnull=False),
                name="write_backs_due",
            ),
            models.Index(
                fields=["held_because", "id"],
                condition=Q(ended_at=None) & ~Q(held_because=""),
                name="write_backs_held",
            ),
            models.Index(
                fields=["error_code", "ended_at"],
                condition=Q(outcome="dead", closed_at=None),
                name="write_backs_given_up",
            ),
            models.Index(
                fields=["ended_at"],
                condition=Q(outcome="delivered"),
                name="write_backs_delivered",
            ),
            models.Index(fields=["case_link", "-id"], name="write_backs_by_case"),
            models.Index(fields=["-staged_at", "-id"], name="write_backs_newest"),
        )

    def __str__(self) -> str:
        return f"{self.case_link}: {self.get_outcome_display() or 'open'}"
