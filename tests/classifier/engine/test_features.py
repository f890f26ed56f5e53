"""Promises of what is counted in a text."""

import numpy as np
import pytest

from classifier.engine.features import WORD_CHARACTERS, Features, NGrams, Reading, words_of
from classifier.engine.text import Speaker, Transcript, Turn

TEXTS = [
    [["where", "is", "my", "card"]],
    [["my", "card", "is", "late"]],
    [["refund", "my", "card"]],
]


@pytest.fixture(scope="module")
def features() -> Features:
    return Features.fit(TEXTS, NGrams(), min_texts=1, most=1_000)


def test_words_pairs_and_letter_groups_are_counted():
    ngrams = NGrams(words=(1, 2), letters=(2, 3))

    assert list(ngrams.of_words(["my", "card"])) == [["my", "card"], ["my card"]]
    assert ngrams.of_letters("at") == [" a", "at", "t ", " at", "at "]


def test_pairs_do_not_reach_over_the_end_of_a_turn(features):
    apart, _ = features.vector([["where"], ["is"]])
    together, _ = features.vector([["where", "is"]])

    assert features.words["where is"] not in apart
    assert features.words["where is"] in together


def test_each_block_of_a_vector_has_length_one(features):
    rows, values = features.vector([["my", "card", "card"]])

    words = rows < len(features.words)
    assert np.sum(values[words] ** 2) == pytest.approx(1, abs=1e-5)
    assert np.sum(values[~words] ** 2) == pytest.approx(1, abs=1e-5)


def test_a_text_alone_and_in_a_batch_has_the_same_vector(features):
    texts = [*TEXTS, [], [["unknown"]], [["zzz"], ["card", "card"]]]

    matrix = features.matrix(texts).toarray()

    for line, text in zip(matrix, texts, strict=True):
        rows, values = features.vector(text)
        alone = np.zeros(len(features))
        alone[rows] = values
        assert line == pytest.approx(alone, abs=1e-6)


def test_rare_groups_are_left_out_and_the_frequent_ones_kept():
    features = Features.fit(TEXTS, NGrams(letters=(2, 2)), min_texts=2, most=4)

    assert set(features.words) == {"card", "my"}
    assert len(features) <= 4


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


def test_only_the_named_speakers_are_read():
    transcript = Transcript(
        (Turn(Speaker.REPRESENTATIVE, "Hello!"), Turn(Speaker.CUSTOMER, "My card"))
    )

    reading = Reading.of(transcript, (Speaker.CUSTOMER,))

    assert (reading.turns, reading.words()) == ((1,), [["my", "card"]])


def test_everybody_is_read_where_the_customer_says_nothing():
    transcript = Transcript(
        (Turn(Speaker.REPRESENTATIVE, "Called about a refund"), Turn(Speaker.CUSTOMER, "  "))
    )

    reading = Reading.of(transcript, (Speaker.CUSTOMER,))

    assert reading.words() == [["called", "about", "a", "refund"]]


def test_what_was_redacted_is_no_word():
    assert words_of("card [card••••••••] is lost") == ["card", "is", "lost"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("हिन्दी में", ["हिन्दी", "में"]), ("我的卡", ["我的卡"]), ("\ud800 ok", ["ok"]), ("!?", [])],
)
def test_words_of_any_script_are_found(text, words):
    assert words_of(text) == words


def test_a_run_without_blanks_is_cut_into_pieces():
    assert [len(word) for word in words_of("x" * 100)] == [WORD_CHARACTERS, WORD_CHARACTERS, 20]


def test_spans_of_words_lead_back_to_the_original_text():
    transcript = Transcript.of("Straße  ﬁnden")

    ((first, second),) = Reading.of(transcript, (Speaker.CUSTOMER,)).placed_words()

    assert (first[3], second[3]) == ("strasse", "finden")
