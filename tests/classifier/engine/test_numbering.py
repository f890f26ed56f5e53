"""Promises of the table of short words: what was taken is found, and nothing else."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classifier.engine.numbering import SHORT, STRANGE, ShortWords

WORDS = st.lists(st.text("ab1é", min_size=1, max_size=10), unique=True, max_size=50)


def key_of(word: str) -> int:
    return int.from_bytes(word.encode(), "little")


def keys_of(words: list[str]) -> "np.ndarray[tuple[int], np.dtype[np.uint64]]":
    return np.array([key_of(word) for word in words], dtype=np.uint64)


def is_short(word: str) -> bool:
    return len(word.encode()) <= SHORT


@given(WORDS, st.integers(0, 50))
def test_short_words_are_found_and_others_are_strange(words, count):
    known, strange = words[:count], list(filter(is_short, words[count:]))
    table = ShortWords()
    table.add(known, 1)

    found = table.numbers(keys_of([*filter(is_short, known), *strange]))

    expected = [number for number, word in enumerate(known, 1) if is_short(word)]
    assert found.tolist() == [*expected, *[STRANGE] * len(strange)]


def test_a_table_grows_and_keeps_what_it_had():
    table = ShortWords()
    words = [f"w{number}" for number in range(20_000)]

    for start in range(0, len(words), 500):
        table.add(words[start : start + 500], start)
        table.numbers(keys_of(["w1"]))

    assert table.numbers(keys_of(words)).tolist() == list(range(20_000))


def test_a_border_has_the_number_0():
    table = ShortWords()
    table.add([f"w{number}" for number in range(500)], 1)

    assert table.numbers(np.zeros(2, dtype=np.uint64)).tolist() == [0, 0]


def test_several_threads_find_what_any_of_them_added():
    table = ShortWords()

    def added(part: int) -> bool:
        words = [f"{part}w{number}" for number in range(300)]
        for number, word in enumerate(words):
            table.add([word], part * 300 + number)
        found = table.numbers(keys_of(words)).tolist()
        return found == list(range(part * 300, part * 300 + 300))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(added, range(8)))
