"""Keyword rules: the list, and the form that tells a rule back and tries it."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import ForeignKey
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from simple_history.admin import SimpleHistoryAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from classifier.admin.base import ModelAdmin, badge, percent
from classifier.admin.category import PARENTS, path_labels
from classifier.admin.exchange import WithTaxonomyFile
from classifier.admin.rule_form import BOXES, EXAMPLES, KeywordRuleForm, TrialForm, trial
from classifier.models import KeywordRule

PHRASES_LISTED = 3

EFFECTS = {
    KeywordRule.Effect.ASSIGN: ("assigns", "good"),
    KeywordRule.Effect.BOOST: ("makes likelier", "calm"),
    KeywordRule.Effect.VETO: ("rules out", "warn"),
}


@admin.register(KeywordRule)
class KeywordRuleAdmin(WithTaxonomyFile, SimpleHistoryAdmin, ModelAdmin):
    form = KeywordRuleForm
    list_display = (
        "name",
        "listens_for",
        "what",
        "category_label",
        "how_often_right",
        "is_active",
    )
    list_filter = ("is_active", "effect", ("category", AutocompleteSelectFilter))
    list_select_related = (f"category__{PARENTS}",)
    search_fields = ("name", "any_of", "all_of", "none_of", "category__label", "category__code")
    search_help_text = "Name, phrase or category."
    fieldsets = (
        (None, {"fields": ("name", "category", "effect", "strength", "is_active")}),
        (
            "What must be said",
            {"fields": ("any_of", "all_of", "none_of", ("speaker", "whole_word"))},
        ),
        (
            "Examples, tried whenever the rule is saved",
            {"fields": EXAMPLES},
        ),
    )
    change_form_after_template = "classifier/rule_trial.html"
    history_list_display = ("category", "effect", "is_active")
    actions = ("switch_on", "switch_off")
    when_empty = (
        "A keyword rule assigns a category when customers say certain words; it works from the "
        "first day, without any training. Add one above, or load the starter pack’s rules."
    )
    when_empty_command = "python manage.py load_starter_pack"

    def get_urls(self) -> list[URLPattern]:
        tried = path(
            "try/", self.admin_site.admin_view(self.try_view), name="classifier_keywordrule_try"
        )
        return [tried, *super().get_urls()]

    def try_view(self, request: HttpRequest) -> HttpResponse:
        """Answer the form as it stands with the rule in plain words, and tried on a text."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        answer = trial(TrialForm(request.POST))
        return TemplateResponse(request, "classifier/rule_trial_answer.html", {"trial": answer})

    def formfield_for_foreignkey(
        self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None and db_field.name == "category":
            labels = path_labels()
            field.label_from_instance = lambda category: labels[category.pk]
        return field

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name in {*BOXES, *EXAMPLES}:
            field.widget.attrs["rows"] = 4
        return field

    @admin.display(description="Listens for")
    def listens_for(self, rule: KeywordRule) -> str:
        wanted = [line.strip() for line in f"{rule.any_of}\n{rule.all_of}".splitlines()]
        phrases = [f"“{phrase}”" for phrase in wanted if phrase]
        more = len(phrases) - PHRASES_LISTED
        told = ", ".join(phrases[:PHRASES_LISTED])
        return f"{told} and {more} more" if more > 0 else told

    @admin.display(description="Effect", ordering="effect")
    def what(self, rule: KeywordRule) -> SafeString:
        return badge(*EFFECTS[KeywordRule.Effect(rule.effect)])

    @admin.display(description="Category", ordering="category__code")
    def category_label(self, rule: KeywordRule) -> str:
        return rule.category.path_label

    @admin.display(description="Strength", ordering="strength")
    def how_often_right(self, rule: KeywordRule) -> str | None:
        return percent(rule.strength)

    @admin.action(description="Switch on", permissions=["change"])
    def switch_on(self, request: HttpRequest, rules: Any) -> None:
        self._switch(request, rules, is_active=True)

    @admin.action(description="Switch off", permissions=["change"])
    def switch_off(self, request: HttpRequest, rules: Any) -> None:
        self._switch(request, rules, is_active=False)

    def _switch(self, request: HttpRequest, rules: Any, *, is_active: bool) -> None:
        changed = rules.exclude(is_active=is_active)
        for rule in changed:  # one by one, so that each switch stands in the rule's history
            rule.is_active = is_active
            rule.save()
        word = "on" if is_active else "off"
        self.message_user(request, f"{len(changed)} rules switched {word}.")
