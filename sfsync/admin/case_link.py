"""Cases we know: when they were read, what went wrong, and whose the reason is."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from classifier import leases
from classifier.admin.base import ModelAdmin, ReadOnly, ToldFilter, WithinRemit, ago, badge
from sfsync import gateway, handing_back
from sfsync.admin.case_page import case_url
from sfsync.admin.case_state import CaseStateFilter
from sfsync.admin.case_story import shown_events, shown_way
from sfsync.case_trace import load_trace
from sfsync.errors import SalesforceError
from sfsync.models import CaseLink
from sfsync.whereabouts import Whereabouts, located

CASES_AT_ONCE = 1000
"""Given back by one click: three calls to Salesforce, and a transaction of a second."""
CASES_NAMED = 10


@admin.register(CaseLink)
class CaseLinkAdmin(WithinRemit, ReadOnly, ModelAdmin):
    list_display = ("number", "where", "origin", "status", "owner_name", "created", "read")
    list_filter = (
        CaseStateFilter,
        "is_closed",
        ("origin", ToldFilter),
        ("record_type", ToldFilter),
    )
    search_fields = ("case_number__exact", "case_id__exact")
    search_help_text = "The whole Case number or Case id."
    ordering = ("-id",)
    actions = ("hand_back",)
    fields = (
        "number", "case_id", "in_salesforce", "where", "way", "events", "whose", "read_error",
        "record_type", "origin", "status", "priority", "owner_name", "queue", "case_created_at",
        "modstamp", "read_due_at", "read_at", "gone_at",
    )  # fmt: skip
    readonly_fields = ("number", "where", "way", "events", "in_salesforce", "whose")
    when_empty = (
        "Cases appear here once they are pulled. Connect a Salesforce org, then check that it "
        "answers:"
    )
    when_empty_command = "python manage.py check_salesforce"

    def has_hand_back_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sfsync.change_caselink")

    def get_urls(self) -> list[URLPattern]:
        given_back = path(
            "hand-back/",
            self.admin_site.admin_view(self.hand_back_view),
            name="sfsync_caselink_hand_back",
        )
        return [given_back, *super().get_urls()]

    @admin.action(description="Give back to automation", permissions=["hand_back"])
    def hand_back(self, request: HttpRequest, cases: "QuerySet[CaseLink]") -> HttpResponse:
        return self._ask(request, cases)

    def hand_back_view(self, request: HttpRequest) -> HttpResponse:
        """Ask whether to give Cases back (GET, from a Case's page), or do it (POST)."""
        if not self.has_hand_back_permission(request):
            raise PermissionDenied
        chosen = request.POST if request.method == "POST" else request.GET
        keys = [key for key in chosen.getlist("case") if key.isdecimal()][:CASES_AT_ONCE]
        cases = self.get_queryset(request).filter(pk__in=keys)
        if request.method == "GET":
            return self._ask(request, cases)
        if request.method != "POST":
            return HttpResponseNotAllowed(["GET", "POST"])
        ceded = list(cases.filter(ceded_at__isnull=False, gone_at=None))
        try:
            by = request.user.get_username()
            done = handing_back.hand_back(gateway.open(), cases, by=by)
        except SalesforceError as error:
            self.message_user(request, f"Nothing was given back. {error}", messages.ERROR)
            return HttpResponseRedirect(_back(keys))
        for case in ceded:
            self.log_change(request, case, "Given back to automation.")
        self._tell(request, done)
        return HttpResponseRedirect(_back(keys))

    def _ask(self, request: HttpRequest, cases: "QuerySet[CaseLink]") -> HttpResponse:
        ceded = list(cases.filter(ceded_at__isnull=False, gone_at=None)[:CASES_AT_ONCE])
        keys = [str(case.pk) for case in ceded]
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": "Give back to automation?",
            "opts": self.opts,
            "number": len(ceded),
            "shown": [str(case) for case in ceded[:CASES_NAMED]],
            "more": max(len(ceded) - CASES_NAMED, 0),
            "chosen": keys,
            "back": _back(keys),
        }
        return TemplateResponse(request, "sfsync/hand_back.html", context)

    def _tell(self, request: HttpRequest, done: handing_back.HandedBack) -> None:
        told = f"{done.cases} Cases are" if done.cases != 1 else "One Case is"
        sentence = f"{told} given back: the words are decided again within seconds."
        if done.gone:
            sentence += f" {done.gone} were deleted in Salesforce meanwhile."
        level = messages.SUCCESS if done.cases else messages.WARNING
        self.message_user(request, sentence, level)

    @admin.display(description="Whose reason")
    def whose(self, case: CaseLink) -> SafeString | str:
        """Say whom the reason belongs to, since when, and what can be done about it."""
        told = "Automation decides."
        if case.handed_back_at:
            told = format_html(
                "Automation decides again: given back by {} {}.",
                case.handed_back_by or "somebody",
                ago(case.handed_back_at),
            )
        if not case.ceded_at:
            return told
        since = format_html(
            "A person in Salesforce: their word stands since {}.", ago(case.ceded_at)
        )
        if case.handed_back_at:
            since += format_html(
                " {} had given it back before, {}.",
                case.handed_back_by or "Somebody",
                ago(case.handed_back_at),
            )
        if not getattr(case, "may_be_given_back", False):
            return since
        ask = f"{reverse('admin:sfsync_caselink_hand_back')}?case={case.pk}"
        return since + format_html(
            ' <a class="cr-button" href="{}">Give back to automation</a>', ask
        )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list, each of its rows knowing where its Case is: six queries for all."""
        changelist = super().get_changelist_instance(request)
        cases = list(changelist.result_list)
        found = located(cases, leases.now())
        for case in cases:
            case.found = found[case.pk]
        changelist.result_list = cases
        return changelist

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> CaseLink | None:
        case: CaseLink | None = super().get_object(request, object_id, from_field)
        if case is not None:
            case.may_be_given_back = self.has_hand_back_permission(request)  # type: ignore[attr-defined]
            case.found = located([case], leases.now())[case.pk]  # type: ignore[attr-defined]
        return case

    @admin.display(description="Case", ordering="case_number")
    def number(self, case: CaseLink) -> str:
        return case.case_number or case.case_id

    @admin.display(description="Where it is")
    def where(self, case: CaseLink) -> SafeString:
        found: Whereabouts = case.found  # type: ignore[attr-defined]
        return format_html(
            '<span class="cr-long">{} {}</span>', badge(found.stage, found.tone), found.told
        )

    @admin.display(description="Its way")
    def way(self, case: CaseLink) -> SafeString | str:
        """Tell when each station was passed, how long it waited there, and where it waits."""
        return shown_way(load_trace(case, leases.now()))

    @admin.display(description="What happened to it")
    def events(self, case: CaseLink) -> SafeString | str:
        """Tell what happened in Salesforce, and what follows from it."""
        return shown_events(case)

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


def _back(keys: list[str]) -> str:
    """Return the page to go to: the Case's own where it is one, else the list."""
    if len(keys) == 1:
        return reverse("admin:sfsync_caselink_change", args=keys)
    return reverse("admin:sfsync_caselink_changelist")
