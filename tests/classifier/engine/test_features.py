"""Promises of what is counted in a text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.engine import hashing
from classifier.engine.features import Features, NGrams

TEXTS = [
    [["where", "is", "my", "card"]],
    [["my", "card", "is", "late"]],
    [["refund", "my", "card"]],
]


@pytest.fixture(scope="module")
def features() -> Features:
    return Features.fit(TEXTS, NGrams(), min_texts=1, most=1_000)


EDGES = {"^": hashing.FIRST, "$": hashing.LAST}


def row_of(features: Features, *words: str) -> int:
    """Return the row of a word or of a word group, -1 where it is not known."""
    hashes = [EDGES.get(word) or hashing.word_hash(word) for word in words]
    hashed = hashes[:1]
    for one in hashes[1:]:
        hashed = hashing.joined(hashed, [one])
    return features.words.row_of.get(hashing.key_of(hashed[0]), -1)


def test_words_and_pairs_are_counted_and_who_stands_at_the_edge_of_a_turn(features):
    rows, _ = features.vector([["my", "card"]])

    groups = (["my"], ["card"], ["my", "card"], ["^", "my"], ["card", "$"])
    said = {row_of(features, *words) for words in groups} - {-1}
    assert said == set(rows[rows < len(features.words)].tolist())
    assert row_of(features, "^", "my") in said


def test_every_turn_has_edges_of_its_own(features):
    apart, _ = features.vector([["refund"], ["my", "card"]])
    together, _ = features.vector([["refund", "my", "card"]])

    first = row_of(features, "^", "my")
    assert first in apart
    assert first not in together


def test_words_alone_have_no_edges():
    features = Features.fit(TEXTS, NGrams(words=(1, 1)), min_texts=1, most=1_000)

    assert len(features.words) == len(
        {word for text in TEXTS for turn in text for word in turn}
    )


def test_groups_of_three_words_are_counted_where_the_recipe_asks():
    features = Features.fit(TEXTS, NGrams(words=(2, 3)), min_texts=1, most=1_000)

    assert row_of(features, "my") == -1
    assert row_of(features, "where", "is", "my") >= 0


def test_pairs_do_not_reach_over_the_end_of_a_turn(features):
    apart, _ = features.vector([["where"], ["is"]])
    together, _ = features.vector([["where", "is"]])

    assert row_of(features, "where", "is") not in apart
    assert row_of(features, "where", "is") in together


@given(
    st.lists(st.text(st.sampled_from("abcdeß卡\ud800"), min_size=1, max_size=9), unique=True)
)
def test_letter_groups_of_one_word_and_of_many_are_the_same(words):
    features = Features.fit([[words]], NGrams(), min_texts=1, most=10_000)

    together = features.spelling(words)

    for place, word in enumerate(words):
        alone = features.spelling_of(word)
        within = slice(together.starts[place], together.starts[place + 1])
        assert together.rows[within].tolist() == alone.rows.tolist()
        assert together.counts[within].tolist() == alone.counts.tolist()


def test_the_words_of_a_vector_have_length_one_and_so_have_the_letters_of_one_word(features):
    rows, values = features.vector([["card", "card"]])

    words = rows < len(features.words)
    assert np.sum(values[words] ** 2) == pytest.approx(1, abs=1e-5)
    assert np.sum(values[~words] ** 2) == pytest.approx(1, abs=1e-5)


def test_what_the_letters_of_a_word_add_depends_on_other_words_by_their_length_alone(features):
    _, alone = features.vector([["card"]])
    rows, beside = features.vector([["card"], ["is"]])
    of_card, of_is = features.spelling_of("card").rows, features.spelling_of("is").rows
    own = np.isin(rows, of_card) & ~np.isin(rows, of_is)  # both hold the blank at their ends

    ratios = beside[own] / alone[-len(of_card) :][~np.isin(of_card, of_is)]

    assert ratios == pytest.approx(np.full(len(ratios), ratios[0]))


class Lengths:
    """Vectors of a word: how long it is, and whether it has an e."""

    width = 2
    digest = "lengths"

    def of(self, words):
        vectors = np.array([[len(word), "e" in word] for word in words], dtype=np.float32)
        return vectors, np.square(vectors).sum(axis=1)


def test_vectors_of_words_are_a_block_of_the_length_that_is_asked_for():
    features = Features.fit(
        TEXTS, NGrams(), min_texts=1, most=1_000, vectors=Lengths(), share=0.5
    )

    matrix = features.matrix([[["refund", "refund", "my"]], [[]]]).toarray()

    refund, my = (1 + np.log(2)) * np.array([6.0, 1.0]), np.array([2.0, 0.0])
    assert matrix.shape[1] == len(features)
    assert matrix[0, -2:] == pytest.approx(
        0.5 * (refund + my) / np.sqrt(refund @ refund + my @ my)
    )
    assert matrix[1].any() == np.False_


def test_a_text_alone_and_in_a_batch_has_the_same_vector(features):
    texts = [*TEXTS, [], [["unknown"]], [["zzz"], ["card", "card"]]]

    matrix = features.matrix(texts).toarray()

    for line, text in zip(matrix, texts, strict=True):
        rows, values = features.vector(text)
        alone = np.zeros(len(features))
        alone[rows] = values
        assert line == pytest.approx(alone, abs=1e-6)


def test_rare_groups_are_left_out_and_the_frequent_ones_kept():
    features = Features.fit(TEXTS, NGrams(letters=(2, 2)), min_texts=2, most=6)

    kept = {word for word in ("card", "my", "is", "late") if row_of(features, word) >= 0}
    assert {"card", "my"} == kept
    assert len(features) <= 6


def test_many_texts_have_the_vectors_that_each_has_alone(features):
    texts = [[["refund", "card"]], [[]], [["card"]]] * 700

    matrix = features.matrix(texts)

    assert matrix.shape[0] == len(texts)
    for place in (0, 1, 2, 998, 999, 1000, 1001, 2098, 2099):
        rows, values = features.vector(texts[place])
        assert matrix[place].indices.tolist() == rows.tolist()
        assert matrix[place].data.tolist() == pytest.approx(values.tolist())


def test_a_batch_of_nothing_has_no_lines(features):
    assert features.matrix([]).shape == (0, len(features))
