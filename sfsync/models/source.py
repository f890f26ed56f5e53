"""A place in Salesforce where customers' words live, and whether we read it."""

from datetime import datetime

from django.db import models


class Source(models.Model):
    """One source of turns. An org that lacks the object turns it off, with a message."""

    class Kind(models.TextChoices):
        BUILT_IN = "built_in", "built in"
        OBJECT = "object", "an object of your org"
        CASE_FIELD = "case_field", "a text field of Case"

    class SpeakerRule(models.TextChoices):
        """Who says the words of a source that an admin named."""

        CUSTOMER = "customer", "the customer says all of it"
        REPRESENTATIVE = "representative", "the representative says all of it"
        FIELD = "field", "a field of the record names the speaker"
        LINES = "lines", "each line begins with its speaker (“Agent: …”)"

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(
        max_length=10, choices=Kind, default=Kind.BUILT_IN, help_text="Where the words stand."
    )
    sobject = models.CharField(
        "object", max_length=80, blank=True, help_text="API name, for example “Call_Log__c”."
    )
    case_field = models.CharField(
        "Case lookup",
        max_length=80,
        blank=True,
        help_text="API name of its field that points to the Case, for example “Case__c”.",
    )
    text_field = models.CharField(
        max_length=80, blank=True, help_text="API name of the field that holds the words."
    )
    time_field = models.CharField(
        max_length=80,
        blank=True,
        help_text="API name of the field that says when; empty: CreatedDate.",
    )
    speaker_rule = models.CharField(
        max_length=14, choices=SpeakerRule, default=SpeakerRule.LINES, blank=True
    )
    speaker_field = models.CharField(
        max_length=80, blank=True, help_text="API name; only where a field names the speaker."
    )
    customer_names = models.JSONField(
        default=list,
        blank=True,
        help_text="What stands there or before the colon when the customer speaks.",
    )
    interval_seconds = models.PositiveIntegerField(
        "asked every … seconds",
        default=120,
        help_text=(
            "At least so long between two questions to Salesforce what is new here; 0: with every"
            " pull. Each question is one API call."
        ),
    )
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
    def is_own(self) -> bool:
        """Whether an admin made it."""
        return self.kind != self.Kind.BUILT_IN

    @property
    def is_off_by_itself(self) -> bool:
        """Whether we turned it off: then it comes back by itself once its cause is mended."""
        return not self.is_enabled and bool(self.off_because)

    @property
    def was_read(self) -> bool:
        """Whether it was ever found in order."""
        return self.is_enabled and self.checked_at is not None

    def switch(self, *, is_enabled: bool) -> None:
        """Do as a person wants: what they turned off stays off, what is on is looked at anew."""
        self.is_enabled, self.off_because, self.checked_at = is_enabled, "", None
        self.save(update_fields=["is_enabled", "off_because", "checked_at"])

    def turn_off(self, because: str, at: datetime) -> None:
        """Stop reading this source, and say why and what to do."""
        self.is_enabled, self.off_because, self.checked_at = False, because[:500], at
        self.save(update_fields=["is_enabled", "off_because", "checked_at"])

    def turn_on(self, at: datetime) -> None:
        """Read this source: it was looked at and found in order."""
        self.is_enabled, self.off_because, self.checked_at = True, "", at
        self.save(update_fields=["is_enabled", "off_because", "checked_at"])
