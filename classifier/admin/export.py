"""The export page: which rows, which form; at once, or by a worker where there are many."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from classifier import exporting, leases
from classifier.admin.errand import KINDS, Kind
from classifier.export_sheets import SHEETS, Sheet
from classifier.exporting import MAY_EXPORT, Selection
from classifier.models import Category, Errand
from classifier.spreadsheets import FORMS

KINDS[exporting.ERRAND] = Kind("Export")
WHOLE = {
    "decisions": "Replaced decisions too",
    "feedback": "Also what was taken back",
}
TRAINING = "As JSON lines with words, import_gold reads the file again."


def day_input() -> UnfoldAdminTextInputWidget:
    """Return the browser's own field for a day."""
    return UnfoldAdminTextInputWidget(attrs={"type": "date"})


class ExportForm(forms.Form):
    """What is to be taken away; all of it unless told otherwise."""

    form = forms.ChoiceField(
        label="File",
        choices=[(form.code, form.label) for form in FORMS.values()],
        widget=UnfoldAdminSelectWidget,
    )
    since = forms.DateField(label="From", required=False, widget=day_input())
    until = forms.DateField(label="To (included)", required=False, widget=day_input())
    category = forms.ChoiceField(
        label="Category, with all below it", required=False, widget=UnfoldAdminSelectWidget
    )
    queue = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)
    team = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)
    channel = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)
    language = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)
    is_whole = forms.BooleanField(required=False, widget=UnfoldBooleanWidget)
    with_words = forms.BooleanField(
        label="With the conversations’ words (redacted)",
        required=False,
        widget=UnfoldBooleanWidget,
    )

    def __init__(self, sheet: Sheet, user: Any, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        for name, values in exporting.choices(sheet, user).items():
            named = [(value, value) for value in values]
            self.fields[name].choices = [("", "all"), *named]  # type: ignore[attr-defined]
        if sheet.training is not None:
            self.fields["with_words"].help_text = TRAINING
        labels = [
            (category.code, category.path_label)
            for category in Category.objects.with_parents().order_by("code")
        ]
        self.fields["category"].choices = [("", "all"), *labels]  # type: ignore[attr-defined]
        if sheet.code in WHOLE:
            self.fields["is_whole"].label = WHOLE[sheet.code]
        else:
            del self.fields["is_whole"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            raise forms.ValidationError("“To” is before “From”: exchange the two.")
        return cleaned

    @property
    def selection(self) -> Selection:
        """What was chosen; only of a form that is valid."""
        said = self.cleaned_data
        days = {
            name: said[name].isoformat() if said.get(name) else ""
            for name in ("since", "until")
        }
        flags = {name: bool(said.get(name)) for name in ("is_whole", "with_words")}
        facets = {name: said[name] for name in exporting.FACETS}
        return Selection(**{**days, **facets, **flags, "category": said["category"]})


class Exported:
    """A list page with the way to its export, for those who may."""

    export_sheet: str
    actions_list = ("to_export",)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return may_export(request, SHEETS[self.export_sheet])

    @action(description="Export", url_path="to-export", permissions=["export"], icon="download")
    def to_export(self, request: HttpRequest) -> HttpResponse:
        return redirect("export", self.export_sheet)


def may_export(request: HttpRequest, sheet: Sheet) -> bool:
    """Return whether this person may take the rows of ``sheet`` away, as far as they see them."""
    return request.user.has_perms([sheet.permission, MAY_EXPORT])


def export_view(request: HttpRequest, code: str) -> HttpResponseBase:
    """Ask what is wanted; then send the file, or let a worker write it.

    Raises:
        Http404: there is no such export.
        PermissionDenied: not for this person.
    """
    if (sheet := SHEETS.get(code)) is None:
        raise Http404("There is no such export.")
    if not may_export(request, sheet):
        raise PermissionDenied
    asked = ExportForm(sheet, request.user, request.POST or None)
    if request.method == "POST" and asked.is_valid():
        return _answer(request, sheet, asked)
    context = {
        **admin.site.each_context(request),
        "title": f"Export {sheet.label.lower()}",
        "form": asked,
        "sheet": sheet,
        "in_one_answer": settings.EXPORT_AT_ONCE,
        "running": Errand.objects.waiting([exporting.ERRAND]).filter(asked_by=request.user.pk),
    }
    return TemplateResponse(request, "classifier/export.html", context)


def _answer(request: HttpRequest, sheet: Sheet, asked: ExportForm) -> HttpResponseBase:
    selection, form = asked.selection, FORMS[asked.cleaned_data["form"]]
    at = leases.now()
    if exporting.selected(sheet, selection, request.user).count() > settings.EXPORT_AT_ONCE:
        errand = Errand.objects.ask_once(
            exporting.ERRAND,
            at=at,
            by=request.user,
            parameters=exporting.order(sheet, selection, form, request.user),
        )
        return redirect(reverse("admin:classifier_errand_change", args=[errand.pk]))
    return StreamingHttpResponse(
        exporting.content(sheet, selection, request.user, form),
        content_type=form.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{exporting.file_name(sheet, form, at)}"'
        },
    )
