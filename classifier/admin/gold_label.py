"""Settled truth: what we train and measure on."""

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from classifier.admin.base import ModelAdmin, ReadOnly, WithinRemit, ago, percent
from classifier.admin.category import PARENTS
from classifier.admin.export import Exported
from classifier.admin.shown_text import preview
from classifier.models import GoldLabel, GoldReason, ModelVersion
from classifier.models.trust import TrustBook


class LooksWrong(admin.SimpleListFilter):
    """Narrows to the labels that the newest training doubts."""

    title = "doubt"
    parameter_name = "doubt"

    def lookups(self, _request: HttpRequest, _admin: object) -> list[tuple[str, str]]:
        return [("suspect", "Looks wrong"), ("contradiction", "Same words, other label")]

    def queryset(
        self, _request: HttpRequest, rows: "QuerySet[GoldLabel]"
    ) -> "QuerySet[GoldLabel]":
        if self.value() == "suspect":
            return rows.filter(transcript__digest__in=_newest_doubts()["suspects"])
        if self.value() == "contradiction":
            return rows.filter(transcript__digest__in=_newest_doubts()["contradictions"])
        return rows


def _newest_doubts() -> dict[str, list[str]]:
    """Return the digests of the words that the newest training doubts the labels of."""
    newest = ModelVersion.objects.order_by("-number").values_list("trained_on", flat=True)
    told = newest.first() or {}
    return {
        "suspects": [key for key, _ in told.get("suspects", ())],
        "contradictions": [key for keys in told.get("contradictions", ()) for key in keys],
    }


@admin.register(GoldLabel)
class GoldLabelAdmin(WithinRemit, Exported, ReadOnly, ModelAdmin):
    export_sheet = "gold_labels"
    remit_path = "transcript__"
    list_display = ("first_words", "truth", "split", "source", "agreed", "settled")
    list_filter = (LooksWrong, "split", "source")
    list_select_related = ("transcript",)
    search_fields = ("thread__exact",)
    search_help_text = "The whole Case id."
    fields = (
        "transcript", "truth", "split", "source", "thread", "agreed", "said_by", "settled_at",
    )  # fmt: skip
    readonly_fields = ("truth", "agreed", "said_by")
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

    @admin.display(description="Agreement", ordering="agreement")
    def agreed(self, label: GoldLabel) -> str | None:
        return percent(label.agreement)

    @admin.display(description="Who said what")
    def said_by(self, label: GoldLabel) -> SafeString | str:
        words = list(
            label.feedback.counted()
            .select_related(f"category__{PARENTS}")
            .prefetch_related(f"reasons__category__{PARENTS}")
            .order_by("said_at")
        )
        if not words:
            return "Nobody here: the label came from a file."
        book = TrustBook.of({(word.source, word.person) for word in words})
        return format_html(
            '<div class="cr-scroll"><table class="cr-facts"><tr><th>Who</th><th>Where</th>'
            "<th>Says it is</th><th>When</th><th>Trust</th></tr>{}</table></div>",
            format_html_join(
                "",
                '<tr><td><a class="cr-link" href="{}">{}</a></td><td>{}</td><td>{}</td>'
                "<td>{}</td><td>{}</td></tr>",
                [
                    (
                        reverse("admin:classifier_feedback_change", args=[word.pk]),
                        word.person_name or word.person or "somebody",
                        word.get_source_display(),
                        ", ".join(one.path_label for one in word.named)
                        or word.get_verdict_display(),
                        ago(word.said_at),
                        percent(book.share(word.source, word.person)),
                    )
                    for word in words
                ],
            ),
        )

    @admin.display(description="Settled", ordering="settled_at")
    def settled(self, label: GoldLabel) -> SafeString | None:
        return ago(label.settled_at)
