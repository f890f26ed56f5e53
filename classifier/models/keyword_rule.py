"""A keyword rule: a condition on the words said, with an effect on a category."""

import logging
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from classifier.engine import grammar, rule_trial
from classifier.engine.chance import Paired
from classifier.engine.errors import RuleInvalid
from classifier.engine.rulelang import Expression, from_json, says, to_text, wording
from classifier.engine.rules import Rule
from classifier.engine.strength import RuleRecord, Strength

logger = logging.getLogger(__name__)

MEASURED = ["labels_right", "labels_found", "model_better", "model_worse", "measured_at"]
"""What the machine counts: no change of the rule, so not in its history."""


class KeywordRuleQuerySet(models.QuerySet["KeywordRule"]):
    """Narrows to what is in force, and tells it as the engine's values."""

    def in_force(self) -> Self:
        """Return the active rules of active categories."""
        return self.filter(is_active=True, category__is_active=True)

    def rules(self) -> list[Rule]:
        """Return the rules as the engine compiles them, in order of their names.

        A row that breaks the rule language (it came in past the form) is left out and logged:
        one bad rule must not stop all others.
        """
        rules = []
        for row in self.select_related("category").order_by("name"):
            try:
                rules.append(row.to_rule())
            except RuleInvalid as error:
                logger.error("rule=%s left_out=%s", row.pk, error)
        return rules

    def written(self) -> list[tuple[Any, ...]]:
        """Return all that the rows hold, in order: what tells whether any of them has changed."""
        names = [field.attname for field in self.model._meta.concrete_fields]
        return list(self.order_by("name").values_list("category__code", *names))

    def phrases(self) -> dict[str, tuple[str, ...]]:
        """Return, by category, texts as customers say them where an assigning rule is in force."""
        found: dict[str, tuple[str, ...]] = {}
        for rule in self.in_force().filter(effect=KeywordRule.Effect.ASSIGN).rules():
            if texts := wording(rule.expression):
                found[rule.category] = (*found.get(rule.category, ()), *texts)
        return found

    def waiting_to_be_measured(self) -> Self:
        """Return the rules that were changed since they were measured, or never were."""
        return self.filter(measured_at=None)


class KeywordRule(models.Model):
    """One rule as an operations admin edits it: in three boxes of phrases, or in the language.

    In boxes the phrases are kept as typed, one per line; else ``expression`` is the rule. What
    labels say of it is measured by the machine and never typed.
    """

    class Effect(models.TextChoices):
        ASSIGN = "assign", "assign the category"
        BOOST = "boost", "make the category more likely"
        PENALISE = "penalise", "make the category less likely"
        VETO = "veto", "rule the category out"
        REVIEW = "review", "let a person look"

    class SpokenBy(models.TextChoices):
        CUSTOMER = "customer", "the customer"
        REPRESENTATIVE = "representative", "the representative"
        BOT = "bot", "the bot"
        ANYONE = "", "anyone"

    SAYS = (
        "category",
        "effect",
        "expression",
        "any_of",
        "all_of",
        "none_of",
        "speaker",
        "whole_word",
    )
    """The fields that make the rule what it is: where one changes, its measure is void."""

    name = models.CharField(max_length=120, unique=True)
    category = models.ForeignKey(
        "classifier.Category", models.PROTECT, related_name="keyword_rules"
    )
    any_of = models.TextField(
        "any of these phrases",
        blank=True,
        help_text="One phrase per line; at least one must be said.",
    )
    all_of = models.TextField(
        "all of these phrases", blank=True, help_text="One phrase per line; each must be said."
    )
    none_of = models.TextField(
        "none of these phrases", blank=True, help_text="One phrase per line; none may be said."
    )
    speaker = models.CharField(
        "said by", max_length=14, choices=SpokenBy, default=SpokenBy.CUSTOMER, blank=True
    )
    whole_word = models.BooleanField(
        "whole words only",
        default=True,
        help_text="“card” then does not match “discard”. End a phrase with * for any ending.",
    )
    expression = models.JSONField(
        null=True,
        blank=True,
        default=None,
        help_text="The rule in the rule language, in its stored form; empty: the boxes are it.",
    )
    effect = models.CharField(max_length=8, choices=Effect, default=Effect.ASSIGN)
    is_certain = models.BooleanField(
        "certain",
        default=False,
        help_text="Assigns the category on your word alone, whatever the model says. Without it"
        " the rule assigns once labelled conversations show that it is right often enough; until"
        " then it only makes the category more likely.",
    )
    strength = models.FloatField(
        null=True,
        editable=False,
        help_text="Share of the labelled conversations it finds that it is right about, drawn"
        " towards one half while they are few; empty: not measured.",
    )
    labels_right = models.PositiveIntegerField(default=0, editable=False)
    labels_found = models.PositiveIntegerField(default=0, editable=False)
    """Labelled conversations that the rule finds; of those, the ones that it is right about."""
    model_better = models.PositiveIntegerField(null=True, editable=False)
    model_worse = models.PositiveIntegerField(null=True, editable=False)
    """Held-out conversations it finds that the model alone, and the rule alone, is right about."""
    measured_at = models.DateTimeField(null=True, editable=False)
    must_match = models.TextField(
        "must match",
        blank=True,
        help_text="Sentences that the rule must find, one per line; tried at every change.",
    )
    must_not_match = models.TextField(
        "must not match",
        blank=True,
        help_text="Sentences that the rule must leave alone, one per line.",
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    history = HistoricalRecords(excluded_fields=MEASURED)

    objects = KeywordRuleQuerySet.as_manager()

    class Meta:
        ordering = ("category__code", "name")
        constraints = (
            models.CheckConstraint(
                condition=Q(strength=None) | Q(strength__gte=0.0, strength__lte=1.0),
                name="a_rule_strength_is_a_share",
            ),
            models.CheckConstraint(
                condition=~Q(any_of="") | ~Q(all_of="") | Q(expression__isnull=False),
                name="a_rule_looks_for_something",
            ),
            models.CheckConstraint(
                condition=Q(labels_right__lte=models.F("labels_found")),
                name="a_rule_is_right_about_what_it_finds",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def to_rule(self) -> Rule:
        """Return the rule as the engine compiles it.

        Raises:
            RuleInvalid: the phrases are not in the rule language; says which and why.
        """
        return Rule(
            name=self.name,
            category=self.category.code,
            condition=self.condition,
            effect=grammar.Effect(self.effect),
            strength=self.strength,
            is_certain=self.is_certain,
        )

    @property
    def condition(self) -> grammar.Condition | Expression:
        """What must hold, as the engine reads it.

        Raises:
            RuleInvalid: it is not in the rule language; says what and why.
        """
        if self.expression is not None:
            return says(from_json(self.expression))
        return grammar.Condition.from_lines(
            self.any_of,
            self.all_of,
            self.none_of,
            self.speaker or grammar.ANYBODY,
            whole_word=self.whole_word,
        )

    @property
    def text(self) -> str:
        """The rule in the rule language, as people type it, whichever way it was made.

        Raises:
            RuleInvalid: it is not in the rule language.
        """
        condition = self.condition
        if isinstance(condition, grammar.Condition):
            return to_text(condition.to_expression())
        return to_text(condition)

    @property
    def record(self) -> RuleRecord | None:
        """What labels say of the rule; None: not measured, or it found none of them."""
        if self.measured_at is None or not self.labels_found:
            return None
        paired = None
        if self.model_better is not None and self.model_worse is not None:
            paired = Paired(self.model_better, self.model_worse)
        return RuleRecord(Strength(self.labels_right, self.labels_found), paired)

    @property
    def strength_percent(self) -> int | None:
        return None if self.strength is None else round(100 * self.strength)

    def keep_record(self, record: RuleRecord | None, *, at: datetime) -> None:
        """Take over what labels say; None: the rule found none of them."""
        strength = record.strength if record else Strength()
        paired = record.against_model if record else None
        self.strength = strength.share if strength.found else None
        self.labels_right, self.labels_found = strength.right, strength.found
        self.model_better = paired.better if paired else None
        self.model_worse = paired.worse if paired else None
        self.measured_at = at

    def forget_record(self) -> None:
        """Void what was measured, because the rule says something else now."""
        self.strength = self.measured_at = self.model_better = self.model_worse = None
        self.labels_right = self.labels_found = 0

    def mistakes(self) -> list[tuple[str, str]]:
        """Return what must be mended before this may be saved: field, and a sentence.

        The phrases must be in the rule language, and each example sentence must be treated as
        its box says.
        """
        if self.expression is not None:
            return self._failures("expression")
        wrong = [
            (box, mistake)
            for box in ("any_of", "all_of", "none_of")
            for mistake in rule_trial.mistakes_in(getattr(self, box))
        ]
        return wrong or self._failures("any_of")

    def _failures(self, box: str) -> list[tuple[str, str]]:
        """Return what the rule as a whole, told at ``box``, and its examples have wrong."""
        try:
            rule = self.to_rule()
        except RuleInvalid as refusal:
            return [(box, f"{str(refusal)[:1].upper()}{str(refusal)[1:].rstrip('.')}.")]
        return [
            ("must_match" if failure.must_match else "must_not_match", str(failure))
            for failure in rule_trial.failures(rule, self.must_match, self.must_not_match)
        ]
