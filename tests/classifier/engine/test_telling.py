"""Promises of what is shown: telling words, neighbours together, no filler, exact numbers."""

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.engine.telling import AGAINST, spans_of_all, spans_of_one

COMMON = {"i", "was", "the", "to", "my", "of"}


def shown(text: str, limit: int = 5, **weights: float) -> dict[str, float]:
    """Return the words shown of a text whose words, and groups joined by _, weigh so much."""
    words = text.split()
    terms = np.zeros((3, len(words)))
    for term, weight in weights.items():
        parts = term.split("_")
        first = next(at for at in range(len(words)) if words[at : at + len(parts)] == parts)
        terms[len(parts) - 1, first] = weight
    common = [word in COMMON for word in words]
    spans = spans_of_one(terms.tolist(), common, limit)
    together = spans_of_all(
        terms, np.array([0, len(words)]), np.array(common, dtype=bool), limit
    )
    assert list(zip(*together[1:], strict=True)) == spans
    return {" ".join(words[span.first : span.last + 1]): span.weight for span in spans}


def test_neighbours_are_one_span_with_the_sum_of_all_terms_within():
    assert shown("i was charged twice", charged=0.5, twice=0.25, charged_twice=1.0) == {
        "charged twice": 1.75
    }


def test_filler_is_not_shown_however_much_it_adds():
    told = shown("i was sent the box", i=0.5, was=0.375, the=0.5, the_box=0.25, box=1.0)

    assert told == {"box": 1.0}


def test_a_common_word_that_adds_a_quarter_of_all_is_no_filler():
    assert shown("my order", order=2.0, my=1.0) == {"my order": 3.0}


def test_filler_between_two_telling_words_of_one_term_stays():
    assert shown("terms of use", terms_of_use=1.0, of=0.5) == {"terms of use": 1.5}


def test_what_adds_next_to_nothing_is_left_out():
    assert shown("refund now please", refund=2.0, please=0.125) == {"refund": 2.0}


def test_where_there_is_nothing_but_filler_the_strongest_is_shown():
    told = shown("i was to the my of", i=0.5, was=0.75, to=0.5, the=0.5, my=0.5, of=0.5)

    assert told == {"was": 0.75}


def test_what_speaks_against_follows_the_strongest_first():
    told = shown("refund late box shoes", refund=2.0, late=-0.5, shoes=-1.0)

    assert list(told.items()) == [("refund", 2.0), ("shoes", -1.0), ("late", -0.5)]


def test_only_so_many_are_shown():
    words = [f"w{n}x" for n in range(9)]
    text = " the ".join(words)

    speaking = shown(text, limit=3, **{word: 1.0 + n for n, word in enumerate(words)})
    opposing = shown(text, **{word: -1.0 - n for n, word in enumerate(words)})

    assert list(speaking.values()) == [9.0, 8.0, 7.0]
    assert list(opposing.values()) == [-9.0, -8.0][:AGAINST]


def test_no_terms_show_nothing():
    assert shown("") == {}


def test_a_text_that_only_speaks_against_it_shows_that():
    assert shown("late box", late=-1.0, box=-0.5) == {"late box": -1.5}


WEIGHTS = st.sampled_from([-2.0, -1.0, -0.25, 0.0, 0.0, 0.125, 0.25, 0.5, 1.0, 3.0])
TEXTS = st.lists(st.tuples(WEIGHTS, WEIGHTS, WEIGHTS, st.booleans()), max_size=9)


@given(st.lists(TEXTS, max_size=5))
def test_many_texts_are_shown_what_each_is_shown_alone(texts):
    alone = []
    for words in texts:
        *weights, common = zip(*words, strict=True) if words else ((), (), (), ())
        terms = [  # a group ends within its text
            [w if at + more < len(words) else 0.0 for at, w in enumerate(of_length)]
            for more, of_length in enumerate(weights)
        ]
        alone.append((terms, common, spans_of_one(terms, common, limit=2)))
    starts = np.array([0, *accumulate(map(len, texts))])
    terms = np.concatenate([np.zeros((3, 0)), *(np.array(one) for one, _, _ in alone)], axis=1)
    common = np.array([each for _, one, _ in alone for each in one], dtype=bool)

    together = spans_of_all(terms, starts, common, limit=2)

    assert list(zip(*together, strict=True)) == [
        (text, first + starts[text], last + starts[text], pytest.approx(weight))
        for text, (_, _, spans) in enumerate(alone)
        for first, last, weight in spans
    ]
