"""Where customers' words are read from."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from classifier.admin.base import ModelAdmin, ago, badge
from sfsync.models import Source


@admin.register(Source)
class SourceAdmin(ModelAdmin):
    list_display = ("name", "state", "off_because", "checked", "is_enabled")
    list_editable = ("is_enabled",)
    fields = ("name", "is_enabled", "off_because", "checked_at")
    readonly_fields = ("name", "off_because", "checked_at")
    when_empty = "The sources appear as soon as an org is connected."
    when_empty_command = "python manage.py check_salesforce"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Source | None = None) -> bool:
        return False

    @admin.display(description="State")
    def state(self, source: Source) -> SafeString:
        if source.is_enabled:
            return badge("read", "good")
        return badge("off", "warn" if source.off_because else "plain", source.off_because)

    @admin.display(description="Checked", ordering="checked_at")
    def checked(self, source: Source) -> SafeString | None:
        return ago(source.checked_at)
