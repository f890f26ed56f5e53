"""Trained models: how good they are, which one decides, and the switch to another."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from classifier import leases, promoting
from classifier.admin.base import ModelAdmin, ReadOnly, ago, badge
from classifier.admin.words import STAGE_TONES
from classifier.models import ModelVersion

METRICS = {
    "micro_f1": "Micro-F1",
    "coverage": "Decided alone",
    "precision": "Right when it decides alone",
    "target_precision": "Aimed at, when it decides alone",
    "accuracy": "Accuracy",
    "accuracy_at_threshold": "Accuracy, unsure counted as wrong",
    "macro_f1": "Macro-F1",
    "ece": "Calibration error",
    "oos_recall": "Out of scope recognised",
    "mcc": "Matthews correlation",
    "mcc_best": "Matthews correlation, best threshold",
    "test": "Held-out labels",
}
TRAINED = {"train": "Training labels", "test": "Held-out labels", "labels": "Categories"}
LISTED = 3  # of the measures, in their order
NOT_SHARES = {"test", "mcc", "mcc_best"}


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
    fields = (
        "called", "stage_badge", "measured", "trained_with", "made_how", "size", "sha256",
        "created_at", "promoted_at", "promoted_by",
    )  # fmt: skip
    readonly_fields = (
        "called",
        "stage_badge",
        "measured",
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

    def has_promote_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("classifier.change_modelversion")

    @admin.action(description="Let this model decide (promote)", permissions=["promote"])
    def promote(self, request: HttpRequest, versions: "QuerySet[ModelVersion]") -> None:
        if versions.count() != 1:
            self.message_user(request, "Select one model to promote.", messages.WARNING)
            return
        try:
            done = promoting.promote(
                versions.get(), at=leases.now(), by=request.user.get_username()
            )
        except promoting.CannotServe as refusal:
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

    @admin.display(description="Measured on held-out labels")
    def quality(self, version: ModelVersion) -> str:
        known = [
            f"{METRICS[key]} {shown(key, value)}" for key, value in figures(version.metrics)
        ]
        return ", ".join(known[:LISTED]) or "not measured"

    @admin.display(description="Measured on held-out labels")
    def measured(self, version: ModelVersion) -> SafeString:
        return table(version.metrics, METRICS)

    @admin.display(description="Trained with")
    def trained_with(self, version: ModelVersion) -> SafeString:
        return table(version.trained_on, TRAINED)

    @admin.display(description="Recipe")
    def made_how(self, version: ModelVersion) -> SafeString:
        return table(version.recipe, {})

    @admin.display(description="Trained on")
    def examples(self, version: ModelVersion) -> str | None:
        number = version.trained_on.get("train")
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


def promoted_sentence(done: promoting.Promoted) -> str:
    """Return what a promotion did, in plain words."""
    told = f"Model {done.champion.number} decides from now on."
    if done.retired:
        told += f" Model {done.retired.number} is retired and can be promoted again."
    if done.waiting_again:
        told += f" {done.waiting_again} conversations are decided once more."
    return told


def figures(metrics: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Return the measures that have a name here, in the order of ``METRICS``."""
    return [(key, metrics[key]) for key in METRICS if isinstance(metrics.get(key), int | float)]


def shown(key: str, value: object) -> str:
    """Return a figure as people read it: shares in per cent, the rest as it is."""
    if value is None:
        return "–"
    if isinstance(value, float) and key in METRICS.keys() - NOT_SHARES:
        return f"{value:.1%}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def table(values: Mapping[str, Any], names: Mapping[str, str]) -> SafeString:
    """Return a small table of what was measured or set; nested values are left out."""
    plain = {key: value for key, value in values.items() if not isinstance(value, dict | list)}
    ordered = [key for key in names if key in plain] + [
        key for key in plain if key not in names
    ]
    rows = [
        (names.get(key, key.replace("_", " ").capitalize()), shown(key, plain[key]))
        for key in ordered
    ]
    body = format_html_join("", "<tr><th>{}</th><td>{}</td></tr>", rows)
    return format_html('<table class="cr-facts">{}</table>', body) if rows else SafeString("–")
