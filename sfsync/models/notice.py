"""One thing an operator should know, in one clear sentence that says what to do."""

from datetime import datetime

from django.db import IntegrityError, models, transaction
from django.db.models import F, Q


class Notice(models.Model):
    """A notice stays until its cause is gone; the same cause never makes a second one."""

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
    def raise_for(cls, key: str, level: "Notice.Level", text: str, at: datetime) -> None:
        """Open the notice of this cause, or count it again where it is open already.

        ``key`` names the cause, never the words of a customer. The newest text stands.
        """
        if cls._count_again(key, level, text, at):
            return
        try:
            with transaction.atomic():
                cls.objects.create(key=key, level=level, text=text, first_at=at, last_at=at)
        except IntegrityError:  # another worker met the same cause a moment ago
            cls._count_again(key, level, text, at)

    @classmethod
    def clear(cls, key: str, at: datetime) -> None:
        """Close the notice of this cause, where one is open."""
        cls.objects.filter(key=key, cleared_at=None).update(cleared_at=at)

    @classmethod
    def _count_again(cls, key: str, level: "Notice.Level", text: str, at: datetime) -> bool:
        still_open = cls.objects.filter(key=key, cleared_at=None)
        return bool(still_open.update(count=F("count") + 1, level=level, text=text, last_at=at))
