"""The connected org: how far automation may go there, and for which Cases."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from classifier import leases
from classifier.admin.base import ModelAdmin, Textarea, ago, badge
from classifier.admin.lines import Lines
from sfsync import breaker, budget, mode_setting, protection
from sfsync.models import Connection, Mode
from sfsync.protection import Protection

LISTS = (
    "scope_record_types",
    "scope_origins",
    "scope_queues",
    "extra_case_fields",
    "automation_users",
)


@admin.register(Connection)
class ConnectionAdmin(ModelAdmin):
    list_display = ("called", "mode_badge", "writing", "calls", "connected")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "called",
                    "org_id",
                    "instance_host",
                    "connected",
                    "mode",
                    "writing",
                    "kept_by",
                    "cut_off",
                )
            },
        ),
        (
            "Which Cases may be written to",
            {
                "fields": (*LISTS[:3], "scope_created_after"),
                "description": "A Case outside is still decided; nothing is written to it.",
            },
        ),
        ("What is read", {"fields": ("first_pull_days", "extra_case_fields")}),
        (
            "How many API calls are ours",
            {
                "fields": ("api_share_percent", "calls", "our_calls"),
                "description": "Each call is counted before it is made. What is less important "
                "stops first; from 80 % of the org’s calls on, used by whomever, we make no more.",
            },
        ),
        (
            "Whose word counts",
            {
                "fields": ("automation_users",),
                "description": "What a person changes in a mapped reason field is their word and "
                "is learnt from. What our own user writes never is.",
            },
        ),
    )
    readonly_fields = (
        "called",
        "org_id",
        "instance_host",
        "connected",
        "writing",
        "kept_by",
        "calls",
        "our_calls",
        "cut_off",
    )
    when_empty = (
        "No Salesforce org is connected yet. Set the SALESFORCE_ variables of .env.example, "
        "then see what works and what is missing:"
    )
    when_empty_command = "python manage.py check_salesforce"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # made by the first call to the org, which also tells who it is

    def has_delete_permission(
        self, request: HttpRequest, obj: Connection | None = None
    ) -> bool:
        return False

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name not in LISTS or field is None:
            return field
        return Lines(
            label=capfirst(db_field.verbose_name),
            required=False,
            help_text=f"One per line. {db_field.help_text}",
            widget=Textarea(attrs={"rows": 3}),
        )

    def save_model(
        self,
        request: HttpRequest,
        obj: Connection,
        form: Any,
        change: bool,  # noqa: FBT001
    ) -> None:
        """Save the rest as it is; a change of mode lets held write-backs go, so a doing makes it."""
        wanted = Mode(obj.mode)
        who = request.user.get_username()
        with transaction.atomic():
            before = Connection.current()
            obj.mode = before.mode
            # Only what was changed: the figures on this row move on while the form is open.
            obj.save(update_fields=form.changed_data)
            if wanted == before.mode:
                return
            released = mode_setting.set_mode(wanted, by=who).released
            if before.paused_at is not None:  # a new mode alone does not end a pause
                mode_setting.pause(by=who)
        self.message_user(request, f"{released} write-backs that were held may go out now.")

    @admin.display(description="Org")
    def called(self, connection: Connection) -> str:
        return str(connection)

    @admin.display(description="Mode", ordering="mode")
    def mode_badge(self, connection: Connection) -> str:
        return connection.get_mode_display()

    @admin.display(description="A person’s word is kept by")
    def kept_by(self, connection: Connection) -> SafeString:
        way, remark = protection.told(connection)
        names = {
            None: ("not tried out yet", "plain"),
            Protection.GUARD: ("the guard in the org", "good"),
            Protection.CONDITION: ("conditional writes", "calm"),
            Protection.LOOK: ("reading just before writing", "warn"),
        }
        return badge(*names[way], remark)

    @admin.display(description="Writing")
    def writing(self, connection: Connection) -> SafeString:
        if connection.paused_at:
            return badge("paused", "warn", "Resume on the dashboard.")
        return badge("not paused", "good", "Pause on the dashboard.")

    @admin.display(description="API calls of the org in 24 hours")
    def calls(self, connection: Connection) -> str | None:
        if not connection.org_calls_allowed:
            return None
        return f"{connection.org_calls_used:,} of {connection.org_calls_allowed:,}"

    @admin.display(description="Calls that are left alone")
    def cut_off(self, connection: Connection) -> str:
        return " ".join(breaker.sentences()) or "none: all work"

    @admin.display(description="Our calls in 24 hours")
    def our_calls(self, connection: Connection) -> str:
        ours = budget.standing(leases.now())
        free = f"; writing goes on at {ours.free_at:%H:%M} UTC" if ours.free_at else ""
        return f"{ours.used:,} of {ours.allowed:,}{free}"

    @admin.display(description="Connected")
    def connected(self, connection: Connection) -> SafeString | None:
        return ago(connection.connected_at)
