"""Promises of what a model reads of a conversation, and how it is cut into words."""

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.engine.reading import BORDER, WORD_CHARACTERS, Reading, words_of
from classifier.engine.text import Speaker, Transcript, Turn


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


def test_words_are_found_again_in_the_original_text():
    transcript = Transcript.of("Straße  ﬁnden")
    reading = Reading.of(transcript, (Speaker.CUSTOMER,))

    tokens = reading.tokens()

    spans = [reading.folded[at].span(*span) for at, *span in reading.places(tokens)]
    assert tokens == ["strasse", "finden"]
    assert [transcript.turns[0].text[start:end] for start, end in spans] == ["Straße", "ﬁnden"]


TEXTS = st.one_of(
    st.text(),
    st.text(st.sampled_from("ab1_ .,'\x01é卡\n")),
    st.sampled_from(["x" * 100, "my card [card••••] is", "a\x01b"]),
)


@given(st.lists(TEXTS, max_size=5))
def test_tokens_are_the_words_of_the_turns_with_borders_between_them(texts):
    turns = tuple(Turn(Speaker.CUSTOMER, text) for text in texts)
    reading = Reading.of(Transcript(turns), (Speaker.CUSTOMER,))

    tokens = reading.tokens()

    turns_said = [list(turn) for border, turn in groupby(tokens, BORDER.__eq__) if not border]
    assert turns_said == [turn for turn in reading.words() if turn]
    assert tokens.count(BORDER) == max(0, len(reading.turns) - 1)
    for token, (turn, start, end) in zip(tokens, reading.places(tokens), strict=True):
        assert token == BORDER or reading.folded[turn].text[start:end] == token


@given(st.lists(TEXTS, max_size=5))
def test_a_word_stands_where_the_folded_text_says_it_came_from(texts):
    turns = tuple(Turn(Speaker.CUSTOMER, text) for text in texts)
    reading = Reading.of(Transcript(turns), (Speaker.CUSTOMER,))
    tokens = reading.tokens()

    for place, (turn, start, end) in enumerate(reading.places(tokens)):
        if tokens[place] != BORDER:
            expected = reading.turns[turn], *reading.folded[turn].span(start, end)
            assert reading.where(tokens, place, place) == expected


@pytest.mark.parametrize("text", ["a  b, A b\na b", "á  b, A b\na b", "a\0b a b"])
def test_neighbouring_words_are_found_where_they_are_said_again(text):
    reading = Reading.of(Transcript.of(text), (Speaker.CUSTOMER,))
    tokens = reading.tokens()

    _, start, end = reading.where(tokens, len(tokens) - 2, len(tokens) - 1)

    assert text[start:end] == "a b"
