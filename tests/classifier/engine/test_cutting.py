"""Promises of many texts cut at once: the words and places that each text has alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classifier.engine.cutting import Cut
from classifier.engine.reading import BORDER, Reading
from classifier.engine.text import Speaker, Transcript, Turn

TEXTS = st.one_of(
    st.text(),
    st.text(st.sampled_from("ab1_ .,'\x01é卡\n")),
    st.sampled_from(
        ["x" * 100, "my card [card••••] is", "a\0b", "\ud800 é", "eighteen nineteen9"]
    ),
)
CONVERSATIONS = st.lists(st.lists(TEXTS, max_size=3), max_size=5)


def readings_of(conversations: list[list[str]]) -> list[Reading]:
    turns = [tuple(Turn(Speaker.CUSTOMER, text) for text in texts) for texts in conversations]
    return [Reading.of(Transcript(said), (Speaker.CUSTOMER,)) for said in turns]


@given(CONVERSATIONS)
def test_the_tokens_of_each_text_are_those_that_it_has_alone(conversations):
    cut = Cut(readings_of(conversations))

    words = cut.words(np.arange(cut.starts[-1]))

    alone = [reading.tokens() for reading in readings_of(conversations)]
    assert words == [token for tokens in alone for token in tokens]
    assert np.diff(cut.starts).tolist() == list(map(len, alone))


@given(CONVERSATIONS)
def test_the_key_of_a_short_word_is_made_of_its_bytes(conversations):
    cut = Cut(readings_of(conversations))

    keys, too_long = cut.keys()

    for at, word in enumerate(cut.words(np.arange(len(keys)))):
        content = word.encode("utf-8", "surrogatepass")
        assert (at in too_long) == (len(content) > 8)
        assert at in too_long or keys.item(at) == int.from_bytes(content, "little")


@given(CONVERSATIONS)
def test_a_word_stands_where_its_own_text_says(conversations):
    cut, alone = Cut(readings_of(conversations)), readings_of(conversations)
    tokens = [reading.tokens() for reading in alone]
    asked = [
        (text, at)
        for text, its in enumerate(tokens)
        for at, token in enumerate(its)
        if token != BORDER
    ]
    texts = np.array([text for text, _ in asked], dtype=np.int64)
    places = np.array([cut.starts[text] + at for text, at in asked], dtype=np.int64)

    told = cut.told(texts, places, places)

    assert told == [
        (alone[text].where(tokens[text], at, at), tokens[text][at]) for text, at in asked
    ]


def test_neighbouring_words_are_told_with_one_blank_between_them():
    (reading,) = readings_of([["Where, oh where?"]])
    cut = Cut([reading])

    told = cut.told(np.array([0]), np.array([0]), np.array([2]))

    assert told == [((0, 0, 15), "where oh where")]
