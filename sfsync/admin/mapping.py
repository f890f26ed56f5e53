"""Which Case field receives what."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from classifier.admin.base import ModelAdmin, badge
from sfsync import pushing
from sfsync.models import FieldMapping


@admin.register(FieldMapping)
class FieldMappingAdmin(ModelAdmin):
    list_display = ("what", "field", "state")
    list_filter = ("is_active",)
    fields = ("slot", "field", "is_active", "paused_because")
    readonly_fields = ("paused_because",)
    when_empty = (
        "No Case field is mapped, so nothing can be written. Add a field above; the command "
        "makes the fields that we suggest, ready to deploy into your org:"
    )
    when_empty_command = "python manage.py salesforce_metadata DIR"

    def save_model(
        self,
        request: HttpRequest,
        obj: FieldMapping,
        form: Any,
        change: bool,  # noqa: FBT001
    ) -> None:
        """Another field may be what write-backs wait for."""
        super().save_model(request, obj, form, change)
        pushing.look_again()

    @admin.display(description="What", ordering="id")
    def what(self, mapping: FieldMapping) -> str:
        return mapping.get_slot_display()

    @admin.display(description="State")
    def state(self, mapping: FieldMapping) -> SafeString:
        if not mapping.is_active:
            return badge("off")
        if mapping.paused_because:
            return badge("paused", "bad", mapping.paused_because)
        return badge("written", "good")
