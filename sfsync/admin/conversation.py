"""What Salesforce adds to conversations, decisions and feedback: the Case's number and its page."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest

from classifier import exporting
from classifier.admin import DecisionAdmin, FeedbackAdmin, Link, TranscriptAdmin
from classifier.models import Decision, Feedback, Transcript
from sfsync.admin.case_page import case_url
from sfsync.models import CaseLink


class KnownAsCase:
    """Shows the Case number where the classifier knows only a thread; one subquery, no row each."""

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        number = CaseLink.objects.filter(case_id=OuterRef("thread")).values("case_number")[:1]
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        named: QuerySet[Any] = rows.annotate(known_as=Subquery(number))
        return named

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> "tuple[QuerySet[Any], bool]":
        """Find by Case number as well, with or without the zeros in front."""
        found, has_duplicates = super().get_search_results(request, queryset, search_term)  # type: ignore[misc]
        term = search_term.strip()
        if term.isdecimal():
            numbers = {term, term.zfill(8)}
            threads = CaseLink.objects.filter(case_number__in=numbers).values("case_id")
            found |= queryset.filter(thread__in=threads)
        return found, has_duplicates


exporting.NAMES.append(CaseLink.numbers_of)
admin.site.unregister([Transcript, Decision, Feedback])


@admin.register(Transcript)
class CaseTranscriptAdmin(KnownAsCase, TranscriptAdmin):
    search_help_text = "Case number, or the whole Case id (18 characters)."

    def links(self, transcript: Transcript) -> Sequence[Link]:
        case = CaseLink.objects.filter(case_id=transcript.thread).first()
        if case is None:
            return ()
        url = case_url(case.case_id)
        words = "Open the Case in Salesforce" if url else "This Case lives in the local org"
        return (Link(words, url),)

    def names(self, transcript: Transcript) -> str:
        number = getattr(transcript, "known_as", None)
        return f"Case {number}" if number else transcript.thread


@admin.register(Decision)
class CaseDecisionAdmin(KnownAsCase, DecisionAdmin):
    search_help_text = "Case number, or the whole Case id (18 characters)."


@admin.register(Feedback)
class CaseFeedbackAdmin(KnownAsCase, FeedbackAdmin):
    search_help_text = "Case number, Case id, a person, or a value."
