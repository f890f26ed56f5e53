"""Promises of the verdict about what is critical, proven or too close to call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.engine.grammar import Condition
from classifier.engine.policy import Policy, settle
from classifier.engine.rules import Effect, Rule, RuleBook
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.text import Transcript
from classifier.engine.thresholds import Bar, Thresholds
from classifier.engine.verdict import Doubt

TREE = Taxonomy.of_paths(
    [("billing", "refund"), ("billing", "invoice"), ("delivery",), ("account",)]
)
REFUND, INVOICE = "billing.refund", "billing.invoice"
WORDS = Transcript.of("refund the late parcel, said the invoice")
CRITICAL = {"account": 0.95}


def rule(category, phrase, effect=Effect.ASSIGN, strength=0.95, name=""):
    condition = Condition(any_of=(phrase,))
    return Rule(name or f"{effect} {category}", category, condition, effect, strength)


def settled(probabilities, *rules, thresholds, **more):
    hits = RuleBook(rules).match(WORDS)
    return settle(WORDS, hits, probabilities, Policy(TREE, thresholds, **more))


def codes(reasons):
    return [reason.category for reason in reasons]


def barred(code, probability, floor=0.95):
    bars = {code: (Bar(floor, probability, floor, 200, 0.1),)}
    return Thresholds(accept=0.8, in_scope=0.2, bars=bars)


def alerted(probabilities, *rules):
    return settled(probabilities, *rules, thresholds=barred("account", 0.05), critical=CRITICAL)


def test_what_may_be_critical_is_not_written_as_something_else():
    verdict = alerted({"delivery": 0.9, "account": 0.06})

    assert verdict.doubt is Doubt.CRITICAL
    assert codes(verdict.suggestions) == ["account", "delivery"]


def test_not_even_a_decisive_rule_hides_what_may_be_critical():
    verdict = alerted({"delivery": 0.9, "account": 0.06}, rule("delivery", "parcel"))

    assert verdict.doubt is Doubt.CRITICAL


def test_a_critical_category_that_is_sure_is_tagged():
    assert codes(alerted({"account": 0.9}).reasons) == ["account"]


def test_below_its_bar_a_critical_category_changes_nothing():
    assert codes(alerted({"delivery": 0.9, "account": 0.04}).reasons) == ["delivery"]


def test_an_unsure_text_that_may_be_critical_says_so_first():
    verdict = alerted({"delivery": 0.5, "account": 0.3})

    assert (verdict.doubt, codes(verdict.suggestions)[0]) == (Doubt.CRITICAL, "account")


def test_a_rule_too_weak_to_decide_is_enough_for_alarm():
    weak = rule("account", "invoice", strength=0.3)

    assert alerted({"delivery": 0.9, "account": 0.01}, weak).doubt is Doubt.CRITICAL
    assert alerted(None, weak).doubt is Doubt.CRITICAL


def test_a_veto_is_stronger_than_alarm():
    veto = rule("account", "invoice", Effect.VETO)

    assert codes(alerted({"delivery": 0.9, "account": 0.5}, veto).reasons) == ["delivery"]


def test_what_lies_below_a_critical_category_is_critical_and_its_parent_is_not_enough():
    bars = {**barred("billing", 0.05).bars, **barred(REFUND, 0.05).bars}
    loose = Thresholds(accept=0.6, back_off=0.6, bars=bars)

    child = settled({REFUND: 0.9}, thresholds=loose, critical={"billing": 0.95})
    parent = settled({REFUND: 0.4, INVOICE: 0.4}, thresholds=loose, critical={REFUND: 0.95})

    assert codes(child.reasons) == [REFUND]
    assert parent.doubt is Doubt.CRITICAL


def test_a_category_of_which_its_own_proof_is_demanded_is_only_suggested_without():
    proven = Thresholds(accept=0.5, back_off=0.5, alone={"delivery": 0.9})
    demanded = frozenset({"delivery", "account", "billing"})

    sure, unsure, unproven, parent = (
        settled(shares, thresholds=proven, own_proof=demanded)
        for shares in (
            {"delivery": 0.95},
            {"delivery": 0.85},
            {"account": 1.0},
            {REFUND: 0.4, INVOICE: 0.4},
        )
    )

    assert codes(sure.reasons) == ["delivery"]
    assert unsure.is_abstention
    assert (unproven.is_abstention, codes(unproven.suggestions)) == (True, ["account"])
    assert parent.is_abstention


def test_a_proof_of_its_own_holds_for_further_reasons_too():
    proven = Thresholds(accept=0.5, secondary=0.4, alone={"delivery": 0.9}, exclusive=False)
    shares = {REFUND: 0.95, "delivery": 0.7, "account": 0.7}

    verdict = settled(shares, thresholds=proven, own_proof=frozenset({"delivery"}))

    assert codes(verdict.reasons) == [REFUND, "account"]


def test_two_close_to_one_another_are_unsure_unless_they_are_of_one_line():
    close = Thresholds(accept=0.4, margin=0.2)

    of_one_line = settled({REFUND: 0.45, "billing": 0.4}, thresholds=close)
    rivals = settled({REFUND: 0.45, "delivery": 0.4}, thresholds=close)
    ahead = settled({REFUND: 0.45, "delivery": 0.2}, thresholds=close)

    assert codes(of_one_line.reasons) == [REFUND]
    assert rivals.is_abstention
    assert codes(ahead.reasons) == [REFUND]


def test_a_rival_that_rules_boosted_counts_as_close():
    close = Thresholds(accept=0.55, margin=0.3)
    boost = rule("delivery", "parcel", Effect.BOOST, 0.9)

    assert codes(settled({REFUND: 0.7, "delivery": 0.3}, thresholds=close).reasons) == [REFUND]
    assert settled({REFUND: 0.7, "delivery": 0.3}, boost, thresholds=close).is_abstention


@given(
    st.dictionaries(
        st.sampled_from(["billing", REFUND, INVOICE, "delivery", "account"]),
        st.floats(0, 1),
        min_size=1,
    ),
    st.lists(
        st.tuples(
            st.sampled_from(["billing", REFUND, INVOICE, "delivery"]),
            st.sampled_from([Effect.ASSIGN, Effect.BOOST, Effect.VETO]),
            st.floats(0, 1),
        ),
        max_size=6,
    ),
    st.booleans(),
)
def test_a_parent_is_never_less_likely_than_its_child_whatever_rules_say(
    shares, said, exclusive
):
    rules = [
        rule(code, "refund", effect, strength, name=f"rule {place}")
        for place, (code, effect, strength) in enumerate(said)
    ]
    never = Thresholds(accept=None, secondary=None, exclusive=exclusive)

    verdict = settled(shares, *rules, thresholds=never, decisive=1.0, suggestions=9)

    listed = (*verdict.reasons, *verdict.suggestions)
    scores = {reason.category: reason.score for reason in listed}
    assert all(0 <= score <= 1 for score in scores.values())
    for child in {REFUND, INVOICE} & scores.keys():
        assert scores.get("billing", 1.0) >= scores[child]


@pytest.mark.parametrize("floor", [0, 1, 1.5])
def test_a_floor_that_makes_no_sense_is_refused(floor):
    with pytest.raises(ValueError, match="floor"):
        Policy(TREE, critical={"account": floor})
