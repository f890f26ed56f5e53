"""Trained models: how good they are, which one decides, and the switch to another."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from classifier import leases, promoting, retraining
from classifier.admin import class_figures
from classifier.admin.base import ModelAdmin, ReadOnly, ago, badge
from classifier.admin.category import known_categories
from classifier.admin.class_table import Asked, class_table
from classifier.admin.errand import KINDS, Kind
from classifier.admin.model_figures import LISTED, METRICS, RECIPE, TRAINED, quality, table
from classifier.admin.model_steps import (
    list_top,
    may_change,
    may_train,
    steps,
    timeline,
)
from classifier.admin.words import STAGE_TONES
from classifier.models import Errand, ModelVersion
from classifier.models.model_version import LARGE_OF_MODEL

ALL_THE_SAME = "train_all_the_same"
"""In the session: the next click trains although there is nothing new."""


def _page_of_training(errand: Errand) -> str:
    if comparison := errand.result.get("comparison"):
        return reverse("admin:classifier_comparison_change", args=[comparison])
    return _page_of_model(errand)


def _page_of_model(errand: Errand) -> str:
    model = errand.result.get("model") or errand.parameters.get("model")
    return reverse("admin:classifier_modelversion_change", args=[model])


KINDS["train"] = Kind("Train a candidate", _page_of_training)
KINDS["compare"] = Kind("Compare a model with the champion", _page_of_training)
KINDS["redecide"] = Kind("Decide again what a model decided", _page_of_model)


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnly, ModelAdmin):
    list_display = (
        "called",
        "stage_badge",
        "quality",
        "examples",
        "size",
        "trained",
        "promoted",
    )
    list_filter = ("stage",)
    list_per_page = 25
    actions = ("promote",)
    list_before_template = "classifier/model_list_top.html"
    change_form_outer_before_template = "classifier/model_top.html"
    change_form_outer_after_template = "classifier/model_categories.html"
    fields = (
        "called", "stage_badge", "measured", "promised", "trained_with", "made_how", "size",
        "sha256",
    )  # fmt: skip
    readonly_fields = (
        "called",
        "stage_badge",
        "measured",
        "promised",
        "trained_with",
        "made_how",
        "size",
    )
    when_empty = (
        "There is no model yet: until then, keyword rules decide alone. Import conversations "
        "whose reason is known (about 10 for each category are a start), then train and promote:"
    )
    when_empty_command = (
        "python manage.py import_gold FILE --create-categories\n"
        "python manage.py train\n"
        "python manage.py promote"
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[ModelVersion]":
        rows: QuerySet[ModelVersion] = super().get_queryset(request)
        listed = {f"listed_{key}": F(f"metrics__{key}") for key in LISTED}
        listed["listed_train"] = F("trained_on__train")
        return rows.defer(*LARGE_OF_MODEL).annotate(**listed)

    def get_urls(self) -> list[URLPattern]:
        def way(route: str, view: Any, name: str) -> URLPattern:
            own = self.admin_site.admin_view(require_POST(view))
            found: URLPattern = path(route, own, name=f"classifier_modelversion_{name}")
            return found

        return [
            way("train/", self.train_view, "train"),
            way("<int:pk>/propose/", self.propose_view, "propose"),
            way("<int:pk>/promote/", self.promote_view, "promote"),
            way("<int:pk>/rollback/", self.rollback_view, "rollback"),
            way("<int:pk>/compare/", self.compare_view, "compare"),
            way("<int:pk>/again/", self.again_view, "again"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        top = {
            **list_top(request),
            "ask_all_the_same": request.session.pop(ALL_THE_SAME, False),
        }
        page: HttpResponse = super().changelist_view(request, {**top, **(extra_context or {})})
        return page

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        version = self.get_object(request, object_id)
        own = _of_one(version, request) if version else {}
        page: HttpResponse = super().change_view(
            request, object_id, form_url, {**own, **(extra_context or {})}
        )
        return page

    def train_view(self, request: HttpRequest) -> HttpResponse:
        """Ask a worker for a training; where it would teach nothing new, ask back first."""
        if not may_train(request):
            raise PermissionDenied
        here = "admin:classifier_modelversion_changelist"
        try:
            retraining.look_for_news()
        except retraining.NothingNew as nothing:
            if not (nothing.may_all_the_same and "all_the_same" in request.POST):
                messages.warning(request, str(nothing))
                request.session[ALL_THE_SAME] = nothing.may_all_the_same
                return redirect(here)
        Errand.objects.ask_once("train", at=leases.now(), by=request.user)
        return redirect(here)

    def propose_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        version = self._changeable(request, pk)
        try:
            by = request.user.get_username()
            promoting.propose(version, at=leases.now(), by=by)
        except promoting.CannotPromote as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(
                request,
                f"Model {version.number} is proposed. Somebody else who may change models"
                " promotes it.",
            )
        return _back(request, version)

    def promote_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        version = self._changeable(request, pk)
        self._promote(request, version)
        return _back(request, version)

    def rollback_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        version = self._changeable(request, pk)
        try:
            done = promoting.roll_back(
                at=leases.now(), by=request.user.get_username(), away_from=version
            )
        except promoting.CannotPromote as refusal:
            messages.error(request, str(refusal))
            return _back(request, version)
        told = f"Model {done.champion.number} decides again, from the next batch of every worker on."
        if done.decided:
            told += (
                f" {done.decided:,} conversations that model {done.retired.number} decided can be"
                " decided again."
            )
        messages.success(request, told)
        return _back(request, version)

    def compare_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not may_train(request):
            raise PermissionDenied
        version = get_object_or_404(ModelVersion, pk=pk)
        Errand.objects.ask_once(
            "compare", at=leases.now(), by=request.user, parameters={"model": version.pk}
        )
        return redirect("admin:classifier_modelversion_change", version.pk)

    def again_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        version = self._changeable(request, pk)
        Errand.objects.ask_once(
            "redecide", at=leases.now(), by=request.user, parameters={"model": version.pk}
        )
        return redirect("admin:classifier_modelversion_change", version.pk)

    def _changeable(self, request: HttpRequest, pk: int) -> ModelVersion:
        if not may_change(request):
            raise PermissionDenied
        return get_object_or_404(ModelVersion, pk=pk)

    def has_promote_permission(self, request: HttpRequest) -> bool:
        return may_change(request)

    @admin.action(description="Let this model decide (promote)", permissions=["promote"])
    def promote(self, request: HttpRequest, versions: "QuerySet[ModelVersion]") -> None:
        if versions.count() != 1:
            self.message_user(request, "Select one model to promote.", messages.WARNING)
            return
        self._promote(request, versions.get())

    def _promote(self, request: HttpRequest, version: ModelVersion) -> None:
        try:
            done = promoting.promote(version, at=leases.now(), by=request.user.get_username())
        except promoting.CannotPromote as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return
        self.message_user(request, promoted_sentence(done), messages.SUCCESS)

    @admin.display(description="Model", ordering="number")
    def called(self, version: ModelVersion) -> str:
        return f"Model {version.number}"

    @admin.display(description="Stage", ordering="stage")
    def stage_badge(self, version: ModelVersion) -> SafeString:
        tone = STAGE_TONES[ModelVersion.Stage(version.stage)]
        return badge(version.get_stage_display(), tone)

    @admin.display(description="Without rules, on held-out labels")
    def quality(self, version: ModelVersion) -> str:
        listed = {key: getattr(version, f"listed_{key}", None) for key in LISTED}
        return quality(listed) or "not measured"

    @admin.display(description="Measured on held-out labels")
    def measured(self, version: ModelVersion) -> SafeString:
        return table(version.metrics, METRICS)

    @admin.display(description="Promised")
    def promised(self, version: ModelVersion) -> SafeString:
        return class_figures.promised(version.metrics)

    @admin.display(description="Trained with")
    def trained_with(self, version: ModelVersion) -> SafeString:
        return table(version.trained_on, TRAINED)

    @admin.display(description="Recipe")
    def made_how(self, version: ModelVersion) -> SafeString:
        return table(version.recipe, RECIPE)

    @admin.display(description="Trained on")
    def examples(self, version: ModelVersion) -> str | None:
        number = getattr(version, "listed_train", None)
        return f"{number:,} examples" if isinstance(number, int) else None

    @admin.display(description="Size", ordering="size_bytes")
    def size(self, version: ModelVersion) -> str:
        return filesizeformat(version.size_bytes)

    @admin.display(description="Made", ordering="created_at")
    def trained(self, version: ModelVersion) -> SafeString | None:
        return ago(version.created_at)

    @admin.display(description="Promoted", ordering="promoted_at")
    def promoted(self, version: ModelVersion) -> SafeString | None:
        return ago(version.promoted_at)


def _of_one(version: ModelVersion, request: HttpRequest) -> dict[str, object]:
    """Return what stands above and below the fields of a model."""
    known = known_categories()
    return {
        "steps": steps(version, request),
        "timeline": timeline(version),
        "watched": class_figures.watched(version.metrics, known),
        "categories": class_table(version.metrics, known, Asked.of(request.GET)),
    }


def _back(request: HttpRequest, version: ModelVersion) -> HttpResponse:
    """Return to the page whose button was pressed: the model's, its comparison's, or the list."""
    ways = {
        "list": reverse("admin:classifier_modelversion_changelist"),
        "model": reverse("admin:classifier_modelversion_change", args=[version.pk]),
    }
    comparison = request.POST.get("comparison", "")
    if comparison.isdecimal():
        return redirect("admin:classifier_comparison_change", comparison)
    return redirect(ways.get(request.POST.get("back", ""), ways["model"]))


def promoted_sentence(done: promoting.Promoted) -> str:
    """Return what a promotion did, in plain words."""
    told = f"Model {done.champion.number} decides from now on."
    if done.retired:
        told += f" Model {done.retired.number} is retired; a rollback brings it back."
    if done.waiting_again:
        told += f" {done.waiting_again} conversations are decided once more."
    return told
