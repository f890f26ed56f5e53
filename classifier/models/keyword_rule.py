"""A keyword rule: a condition on the words said, with an effect on a category."""

import logging
from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from classifier.engine import grammar, rule_trial
from classifier.engine.errors import RuleInvalid
from classifier.engine.rules import Rule

logger = logging.getLogger(__name__)


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


class KeywordRule(models.Model):
    """One rule as an operations admin edits it. The phrases are kept as typed, one per line."""

    class Effect(models.TextChoices):
        ASSIGN = "assign", "assign the category"
        BOOST = "boost", "make the category more likely"
        VETO = "veto", "rule the category out"

    class SpokenBy(models.TextChoices):
        CUSTOMER = "customer", "the customer"
        REPRESENTATIVE = "representative", "the representative"
        BOT = "bot", "the bot"
        ANYONE = "", "anyone"

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
    effect = models.CharField(max_length=6, choices=Effect, default=Effect.ASSIGN)
    strength = models.FloatField(
        default=0.95,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="How often the rule is right when it matches, from 0 to 1.",
    )
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

    history = HistoricalRecords()

    objects = KeywordRuleQuerySet.as_manager()

    class Meta:
        ordering = ("category__code", "name")
        constraints = (
            models.CheckConstraint(
                condition=Q(strength__gte=0.0, strength__lte=1.0),
                name="a_rule_strength_is_a_share",
            ),
            models.CheckConstraint(
                condition=~Q(any_of="") | ~Q(all_of=""), name="a_rule_looks_for_something"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def to_rule(self) -> Rule:
        """Return the rule as the engine compiles it.

        Raises:
            RuleInvalid: the phrases are not in the rule language; says which and why.
        """
        condition = grammar.Condition.from_lines(
            self.any_of,
            self.all_of,
            self.none_of,
            self.speaker or grammar.ANYBODY,
            whole_word=self.whole_word,
        )
        return Rule(
            name=self.name,
            category=self.category.code,
            condition=condition,
            effect=grammar.Effect(self.effect),
            strength=self.strength,
        )

    def mistakes(self) -> list[tuple[str, str]]:
        """Return what must be mended before this may be saved: field, and a sentence.

        The phrases must be in the rule language, and each example sentence must be treated as
        its box says.
        """
        wrong = [
            (box, mistake)
            for box in ("any_of", "all_of", "none_of")
            for mistake in rule_trial.mistakes_in(getattr(self, box))
        ]
        if wrong:
            return wrong
        try:
            rule = self.to_rule()
        except RuleInvalid as refusal:
            return [("any_of", f"{str(refusal)[:1].upper()}{str(refusal)[1:].rstrip('.')}.")]
        return [
            ("must_match" if failure.must_match else "must_not_match", str(failure))
            for failure in rule_trial.failures(rule, self.must_match, self.must_not_match)
        ]
