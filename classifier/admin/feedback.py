"""What people said about decisions, to read and to export."""

from django.contrib import admin
from django.utils.safestring import SafeString

from classifier.admin.base import ModelAdmin, ReadOnly, WithinRemit, ago, badge
from classifier.admin.category import PARENTS
from classifier.admin.category_choice import CategoryFilter
from classifier.admin.export import Exported
from classifier.admin.words import VERDICT_TONES
from classifier.models import Feedback


@admin.register(Feedback)
class FeedbackAdmin(WithinRemit, Exported, ReadOnly, ModelAdmin):
    export_sheet = "feedback"
    remit_path = "transcript__"
    list_display = ("conversation", "what", "said", "was", "source", "who", "state", "when")
    list_filter = (
        "verdict",
        "source",
        ("category", CategoryFilter),
        "said_at",
    )
    list_select_related = (f"category__{PARENTS}", f"decision__category__{PARENTS}")
    search_fields = ("thread__exact", "person", "person_name", "said_value")
    search_help_text = "The whole Case id, a person, or a value."
    when_empty = (
        "When somebody changes a contact reason in Salesforce, or answers through the API, it is "
        "kept here and the model learns from it. Nobody has said anything yet."
    )

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

    @admin.display(description="Who", ordering="person_name")
    def who(self, feedback: Feedback) -> str | None:
        return feedback.person_name or feedback.person or None

    @admin.display(description="What became of it")
    def state(self, feedback: Feedback) -> SafeString:
        if feedback.withdrawn_at:
            return badge("taken back", "plain")
        if feedback.settled_at is None:
            return badge("waits to be settled", "calm")
        if feedback.was_right is False:
            return badge("others came to another", "warn")
        if feedback.gold_label_id:
            return badge("gold label", "good")
        return badge(
            "no gold label", "plain", "It names no reason of ours, or people disagree."
        )

    @admin.display(description="When", ordering="said_at")
    def when(self, feedback: Feedback) -> SafeString | None:
        return ago(feedback.said_at)
