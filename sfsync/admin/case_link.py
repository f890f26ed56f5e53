"""Cases we know: when they were read, what went wrong, and whose the reason is."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from classifier.admin.base import ModelAdmin, ReadOnly, WithinRemit, ago, badge
from sfsync.admin.case_page import case_url
from sfsync.models import CaseLink


class CaseStateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [
            ("unreadable", "could not be read"),
            ("to_read", "to be read"),
            ("ceded", "ceded to a person"),
            ("gone", "deleted in Salesforce"),
        ]

    def queryset(
        self, request: HttpRequest, queryset: "QuerySet[CaseLink]"
    ) -> "QuerySet[CaseLink]":
        match self.value():
            case "unreadable":
                return queryset.exclude(read_error="")
            case "to_read":
                return queryset.filter(read_due_at__isnull=False, gone_at=None)
            case "ceded":
                return queryset.filter(ceded_at__isnull=False)
            case "gone":
                return queryset.filter(gone_at__isnull=False)
            case _:
                return queryset


@admin.register(CaseLink)
class CaseLinkAdmin(WithinRemit, ReadOnly, ModelAdmin):
    list_display = ("number", "state", "origin", "status", "owner_name", "created", "read")
    list_filter = (CaseStateFilter, "is_closed", "origin", "record_type")
    search_fields = ("case_number__exact", "case_id__exact")
    search_help_text = "The whole Case number or Case id."
    ordering = ("-id",)
    fields = (
        "number", "case_id", "in_salesforce", "state", "read_error", "record_type", "origin",
        "status", "priority", "owner_name", "queue", "case_created_at", "modstamp",
        "read_due_at", "read_at", "ceded_at", "gone_at",
    )  # fmt: skip
    readonly_fields = ("number", "state", "in_salesforce")
    when_empty = (
        "Cases appear here once they are pulled. Connect a Salesforce org, then check that it "
        "answers:"
    )
    when_empty_command = "python manage.py check_salesforce"

    @admin.display(description="Case", ordering="case_number")
    def number(self, case: CaseLink) -> str:
        return case.case_number or case.case_id

    @admin.display(description="State")
    def state(self, case: CaseLink) -> SafeString:
        if case.gone_at:
            return badge("deleted in Salesforce")
        if case.read_error:
            return badge("could not be read", "bad", case.read_error)
        if case.ceded_at:
            return badge("ceded to a person", "calm", "A person set the reason in Salesforce.")
        if case.read_due_at:
            return badge("to be read", "warn")
        return badge("read", "good")

    @admin.display(description="In Salesforce")
    def in_salesforce(self, case: CaseLink) -> SafeString | str:
        url = case_url(case.case_id)
        if not url:
            return "This Case lives in the local org." if not case.gone_at else "–"
        return format_html(
            '<a class="cr-link" href="{}" rel="noreferrer">Open the Case</a>', url
        )

    @admin.display(description="Created", ordering="case_created_at")
    def created(self, case: CaseLink) -> SafeString | None:
        return ago(case.case_created_at)

    @admin.display(description="Last read", ordering="read_at")
    def read(self, case: CaseLink) -> SafeString | None:
        return ago(case.read_at)
