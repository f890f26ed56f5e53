"""Promises of hashed groups: one or many, the keys are the same, and known ones are found."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.engine import hashing
from classifier.engine.hashing import KEY_BITS, KeyTable

WORDS = st.lists(st.text(st.characters(exclude_characters=" "), min_size=1, max_size=45))
KEYS = st.lists(st.integers(0, 2**KEY_BITS - 1), max_size=300, unique=True)


@given(WORDS, st.tuples(st.integers(1, 3), st.integers(3, 6)))
def test_letter_groups_of_many_words_are_those_of_each(words, lengths):
    owners, keys = hashing.letter_keys_of_all(words, lengths)

    together = Counter(zip(owners.tolist(), keys.tolist(), strict=True))
    assert together == Counter(
        (place, key)
        for place, word in enumerate(words)
        for key in hashing.letter_keys(word, lengths)
    )


def test_the_letter_groups_of_a_word_count_its_ends_as_blanks():
    assert len(list(hashing.letter_keys("at", (2, 3)))) == len([" a", "at", "t ", " at", "at "])


def test_groups_that_differ_in_the_last_letter_have_other_keys():
    keys = [list(hashing.letter_keys(word, (4, 4)))[-1] for word in ("car", "cat", "cap")]

    assert len(set(keys)) == 3


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_word_groups_are_joined_alike_one_by_one_and_all_at_once(hashes):
    array = np.array(hashes, dtype=np.uint64)

    many = hashing.joined_arrays(array[:-1], array[1:])

    assert many.tolist() == hashing.joined(hashes[:-1], hashes[1:])


def test_there_is_no_group_where_a_word_is_missing():
    assert hashing.joined([1, 0, 5], [0, 7, 6])[:2] == [0, 0]


@given(KEYS, KEYS)
def test_known_keys_are_found_and_strange_ones_are_not(known, others):
    table = KeyTable(np.array(sorted(known), dtype=np.uint64))
    asked = known + others

    rows = table.rows(np.array(asked, dtype=np.uint64))

    assert rows.tolist() == [table.row_of.get(key, -1) for key in asked]
    assert [sorted(known)[row] for row in rows[: len(known)]] == known


@pytest.mark.parametrize("keys", [[2, 1], [1, 1], [2**KEY_BITS]])
def test_keys_that_do_not_ascend_or_are_too_long_are_refused(keys):
    with pytest.raises(ValueError, match="ascend"):
        KeyTable(np.array(keys, dtype=np.uint64))
