"""Backfills: asked for here, done by a worker step by step, written once somebody approves."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from classifier import leases
from classifier.admin.base import ModelAdmin, ReadOnly
from classifier.admin.errand import in_words
from classifier.admin.export import day_input
from classifier.spreadsheets import CSV, written
from sfsync import backfill_page, backfilling
from sfsync.admin.case_page import case_url
from sfsync.backfilling import CannotBackfill, Wish
from sfsync.models import Backfill, BackfillCase, Connection

EARLIER_SHOWN = 20
MOST_NAMES = 20
DEEDS = {
    "pause": (backfilling.pause, "Paused. Nothing more is done until you go on."),
    "resume": (backfilling.resume, "It goes on."),
    "cancel": (backfilling.cancel, "It is being cancelled. What was written stays."),
}


class BackfillForm(forms.Form):
    """Which Cases of the past."""

    first_day = forms.DateField(
        label="Created from", widget=day_input(), help_text="The first day."
    )
    last_day = forms.DateField(
        label="Created to", widget=day_input(), help_text="The last day."
    )
    record_types = forms.CharField(
        label="Only these record types",
        required=False,
        help_text="Developer names with commas between them; empty: all.",
        widget=UnfoldAdminTextInputWidget,
    )
    origins = forms.CharField(
        label="Only these origins",
        required=False,
        help_text="For example “Web, Email”; empty: all.",
        widget=UnfoldAdminTextInputWidget,
    )

    def clean_record_types(self) -> list[str]:
        return _names(self.cleaned_data["record_types"])

    def clean_origins(self) -> list[str]:
        return _names(self.cleaned_data["origins"])

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        first, last = said.get("first_day"), said.get("last_day")
        if first and last and last < first:
            raise forms.ValidationError("The last day is before the first.")
        return said

    @property
    def wish(self) -> Wish:
        said = self.cleaned_data
        return Wish(
            _midnight(said["first_day"]),
            _midnight(said["last_day"] + timedelta(days=1)),
            said["record_types"],
            said["origins"],
        )


@admin.register(Backfill)
class BackfillAdmin(ReadOnly, ModelAdmin):
    """The list has the form for a new one above the earlier ones; each has a page of its own."""

    def get_urls(self) -> list[URLPattern]:
        own = self.admin_site.admin_view
        return [
            path(
                "<int:pk>/progress/", own(self.progress_view), name="sfsync_backfill_progress"
            ),
            path("<int:pk>/list/", own(self.list_view), name="sfsync_backfill_list"),
            path("<int:pk>/approve/", own(self.approve_view), name="sfsync_backfill_approve"),
            path("<int:pk>/deed/", own(self.deed_view), name="sfsync_backfill_deed"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        _need(request, "view")
        form = BackfillForm(request.POST or None)
        if request.method == "POST":
            _need(request, "add")
            if form.is_valid():
                try:
                    backfill = backfilling.ask(form.wish, by=request.user)
                except CannotBackfill as error:
                    form.add_error(None, str(error))
                else:
                    return redirect("admin:sfsync_backfill_change", backfill.pk)
        every = list(Backfill.objects.select_related("asked_by")[: EARLIER_SHOWN + 1])
        context = {
            **self._context(request, "Backfill"),
            "form": form,
            "may_ask": _may(request, "add"),
            "under_way": next((one for one in every if not one.is_over), None),
            "earlier": every[:EARLIER_SHOWN],
            "is_cut": len(every) > EARLIER_SHOWN,
        }
        return TemplateResponse(request, "sfsync/backfills.html", context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        backfill = self._found(request, int(object_id) if object_id.isdecimal() else 0)
        chosen = request.GET.get("verdict", BackfillCase.Verdict.CHANGE)
        rows = backfill_page.seen_by(backfill, request.user).filter(verdict=chosen)
        shown = list(rows.select_related("category").order_by("id")[: backfill_page.SHOWN + 1])
        host = Connection.current().instance_host
        verdicts = backfill_page.verdicts(backfill, chosen)
        changes = next((one.count for one in verdicts if one.code == "change"), 0)
        context = {
            **self._context(request, str(backfill)),
            "backfill": backfill,
            "said": backfill_page.stage_in_words(backfill),
            "told": self._progress(backfill),
            "is_in_review": backfill.stage == Backfill.Stage.REVIEW,
            "changes": changes,
            "writing": backfill_page.writing_in_words(changes),
            "verdicts": verdicts,
            "categories": backfill_page.categories(backfill),
            "outcomes": backfill_page.outcomes(backfill),
            "rows": [
                {
                    "row": row,
                    "url": case_url(row.case_id, host),
                    "change": backfill_page.change_of(row),
                }
                for row in shown[: backfill_page.SHOWN]
            ],
            "is_cut": len(shown) > backfill_page.SHOWN,
            "refusal": backfilling.approval_refusal(backfill, request.user),
            "may_approve": _may(request, "approve"),
            "may_change": _may(request, "change"),
        }
        return TemplateResponse(request, "sfsync/backfill.html", context)

    def progress_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        """Answer how far it is, as ``errands.js`` shows it; done: the page has more to show."""
        backfill = self._found(request, pk)
        is_past = request.GET.get("stage", "") != _shown_stage(backfill)
        return JsonResponse(
            {**self._progress(backfill), "state": "done" if is_past else "running"}
        )

    def list_view(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        """Hand out all Cases that this person may see, as CSV."""
        backfill = self._found(request, pk)
        rows = backfill_page.seen_by(backfill, request.user).order_by("id")
        lines = backfill_page.sheet_rows(rows)
        return StreamingHttpResponse(
            written(CSV, backfill_page.HEADER, lines),
            content_type=CSV.media_type,
            headers={
                "Content-Disposition": f'attachment; filename="backfill-{pk}.csv"',
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "private, no-store",
            },
        )

    def approve_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """On POST let what the dry run lists be written."""
        _need(request, "approve")
        backfill = self._found(request, pk)
        if request.method == "POST":
            try:
                changes = backfilling.approve(backfill, by=request.user)
            except CannotBackfill as error:
                messages.error(request, str(error))
            else:
                messages.success(request, f"Approved: {changes:,} Cases are being written.")
        return redirect("admin:sfsync_backfill_change", pk)

    def deed_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """On POST pause it, go on with it, or cancel it."""
        _need(request, "change")
        backfill = self._found(request, pk)
        deed = DEEDS.get(request.POST.get("deed", ""))
        if request.method == "POST" and deed is not None:
            do, told = deed
            do(backfill)
            messages.success(request, told)
        return redirect("admin:sfsync_backfill_change", pk)

    def _found(self, request: HttpRequest, pk: int) -> Backfill:
        _need(request, "view")
        return get_object_or_404(Backfill.objects.select_related("asked_by"), pk=pk)

    def _context(self, request: HttpRequest, title: str) -> dict[str, Any]:
        site = self.admin_site.each_context(request)
        return {**site, "opts": self.opts, "title": title}

    def _progress(self, backfill: Backfill) -> dict[str, Any]:
        left = backfill.seconds_left(leases.now())
        parts = [backfill_page.rows_in_words(backfill)]
        if left is not None:
            parts.append(f"about {in_words(left)} left")
        return {
            "percent": backfill.percent,
            "said": backfill_page.stage_in_words(backfill),
            "time": ", ".join(filter(None, parts)),
            "result": reverse("admin:sfsync_backfill_change", args=[backfill.pk]),
            "file": "",
            "stage": _shown_stage(backfill),
        }


def _shown_stage(backfill: Backfill) -> str:
    """Return what the page is drawn for: where it changes, the page is loaded anew."""
    return f"{backfill.stage}-{'still' if backfill.paused_at else 'going'}"


def _may(request: HttpRequest, what: str) -> bool:
    return bool(request.user.has_perm(f"sfsync.{what}_backfill"))


def _need(request: HttpRequest, what: str) -> None:
    if not _may(request, what):
        raise PermissionDenied


def _names(text: str) -> list[str]:
    names = [name for one in text.split(",") if (name := one.strip())]
    if len(names) > MOST_NAMES:
        raise forms.ValidationError(f"Name up to {MOST_NAMES}, or leave it empty for all.")
    return names


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
