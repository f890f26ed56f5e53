"""What an operator should know; what of it was told outside, and who looks after it."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from classifier import leases
from classifier.admin.base import ModelAdmin, ReadOnly, ago, badge
from sfsync.models import Alarm, Notice
from sfsync.models.notice import NoticeQuerySet

LEVEL_TONES = {
    Notice.Level.INFO: "calm",
    Notice.Level.WARNING: "warn",
    Notice.Level.ERROR: "bad",
}
ALARM_TONES = {
    Alarm.Outcome.SENT: "good",
    Alarm.Outcome.DROPPED: "plain",
    Alarm.Outcome.DEAD: "bad",
}
SILENCES = {
    "silence_hour": ("for one hour", timedelta(hours=1)),
    "silence_day": ("for one day", timedelta(days=1)),
    "silence_cleared": ("until the cause is gone", None),
}


WAYS = ("acknowledge", *SILENCES, "ring_again", "clear")
SHOWN = 50


class AlarmFilter(admin.SimpleListFilter):
    title = "alarm"
    parameter_name = "alarm"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [
            ("ringing", "ringing"),
            ("acknowledged", "acknowledged"),
            ("silenced", "silenced"),
        ]

    def queryset(
        self, request: HttpRequest, queryset: "QuerySet[Notice]"
    ) -> "QuerySet[Notice]":
        silent = Notice.objects.silenced(leases.now()).values("pk")
        match self.value():
            case "ringing":
                ringing = Notice.objects.ringing().filter(acknowledged_at=None, cleared_at=None)
                return queryset.filter(pk__in=ringing.values("pk")).exclude(pk__in=silent)
            case "acknowledged":
                return queryset.filter(acknowledged_at__isnull=False, cleared_at=None)
            case "silenced":
                return queryset.filter(pk__in=silent)
            case _:
                return queryset


@admin.register(Notice)
class NoticeAdmin(ReadOnly, ModelAdmin):
    list_display = ("text", "level_badge", "alarm", "count", "last", "first", "state")
    list_filter = (AlarmFilter, "level", ("cleared_at", admin.EmptyFieldListFilter))
    fields = (
        "text", "level_badge", "alarm", "told", "count", "first_at", "last_at",
        "cleared_at", "key",
    )  # fmt: skip
    readonly_fields = ("level_badge", "alarm", "told")
    change_form_outer_before_template = "sfsync/notice_ways.html"
    actions = (
        "acknowledge", "silence_hour", "silence_day", "silence_cleared", "ring_again", "clear",
    )  # fmt: skip
    when_empty = "Nothing needs your attention."

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Notice]":
        self._moment = leases.now()
        told = Prefetch("alarms", queryset=Alarm.objects.order_by("-made_at", "-id"))
        rows: QuerySet[Notice] = super().get_queryset(request)
        return rows.prefetch_related(told)

    def has_clear_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sfsync.change_notice")

    def get_urls(self) -> list[URLPattern]:
        way = path(
            "<int:pk>/hear/<str:word>/",
            self.admin_site.admin_view(self.hear_view),
            name="sfsync_notice_hear",
        )
        return [way, *super().get_urls()]

    def hear_view(self, request: HttpRequest, pk: int, word: str) -> HttpResponse:
        """Do with one notice what the list does with many; told on its own page."""
        if not self.has_clear_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        notice = get_object_or_404(Notice, pk=pk)
        if word not in WAYS:
            raise Http404(word)
        getattr(self, word)(request, Notice.objects.filter(pk=notice.pk))
        return redirect("admin:sfsync_notice_change", notice.pk)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        notice = Notice.objects.still_open().filter(pk=object_id).first()
        may_hear = notice is not None and self.has_clear_permission(request)
        context = {
            **(extra_context or {}),
            "notice": notice,
            "may_hear": may_hear,
            "is_quiet": notice is not None
            and (notice.acknowledged_at is not None or notice.is_silenced(leases.now())),
        }
        page: HttpResponse = super().change_view(request, object_id, form_url, context)
        return page

    @admin.action(description="Acknowledge: I look after it", permissions=["clear"])
    def acknowledge(self, request: HttpRequest, notices: "QuerySet[Notice]") -> None:
        by = request.user.get_username()
        number = _own(notices).acknowledge(by=by, at=leases.now())
        self._log(request, notices, "Acknowledged.")
        self._say(request, number, "acknowledged: told again only when all is clear.")

    @admin.action(description="Silence for one hour", permissions=["clear"])
    def silence_hour(self, request: HttpRequest, notices: "QuerySet[Notice]") -> None:
        self._silence(request, notices, "silence_hour")

    @admin.action(description="Silence for one day", permissions=["clear"])
    def silence_day(self, request: HttpRequest, notices: "QuerySet[Notice]") -> None:
        self._silence(request, notices, "silence_day")

    @admin.action(description="Silence until the cause is gone", permissions=["clear"])
    def silence_cleared(self, request: HttpRequest, notices: "QuerySet[Notice]") -> None:
        self._silence(request, notices, "silence_cleared")

    @admin.action(description="Let it ring again", permissions=["clear"])
    def ring_again(self, request: HttpRequest, notices: "QuerySet[Notice]") -> None:
        number = _own(notices).ring_again()
        self._log(request, notices, "May ring again.")
        self._say(request, number, "ringing again where they are alarms.")

    @admin.action(description="Mark as done", permissions=["clear"])
    def clear(self, request: HttpRequest, notices: "QuerySet[Notice]") -> None:
        cleared = notices.filter(cleared_at=None).update(cleared_at=leases.now())
        self._log(request, notices, "Marked as done.")
        self.message_user(
            request, f"{cleared} notices marked as done. One whose cause remains comes back."
        )

    def _silence(self, request: HttpRequest, notices: "QuerySet[Notice]", way: str) -> None:
        words, span = SILENCES[way]
        moment = leases.now()
        until = moment + span if span else None
        by = request.user.get_username()
        number = _own(notices).silence(by=by, at=moment, until=until)
        self._log(request, notices, f"Silenced {words}.")
        self._say(request, number, f"silenced {words}.")

    def _log(self, request: HttpRequest, notices: "QuerySet[Notice]", words: str) -> None:
        for notice in notices:
            self.log_change(request, notice, words)

    def _say(self, request: HttpRequest, number: int, words: str) -> None:
        told = "One open notice is" if number == 1 else f"{number} open notices are"
        level = messages.SUCCESS if number else messages.WARNING
        self.message_user(request, f"{told} {words}", level)

    @admin.display(description="Level", ordering="level")
    def level_badge(self, notice: Notice) -> SafeString:
        return badge(notice.get_level_display(), LEVEL_TONES[Notice.Level(notice.level)])

    @admin.display(description="Alarm")
    def alarm(self, notice: Notice) -> SafeString | str:
        """Say whether people are told outside, and who keeps it quiet."""
        if not notice.is_ringing:
            return "shown here only"
        if notice.cleared_at is not None:
            return badge("over", "plain")
        if notice.is_silenced(self._moment):
            return _by("silenced", notice.silenced_by, notice.silenced_at, _until(notice))
        if notice.acknowledged_at is not None:
            return _by("acknowledged", notice.acknowledged_by, notice.acknowledged_at, "")
        sent = [one for one in notice.alarms.all() if one.outcome == Alarm.Outcome.SENT]
        if not sent:
            waits = any(one.ended_at is None for one in notice.alarms.all())
            return badge("about to be told" if waits else "told to nobody yet", "warn")
        return format_html(
            "{}<br>{} told, last {}", badge("ringing", "bad"), len(sent), ago(sent[0].ended_at)
        )

    @admin.display(description="Told outside")
    def told(self, notice: Notice) -> SafeString | str:
        alarms = list(notice.alarms.all())[:SHOWN]
        if not alarms:
            return (
                "To nobody. Alarms go out where ALARM_EMAILS or ALARM_WEBHOOK_URL is set, for what"
                " stops work and for the conditions that are watched."
            )
        rows = [
            (
                f"{alarm.get_kind_display().capitalize()} by {alarm.get_channel_display()}",
                ago(alarm.ended_at or alarm.made_at),
                _outcome(alarm),
                alarm.trouble,
            )
            for alarm in alarms
        ]
        return format_html(
            '<div class="cr-scroll"><table class="cr-facts"><tr><th>What</th><th>When</th>'
            "<th>How it went</th></tr>{}</table></div>",
            format_html_join("", "<tr><th>{}</th><td>{}</td><td>{} {}</td></tr>", rows),
        )

    @admin.display(description="Last", ordering="last_at")
    def last(self, notice: Notice) -> SafeString | None:
        return ago(notice.last_at)

    @admin.display(description="First", ordering="first_at")
    def first(self, notice: Notice) -> SafeString | None:
        return ago(notice.first_at)

    @admin.display(description="State", ordering="cleared_at")
    def state(self, notice: Notice) -> SafeString:
        return badge("done", "good") if notice.cleared_at else badge("open", "warn")


def _own(notices: "QuerySet[Notice]") -> NoticeQuerySet:
    """Return the chosen rows without what a list page adds to them."""
    return Notice.objects.filter(pk__in=[notice.pk for notice in notices])


def _by(deed: str, who: str, at: datetime | None, more: str) -> SafeString:
    return format_html(
        "{}<br>by {} {}{}", badge(deed, "calm"), who or "somebody", ago(at), more
    )


def _until(notice: Notice) -> SafeString | str:
    if notice.silenced_until is None:
        return ", until the cause is gone"
    return format_html(", until {}", ago(notice.silenced_until))


def _outcome(alarm: Alarm) -> SafeString:
    if alarm.outcome:
        return badge(alarm.get_outcome_display(), ALARM_TONES[Alarm.Outcome(alarm.outcome)])
    return badge("will be tried again" if alarm.trouble else "waits", "warn")
