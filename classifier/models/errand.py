"""Work that a person asked for and a worker does: a training, an export, an assessment."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from classifier.leases import Leased

WORTH_ESTIMATING = 0.03
"""Share done from which on the time left is told: before, it would be a wild guess."""
SAID_CHARACTERS = 200
ERROR_CHARACTERS = 500


class ErrandQuerySet(models.QuerySet["Errand"]):
    """Narrows to what waits, and takes orders."""

    def waiting(self, kinds: "list[str] | None" = None) -> Self:
        """Return what is not done yet, in order of asking; a killed worker's too."""
        waiting = self.filter(done_at=None).order_by("id")
        return waiting if kinds is None else waiting.filter(kind__in=kinds)

    def ask(
        self,
        kind: str,
        *,
        at: datetime,
        by: Any = None,
        parameters: dict[str, Any] | None = None,
    ) -> "Errand":
        """Return a new errand for a worker; ``by`` is the user who asks, None: a clock."""
        return self.create(
            kind=kind,
            asked_at=at,
            asked_by_id=by.pk if by else None,
            parameters=parameters or {},
        )

    def ask_once(
        self,
        kind: str,
        *,
        at: datetime,
        by: Any = None,
        parameters: dict[str, Any] | None = None,
    ) -> "Errand":
        """Return the errand of this kind and these parameters that waits or runs, else a new one."""
        same = self.waiting([kind]).filter(parameters=parameters or {}).first()
        return same or self.ask(kind, at=at, by=by, parameters=parameters)


class Errand(Leased):
    """One order and how far it is. ``done_at`` set: over; ``error`` says why it failed.

    What may be done is in ``ERRANDS`` of the tasks; ``parameters`` and ``result`` are JSON that
    only the errand's kind understands, and hold no customer's words. ``result["told"]``, where
    there is one, is a sentence for people about what came of it.
    """

    kind = models.CharField(max_length=40)
    parameters = models.JSONField(default=dict)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    share = models.FloatField(default=0.0, help_text="How much is done, 0 to 1.")
    said = models.CharField(
        max_length=SAID_CHARACTERS, blank=True, help_text="What is being done now, for people."
    )
    result = models.JSONField(default=dict)
    error = models.CharField(
        max_length=ERROR_CHARACTERS, blank=True, help_text="Why it failed, and what to do."
    )

    objects = ErrandQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(share__gte=0.0, share__lte=1.0), name="progress_is_a_share"
            ),
        )
        indexes = (
            models.Index(fields=["id"], condition=Q(done_at=None), name="errands_waiting"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_over(self) -> bool:
        return self.done_at is not None

    @property
    def has_failed(self) -> bool:
        return self.is_over and bool(self.error)

    @property
    def percent(self) -> int:
        """How much is done, 0 to 100, for people."""
        return int(100 * self.share)

    @property
    def told(self) -> str:
        """What came of it in a sentence; empty: it is not over, or has nothing to say."""
        return str(self.result.get("told", "")) if self.is_over else ""

    def seconds_so_far(self, now: datetime) -> float:
        """Return how long it has been at work, or was; 0 while it waits for a worker."""
        if self.started_at is None:
            return 0.0
        return max(0.0, ((self.done_at or now) - self.started_at).total_seconds())

    def seconds_left(self, now: datetime) -> float | None:
        """Return how long it will take at the pace so far; None: nobody can tell yet."""
        if self.is_over or self.started_at is None or self.share < WORTH_ESTIMATING:
            return None
        return self.seconds_so_far(now) * (1 - self.share) / self.share


class ErrandFile(models.Model):
    """What an errand made to be downloaded; whole once the errand is over, and has not failed.

    Its content is in pieces, so that neither writing nor fetching a large one needs memory.
    """

    errand = models.OneToOneField(Errand, models.CASCADE, related_name="file")
    name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.name

    def content(self) -> Iterator[bytes]:
        """Yield the file, piece by piece; one query each."""
        numbers = self.pieces.order_by("number").values_list("number", flat=True)
        for number in list(numbers):
            yield bytes(self.pieces.values_list("content", flat=True).get(number=number))


class ErrandPiece(models.Model):
    """Some of the bytes of a file; pieces come one after the other by ``number``, from 0."""

    file = models.ForeignKey(ErrandFile, models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["file", "number"], name="a_piece_of_a_file_comes_once"
            ),
        )

    def __str__(self) -> str:
        return f"piece {self.number} of file {self.file_id}"
