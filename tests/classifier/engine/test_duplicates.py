"""Promises of duplicates: twins are found, others are not, contradictions are named."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.engine.duplicates import contradictions, said, twins_across
from classifier.engine.example import Example
from classifier.engine.text import Speaker, Transcript
from tests.classifier.engine.words import examples

CUSTOMER = (Speaker.CUSTOMER,)
LETTER = (
    "dear team my parcel did not arrive on monday and nobody answers the telephone please help"
)


def example(key, text, *categories):
    return Example(Transcript.of(text), frozenset(categories), key)


def test_the_same_words_are_an_exact_twin_whatever_their_case_accents_and_numbers():
    first, second = "Réfund order 123, please!", "refund ORDER 77 please"

    twins = twins_across(
        [said(example("a", first), CUSTOMER)], [said(example("b", second), CUSTOMER)]
    )

    assert (twins.exact.tolist(), twins.near.tolist()) == ([True], [False])


def test_a_text_with_a_word_more_is_a_near_twin_and_another_text_is_none():
    twins = twins_across([LETTER + " today", "where is my card"], ["hello", LETTER])

    assert twins.near.tolist() == [True, False]
    assert not twins.exact.any()
    assert twins.any.tolist() == [True, False]


def test_a_text_that_says_nothing_has_no_twin():
    assert not twins_across(["", "x"], ["", "y"]).any.any()
    assert not twins_across(["x"], []).any.any()
    assert twins_across([], ["x"]).any.shape == (0,)


@given(st.lists(st.text(max_size=40), max_size=8), st.lists(st.text(max_size=40), max_size=8))
@settings(deadline=None, max_examples=50)
def test_exact_twins_are_exactly_the_texts_that_are_among_the_others(texts, among):
    twins = twins_across(texts, among)

    assert twins.exact.tolist() == [bool(text) and text in among for text in texts]


def test_a_near_twin_is_found_among_thousands_of_texts_from_one_template():
    chance = random.Random(3)
    words = [f"word{number}" for number in range(3_000)]
    among = [" ".join(chance.sample(words, 12)) for _ in range(1_500)]
    texts = [f"{text} more" for text in among[::50]]

    assert twins_across(texts, among).near.all()


def test_the_same_words_with_other_labels_are_a_contradiction_and_name_their_rows():
    made = [
        *examples(3),
        example("row 7", "My money, please 1", "billing.refund"),
        example("row 8", "my money please 2", "billing.invoice"),
        example("row 9", "", "billing.refund"),
        example("row 10", "", "billing.invoice"),
    ]

    (found,) = contradictions(made, CUSTOMER)

    assert found.keys == ("row 7", "row 8")
    assert found.categories == (frozenset(["billing.refund"]), frozenset(["billing.invoice"]))
