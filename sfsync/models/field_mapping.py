"""Which Case field receives what. The defaults are rows made by a migration."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from sfsync.cases import SObjectDescription
from sfsync.field_map import Slot
from sfsync.models.notice import Notice

BELIEF = timedelta(seconds=60)
"""A description of Case may be this old (``gateway.DESCRIPTION_SECONDS``): a refusal younger
than that counts for more than the description."""
PAUSE, REFUSAL = "field-paused:", "field-refused:"  # keys of notices begin so


class FieldMappingManager(models.Manager["FieldMapping"]):
    """Keeps the mapping in step with what the org has and lets us write."""

    def active(self) -> list["FieldMapping"]:
        """Return the rows in use, paused ones included, in order."""
        return list(self.filter(is_active=True))

    def match(self, description: SObjectDescription, at: datetime) -> list[str]:
        """Pause fields that we cannot write, with a notice each; return those free again.

        ``description`` is that of Case as our user sees it. Notices of fields that are no
        longer mapped are closed.
        """
        freed = []
        for row in self.active():
            because = row.obstacle(description)
            if because:
                row.pause(because, at)
            elif row.paused_because and not row.was_refused_since(at - BELIEF):
                row.resume(at)
                freed.append(row.field)
        self._close_notices(at)
        return freed

    def _close_notices(self, at: datetime) -> None:
        paused = [row for row in self.active() if row.paused_because]
        keys = [key for row in paused for key in (row.pause_key, row.refusal_key)]
        ours = Q(key__startswith=PAUSE) | Q(key__startswith=REFUSAL)
        Notice.objects.filter(ours, cleared_at=None).exclude(key__in=keys).update(cleared_at=at)

    def refuse(self, fields: Iterable[str], code: str, at: datetime) -> None:
        """Pause fields that Salesforce just refused, whatever the description says."""
        for row in self.filter(field__in=list(fields), is_active=True):
            row.pause(f"Salesforce refused {row.field} ({code}).", at)
            Notice.raise_for(row.refusal_key, Notice.Level.WARNING, row.advice, at)


class FieldMapping(models.Model):
    """One Case field that we write. Deleting or switching off a row drops the field."""

    Slot = Slot

    slot = models.CharField("what", max_length=12, choices=Slot, unique=True)
    field = models.CharField(
        "Case field",
        max_length=80,
        unique=True,
        help_text="API name, for example Contact_Reason__c.",
    )
    is_active = models.BooleanField(default=True)
    paused_because = models.CharField(
        max_length=300,
        blank=True,
        editable=False,
        help_text="Why writing this field is paused.",
    )

    objects = FieldMappingManager()

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.get_slot_display()} → {self.field}"

    @property
    def refusal_key(self) -> str:
        return f"{REFUSAL}{self.field}"

    @property
    def advice(self) -> str:
        """What an operator can do about a paused field, in sentences."""
        return (
            f"{self.paused_because} It is left out until that is mended; the other fields are"
            " written. Deploy what `python manage.py salesforce_metadata DIR` writes, and assign"
            " its permission set to the integration user, or switch the field off under Field"
            " mapping."
        )

    def obstacle(self, description: SObjectDescription) -> str:
        """Return why we cannot write the field, in a sentence; empty when we can."""
        found = description.fields.get(self.field)
        if found is None:
            return f"Case has no field {self.field}, or our user may not read it."
        return "" if found.is_updateable else f"Our user may not write {self.field}."

    def was_refused_since(self, moment: datetime) -> bool:
        return Notice.objects.filter(
            key=self.refusal_key, cleared_at=None, last_at__gt=moment
        ).exists()

    def pause(self, because: str, at: datetime) -> None:
        """Leave the field out of writes from now on, and say so in a notice, once."""
        if self.paused_because == because:
            return
        self.paused_because = because
        self.save(update_fields=["paused_because"])
        Notice.raise_for(self.pause_key, Notice.Level.WARNING, self.advice, at)

    def resume(self, at: datetime) -> None:
        self.paused_because = ""
        self.save(update_fields=["paused_because"])
        Notice.clear(self.pause_key, at)
        Notice.clear(self.refusal_key, at)

    @property
    def pause_key(self) -> str:
        return f"{PAUSE}{self.field}"
