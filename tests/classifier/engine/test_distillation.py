"""Distillation: sentences from WordNet's files, and a table that comes close to an encoder."""

from pathlib import Path

import numpy as np
import pytest

from classifier.engine.distillation import WordNet, distil, sentences

VOCABULARY = ["[PAD]", "the", "card", "pay", "lost", "##s", "caf", "é", "!"]
LICENCE = "  1 This software and database is being provided to you\n"
DATA = {
    "verb": "00001740 29 v 02 pay 0 give_money 0 001 @ 00005041 v 0000 01 + 02 00 "
    '| give money; "I pay the card"  \n',
    "noun": "00001741 06 n 01 card 0 000 | a piece of plastic  \n",
    "adj": '00001742 00 a 01 lost 0 000 | not found; "the lost card"  \n',
    "adv": "00001743 02 r 01 never 0 000 | at no time  \n",
}
INDEX = {
    "verb": "pay v 1 1 @ 1 1 00001740  \n",
    "noun": "card n 1 0 1 1 00001741  \nunread n 1 0 1 0 00001749  \n",
    "adj": "lost a 1 0 1 1 00001742  \n",
}


@pytest.fixture
def wordnet(tmp_path: Path) -> WordNet:
    for part, lines in DATA.items():
        (tmp_path / f"data.{part}").write_text(LICENCE + lines)
    for part, lines in INDEX.items():
        (tmp_path / f"index.{part}").write_text(LICENCE + lines)
    return WordNet.of(tmp_path)


def test_examples_and_definitions_are_read(wordnet: WordNet) -> None:
    assert wordnet.examples == ("I pay the card", "the lost card")
    assert wordnet.definitions[0] == (("pay", "give money"), "give money")


def test_frequent_words_are_those_of_annotated_texts(wordnet: WordNet) -> None:
    assert wordnet.frequent == {"verb": ("pay",), "noun": ("card",), "adj": ("lost",)}


def test_the_sentences_are_the_same_each_time(wordnet: WordNet) -> None:
    texts = sentences(wordnet, VOCABULARY)

    assert texts == sentences(wordnet, VOCABULARY)
    assert {"I pay the card", "how do i pay a card", "card: a piece of plastic"} <= set(texts)


def test_the_table_comes_closer_to_the_encoder_than_its_pieces_alone() -> None:
    chance = np.random.default_rng(0)
    words = [f"{a}{b}" for a in "bcdfg" for b in "aeiou"]
    meaning = chance.normal(size=(len(words), 8))
    texts = [" ".join(chance.choice(words, size=4)) for _ in range(400)]
    rows = [[words.index(word) for word in text.split()] for text in texts]
    encoded = np.array([meaning[row].mean(axis=0) for row in rows])
    alone = meaning + chance.normal(size=meaning.shape)  # a poor start

    pieces, table = distil(words, alone, texts, encoded)

    assert pieces == words
    centred = encoded / np.linalg.norm(encoded, axis=1, keepdims=True)
    centred -= centred.mean(axis=0)
    said = np.array([table[row].mean(axis=0) for row in rows])
    # Rotated by the principal directions: lengths and angles between texts are what is kept.
    assert np.corrcoef((said @ said.T).ravel(), (centred @ centred.T).ravel())[0, 1] > 0.9


def test_pieces_that_folded_words_cannot_hold_are_left_out() -> None:
    chance = np.random.default_rng(0)
    encoded = chance.normal(size=(4, 8))

    pieces, table = distil(
        VOCABULARY, chance.normal(size=(9, 8)), ["the card", "pay", "lost", "cards"], encoded
    )

    assert pieces == ["the", "card", "pay", "lost", "##s", "caf"]
    assert len(table) == len(pieces)
