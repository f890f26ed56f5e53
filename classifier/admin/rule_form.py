"""The form of a keyword rule: in boxes or in the rule language, told back and tried at every change."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminRadioSelectWidget

from classifier.admin.base import Textarea
from classifier.admin.shown_text import Mark, Segment, segments
from classifier.engine import rule_trial
from classifier.engine.errors import RuleInvalid
from classifier.engine.grammar import ANYBODY, Condition, Effect, explain
from classifier.engine.rulelang import Expression, parse, says, to_json
from classifier.engine.rules import Rule, RuleBook
from classifier.engine.text import Speaker, Transcript, Turn
from classifier.models import Category, KeywordRule

BOXES = ("any_of", "all_of", "none_of")
EXAMPLES = ("must_match", "must_not_match")
TRIED_CHARACTERS = 20_000  # some ten pages: more is a file, not a text to try a rule on
IN_BOXES, IN_LANGUAGE = "boxes", "language"
WAYS = ((IN_BOXES, "phrases in boxes"), (IN_LANGUAGE, "the rule language"))
_SAID_BY = re.compile(r"(?im)^[ \t]*(customer|representative|agent|bot)[ \t]*:[ \t]*")


class RuleText(Textarea):
    """The box of the rule language, with room beside it where the rule is told back."""

    template_name = "classifier/rule_text.html"


class KeywordRuleForm(forms.ModelForm[KeywordRule]):
    """Refuses what the rule language does not know, in the box where it stands."""

    written_in = forms.ChoiceField(
        label="Written as",
        choices=WAYS,
        required=False,
        widget=UnfoldAdminRadioSelectWidget(radio_style=1),
    )
    text = forms.CharField(
        label="The rule",
        required=False,
        widget=RuleText(attrs={"rows": 6, "spellcheck": "false", "dir": "auto"}),
        help_text="For example: all(words(&quot;refund&quot;, &quot;money back&quot;),"
        " none(&quot;refund policy&quot;)). Saving it empties the boxes.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rule = self.instance
        is_typed = rule.expression is not None
        self.initial.setdefault("written_in", IN_LANGUAGE if is_typed else IN_BOXES)
        if rule.pk:
            self.initial.setdefault("text", _text_of(rule))

    def clean(self) -> dict[str, Any]:
        """Refuse what the rule language does not know, and examples that the rule fails."""
        cleaned = super().clean() or {}
        if set(self.errors) & {*BOXES, *EXAMPLES, "speaker", "text", "written_in"}:
            return cleaned
        written = ("speaker", "whole_word", *BOXES, *EXAMPLES)
        values = {name: cleaned[name] for name in written if name in cleaned}
        if cleaned.get("written_in") == IN_LANGUAGE:
            values |= dict.fromkeys(BOXES, "")
        try:
            expression = expression_of(cleaned)
        except RuleInvalid as refusal:
            self.add_error("text", sentence(str(refusal)))
            return cleaned
        stored = None if expression is None else to_json(expression)
        rule = KeywordRule(
            name="this rule",
            category=Category(code="this category"),
            expression=stored,
            **values,
        )
        for field, mistake in rule.mistakes():
            box = "text" if field == "expression" else field
            self.add_error(box if box in self.fields else None, mistake)
        self.instance.expression = stored
        return cleaned | values

    @property
    def says_something_else(self) -> bool:
        """Whether the rule finds or does something else than when it was opened."""
        way = self.cleaned_data.get("written_in") or IN_BOXES
        words = {"text"} if way == IN_LANGUAGE else {*BOXES, "speaker", "whole_word"}
        is_rewritten = way != self.initial["written_in"]
        return is_rewritten or bool({"category", "effect", *words} & set(self.changed_data))


def _text_of(rule: KeywordRule) -> str:
    try:
        return rule.text
    except RuleInvalid:
        return ""


def expression_of(values: Mapping[str, Any]) -> Expression | None:
    """Return the expression of a form's (cleaned) values; None: the boxes are the rule.

    Raises:
        RuleInvalid: with the place, what was expected there and an example.
    """
    if values.get("written_in") != IN_LANGUAGE:
        return None
    return says(parse(values.get("text") or ""))


def condition_of(values: Mapping[str, Any]) -> Condition | Expression:
    """Return what must hold, of a form's (cleaned) values.

    Raises:
        RuleInvalid: with the box, the line and what to do.
    """
    expression = expression_of(values)
    if expression is not None:
        return expression
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
class TriedTurn:
    """What one speaker said in the pasted text, with what the rule found in it."""

    who: str
    """Empty: the text does not say."""
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule says, how it treats its examples, and what it did with a pasted text."""

    explanation: str = ""
    mistake: str = ""
    failures: tuple[str, ...] = ()
    examples: int = 0
    is_tried: bool = False
    has_matched: bool = False
    turns: tuple[TriedTurn, ...] = ()
    consequence: str = ""

    @property
    def segments(self) -> tuple[Segment, ...]:
        return tuple(segment for turn in self.turns for segment in turn.segments)


class TrialForm(forms.Form):
    """The rule form as it is typed, saved or not, and the text to try it on."""

    name = forms.CharField(required=False, max_length=120)
    category = forms.ModelChoiceField(Category.objects.with_parents(), required=False)
    written_in = forms.ChoiceField(choices=WAYS, required=False)
    text = forms.CharField(required=False, strip=False)
    any_of = forms.CharField(required=False, strip=False)
    all_of = forms.CharField(required=False, strip=False)
    none_of = forms.CharField(required=False, strip=False)
    speaker = forms.CharField(required=False)
    whole_word = forms.BooleanField(required=False)
    effect = forms.ChoiceField(choices=KeywordRule.Effect, required=False)
    is_certain = forms.BooleanField(required=False)
    must_match = forms.CharField(required=False, strip=False)
    must_not_match = forms.CharField(required=False, strip=False)
    try_text = forms.CharField(required=False, strip=False, max_length=TRIED_CHARACTERS)


def trial(form: TrialForm) -> Trial:
    """Return the rule in plain words and what it finds in the text, or the first mistake."""
    if not form.is_valid():
        if "try_text" in form.errors:
            return Trial(mistake=f"Paste at most {TRIED_CHARACTERS:,} characters.")
        return Trial(mistake="Choose one of the categories and effects offered.")
    values = form.cleaned_data
    boxes = ("text",) if values["written_in"] == IN_LANGUAGE else BOXES
    if not any(values[box].strip() for box in boxes):
        return Trial()
    label = values["category"].path_label if values["category"] else "(no category chosen yet)"
    try:
        condition = condition_of(values)
        effect = Effect(values["effect"] or Effect.ASSIGN)
        rule = Rule("this rule", label, condition, effect, is_certain=values["is_certain"])
        failed = tuple(
            f"{'Must match' if one.must_match else 'Must not match'}, {str(one)[:1].lower()}"
            f"{str(one)[1:]}"
            for one in rule_trial.failures(rule, values["must_match"], values["must_not_match"])
        )
        return _tried(rule, explain(condition, effect, label), failed, values)
    except RuleInvalid as refusal:
        return Trial(mistake=sentence(str(refusal)))


def _tried(rule: Rule, told: str, failed: tuple[str, ...], values: Mapping[str, Any]) -> Trial:
    count = sum(bool(line.strip()) for box in EXAMPLES for line in values[box].splitlines())
    if not values["try_text"].strip():
        return Trial(explanation=told, failures=failed, examples=count)
    turns = _turns(values["try_text"], rule_trial.listens_to(rule.condition))
    hits = RuleBook([rule]).match(Transcript(tuple(turn for turn, _ in turns)))
    shown = []
    for number, (turn, who) in enumerate(turns):
        marks = [
            Mark(span.start, span.end, "The rule found this.", is_rule=True)
            for hit in hits
            for span in hit.spans
            if span.turn == number
        ]
        shown.append(TriedTurn(who, tuple(segments(turn.text, marks))))
    return Trial(
        explanation=told,
        failures=failed,
        examples=count,
        is_tried=True,
        has_matched=bool(hits),
        turns=tuple(shown),
        consequence=_consequence(rule),
    )


def _turns(text: str, otherwise: Speaker) -> list[tuple[Turn, str]]:
    """Return what was said and by whom: lines may begin with “Customer:”, “Bot:” and so on."""
    starts = list(_SAID_BY.finditer(text))
    if not starts:
        return [(Turn(otherwise, text), "")]
    turns = []
    if before := text[: starts[0].start()].strip():
        turns.append((Turn(otherwise, before), str(otherwise).capitalize()))
    ends = [*(start.start() for start in starts[1:]), len(text)]
    for start, end in zip(starts, ends, strict=True):
        who = start.group(1).lower()
        speaker = Speaker.REPRESENTATIVE if who == "agent" else Speaker(who)
        turns.append(
            (Turn(speaker, text[start.end() : end].strip()), str(speaker).capitalize())
        )
    return turns


def _consequence(rule: Rule) -> str:
    if rule.effect is Effect.ASSIGN and rule.is_certain:
        return f"It would assign {rule.category}."
    return _CONSEQUENCES[rule.effect].format(rule.category)


_CONSEQUENCES = {
    Effect.ASSIGN: "It would assign {}, once labels show that it is right often enough.",
    Effect.BOOST: "It would make {} more likely.",
    Effect.PENALISE: "It would make {} less likely.",
    Effect.VETO: "It would rule out {}.",
    Effect.REVIEW: "It would let a person look, who may find {}.",
}
