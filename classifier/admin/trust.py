"""How far people's words are believed: their records, and what an administrator fixes."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminSelectWidget as Select

from classifier.admin.base import ModelAdmin, badge, percent
from classifier.models import Feedback, Trust
from classifier.models.trust import TrustBook

SOURCES = dict(Feedback.Source.choices)


@admin.register(Trust)
class TrustAdmin(ModelAdmin):
    list_display = ("who", "where", "settled", "right", "believed", "fixed_badge")
    list_filter = ("source",)
    search_fields = ("person__exact", "person_name")
    search_help_text = "A name, or the whole id or username."
    fields = ("who", "where", "person", "settled", "right", "believed", "fixed")
    readonly_fields = ("who", "where", "person", "settled", "right", "believed")
    ordering = ("source", "-settled", "person")
    when_empty = (
        "As soon as two people have said what the same conversation is about, it is counted here "
        "how often each of them was right. Until then a person’s word counts as much as people of "
        "the same source usually deserve."
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(
            self.has_change_permission(request)
        )  # to fix somebody before they have a record

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.fields if obj else ("source", "person", "fixed")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.readonly_fields if obj else ()

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "source":
            return forms.ChoiceField(choices=Feedback.Source.choices, widget=Select)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        self._share_out(changelist.result_list)
        return changelist

    def _share_out(self, rows: Any) -> None:
        """Look up once for the page what everybody of a source begins with."""
        book = TrustBook.of({(row.source, row.person) for row in rows})
        for row in rows:
            row.believed_share = book.share(row.source, row.person)

    @admin.display(description="Who", ordering="person_name")
    def who(self, trust: Trust) -> str:
        if not trust.person:
            return "Whoever has no name here, and the start for everybody else"
        return trust.person_name or trust.person

    @admin.display(description="Where", ordering="source")
    def where(self, trust: Trust) -> str:
        return SOURCES.get(trust.source, trust.source)

    @admin.display(description="Believed")
    def believed(self, trust: Trust) -> str | None:
        share = getattr(trust, "believed_share", None)
        if share is None:
            share = TrustBook.of({(trust.source, trust.person)}).share(
                trust.source, trust.person
            )
        return percent(share)

    @admin.display(description="Fixed", ordering="fixed")
    def fixed_badge(self, trust: Trust) -> SafeString | str:
        if trust.fixed is None:
            return "–"
        words = "never counts" if trust.fixed == 0 else f"always {trust.fixed:.0%}"
        return badge(words, "warn" if trust.fixed == 0 else "calm", "Set by an administrator.")
