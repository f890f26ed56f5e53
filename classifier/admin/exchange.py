"""The taxonomy and its rules as one file: take it away, look what a file would do, bring it in."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.decorators import action
from unfold.widgets import UnfoldAdminFileFieldWidget

from classifier.exchanging import (
    FORMS,
    FileInvalid,
    Plan,
    PlanRefused,
    bring_in,
    columns_need,
    plan_of,
    taxonomy_file,
)

MAY_TAKE = ("classifier.view_category", "classifier.view_keywordrule")
MAY_BRING = (
    "classifier.add_category",
    "classifier.change_category",
    "classifier.add_keywordrule",
    "classifier.change_keywordrule",
)
PAGE = "admin:classifier_category_file"
ROWS_SHOWN = 200
MISTAKES_SHOWN = 200


class FileForm(forms.Form):
    """A file, and, to bring it in, the digest of what it was shown to do."""

    file = forms.FileField(
        error_messages={"required": "Choose a file first."},
        # The theme's own: its script looks for what stands around it.
        widget=UnfoldAdminFileFieldWidget(attrs={"id": "file", "accept": ".csv,.xlsx,.json"}),
    )
    expected = forms.CharField(required=False, max_length=64)


class WithTaxonomyFile:
    """A list page with the way to the file."""

    actions_list = ("to_taxonomy_file",)

    def has_taxonomy_file_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perms(MAY_TAKE)

    @action(
        description="Import and export",
        url_path="to-file",
        permissions=["taxonomy_file"],
        icon="swap_vert",
    )
    def to_taxonomy_file(self, request: HttpRequest) -> HttpResponse:
        return redirect(PAGE)


class TaxonomyFilePages:
    """Adds the page of the file to the pages of categories."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view  # type: ignore[attr-defined]
        own = [
            path("file/", view(self.file_page), name="classifier_category_file"),
            path(
                "file/taxonomy.<slug:code>",
                view(self.taxonomy),
                name="classifier_taxonomy_file",
            ),
        ]
        return [*own, *super().get_urls()]  # type: ignore[misc]

    def taxonomy(self, request: HttpRequest, code: str) -> HttpResponse:
        """Send all categories and rules."""
        if not request.user.has_perms(MAY_TAKE):
            raise PermissionDenied
        if code not in FORMS:
            raise Http404(f"there is no form {code}")
        try:
            content = taxonomy_file(FORMS[code])
        except FileInvalid as error:
            return self._page(request, {"refused": str(error)})
        disposition = f'attachment; filename="taxonomy-{timezone.now():%Y%m%d}.{code}"'
        return HttpResponse(
            content,
            content_type=FORMS[code].media_type,
            headers={"Content-Disposition": disposition},
        )

    def file_page(self, request: HttpRequest) -> HttpResponse:
        """Show the page; with a file say what it would do, or bring it in.

        A page that asks from a script gets the answer alone, so that the chosen file stays
        chosen and the very same one is brought in.
        """
        if not request.user.has_perms(MAY_TAKE):
            raise PermissionDenied
        if request.method != "POST":
            return self._page(request, {})
        if not request.user.has_perms(MAY_BRING):
            raise PermissionDenied
        form = FileForm(request.POST, request.FILES)
        if not form.is_valid():
            told = {
                "refused": " ".join(str(e) for errors in form.errors.values() for e in errors)
            }
        else:
            file = form.cleaned_data["file"]
            told = self._answer(request, file.read(), file.name, form.cleaned_data["expected"])
        if request.headers.get("HX-Request"):
            return TemplateResponse(request, "classifier/taxonomy_file_answer.html", told)
        return self._page(request, told)

    def _answer(
        self, request: HttpRequest, content: bytes, name: str, expected: str
    ) -> dict[str, Any]:
        try:
            plan = plan_of(content, name)
            missing = [need for need in columns_need(plan) if not request.user.has_perm(need)]
            if missing:
                return {
                    "refused": "The file changes what stands in Salesforce’s columns, which you"
                    " may not. Take those columns out, or ask an administrator."
                }
            if "bring_in" not in request.POST:
                return _shown(plan, name)
            done = bring_in(
                content, name, at=timezone.now(), by=request.user, expected=expected or "none"
            )
        except FileInvalid as error:
            return {"refused": str(error)}
        except PlanRefused as error:
            return {**_shown(plan_of(content, name), name), "refused": str(error)}
        return {"done": done, "counts": _counted(done), "name": name}

    def _page(self, request: HttpRequest, told: dict[str, Any]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "title": "Categories and rules as one file",
            "forms": [(form.label, form.code) for form in FORMS.values()],
            "form": FileForm(),
            "may_bring": request.user.has_perms(MAY_BRING),
            **told,
        }
        return TemplateResponse(request, "classifier/taxonomy_file.html", context)


def _shown(plan: Plan, name: str) -> dict[str, Any]:
    news = plan.news
    return {
        "plan": plan,
        "name": name,
        "counts": _counted(plan),
        "mistakes": plan.mistakes[:MISTAKES_SHOWN],
        "more_mistakes": max(0, len(plan.mistakes) - MISTAKES_SHOWN),
        "steps": news[:ROWS_SHOWN],
        "more_steps": max(0, len(news) - ROWS_SHOWN),
    }


def _counted(plan: Plan) -> list[tuple[str, int, int, int]]:
    """Return for categories and rules how many are added, changed, unchanged."""
    words = {"category": "Categories", "rule": "Rules"}
    return [
        (words[kind], found["added"], found["changed"], found["unchanged"])
        for kind, found in plan.counts.items()
    ]
