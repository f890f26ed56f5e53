"""Assessments: is this worth it for us? Asked for here, made by a worker, adopted on a click."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from classifier import leases
from classifier.admin.base import ModelAdmin, ReadOnly
from classifier.admin.errand import KINDS, Kind
from classifier.models import Errand
from classifier.models.errand import ErrandQuerySet
from classifier.models.remit import within_remit
from classifier.spreadsheets import CSV, written
from sfsync import adopting, assessing
from sfsync.admin.case_page import case_url
from sfsync.adopting import CannotAdopt, proposal
from sfsync.assessing import MOST_CASES, Question
from sfsync.assessment_page import WORST, doubtful, html_of, path_in_words, view_of
from sfsync.models import AssessedCase, Assessment, Connection
from sfsync.picklists import MOST_LEVELS

HEADER = ("place", "case_number", "case_id", "tag", "looks_like", "times_likelier")
LIST_SHOWN = 30


def _page(errand: Errand) -> str:
    number = errand.result.get("assessment") or errand.parameters.get("assessment")
    return reverse("admin:sfsync_assessment_change", args=[number])


KINDS[assessing.ERRAND] = Kind("Assess closed Cases", _page)
KINDS[adopting.ERRAND] = Kind("Adopt an assessment")


class AssessmentForm(forms.Form):
    """What is to be assessed."""

    fields_named = forms.CharField(
        label="Picklists of Case",
        required=False,
        help_text="API names, top level first, for example “Reason__c, Detail__c”. Empty: guessed.",
        widget=UnfoldAdminTextInputWidget,
    )
    most = forms.IntegerField(
        label="Closed Cases at most",
        min_value=1,
        max_value=MOST_CASES,
        initial=MOST_CASES,
        help_text="The newest; one API call reads up to 2,000.",
        widget=UnfoldAdminIntegerFieldWidget,
    )
    every_source = forms.BooleanField(
        label="Words of every source in use",
        required=False,
        help_text="E-mails, chats, calls …: several API calls per 200 Cases. Without it: subject and"
        " description.",
        widget=UnfoldBooleanWidget,
    )

    def clean_fields_named(self) -> tuple[str, ...]:
        names = tuple(
            name
            for one in self.cleaned_data["fields_named"].split(",")
            if (name := one.strip())
        )
        if len(names) > MOST_LEVELS or not all(
            name.isascii() and name.replace("_", "").isalnum() for name in names
        ):
            raise forms.ValidationError(
                f"Name up to {MOST_LEVELS} API names, with commas between them."
            )
        return names

    @property
    def question(self) -> Question:
        said = self.cleaned_data
        return Question(said["fields_named"], said["most"], said["every_source"])


@admin.register(Assessment)
class AssessmentAdmin(ReadOnly, ModelAdmin):
    """The list is the newest assessment, with the way to a new one above it."""

    def get_urls(self) -> list[URLPattern]:
        own = self.admin_site.admin_view
        return [
            path("<int:pk>/list/", own(self.list_view), name="sfsync_assessment_list"),
            path("<int:pk>/file/", own(self.file_view), name="sfsync_assessment_file"),
            path("<int:pk>/adopt/", own(self.adopt_view), name="sfsync_assessment_adopt"),
            *super().get_urls(),
        ]

    def has_ask_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("sfsync.add_assessment"))

    def has_adopt_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("sfsync.change_assessment"))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = AssessmentForm(request.POST or None)
        if request.method == "POST":
            if not self.has_ask_permission(request):
                raise PermissionDenied
            if form.is_valid():
                Errand.objects.ask_once(
                    assessing.ERRAND,
                    at=leases.now(),
                    by=request.user,
                    parameters=form.question.to_parameters(),
                )
                return redirect("admin:sfsync_assessment_changelist")
        return self._shown(request, Assessment.objects.finished().first(), form)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        finished = Assessment.objects.finished()
        if not object_id.isdecimal():
            raise Http404
        return self._shown(request, get_object_or_404(finished, pk=object_id), AssessmentForm())

    def _shown(
        self, request: HttpRequest, assessment: Assessment | None, form: AssessmentForm
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Assessment",
            "form": form,
            "may_ask": self.has_ask_permission(request),
            "may_adopt": self.has_adopt_permission(request),
            "running": self._running(request),
            "failed": self._failed(request),
        }
        if assessment is not None:
            context |= self._report(request, assessment)
        return TemplateResponse(request, "sfsync/assessment.html", context)

    def _running(self, request: HttpRequest) -> list[Errand]:
        return list(self._errands(request).waiting())

    def _failed(self, request: HttpRequest) -> Errand | None:
        """Return the last errand where nothing came of it: its reason stays on the page."""
        last = self._errands(request).order_by("-id").first()
        return last if last is not None and last.has_failed else None

    def _errands(self, request: HttpRequest) -> ErrandQuerySet:
        """Return those that this person may see: all, or the own ones."""
        errands = Errand.objects.filter(kind__in=[assessing.ERRAND, adopting.ERRAND])
        if not request.user.has_perm("classifier.view_errand"):
            errands = errands.filter(asked_by=request.user.pk)
        return errands

    def _report(self, request: HttpRequest, assessment: Assessment) -> dict[str, Any]:
        """Return what the page shows; doubtful Cases only as far as this person may see them."""
        worst = list(self._doubtful(request, assessment)[:WORST])
        view = view_of(assessment, worst)
        host = Connection.current().instance_host
        for row in view["worst"]:
            row["url"] = case_url(row["case_id"], host)
        return {
            **view,
            "list_url": reverse("admin:sfsync_assessment_list", args=[assessment.pk]),
            "has_cases": assessment.cases.exists(),
        }

    def _doubtful(self, request: HttpRequest, assessment: Assessment) -> Any:
        return within_remit(doubtful(assessment), request.user)

    def _found(self, request: HttpRequest, pk: int) -> Assessment:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(Assessment.objects.finished(), pk=pk)

    def list_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Hand out all doubtful tags that this person may see, as CSV."""
        assessment = self._found(request, pk)
        rows = (_row(row) for row in self._doubtful(request, assessment).iterator())
        content = b"".join(written(CSV, HEADER, rows))
        return _download(content, CSV.media_type, f"doubtful-tags-{pk}.csv")

    def file_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Hand out the page as a file of its own."""
        assessment = self._found(request, pk)
        worst = list(self._doubtful(request, assessment)[:WORST])
        content = html_of(assessment, worst).encode()
        return _download(content, "text/html; charset=utf-8", assessing.FILE_NAME)

    def adopt_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what adopting would make; on POST let a worker make it."""
        assessment = self._found(request, pk)
        if not self.has_adopt_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return self._adopt(request, assessment)
        try:
            foretold = proposal(assessment)
        except CannotAdopt as error:
            messages.error(request, str(error))
            return redirect("admin:sfsync_assessment_change", pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Adopt this assessment",
            "assessment": assessment,
            "made": foretold,
            "shown": LIST_SHOWN,
        }
        return TemplateResponse(request, "sfsync/adoption.html", context)

    def _adopt(self, request: HttpRequest, assessment: Assessment) -> HttpResponse:
        errand = Errand.objects.ask_once(
            adopting.ERRAND,
            at=leases.now(),
            by=request.user,
            parameters={
                "assessment": assessment.pk,
                "map_fields": request.POST.get("map_fields") == "on",
            },
        )
        return redirect("admin:classifier_errand_change", errand.pk)


def _row(row: AssessedCase) -> list[Any]:
    return [
        row.doubt,
        row.case_number,
        row.case_id,
        path_in_words(row.path),
        path_in_words(row.suggested),
        round(row.odds or 0.0, 1),
    ]


def _download(content: bytes, media_type: str, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=media_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    return answer
