"""Promises of the verdict: who wins when rules and model speak, and when nobody may."""

import pytest

from classifier.engine.grammar import Condition
from classifier.engine.policy import Policy, settle
from classifier.engine.rules import Effect, Rule, RuleBook
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.text import Transcript
from classifier.engine.thresholds import Thresholds
from classifier.engine.verdict import Doubt, Evidence, Ground

TREE = Taxonomy.of_paths(
    [("billing", "refund"), ("billing", "invoice"), ("delivery",), ("account",)]
)
REFUND, INVOICE = "billing.refund", "billing.invoice"
SURE = Thresholds(accept=0.8, back_off=0.85, secondary=0.4, in_scope=0.2)
SEVERAL = Thresholds(accept=0.8, back_off=0.85, secondary=0.4, in_scope=0.2, exclusive=False)
ONE = Thresholds(accept=0.8, secondary=None, confirms=0.3, exclusive=False)
WORDS = Transcript.of("refund the late parcel, said the invoice")


def rule(category, phrase, effect=Effect.ASSIGN, strength=0.95):
    return Rule(f"{effect} {category}", category, Condition(any_of=(phrase,)), effect, strength)


def settled(probabilities, *rules, thresholds=SURE, explain=None, **more):
    policy = Policy(TREE, thresholds, **more)
    hits = RuleBook(rules).match(WORDS)
    return settle(WORDS, hits, probabilities, policy, explain=explain)


def codes(reasons):
    return [reason.category for reason in reasons]


def test_a_strong_rule_beats_a_confident_model():
    verdict = settled(
        {"delivery": 0.99, REFUND: 0.01}, rule(REFUND, "refund"), thresholds=SEVERAL
    )

    assert verdict.primary.category == REFUND
    assert (verdict.primary.ground, verdict.primary.score) == (Ground.RULES, 0.95)


def test_the_three_scores_are_kept_apart():
    verdict = settled({REFUND: 0.7}, rule(REFUND, "refund"))

    primary = verdict.primary
    assert (primary.rule_score, primary.model_score, primary.ground) == (0.95, 0.7, Ground.BOTH)
    assert primary.score >= 0.95


def test_the_model_alone_decides_from_its_threshold_on():
    verdict = settled({REFUND: 0.8, "delivery": 0.1})

    assert codes(verdict.reasons) == [REFUND]
    assert (verdict.primary.rule_score, verdict.primary.ground) == (None, Ground.MODEL)


@pytest.mark.parametrize(
    ("probabilities", "doubt"),
    [
        (None, Doubt.NO_MODEL),
        ({}, Doubt.NO_MODEL),
        ({"delivery": 0.79}, Doubt.UNSURE),
        ({"delivery": 0.19, REFUND: 0.1}, Doubt.OUT_OF_SCOPE),
    ],
)
def test_it_abstains_and_says_why(probabilities, doubt):
    verdict = settled(probabilities)

    assert verdict.is_abstention
    assert verdict.doubt is doubt


@pytest.mark.parametrize("text", ["", " \n\t", "!?… 😀", "[card••••••]"])
def test_without_words_nothing_is_decided(text):
    verdict = settle(Transcript.of(text), (), {REFUND: 0.99}, Policy(TREE, SURE))

    assert verdict.doubt is Doubt.NO_WORDS


def test_contradicting_rules_go_to_a_person():
    rules = (rule(REFUND, "refund"), rule("delivery", "parcel"))

    verdict = settled({REFUND: 0.99, "delivery": 0.01}, *rules)

    assert verdict.doubt is Doubt.RULES_CONTRADICT
    assert codes(verdict.suggestions) == [REFUND, "delivery"]
    assert all(reason.evidence for reason in verdict.suggestions)


def test_contradicting_rules_stand_together_where_the_model_confirms_each():
    rules = (rule(REFUND, "refund"), rule("delivery", "parcel"))

    verdict = settled({REFUND: 0.6, "delivery": 0.5}, *rules, thresholds=SEVERAL)

    assert set(codes(verdict.reasons)) == {REFUND, "delivery"}


def test_rules_of_one_line_agree_on_the_deepest():
    verdict = settled({}, rule("billing", "parcel"), rule(REFUND, "refund"))

    assert codes(verdict.reasons) == [REFUND]


def test_a_boost_lifts_an_unsure_category_over_the_threshold():
    unsure = {REFUND: 0.7, "delivery": 0.3}
    booster = rule(REFUND, "refund", Effect.BOOST, 0.9)

    verdict = settled(unsure, booster)

    assert settled(unsure).is_abstention
    assert codes(verdict.reasons) == [REFUND]
    assert (verdict.primary.ground, verdict.primary.model_score) == (Ground.BOTH, 0.7)
    assert 0.8 < verdict.primary.score < 0.95


def test_a_weak_assigning_rule_only_boosts():
    weak = rule(REFUND, "refund", strength=0.6)

    assert settled({}, weak).doubt is Doubt.NO_MODEL
    assert codes(settled({}, weak).suggestions) == [REFUND]
    assert codes(settled({REFUND: 0.7}, weak).reasons) == [REFUND]


def test_a_boost_alone_is_no_proof():
    assert settled({REFUND: 0.1}, rule(REFUND, "refund", Effect.BOOST, 1.0)).is_abstention


def test_a_veto_takes_a_category_out_whoever_named_it():
    veto = rule(REFUND, "parcel", Effect.VETO)

    verdict = settled({REFUND: 0.99}, veto, rule(REFUND, "refund"))

    assert verdict.is_abstention
    assert codes(verdict.suggestions) == []


def test_a_veto_reaches_everything_below():
    assert settled({REFUND: 0.99}, rule("billing", "parcel", Effect.VETO)).is_abstention


def test_an_unsure_child_backs_off_to_its_parent():
    verdict = settled({REFUND: 0.5, INVOICE: 0.4, "delivery": 0.1})

    assert codes(verdict.reasons) == ["billing"]
    assert verdict.primary.score == pytest.approx(0.9)
    assert verdict.primary.model_score == pytest.approx(0.9)


def test_a_parent_is_not_answered_on_behalf_of_a_vetoed_child():
    veto = rule(INVOICE, "invoice", Effect.VETO)

    assert settled({REFUND: 0.5, INVOICE: 0.4, "delivery": 0.1}, veto).is_abstention


def test_further_reasons_pass_their_own_threshold():
    verdict = settled({REFUND: 0.9, "delivery": 0.6, "account": 0.3}, thresholds=SEVERAL)

    assert codes(verdict.reasons) == [REFUND, "delivery"]
    assert codes(verdict.suggestions) == ["account"]


def test_a_model_that_is_too_often_wrong_on_further_reasons_adds_none_by_itself():
    shares = {REFUND: 0.99, "delivery": 0.95}

    alone = settled(shares, thresholds=ONE)
    confirming = settled(
        shares, rule(REFUND, "refund"), rule("delivery", "parcel"), thresholds=ONE
    )

    assert codes(alone.reasons) == [REFUND]
    assert codes(alone.suggestions) == ["delivery"]
    assert set(codes(confirming.reasons)) == {REFUND, "delivery"}


def test_a_reason_is_never_repeated_by_its_parent_or_child():
    verdict = settled({REFUND: 0.6, "billing": 0.9}, thresholds=SEVERAL)

    assert codes(verdict.reasons) == ["billing"]


def test_exclusive_categories_give_one_reason():
    assert codes(settled({REFUND: 0.9, "delivery": 0.6}).reasons) == [REFUND]


def test_a_threshold_of_its_own_holds_for_further_reasons_too():
    strict = Thresholds(
        accept=0.8, secondary=0.4, by_category={"delivery": 0.99}, exclusive=False
    )

    verdict = settled({REFUND: 0.9, "delivery": 0.6}, thresholds=strict)

    assert codes(verdict.reasons) == [REFUND]


def test_categories_that_are_gone_are_neither_answered_nor_suggested():
    verdict = settled({"closed": 0.99, "delivery": 0.1}, rule("gone", "refund"))

    assert verdict.is_abstention
    assert codes(verdict.suggestions) == ["delivery"]


def test_a_rule_for_a_parent_is_explained_by_the_likeliest_child():
    asked = []

    def explain(category):
        asked.append(category)
        return (Evidence(category, 0, 0, 6, term="refund", weight=1.5),)

    verdict = settled({REFUND: 0.5, INVOICE: 0.2}, rule("billing", "invoice"), explain=explain)

    assert [evidence.rule for evidence in verdict.primary.evidence] == ["assign billing", ""]
    assert asked[0] == REFUND


def test_rule_evidence_is_the_words_of_the_conversation():
    (evidence,) = settled({}, rule(REFUND, "late parcel")).primary.evidence

    assert WORDS.turns[0].text[evidence.start : evidence.end] == "late parcel"


def test_suggestions_are_as_many_as_the_policy_says():
    shares = {REFUND: 0.3, INVOICE: 0.3, "delivery": 0.2, "account": 0.2}

    assert len(settled(shares, suggestions=2).suggestions) == 2
    assert settled(shares, suggestions=0).suggestions == ()


def test_audits_are_a_stable_random_share():
    policy = Policy(TREE, audit_share=0.1)

    drawn = [policy.audits(str(key)) for key in range(10_000)]

    assert 0.08 < sum(drawn) / len(drawn) < 0.12
    assert drawn == [policy.audits(str(key)) for key in range(10_000)]
    assert not any(Policy(TREE, audit_share=0).audits(str(key)) for key in range(100))


@pytest.mark.parametrize(
    "wrong", [{"decisive": 1.5}, {"audit_share": -1}, {"boost": -1}, {"suggestions": -1}]
)
def test_a_policy_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=r"."):
        Policy(TREE, **wrong)


def stated(category, phrase):
    return Rule(f"stated {category}", category, Condition(any_of=(phrase,)), is_certain=True)


def test_a_rule_that_nobody_measured_does_not_decide_alone():
    untried = Rule("new", REFUND, Condition(any_of=("refund",)))

    assert settled(None, untried).is_abstention


def test_what_an_admin_stated_decides_alone_and_has_no_confidence():
    reason = settled(None, stated(REFUND, "refund")).primary

    assert (reason.category, reason.ground) == (REFUND, Ground.RULES)
    assert (reason.confidence, reason.rule_score) == (None, None)


def test_a_stated_rule_that_was_measured_tells_its_strength_however_low():
    weak = Rule("weak", REFUND, Condition(any_of=("refund",)), strength=0.6, is_certain=True)

    reason = settled(None, weak).primary

    assert (reason.confidence, reason.rule_score) == (0.6, 0.6)


def test_a_stated_rule_that_the_model_confirms_tells_the_models_confidence():
    reason = settled({REFUND: 0.9, INVOICE: 0.1}, stated(REFUND, "refund")).primary

    assert reason.ground is Ground.BOTH
    assert reason.confidence > 0.9
    assert reason.rule_score is None
