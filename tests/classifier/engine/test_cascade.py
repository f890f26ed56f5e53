"""Promises of the front door: every text gets a verdict, with evidence, alone or in a batch."""

import gc
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier.engine.cascade import TEXTS_AT_ONCE, classify
from classifier.engine.grammar import Condition
from classifier.engine.policy import Policy
from classifier.engine.rules import Effect, Rule, RuleBook
from classifier.engine.text import Speaker, Transcript, Turn
from classifier.engine.verdict import Doubt, Ground
from tests.classifier.engine.words import PHRASES, sentence

RULES = RuleBook(
    [
        Rule(
            "refund",
            "billing.refund",
            Condition(any_of=("refund", "money back")),
            is_certain=True,
        ),
        Rule("no bills", "billing.invoice", Condition(any_of=("joke",)), Effect.VETO),
    ]
)
SPEAKERS = st.sampled_from(Speaker)
TEXTS = st.one_of(
    st.text(), st.sampled_from(["refund", "my parcel is late", "REFUND\u202e joke", "ß" * 99])
)
TURNS = st.lists(st.builds(Turn, SPEAKERS, TEXTS), max_size=6)


@pytest.fixture
def policy(model, taxonomy):
    return Policy(taxonomy, model.thresholds)


def assert_sound(verdict, transcript):
    """Every span lies in the text, and every score is a probability."""
    for reason in (*verdict.reasons, *verdict.suggestions):
        assert 0 <= reason.score <= 1
        for evidence in reason.evidence:
            assert evidence.end <= len(transcript.turns[evidence.turn].text)


@given(TURNS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_turns_get_a_verdict(model, policy, turns):
    transcript = Transcript(tuple(turns))

    for judge in (model, None):
        (verdict,) = classify([transcript], RULES, judge, policy)

        assert_sound(verdict, transcript)


@pytest.mark.parametrize(
    "transcript",
    [
        Transcript(()),
        Transcript.of(" \n\u200b"),
        Transcript.of("\x00\ud800\u202e"),
        Transcript.of("<p>refund &amp; parcel</p>"),
        Transcript.of("卡" * 2_000),
        Transcript.of("{" * 50),
        Transcript(tuple(Turn(Speaker.CUSTOMER, "my parcel is late") for _ in range(5_000))),
        Transcript.of("x" * 200_000),
    ],
)
def test_strange_conversations_get_a_verdict(model, policy, transcript):
    (verdict,) = classify([transcript], RULES, model, policy)

    assert_sound(verdict, transcript)


def test_a_batch_gives_the_verdicts_of_its_texts_in_order(model, policy):
    chance = random.Random(6)
    texts = [sentence(category, chance) for category in PHRASES for _ in range(60)]
    transcripts = [Transcript.of(text) for text in [*texts, "", "tell me a joke"]]
    assert len(transcripts) > TEXTS_AT_ONCE

    batch = classify(transcripts, RULES, model, policy)

    for transcript, together in zip(transcripts, batch, strict=True):
        (alone,) = classify([transcript], RULES, model, policy)
        assert [r.category for r in alone.reasons] == [r.category for r in together.reasons]
        assert alone.doubt is together.doubt


def test_nothing_of_a_batch_waits_for_the_garbage_collector(model, policy):
    chance = random.Random(6)
    texts = [sentence(category, chance) for category in PHRASES]
    transcripts = [Transcript.of(text) for text in texts]
    classify(transcripts, RULES, model, policy)
    gc.collect()
    gc.disable()
    try:
        classify(transcripts, RULES, model, policy)
        left_behind = gc.collect()
    finally:
        gc.enable()

    assert left_behind == 0


def test_a_decision_carries_the_words_of_rule_and_model(model, policy):
    text = "Hello, I want my money back"

    (verdict,) = classify([Transcript.of(text)], RULES, model, policy)

    said_by_rule = [e for e in verdict.primary.evidence if e.rule]
    said_by_model = [e for e in verdict.primary.evidence if e.term]
    assert verdict.primary.ground is Ground.BOTH
    assert [text[e.start : e.end] for e in said_by_rule] == ["money back"]
    assert any("money" in text[e.start : e.end] for e in said_by_model)


def test_an_abstention_carries_suggestions_with_evidence(model, policy):
    vague = Transcript.of("hello, it is about my payment or parcel or password")

    (verdict,) = classify([vague], RuleBook(), model, policy)

    assert verdict.is_abstention
    assert verdict.suggestions
    assert all(reason.evidence for reason in verdict.suggestions)


def test_without_a_model_the_rules_decide_alone(policy):
    said = [Transcript.of("a refund, please"), Transcript.of("my parcel is late")]

    decided, open_question = classify(said, RULES, None, policy)

    assert (decided.primary.category, decided.ground) == ("billing.refund", Ground.RULES)
    assert open_question.doubt is Doubt.NO_MODEL


def test_no_transcripts_no_verdicts(model, policy):
    assert classify([], RULES, model, policy) == []
