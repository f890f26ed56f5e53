"""Pages of other apps in our looks: people, groups, API tokens and schedules."""

from typing import Any

import axes.admin  # noqa: F401 - registers the pages that are taken off below
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Count, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django_celery_beat.admin import PeriodicTaskAdmin as BeatPeriodicTaskAdmin
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from rest_framework.authtoken.admin import TokenAdmin as RestTokenAdmin
from rest_framework.authtoken.models import TokenProxy
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from classifier.admin.base import ModelAdmin, StackedInline, Textarea, ago
from classifier.admin.lines import Lines
from classifier.models import Remit

# Nobody schedules contact reasons by sunset, and sign-in attempts are unlocked by
# `python manage.py axes_reset`: fewer pages are a better menu.
admin.site.unregister(
    [
        User,
        Group,
        TokenProxy,
        PeriodicTask,
        IntervalSchedule,
        CrontabSchedule,
        ClockedSchedule,
        SolarSchedule,
        AccessAttempt,
        AccessFailureLog,
        AccessLog,
    ]
)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "in_groups", "is_active", "last_seen")
    list_filter = ("groups", "is_active", "is_superuser")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[User]":
        rows: QuerySet[User] = super().get_queryset(request)
        return rows.prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return what this person may not set: nobody gives rights that go beyond the groups."""
        fields = super().get_readonly_fields(request, obj)
        if _is_superuser(request):
            return fields
        return (*fields, "is_superuser", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say yes, but a superuser's password and rights are set by superusers alone."""
        if obj is not None and obj.is_superuser and not _is_superuser(request):
            return False
        return super().has_change_permission(request, obj)

    @admin.display(description="Groups")
    def in_groups(self, user: User) -> str | None:
        if user.is_superuser:
            return "everything"
        return ", ".join(group.name for group in user.groups.all()) or None

    @admin.display(description="Last signed in", ordering="last_login", empty_value="never")
    def last_seen(self, user: User) -> Any:
        return ago(user.last_login)


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser


class RemitInline(StackedInline):
    model = Remit
    verbose_name = "remit"
    verbose_name_plural = "Whose conversations its members see"

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name not in {"queues", "teams"} or field is None:
            return field
        return Lines(
            label=db_field.name.capitalize(),
            required=False,
            help_text=f"One per line. {db_field.help_text}",
            widget=Textarea(attrs={"rows": 3}),
        )


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    list_display = ("name", "members")
    inlines = (RemitInline,)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Group]":
        rows: QuerySet[Group] = super().get_queryset(request)
        return rows.annotate(member_count=Count("user"))

    @admin.display(description="People", ordering="member_count")
    def members(self, group: Group) -> int:
        return group.member_count  # type: ignore[attr-defined,no-any-return]


@admin.register(TokenProxy)
class TokenAdmin(RestTokenAdmin, ModelAdmin):
    list_display = ("user", "created")
    list_select_related = ("user",)
    when_empty = "Programs that use the REST API need a token. Add one for a user of their own."


@admin.register(PeriodicTask)
class ScheduleAdmin(BeatPeriodicTaskAdmin, ModelAdmin):
    list_display = ("name", "enabled", "every", "last_run")
    list_filter = ("enabled",)
    date_hierarchy = None
    # Its own pages choose among all tasks there are; here the timetable's three are set.
    form = ModelForm
    fieldsets = (
        (None, {"fields": ("name", "task", "enabled", "interval", "crontab", "last_run")}),
    )
    readonly_fields = ("name", "task", "last_run")
    change_form_template = None
    change_list_template = None
    when_empty = "Without schedules nothing runs by itself. The migrations make them:"
    when_empty_command = "python manage.py migrate"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a schedule is switched off; deleted, its work would never be done

    @admin.display(description="Runs")
    def every(self, task: PeriodicTask) -> str:
        return str(task.scheduler)

    @admin.display(description="Last run", ordering="last_run_at", empty_value="never")
    def last_run(self, task: PeriodicTask) -> Any:
        return ago(task.last_run_at)


@admin.register(IntervalSchedule)
class IntervalAdmin(ModelAdmin):
    when_empty = "Nothing runs every so often. The migrations make the schedules’ intervals."
    list_display = ("every", "period")


@admin.register(CrontabSchedule)
class CrontabAdmin(ModelAdmin):
    when_empty = "No schedule runs at a time of day yet; all run every so many seconds."
    list_display = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")
