"""Promises of counterfactuals: what is left out changes the answer, and nothing less does."""

import random
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier.engine.cascade import classify
from classifier.engine.counterfactual import WORDS_REMOVED, counterfactual
from classifier.engine.grammar import Condition
from classifier.engine.leaving_out import phrases
from classifier.engine.policy import Policy
from classifier.engine.rules import Effect, Rule, RuleBook
from classifier.engine.text import Speaker, Transcript, Turn
from classifier.engine.verdict import Ground
from tests.classifier.engine.words import PHRASES, sentence

NO_RULES = RuleBook()
TWICE = RuleBook(
    [Rule("twice", "billing.invoice", Condition(any_of=("charged twice",)), strength=0.99)]
)
SENTENCES = [
    sentence(category, random.Random(seed)) for category in PHRASES for seed in range(4)
]


@pytest.fixture
def policy(model, taxonomy):
    return Policy(taxonomy, model.thresholds)


def primary(transcript, rules, model, policy):
    (verdict,) = classify([transcript], rules, model, policy)
    return verdict.primary.category if verdict.primary else None


def without(text: str, *words: str) -> str:
    """Return the text without these words; none is part of a longer one here."""
    for word in words:
        text = text.replace(word, "")
    return text


@pytest.mark.parametrize("text", SENTENCES)
def test_without_the_words_the_answer_is_the_one_that_was_told(model, policy, text):
    transcript = Transcript.of(text)

    found = counterfactual(transcript, NO_RULES, model, policy)

    rest = without(text, *(text[one.start : one.end] for one in found.removed))
    told = found.verdict.primary.category if found.verdict.primary else None
    assert found.answer == primary(transcript, NO_RULES, model, policy)
    assert told != found.answer
    assert told == primary(Transcript.of(rest), NO_RULES, model, policy)


@pytest.mark.parametrize("text", SENTENCES)
def test_with_any_of_the_words_back_the_answer_stays(model, policy, text):
    found = counterfactual(Transcript.of(text), NO_RULES, model, policy)

    words = [text[one.start : one.end] for one in found.removed]
    for fewer in combinations(words, len(words) - 1):
        rest = Transcript.of(without(text, *fewer))
        assert primary(rest, NO_RULES, model, policy) == found.answer


@pytest.mark.parametrize("text", SENTENCES)
def test_where_it_says_smallest_no_smaller_set_changes_the_answer(model, policy, text):
    found = counterfactual(Transcript.of(text), NO_RULES, model, policy)

    words = set(text.replace(",", "").replace("'", " ").split())
    for size in range(1, len(found.removed)) if found.is_smallest else ():
        for fewer in combinations(words, size):
            kept = " ".join(w for w in text.replace(",", " , ").split() if w not in fewer)
            assert primary(Transcript.of(kept), NO_RULES, model, policy) == found.answer


def test_a_rule_falls_with_one_of_its_words(model, policy):
    text = "hello, I was charged twice"

    found = counterfactual(Transcript.of(text), TWICE, None, policy)

    assert found.answer == "billing.invoice"
    assert phrases(Transcript.of(text), found.removed) in (["charged"], ["twice"])
    assert found.is_smallest
    assert found.verdict.is_abstention


@pytest.mark.parametrize("judged", [True, False])
def test_of_several_phrases_that_hold_a_rule_up_one_word_each_falls(model, policy, judged):
    rule = Rule(
        "r",
        "billing.invoice",
        Condition(any_of=("charged me twice", "paid it again", "double bill for this")),
        strength=0.99,
    )
    text = "hello, you charged me twice, I paid it again, a double bill for this, what now"

    found = counterfactual(
        Transcript.of(text), RuleBook([rule]), model if judged else None, policy
    )

    words = [text[one.start : one.end] for one in found.removed]
    assert found.answer == "billing.invoice"
    assert len(words) >= 3
    assert "charged" in words or "me" in words or "twice" in words
    assert primary(Transcript.of(without(text, *words)), RuleBook([rule]), None, policy) is None


def test_every_place_of_a_word_goes_whoever_said_it(policy):
    rules = RuleBook(
        [Rule("refund", "billing.refund", Condition(any_of=("refund",)), strength=0.99)]
    )
    said = Transcript(
        (
            Turn(Speaker.CUSTOMER, "Refund? Where is my REFUND?"),
            Turn(Speaker.REPRESENTATIVE, "Which refund?"),
            Turn(Speaker.CUSTOMER, "The refund."),
        )
    )

    found = counterfactual(said, rules, None, policy)

    assert [(one.turn, one.start, one.end) for one in found.removed] == [(0, 0, 6)]


def test_what_keeps_rules_from_agreeing_is_found_for_an_abstention(policy):
    book = RuleBook(
        [
            Rule("a", "billing.refund", Condition(any_of=("refund",)), strength=0.99),
            Rule("b", "delivery.late", Condition(any_of=("late",)), strength=0.99),
        ]
    )

    found = counterfactual(Transcript.of("late refund"), book, None, policy)

    assert found.answer is None
    assert len(found.removed) == 1
    assert found.verdict.ground is Ground.RULES


def test_a_veto_is_a_reason_too(model, policy):
    veto = Rule("no", "billing.refund", Condition(any_of=("joke",)), Effect.VETO)
    said = Transcript.of("please refund the payment, joke")

    found = counterfactual(said, RuleBook([veto]), model, policy)

    assert found.answer is None
    assert phrases(said, found.removed) == ["joke"]
    assert found.verdict.primary.category == "billing.refund"


def test_a_text_that_says_it_often_in_other_words_has_no_counterfactual(policy):
    words = [f"word{letter}" for letter in "abcdefghijkl"]
    rule = Rule("any", "billing.refund", Condition(any_of=tuple(words)), strength=0.99)

    found = counterfactual(Transcript.of(" ".join(words)), RuleBook([rule]), None, policy)

    assert found.removed == ()
    assert found.verdict is None
    assert found.words_tried == WORDS_REMOVED


def test_in_chinese_a_character_is_a_word_and_neighbours_are_one_phrase(policy):
    rule = Rule("退款", "billing.refund", Condition(any_of=("退款", "退錢")), strength=0.99)
    said = Transcript.of("我要退款同退錢")

    found = counterfactual(said, RuleBook([rule]), None, policy)

    assert phrases(said, found.removed) == ["退"]


def test_neighbours_are_told_as_they_were_written(policy):
    words = ("charged", "twice")
    rules = [
        Rule(word, "billing.invoice", Condition(any_of=(word,)), strength=0.99)
        for word in words
    ]
    said = Transcript.of("I was Charged  twice.")

    found = counterfactual(said, RuleBook(rules), None, policy)

    assert phrases(said, found.removed) == ["Charged twice"]


@given(st.lists(st.sampled_from([*SENTENCES, "½ ß ﬁ", "退款\u200b", "[card••••••••]", ""])))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=15
)
def test_any_conversation_has_an_answer_and_spans_within_it(model, policy, texts):
    said = Transcript(tuple(Turn(Speaker.CUSTOMER, text) for text in texts))

    found = counterfactual(said, TWICE, model, policy)

    for one in found.removed:
        text = said.turns[one.turn].text
        assert 0 <= one.start < one.end <= len(text)
        assert "•" not in text[one.start : one.end]
    assert bool(found.removed) == (found.verdict is not None)


def test_a_long_conversation_takes_few_runs(model, policy):
    chance = random.Random(4)
    texts = [sentence(chance.choice(sorted(PHRASES)), chance) for _ in range(400)]
    said = Transcript(
        tuple(Turn(Speaker.CUSTOMER, f"{text} {n}") for n, text in enumerate(texts))
    )

    found = counterfactual(said, NO_RULES, model, policy)

    assert found.runs <= 60
