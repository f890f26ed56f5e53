"""Keyword rules: the list, and the form that tells a rule back and tries it."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import ForeignKey
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from simple_history.admin import SimpleHistoryAdmin

from classifier import measuring
from classifier.admin.base import ModelAdmin, badge
from classifier.admin.category import PARENTS
from classifier.admin.category_choice import CategoryFilter, in_box
from classifier.admin.errand import KINDS, Kind
from classifier.admin.exchange import WithTaxonomyFile
from classifier.admin.rule_form import BOXES, EXAMPLES, KeywordRuleForm, TrialForm, trial
from classifier.engine.errors import RuleInvalid
from classifier.models import KeywordRule

PHRASES_LISTED = 3
TEXT_LISTED = 100
MOSTLY = 0.9  # of what it finds: shown in green

EFFECTS = {
    KeywordRule.Effect.ASSIGN: ("assigns", "good"),
    KeywordRule.Effect.BOOST: ("makes likelier", "calm"),
    KeywordRule.Effect.PENALISE: ("makes less likely", "calm"),
    KeywordRule.Effect.VETO: ("rules out", "warn"),
    KeywordRule.Effect.REVIEW: ("lets a person look", "warn"),
}

KINDS[measuring.ERRAND] = Kind("Measure rules on gold labels")


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
    list_filter = ("is_active", "effect", "is_certain", ("category", CategoryFilter))
    list_select_related = (f"category__{PARENTS}",)
    search_fields = ("name", "any_of", "all_of", "none_of", "category__label", "category__code")
    search_help_text = "Name, phrase or category."
    fieldsets = (
        (
            None,
            {"fields": ("name", "category", "effect", "is_certain", "measured", "is_active")},
        ),
        ("What must be said", {"fields": ("written_in",), "classes": ("cr-rule-way",)}),
        (None, {"fields": ("text",), "classes": ("cr-rule-language",)}),
        (
            None,
            {
                "fields": ("any_of", "all_of", "none_of", ("speaker", "whole_word")),
                "classes": ("cr-rule-boxes",),
            },
        ),
        (
            "Examples, tried whenever the rule is saved",
            {"fields": EXAMPLES},
        ),
    )
    readonly_fields = ("measured",)
    list_before_template = "classifier/rules_top.html"
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

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        top = {"together": measuring.together()}
        page: HttpResponse = super().changelist_view(request, {**top, **(extra_context or {})})
        return page

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
        if db_field.name == "category":
            kwargs |= in_box(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name in {*BOXES, *EXAMPLES}:
            field.widget.attrs["rows"] = 4
        return field

    def save_model(
        self, request: HttpRequest, obj: KeywordRule, form: KeywordRuleForm, change: Any
    ) -> None:
        if form.says_something_else:
            obj.forget_record()
        super().save_model(request, obj, form, change)
        if obj.measured_at is not None:
            if form.has_changed():  # as strong as before, but it may be off, or certain, now
                measuring.measure_waiting_later(at=timezone.now(), by=request.user)
        elif not measuring.measure_changed(obj, at=timezone.now(), by=request.user):
            self.message_user(request, "A worker measures it on the gold labels now.")

    @admin.display(description="Right on labels")
    def measured(self, rule: KeywordRule) -> SafeString:
        return render_to_string("classifier/rule_record.html", {"rule": rule})

    @admin.display(description="Listens for")
    def listens_for(self, rule: KeywordRule) -> str:
        if rule.expression is not None:
            return _shortened(rule)
        wanted = [line.strip() for line in f"{rule.any_of}\n{rule.all_of}".splitlines()]
        phrases = [f"“{phrase}”" for phrase in wanted if phrase]
        more = len(phrases) - PHRASES_LISTED
        told = ", ".join(phrases[:PHRASES_LISTED])
        return f"{told} and {more} more" if more > 0 else told

    @admin.display(description="Effect", ordering="effect")
    def what(self, rule: KeywordRule) -> SafeString:
        effect = KeywordRule.Effect(rule.effect)
        if effect is KeywordRule.Effect.ASSIGN and rule.is_certain:
            return badge("assigns, certain", "good")
        return badge(*EFFECTS[effect])

    @admin.display(description="Category", ordering="category__code")
    def category_label(self, rule: KeywordRule) -> str:
        return rule.category.path_label

    @admin.display(
        description="Right on labels", ordering="strength", empty_value="not measured"
    )
    def how_often_right(self, rule: KeywordRule) -> SafeString | str | None:
        if rule.measured_at is None:
            return None
        record = rule.record
        if record is None:
            return "found none"
        counts = f"{rule.labels_right:,} of {rule.labels_found:,}"
        if record.is_overtaken:
            return badge(f"{counts}; the model does better", "warn")
        return badge(counts, "good" if record.strength.share >= MOSTLY else "plain")

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
        if changed:  # the rules are as strong as before, but not what they and the model do
            measuring.measure_waiting_later(at=timezone.now(), by=request.user)
        word = "on" if is_active else "off"
        self.message_user(request, f"{len(changed)} rules switched {word}.")


def _shortened(rule: KeywordRule) -> str:
    """Return the beginning of a rule of the rule language."""
    try:
        text = rule.text
    except RuleInvalid as refusal:
        return f"cannot be read: {refusal}"
    return text if len(text) <= TEXT_LISTED else f"{text[:TEXT_LISTED].rstrip()}…"
