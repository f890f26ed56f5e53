"""Conversations: the list, and the page that shows one with its evidence."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from classifier.admin.base import ModelAdmin, ReadOnly, ToldFilter, WithinRemit, ago, badge
from classifier.admin.conversation import conversation_page
from classifier.admin.shown_text import preview
from classifier.admin.words import doubt_in_words
from classifier.models import Transcript
from classifier.models.blindness import is_hidden_from


@dataclass(frozen=True, slots=True)
class Link:
    """A way from a conversation to the system it came from."""

    words: str
    url: str
    """Empty: there is nowhere to go; the words say why."""


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [
            ("waiting", "waiting for a decision"),
            ("current", "newest version"),
            ("earlier", "earlier version"),
            ("refused", "could not be read"),
        ]

    def queryset(
        self, request: HttpRequest, queryset: "QuerySet[Transcript]"
    ) -> "QuerySet[Transcript]":
        match self.value():
            case "waiting":
                return queryset.filter(
                    decided_at=None, superseded_at=None, purpose=Transcript.Purpose.DECIDE
                )
            case "current":
                return queryset.filter(superseded_at=None)
            case "earlier":
                return queryset.exclude(superseded_at=None)
            case "refused":
                return queryset.exclude(refused="")
            case _:
                return queryset


@admin.register(Transcript)
class TranscriptAdmin(WithinRemit, ReadOnly, ModelAdmin):
    list_display = ("conversation", "first_words", "state", "moment", "channel", "received")
    list_filter = (
        StateFilter,
        "purpose",
        "moment",
        ("channel", ToldFilter),
        ("language", ToldFilter),
    )
    list_per_page = 25
    search_fields = ("thread__exact",)
    search_help_text = "The whole Case id (18 characters)."
    ordering = ("-received_at",)
    when_empty = (
        "Conversations appear here as soon as they are pulled from Salesforce. Connect an org, "
        "then check that it answers:"
    )
    when_empty_command = "python manage.py check_salesforce"

    def links(self, transcript: Transcript) -> Sequence[Link]:
        """Return the ways out; the app that knows the other system adds its own."""
        return ()

    def names(self, transcript: Transcript) -> str:
        """Return what people call the conversation."""
        return transcript.thread

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Transcript]":
        rows: QuerySet[Transcript] = super().get_queryset(request)
        return rows.annotate(is_hidden=is_hidden_from(request.user))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        transcript = self.get_object(request, unquote(object_id))
        if transcript is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        if not self.has_view_permission(request, transcript):
            raise PermissionDenied
        page = conversation_page(
            transcript,
            is_blind=getattr(transcript, "is_hidden", False),
            decision_id=request.GET.get("decision", ""),
            is_whole="whole" in request.GET,
            asks_change="change" in request.GET,
        )
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": self.names(transcript),
            "title": self.names(transcript),
            "page": page,
            "links": () if page.is_blind else self.links(transcript),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "classifier/conversation.html", context)

    @admin.display(description="Conversation", ordering="thread")
    def conversation(self, transcript: Transcript) -> str:
        return getattr(transcript, "known_as", None) or transcript.thread

    @admin.display(description="First words")
    def first_words(self, transcript: Transcript) -> str:
        return preview(transcript.turns) or "(the customer said nothing)"

    @admin.display(description="State")
    def state(self, transcript: Transcript) -> SafeString:
        if transcript.refused:
            return badge("not readable", "bad", doubt_in_words(transcript.refused))
        if transcript.superseded_at:
            return badge("earlier version")
        if transcript.purpose == Transcript.Purpose.LEARN:
            return badge("to learn from", "calm")
        if transcript.decided_at:
            return badge("decided", "good")
        return badge("waiting", "warn")

    @admin.display(description="Received", ordering="received_at")
    def received(self, transcript: Transcript) -> SafeString | None:
        return ago(transcript.received_at)
