"""The form of a keyword rule: mistakes beside their box, the rule told back, and tried on a text."""

from dataclasses import dataclass
from typing import Any

from django import forms

from classifier.admin.shown_text import Mark, Segment, segments
from classifier.engine.errors import RuleInvalid
from classifier.engine.grammar import ANYBODY, Condition, Effect, explain
from classifier.engine.rules import Rule, RuleBook
from classifier.engine.text import Speaker, Transcript, Turn
from classifier.models import Category, KeywordRule

BOXES = ("any_of", "all_of", "none_of")
EXAMPLES = ("must_match", "must_not_match")
TRIED_CHARACTERS = 20_000  # some ten pages: more is a file, not a text to try a rule on


class KeywordRuleForm(forms.ModelForm[KeywordRule]):
    """Refuses what the rule language does not know, in the box where it stands."""

    def clean(self) -> dict[str, Any]:
        """Refuse what the rule language does not know, and examples that the rule fails."""
        cleaned = super().clean() or {}
        if set(self.errors) & {*BOXES, *EXAMPLES, "speaker"}:
            return cleaned
        written = ("speaker", "whole_word", *BOXES, *EXAMPLES)
        rule = KeywordRule(
            name="this rule",
            category=Category(code="this category"),
            **{name: cleaned[name] for name in written if name in cleaned},
        )
        for field, mistake in rule.mistakes():
            self.add_error(field if field in self.fields else None, mistake)
        return cleaned


def condition_of(values: dict[str, Any]) -> Condition:
    """Return the condition of a form's (cleaned) values.

    Raises:
        RuleInvalid: with the box, the line and what to do.
    """
    return Condition.from_lines(
        values.get("any_of") or "",
        values.get("all_of") or "",
        values.get("none_of") or "",
        values.get("speaker") or ANYBODY,
        whole_word=bool(values.get("whole_word")),
    )


def sentence(refusal: str) -> str:
    return f"{refusal[:1].upper()}{refusal[1:].rstrip('.')}."


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule says, and what it did with a pasted text."""

    explanation: str = ""
    mistake: str = ""
    is_tried: bool = False
    has_matched: bool = False
    segments: tuple[Segment, ...] = ()
    consequence: str = ""


class TrialForm(forms.Form):
    """The rule form as it is typed, saved or not, and the text to try it on."""

    name = forms.CharField(required=False, max_length=120)
    category = forms.ModelChoiceField(Category.objects.with_parents(), required=False)
    any_of = forms.CharField(required=False, strip=False)
    all_of = forms.CharField(required=False, strip=False)
    none_of = forms.CharField(required=False, strip=False)
    speaker = forms.CharField(required=False)
    whole_word = forms.BooleanField(required=False)
    effect = forms.ChoiceField(choices=KeywordRule.Effect, required=False)
    try_text = forms.CharField(required=False, strip=False, max_length=TRIED_CHARACTERS)


def trial(form: TrialForm) -> Trial:
    """Return the rule in plain words and what it finds in the text, or the first mistake."""
    if not form.is_valid():
        if "try_text" in form.errors:
            return Trial(mistake=f"Paste at most {TRIED_CHARACTERS:,} characters.")
        return Trial(mistake="Choose one of the categories and effects offered.")
    values = form.cleaned_data
    if not any(values[box].strip() for box in BOXES):
        return Trial()
    try:
        condition = condition_of(values)
    except RuleInvalid as refusal:
        return Trial(mistake=sentence(str(refusal)))
    effect = Effect(values["effect"] or Effect.ASSIGN)
    label = values["category"].path_label if values["category"] else "(no category chosen yet)"
    told = explain(condition, effect, label)
    if not values["try_text"].strip():
        return Trial(explanation=told)
    return _tried(Rule("this rule", label, condition, effect), told, values["try_text"])


def _tried(rule: Rule, told: str, text: str) -> Trial:
    # A pasted text has no speakers: it counts as said by whomever the rule listens to.
    speaker = rule.condition.speaker or Speaker.CUSTOMER
    hits = RuleBook([rule]).match(Transcript((Turn(speaker, text),)))
    marks = [
        Mark(span.start, span.end, "The rule found this.", is_rule=True)
        for hit in hits
        for span in hit.spans
    ]
    return Trial(
        explanation=told,
        is_tried=True,
        has_matched=bool(hits),
        segments=tuple(segments(text, marks)),
        consequence=_CONSEQUENCES[rule.effect].format(rule.category),
    )


_CONSEQUENCES = {
    Effect.ASSIGN: "It would assign {}.",
    Effect.BOOST: "It would make {} more likely.",
    Effect.VETO: "It would rule out {}.",
}
