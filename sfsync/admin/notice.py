"""What an operator should know."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from classifier import leases
from classifier.admin.base import ModelAdmin, ReadOnly, ago, badge
from sfsync.models import Notice

LEVEL_TONES = {
    Notice.Level.INFO: "calm",
    Notice.Level.WARNING: "warn",
    Notice.Level.ERROR: "bad",
}


@admin.register(Notice)
class NoticeAdmin(ReadOnly, ModelAdmin):
    list_display = ("text", "level_badge", "count", "last", "first", "state")
    list_filter = ("level", ("cleared_at", admin.EmptyFieldListFilter))
    fields = ("text", "level_badge", "count", "first_at", "last_at", "cleared_at", "key")
    readonly_fields = ("level_badge",)
    actions = ("clear",)
    when_empty = "Nothing needs your attention."

    def has_clear_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sfsync.change_notice")

    @admin.action(description="Mark as done", permissions=["clear"])
    def clear(self, request: HttpRequest, notices: "QuerySet[Notice]") -> None:
        cleared = notices.filter(cleared_at=None).update(cleared_at=leases.now())
        self.message_user(
            request, f"{cleared} notices marked as done. One whose cause remains comes back."
        )

    @admin.display(description="Level", ordering="level")
    def level_badge(self, notice: Notice) -> SafeString:
        return badge(notice.get_level_display(), LEVEL_TONES[Notice.Level(notice.level)])

    @admin.display(description="Last", ordering="last_at")
    def last(self, notice: Notice) -> SafeString | None:
        return ago(notice.last_at)

    @admin.display(description="First", ordering="first_at")
    def first(self, notice: Notice) -> SafeString | None:
        return ago(notice.first_at)

    @admin.display(description="State", ordering="cleared_at")
    def state(self, notice: Notice) -> SafeString:
        return badge("done", "good") if notice.cleared_at else badge("open", "warn")
