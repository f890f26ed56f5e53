"""Comparisons: a candidate beside the champion, and the texts that it answers otherwise."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from classifier.admin.base import ModelAdmin, ReadOnly, ago, badge
from classifier.admin.comparison_page import Asked, ComparisonPage, comparison_page
from classifier.admin.model_steps import light_comparisons, steps
from classifier.engine.comparison import Comparison as Figures
from classifier.engine.findings import headline
from classifier.models import Comparison

HEADLINE = ("texts", "champion", "rights")
"""Of the figures, what the headline is made of; the rest can be megabytes in a list."""


@admin.register(Comparison)
class ComparisonAdmin(ReadOnly, ModelAdmin):
    list_display = ("which", "verdict", "compared")
    list_per_page = 25
    when_empty = (
        "A candidate is compared with the champion as soon as it is trained: train one on the "
        "page of model versions, or by hand:"
    )
    when_empty_command = "python manage.py train"

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Comparison]":
        rows: QuerySet[Comparison] = super().get_queryset(request)
        listed = {f"listed_{key}": F(f"figures__{key}") for key in HEADLINE}
        return light_comparisons(rows).annotate(**listed)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        comparison = self.get_object(request, object_id)
        if comparison is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        if not self.has_view_permission(request, comparison):
            raise PermissionDenied
        title = str(comparison).capitalize()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "original": title,
            "comparison": comparison,
            "shown": _shown(comparison, request),
            "steps": steps(comparison.candidate, request),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "classifier/comparison.html", context)

    @admin.display(description="Comparison")
    def which(self, comparison: Comparison) -> str:
        return str(comparison).capitalize()

    @admin.display(description="Verdict")
    def verdict(self, comparison: Comparison) -> SafeString | str:
        try:
            found = headline(_outline(comparison))
        except (KeyError, TypeError, ValueError):
            return badge("of an earlier version")
        return badge(found.words.split(":")[0], {"calm": "plain"}.get(found.tone, found.tone))

    @admin.display(description="Made", ordering="compared_at")
    def compared(self, comparison: Comparison) -> SafeString | None:
        return ago(comparison.compared_at)


def _outline(comparison: Comparison) -> Figures:
    """Return what the list read of the figures.

    Raises:
        KeyError, TypeError, ValueError: another version of this product wrote them.
    """
    listed = {key: getattr(comparison, f"listed_{key}") for key in HEADLINE}
    if listed["texts"] is None:
        raise KeyError("texts")
    return Figures.from_dict({**Figures(0, None).to_dict(), **listed})


def _shown(comparison: Comparison, request: HttpRequest) -> ComparisonPage | None:
    """Return the page; None where another version of this product wrote the figures."""
    try:
        return comparison_page(comparison, request.user, Asked.of(request.GET))
    except (KeyError, TypeError, ValueError):
        return None
