"""Settled truth: what we train and measure on."""

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from classifier.admin.base import ModelAdmin, ReadOnly, WithinRemit, ago
from classifier.admin.category import PARENTS
from classifier.admin.export import Exported
from classifier.admin.shown_text import preview
from classifier.models import GoldLabel, GoldReason


@admin.register(GoldLabel)
class GoldLabelAdmin(WithinRemit, Exported, ReadOnly, ModelAdmin):
    export_sheet = "gold_labels"
    remit_path = "transcript__"
    list_display = ("first_words", "truth", "split", "source", "settled")
    list_filter = ("split", "source")
    list_select_related = ("transcript",)
    fields = ("transcript", "truth", "split", "source", "settled_at")
    readonly_fields = ("truth",)
    when_empty = (
        "Gold labels are conversations whose true reason is settled; the model is trained and "
        "measured on them. Import yours, one JSON object per line:"
    )
    when_empty_command = "python manage.py import_gold FILE --create-categories"

    def get_queryset(self, request: HttpRequest) -> "QuerySet[GoldLabel]":
        rows: QuerySet[GoldLabel] = super().get_queryset(request)
        return rows.prefetch_related(
            Prefetch(
                "reasons",
                GoldReason.objects.select_related(f"category__{PARENTS}"),
            )
        )

    @admin.display(description="First words")
    def first_words(self, label: GoldLabel) -> str:
        return preview(label.transcript.turns) or "(the customer said nothing)"

    @admin.display(description="Contact reasons")
    def truth(self, label: GoldLabel) -> str:
        labels = [reason.category.path_label for reason in label.reasons.all()]
        return ", ".join(labels) or "out of scope"

    @admin.display(description="Settled", ordering="settled_at")
    def settled(self, label: GoldLabel) -> SafeString | None:
        return ago(label.settled_at)
