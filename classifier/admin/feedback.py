"""What people said about decisions, to read and to export."""

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from import_export.admin import ExportMixin
from import_export.fields import Field
from import_export.formats.base_formats import CSV, TextFormat
from import_export.resources import ModelResource
from tablib import Dataset  # type: ignore[import-untyped]
from unfold.contrib.import_export.forms import ExportForm

from classifier.admin.base import ModelAdmin, ReadOnly, ago, badge
from classifier.admin.category import PARENTS
from classifier.admin.words import VERDICT_TONES
from classifier.models import Feedback

# A cell that begins so is run as a formula by a spreadsheet program; the full-width forms are
# folded to these by some. See OWASP, CSV injection.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def harmless(cell: object) -> object:
    """Return ``cell`` so that a spreadsheet program shows it as text and runs nothing."""
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return f"'{cell}"
    return cell


class SpreadsheetCSV(CSV):
    """CSV whose cells cannot be formulas."""

    def export_data(self, dataset: Dataset, **kwargs: Any) -> Any:
        safe = Dataset(headers=dataset.headers)
        for row in dataset:
            safe.append([harmless(cell) for cell in row])
        return super().export_data(safe, **kwargs)


class JSONLines(TextFormat):
    """One JSON object per line."""

    CONTENT_TYPE = "application/x-ndjson"

    @classmethod
    def is_available(cls) -> bool:
        return True

    def get_title(self) -> str:
        return "jsonl"

    def get_extension(self) -> str:
        return "jsonl"

    def can_export(self) -> bool:
        return True

    def can_import(self) -> bool:
        return False

    def export_data(self, dataset: Dataset, **kwargs: Any) -> str:
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in dataset.dict)


class FeedbackResource(ModelResource):
    """One row per word of a person, with what had been decided and by which model."""

    case = Field("thread")
    said_at = Field()
    category = Field("category__code")
    decided = Field("decision__category__code")
    decided_by = Field("decision__source")
    model = Field("decision__model_version__number")

    class Meta:
        model = Feedback
        fields = (
            "case", "said_at", "verdict", "category", "said_value", "decided", "decided_by",
            "model", "source", "person", "note",
        )  # fmt: skip
        export_order = fields

    def dehydrate_said_at(self, feedback: Feedback) -> str:
        return feedback.said_at.isoformat()


@admin.register(Feedback)
class FeedbackAdmin(ReadOnly, ExportMixin, ModelAdmin):
    resource_classes = [FeedbackResource]
    export_form_class = ExportForm
    list_display = ("conversation", "what", "said", "was", "source", "person", "when")
    list_filter = (
        "verdict",
        "source",
        ("category", admin.RelatedOnlyFieldListFilter),
        "said_at",
    )
    list_select_related = (f"category__{PARENTS}", f"decision__category__{PARENTS}")
    search_fields = ("thread__exact", "person", "said_value")
    search_help_text = "The whole Case id, a person, or a value."
    when_empty = (
        "When somebody changes a contact reason in Salesforce, or answers through the API, it is "
        "kept here and the model learns from it. Nobody has said anything yet."
    )

    def get_export_formats(self) -> list[type[TextFormat]]:
        return [SpreadsheetCSV, JSONLines]

    def has_export_permission(self, request: HttpRequest) -> bool:
        # Taking everything away in one file is more than looking at it row by row.
        return request.user.has_perm("classifier.change_feedback")

    def get_export_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_export_queryset(request)
        return rows.select_related("category", "decision__category", "decision__model_version")

    @admin.display(description="Conversation", ordering="thread")
    def conversation(self, feedback: Feedback) -> str:
        return getattr(feedback, "known_as", None) or feedback.thread

    @admin.display(description="Verdict", ordering="verdict")
    def what(self, feedback: Feedback) -> SafeString:
        tone = VERDICT_TONES.get(feedback.verdict, "plain")  # type: ignore[call-overload]
        return badge(feedback.get_verdict_display(), tone)

    @admin.display(description="They say it is", ordering="category__code")
    def said(self, feedback: Feedback) -> str | None:
        if feedback.category is not None:
            return feedback.category.path_label
        return f"{feedback.said_value} (no category of ours)" if feedback.said_value else None

    @admin.display(description="We had said")
    def was(self, feedback: Feedback) -> str | None:
        if feedback.decision is None:
            return None
        category = feedback.decision.category
        return category.path_label if category else "a person should look"

    @admin.display(description="When", ordering="said_at")
    def when(self, feedback: Feedback) -> SafeString | None:
        return ago(feedback.said_at)
