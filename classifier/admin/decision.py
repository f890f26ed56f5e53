"""Decisions: what we hold conversations to be about, and who said so."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString

from classifier.admin.base import ModelAdmin, ReadOnly, WithinRemit, ago, badge, percent
from classifier.admin.blind import hidden
from classifier.admin.category import PARENTS
from classifier.admin.category_choice import CategoryFilter
from classifier.admin.export import Exported
from classifier.admin.reasons import ReasonPages, ReportedReasonFilter
from classifier.admin.shown_text import preview
from classifier.admin.words import SOURCE_TONES, doubt_in_words
from classifier.models import Decision
from classifier.models.blindness import is_hidden_from, without_hidden


class StandingFilter(admin.SimpleListFilter):
    """Shows what stands now, unless asked for all."""

    title = "version"
    parameter_name = "version"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("all", "all, also replaced ones")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            is_default = choice["query_string"] == changelist.get_query_string(
                remove=[self.parameter_name]
            )
            yield {**choice, "display": "what stands now"} if is_default else choice

    def queryset(
        self, request: HttpRequest, queryset: "QuerySet[Decision]"
    ) -> "QuerySet[Decision]":
        return queryset if self.value() == "all" else queryset.filter(superseded_at=None)


class WaitingFilter(admin.SimpleListFilter):
    title = "waiting for a person"
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("yes", "yes"), ("no", "no")]

    def queryset(
        self, request: HttpRequest, queryset: "QuerySet[Decision]"
    ) -> "QuerySet[Decision]":
        if self.value() is None:
            return queryset
        return queryset.filter(category__isnull=self.value() == "yes")


TELLS_NOTHING = {"p", "q", "all", StandingFilter.parameter_name}
"""What the list may be asked with while rows of open blind audits stand in it."""


@admin.register(Decision)
class DecisionAdmin(ReasonPages, WithinRemit, Exported, ReadOnly, ModelAdmin):
    export_sheet = "decisions"
    list_display = ("conversation", "first_words", "reason", "by", "how_sure", "decided")
    list_filter = (
        StandingFilter,
        WaitingFilter,
        ReportedReasonFilter,
        "source",
        ("category", CategoryFilter),
        "is_audit",
        "decided_at",
    )
    list_select_related = ("transcript", f"category__{PARENTS}")
    list_per_page = 25
    search_fields = ("thread__exact",)
    search_help_text = "The whole Case id (18 characters)."
    ordering = ("-decided_at", "-id")
    when_empty = (
        "As soon as a conversation is decided, its reason appears here. Conversations come from "
        "Salesforce; this does one round by hand:"
    )
    when_empty_command = "python manage.py sync --once"

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Decision]":
        rows: QuerySet[Decision] = super().get_queryset(request)
        if request.GET.keys() - TELLS_NOTHING:  # what is found by its verdict, tells it
            rows = without_hidden(rows, request.user)
        return rows.annotate(is_hidden=is_hidden_from(request.user))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        decision = self.get_object(request, object_id)
        if decision is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        page = reverse("admin:classifier_transcript_change", args=[decision.transcript_id])
        return HttpResponseRedirect(f"{page}?decision={decision.pk}")

    @admin.display(description="Conversation", ordering="thread")
    def conversation(self, decision: Decision) -> str:
        return getattr(decision, "known_as", None) or decision.thread

    @admin.display(description="First words")
    def first_words(self, decision: Decision) -> str:
        return preview(decision.transcript.turns, 70) or "(the customer said nothing)"

    @admin.display(description="Contact reason", ordering="category__code")
    def reason(self, decision: Decision) -> str | SafeString:
        if getattr(decision, "is_hidden", False):
            return hidden()
        if decision.category is None:
            return badge("a person should look", "warn", doubt_in_words(decision.doubt))
        return decision.category.path_label

    @admin.display(description="Decided by", ordering="source")
    def by(self, decision: Decision) -> SafeString | None:
        if getattr(decision, "is_hidden", False):
            return None
        tone = SOURCE_TONES.get(decision.source, "plain")  # type: ignore[call-overload]
        return badge(decision.get_source_display(), tone)

    @admin.display(description="Confidence", ordering="confidence")
    def how_sure(self, decision: Decision) -> str | None:
        if getattr(decision, "is_hidden", False):
            return None
        return percent(decision.confidence)

    @admin.display(description="When", ordering="decided_at")
    def decided(self, decision: Decision) -> SafeString | None:
        return ago(decision.decided_at)
