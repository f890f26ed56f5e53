"""Promises of rules that speak against a category, or ask for a person."""

import pytest

from classifier.engine.grammar import Condition
from classifier.engine.policy import Policy, scores_after_rules, settle
from classifier.engine.rules import Effect, Rule, RuleBook
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.text import Transcript
from classifier.engine.thresholds import Thresholds
from classifier.engine.verdict import Doubt

TREE = Taxonomy.of_paths([("billing", "refund"), ("billing", "invoice"), ("delivery",)])
REFUND, INVOICE = "billing.refund", "billing.invoice"
POLICY = Policy(TREE, Thresholds(accept=0.8, back_off=0.95, in_scope=0.2))
WORDS = Transcript.of("refund the late parcel")


def rule(category, effect, strength=0.95):
    return Rule(f"{effect} {category}", category, Condition(("refund",)), effect, strength)


def hits(*rules):
    return RuleBook(rules).match(WORDS)


def settled(probabilities, *rules):
    return settle(WORDS, hits(*rules), probabilities, POLICY)


def test_a_rule_against_a_category_lowers_what_the_model_says():
    says = {REFUND: 0.85, "delivery": 0.1}

    assert settled(says).primary.category == REFUND
    assert settled(says, rule(REFUND, Effect.PENALISE)).doubt is Doubt.UNSURE


def test_a_rule_against_a_category_speaks_against_all_below():
    verdict = settled({REFUND: 0.85}, rule("billing", Effect.PENALISE))

    assert verdict.suggestions[0].score < 0.85


def test_the_stronger_the_rule_the_lower_the_score():
    scores = [
        scores_after_rules(
            hits(rule(REFUND, Effect.PENALISE, strength)), {REFUND: 0.8}, POLICY
        )[REFUND]
        for strength in (None, 0.8, 1.0)
    ]

    assert 0.8 > scores[0] > scores[1] > scores[2] > 0


def test_rules_for_and_against_of_one_strength_leave_the_model_its_word():
    both = (rule(REFUND, Effect.PENALISE), rule(REFUND, Effect.BOOST))

    assert scores_after_rules(hits(*both), {REFUND: 0.8}, POLICY)[REFUND] == pytest.approx(0.8)


def test_a_rule_that_asks_for_a_person_is_never_outvoted():
    verdict = settled(
        {"delivery": 0.99}, rule("delivery", Effect.ASSIGN), rule(REFUND, Effect.REVIEW)
    )

    assert verdict.doubt is Doubt.RULE_ASKS
    asked, *_ = verdict.suggestions
    assert (asked.category, asked.rule_score) == (REFUND, None)
    assert [(e.start, e.end, e.rule) for e in asked.evidence] == [(0, 6, f"review {REFUND}")]


def test_what_a_person_is_asked_about_counts_as_decided_by_nobody():
    scores = scores_after_rules(hits(rule(REFUND, Effect.REVIEW)), {"delivery": 0.99}, POLICY)

    assert scores == {"delivery": 0.0}


def test_a_rule_that_asks_about_an_unknown_category_asks_nothing():
    assert settled({"delivery": 0.9}, rule("gone", Effect.REVIEW)).primary
