"""A place in Salesforce where customers' words live, and whether we read it."""

from datetime import datetime

from django.db import models


class Source(models.Model):
    """One source of turns. An org that lacks the object turns it off, with a message."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    is_enabled = models.BooleanField(default=True)
    off_because = models.CharField(
        "message",
        max_length=500,
        blank=True,
        help_text="Why it is off, and what to do about it.",
    )
    checked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name

    @property
    def is_off_by_itself(self) -> bool:
        """Whether we turned it off: then it comes back by itself once its cause is mended."""
        return not self.is_enabled and bool(self.off_because)

    def turn_off(self, because: str, at: datetime) -> None:
        """Stop reading this source, and say why and what to do."""
        self.is_enabled, self.off_because, self.checked_at = False, because[:500], at
        self.save(update_fields=["is_enabled", "off_because", "checked_at"])

    def turn_on(self, at: datetime) -> None:
        """Read this source: it was looked at and found in order."""
        self.is_enabled, self.off_because, self.checked_at = True, "", at
        self.save(update_fields=["is_enabled", "off_because", "checked_at"])
