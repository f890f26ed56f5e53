"""Our pointer to one Salesforce Case; its words live in Transcripts of the same thread."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models, transaction
from django.db.models import F, Q

from classifier.leases import Leased
from sfsync.cases import CaseSnapshot
from sfsync.models.write_back import WriteBack

if TYPE_CHECKING:
    from sfsync.models.backfill import Backfill

PORTION = 500
"""Ids per statement: SQLite takes a limited number of parameters."""


class CaseLinkQuerySet(models.QuerySet["CaseLink"]):
    """Narrows to what waits to be read, and says that it waits."""

    def due(self, moment: datetime) -> Self:
        """Return the Cases whose words must be read by ``moment``, longest waiting first."""
        return self.filter(read_due_at__lte=moment, gone_at=None).order_by("read_due_at", "id")

    def unreadable(self) -> Self:
        """Return the Cases whose last reading failed."""
        return self.exclude(read_error="").filter(gone_at=None)

    def mark_due(self, case_ids: Iterable[str], at: datetime) -> None:
        """Let these Cases be read (again); unknown ones become known.

        A Case that waits already keeps its place. One that is being read at this moment gets
        a new ``read_due_at``, so that its reader does not take the new change for done.
        """
        waits = Q(read_due_at__lte=at) & (Q(leased_until=None) | Q(leased_until__lt=at))
        for portion in _portions(case_ids):
            with transaction.atomic():
                fresh = [self.model(case_id=case_id, read_due_at=at) for case_id in portion]
                self.bulk_create(fresh, ignore_conflicts=True)
                known = self.filter(case_id__in=portion)
                known.exclude(waits, gone_at=None).update(read_due_at=at, gone_at=None)

    def to_backfill(self, backfill: int, most_attempts: int) -> Self:
        """Return the Cases of a backfill that are still to be read, what failed before last."""
        return self.filter(
            backfill=backfill, read_at=None, gone_at=None, attempts__lt=most_attempts
        ).order_by("attempts", "id")

    def adopt_for(self, backfill: "Backfill", case_ids: Iterable[str]) -> set[str]:
        """Return those of the Cases that wait for this backfill.

        What an earlier one that is over left without approval waits for this one now.
        """
        ours: set[str] = set()
        for portion in _portions(case_ids):
            known = self.filter(case_id__in=portion)
            known.filter(backfill__ended_at__isnull=False).update(backfill=backfill)
            ours.update(known.filter(backfill=backfill).values_list("case_id", flat=True))
        return ours

    def read_open_again(self, at: datetime) -> int:
        """Let every open Case be read again, and return how many."""
        still_open = self.filter(is_closed=False, gone_at=None)
        is_at_rest = Q(read_due_at=None) | Q(read_due_at__gt=at) | Q(leased_until__gte=at)
        return still_open.filter(is_at_rest).update(read_due_at=at)

    def still_thought_there(self, case_ids: Iterable[str]) -> list[str]:
        """Return those of these ids that we know and do not yet know to be deleted."""
        unsure = Q(gone_at=None) | Q(fate=CaseLink.Fate.UNSEEN)
        return [
            case_id
            for portion in _portions(case_ids)
            for case_id in self.filter(unsure, case_id__in=portion).values_list(
                "case_id", flat=True
            )
        ]

    def mark_gone(
        self, case_ids: Iterable[str], at: datetime, fate: "CaseLink.Fate | None" = None
    ) -> int:
        """Note that these Cases are not there any more; return how many that is news for.

        ``fate`` says why, as far as that is known: what was only not found any more may turn
        out to be deleted.
        """
        told = CaseLink.Fate.UNSEEN if fate is None else fate
        gone = {"read_due_at": None, "lease_token": None, "leased_until": None, "fate": told}
        number = 0
        for portion in _portions(case_ids):
            known = self.filter(case_id__in=portion)
            number += known.filter(gone_at=None).update(gone_at=at, **gone)
            known.filter(fate=CaseLink.Fate.UNSEEN).update(fate=told)
        return number


def _portions(case_ids: Iterable[str]) -> Iterable[list[str]]:
    distinct = list(dict.fromkeys(case_ids))
    return (distinct[start : start + PORTION] for start in range(0, len(distinct), PORTION))


class CaseLink(Leased):
    """One Case we know. ``read_due_at`` set means: its words must be read (again).

    ``case_id`` (18 characters) is also the ``thread`` of the Case's transcripts and decisions.
    """

    class Fate(models.TextChoices):
        """Why a Case is not there any more."""

        DELETED = "deleted", "deleted in Salesforce"
        MERGED = "merged", "merged into another Case"
        UNSEEN = "unseen", "deleted for good, or not shared with our user any more"

    case_id = models.CharField(max_length=18, unique=True)
    case_number = models.CharField(max_length=30, blank=True)
    record_type = models.CharField(max_length=80, blank=True)
    origin = models.CharField(max_length=80, blank=True)
    status = models.CharField(max_length=80, blank=True)
    priority = models.CharField(max_length=80, blank=True)
    owner_name = models.CharField(max_length=255, blank=True)
    queue = models.CharField(
        max_length=255, blank=True, help_text="The owner's name where a queue owns the Case."
    )
    team = models.CharField(
        max_length=255, blank=True, help_text="The owner's role where a person owns the Case."
    )
    is_closed = models.BooleanField(default=False)
    case_created_at = models.DateTimeField(null=True)
    modstamp = models.DateTimeField(null=True, help_text="SystemModstamp as last read.")
    read_due_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    read_error = models.CharField(max_length=500, blank=True)
    delivered = models.JSONField(
        default=dict,
        help_text="Field → value that we last delivered; what differs is a person's.",
    )
    ceded_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Since when the reason belongs to a person in Salesforce.",
    )
    handed_back_at = models.DateTimeField(
        null=True, blank=True, help_text="When a person last gave it back to automation."
    )
    handed_back_by = models.CharField(max_length=150, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True, help_text="Deleted in Salesforce.")
    news_at = models.DateTimeField(
        null=True, editable=False, help_text="When reading it last showed something new."
    )
    found_unrung_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="When the poll last found news that no door had told of.",
    )
    backfill = models.ForeignKey(
        "sfsync.Backfill",
        models.SET_NULL,
        null=True,
        db_index=False,
        related_name="links",
        help_text="The backfill that brought this Case; until approved, nothing is written to it.",
    )
    # Defaults of the database's own, for workers of the version before.
    fate = models.CharField(
        max_length=7, choices=Fate, blank=True, default="", db_default="", editable=False
    )
    """Why it is gone; kept until it is read again, so that it is known to have come back."""
    merged_into = models.CharField(
        max_length=18, blank=True, default="", db_default="", editable=False
    )
    """Id of the Case that this one was merged into."""
    noticed_at = models.DateTimeField(
        null=True, editable=False, help_text="Since when the words we have waited to be read."
    )

    objects = CaseLinkQuerySet.as_manager()

    class Meta:
        verbose_name = "Case"
        indexes = (
            models.Index(
                fields=["read_due_at", "id"],
                condition=Q(read_due_at__isnull=False, gone_at=None),
                name="cases_to_read",
            ),
            models.Index(
                fields=["id"],
                condition=~Q(read_error="") & Q(gone_at=None),
                name="cases_unreadable",
            ),
            models.Index(
                fields=["found_unrung_at"],
                condition=Q(found_unrung_at__isnull=False),
                name="cases_found_unrung",
            ),
            models.Index(
                fields=["backfill", "attempts", "id"],
                condition=Q(backfill__isnull=False, read_at=None, gone_at=None),
                name="cases_to_backfill",
            ),
        )

    def __str__(self) -> str:
        return self.case_number or self.case_id

    @classmethod
    def numbers_of(cls, threads: Sequence[str]) -> dict[str, str]:
        """Return thread → Case number, for those that are Cases; one query per 500."""
        return {
            case_id: number
            for portion in _portions(threads)
            for case_id, number in cls.objects.filter(case_id__in=portion).values_list(
                "case_id", "case_number"
            )
        }

    def finish_reading(self, at: datetime, case: CaseSnapshot) -> bool:
        """Keep what was read and end the lease; False where the lease was lost meanwhile.

        A change that came in while we read stays due.
        """
        mine = CaseLink.objects.filter(pk=self.pk, epoch=self.epoch, gone_at=None)
        mine.filter(read_due_at=self.read_due_at).update(read_due_at=None)
        return bool(
            mine.update(
                case_number=case.case_number[:30],
                record_type=case.record_type[:80],
                origin=case.origin[:80],
                status=case.status[:80],
                priority=case.priority[:80],
                owner_name=case.owner_name[:255],
                queue=case.queue[:255],
                team=case.team[:255],
                is_closed=case.is_closed,
                case_created_at=case.created_at,
                modstamp=case.modstamp,
                read_at=at,
                read_error="",
                fate="",
                merged_into="",
                attempts=0,
                lease_token=None,
                leased_until=None,
            )
        )

    def postpone_reading(self, until: datetime) -> None:
        """Let this Case wait until then, as if it had not been claimed."""
        CaseLink.objects.filter(pk=self.pk, epoch=self.epoch).update(
            read_due_at=until, lease_token=None, leased_until=None, attempts=F("attempts") - 1
        )

    def put_off_reading(self, because: str, until: datetime) -> None:
        """Note why this Case could not be read, and when to try again.

        One that is read for its backfill alone is tried again by that.
        """
        mine = CaseLink.objects.filter(pk=self.pk, epoch=self.epoch)
        mine.update(read_error=because[:500], lease_token=None, leased_until=None)
        if not self.is_backfilled:
            mine.update(read_due_at=until)

    @property
    def is_backfilled(self) -> bool:
        """Whether it was claimed by its backfill, not because something changed."""
        return self.backfill_id is not None and self.read_due_at is None

    def go_live(self, at: datetime) -> None:
        """Let a Case of the past that moves again be one like any: no approval is waited for."""
        CaseLink.objects.filter(pk=self.pk).update(backfill=None)
        self.write_backs.held(WriteBack.Hold.BACKFILL).make_due(at)
