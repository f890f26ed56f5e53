"""What every admin page here is built on. To change the theme, change the imports from unfold."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin as ThemeModelAdmin
from unfold.admin import StackedInline as ThemeStackedInline
from unfold.admin import TabularInline as ThemeTabularInline
from unfold.widgets import UnfoldAdminTextareaWidget as Textarea

from classifier.models.remit import within_remit

__all__ = [
    "ModelAdmin",
    "ReadOnly",
    "StackedInline",
    "TabularInline",
    "Textarea",
    "ToldFilter",
    "WithinRemit",
    "ago",
    "badge",
    "percent",
    "spell",
]
TONES = ("good", "calm", "warn", "bad", "plain")


class ModelAdmin(ThemeModelAdmin):
    """A list or form page. ``when_empty`` says what to do next while there is no row."""

    when_empty: str = ""
    when_empty_command: str = ""
    list_per_page = 50
    warn_unsaved_form = True
    list_filter_submit = True  # filters with a search box, such as a category’s, need a button

    def get_when_empty(self, request: HttpRequest) -> tuple[str, str]:
        """Return the sentence and the command (or nothing) that an empty list shows."""
        return self.when_empty, self.when_empty_command


class ToldFilter(admin.AllValuesFieldListFilter):
    """By the values that are there; a row without one is found under “not told”."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or "not told"}


class TabularInline(ThemeTabularInline):
    extra = 0


class StackedInline(ThemeStackedInline):
    extra = 0


class ReadOnly:
    """For rows that the machine makes: they can be looked at, and nothing else."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class WithinRemit:
    """A list of conversations, or of what was said about them: people see their groups' own.

    ``remit_path`` leads from the rows to the conversation's queue and team.
    """

    remit_path = ""

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        rows = super().get_queryset(request)  # type: ignore[misc]
        return within_remit(rows, request.user, self.remit_path)


def ago(moment: datetime | None) -> SafeString | None:
    """Return how long ago (or ahead) it was, the exact UTC time as tooltip; None stays None."""
    if moment is None:
        return None
    exact = moment.astimezone(timezone.get_current_timezone())
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        exact.isoformat(),
        exact.strftime("%d %b %Y, %H:%M:%S %Z"),
        naturaltime(moment),
    )


def badge(words: object, tone: str = "plain", title: str = "") -> SafeString:
    """Return a coloured label; ``tone`` is one of ``TONES``."""
    return format_html('<span class="cr-badge cr-{}" title="{}">{}</span>', tone, title, words)


def spell(span: timedelta) -> str:
    """Return how long it took, in the two largest units: “0.4 s”, “2 min 5 s”, “3 d 4 h”."""
    seconds = span.total_seconds()
    if seconds < 10:  # noqa: PLR2004 - below it tenths are told
        return f"{seconds:.1f} s"
    whole = round(seconds)
    units = ((whole // 86_400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "min"))
    told = [f"{number} {unit}" for number, unit in (*units, (whole % 60, "s")) if number]
    return " ".join(told[:2])


def percent(share: float | None) -> str | None:
    """Return 0.934 as “93 %”; None stays None."""
    return None if share is None else f"{share:.0%}"
