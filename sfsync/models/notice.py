"""One thing an operator should know, in one clear sentence that says what to do."""

from datetime import datetime
from typing import Any, Self

from django.db import IntegrityError, models, transaction
from django.db.models import F, Q


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Narrows to what is told outside, and to what people have said about it."""

    def still_open(self) -> Self:
        return self.filter(cleared_at=None)

    def ringing(self) -> Self:
        """Return what is told by e-mail and webhook as well: what stops work, and alarms."""
        return self.filter(Q(level=Notice.Level.ERROR) | Q(rings=True))

    def silenced(self, moment: datetime) -> Self:
        """Return what is not to be told at ``moment``."""
        until_cleared = Q(silenced_at__isnull=False, silenced_until=None, cleared_at=None)
        return self.filter(until_cleared | Q(silenced_until__gt=moment))

    def acknowledge(self, *, by: str, at: datetime) -> int:
        """Note that a person looks after these: they are not told again until all is clear."""
        return self.still_open().update(acknowledged_at=at, acknowledged_by=by[:150])

    def silence(self, *, by: str, at: datetime, until: datetime | None) -> int:
        """Tell nothing of these until a moment (None: until the cause is gone)."""
        return self.still_open().update(
            silenced_at=at, silenced_by=by[:150], silenced_until=until
        )

    def ring_again(self) -> int:
        """Take acknowledgement and silence back."""
        return self.still_open().update(
            acknowledged_at=None,
            acknowledged_by="",
            silenced_at=None,
            silenced_by="",
            silenced_until=None,
        )


class Notice(models.Model):
    """A notice stays until its cause is gone; the same cause never makes a second one.

    One that rings is an alarm: told outside, again and again, until somebody acknowledges or
    silences it or its cause is gone.
    """

    class Level(models.TextChoices):
        INFO = "info", "for your information"
        WARNING = "warning", "needs attention"
        ERROR = "error", "stops work"

    key = models.CharField(max_length=200, help_text="Names the cause.")
    level = models.CharField(max_length=7, choices=Level)
    text = models.TextField()
    count = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True, blank=True)
    # Defaults of the database's own: workers of the version before know nothing of these.
    rings = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Told outside although it does not stop work.",
    )
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=150, blank=True, default="", db_default="")
    silenced_at = models.DateTimeField(null=True, blank=True)
    silenced_until = models.DateTimeField(
        null=True, blank=True, help_text="Empty although silenced: until the cause is gone."
    )
    silenced_by = models.CharField(max_length=150, blank=True, default="", db_default="")

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ("-last_at",)
        constraints = (
            models.UniqueConstraint(
                fields=["key"], condition=Q(cleared_at=None), name="one_open_notice_per_cause"
            ),
        )

    def __str__(self) -> str:
        return self.text

    @classmethod
    def raise_for(
        cls,
        key: str,
        level: "Notice.Level",
        text: str,
        at: datetime,
        *,
        rings: bool = False,
    ) -> None:
        """Open the notice of this cause, or count it again where it is open already.

        ``key`` names the cause, never the words of a customer. The newest text stands.
        ``rings``: an alarm goes out for it, as for whatever stops work.
        """
        told = {"level": level, "text": text, "last_at": at, "rings": rings}
        if cls._count_again(key, told):
            return
        try:
            with transaction.atomic():
                cls.objects.create(key=key, first_at=at, **told)
        except IntegrityError:  # another worker met the same cause a moment ago
            cls._count_again(key, told)

    @classmethod
    def clear(cls, key: str, at: datetime) -> None:
        """Close the notice of this cause, where one is open."""
        cls.objects.filter(key=key, cleared_at=None).update(cleared_at=at)

    @property
    def is_ringing(self) -> bool:
        return self.rings or self.level == Notice.Level.ERROR

    def is_silenced(self, moment: datetime) -> bool:
        if self.silenced_at is None or self.cleared_at is not None:
            return False
        return self.silenced_until is None or self.silenced_until > moment

    @classmethod
    def _count_again(cls, key: str, told: dict[str, Any]) -> bool:
        still_open = cls.objects.filter(key=key, cleared_at=None)
        return bool(still_open.update(count=F("count") + 1, **told))
