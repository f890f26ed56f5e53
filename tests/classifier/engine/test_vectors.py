"""Static vectors: the shipped table, words cut into pieces, what is refused."""

import hashlib
import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.engine import vectors
from classifier.engine.errors import ArtifactRefused
from classifier.engine.vectors import (
    Floats,
    Pieces,
    StaticVectors,
    dump,
    mapped,
    parsed,
    shipped,
)

TABLE = {
    "refund": [3.0, 0.0],
    "re": [1.0, 0.0],
    "##book": [0.0, 2.0],
    "##s": [0.5, 0.5],
    "退": [0.0, 4.0],
    "款": [4.0, 0.0],
}


@pytest.fixture(scope="module")
def small() -> StaticVectors:
    return parsed(dump(list(TABLE), np.array(list(TABLE.values()))))


def meaning(vectors: StaticVectors, word: str) -> list[float]:
    return vectors.of([word])[0][0].tolist()


def strangeness(vectors: StaticVectors, word: str) -> float:
    """Return by how much a word counts as longer than its vector is."""
    ((vector,), (square,)) = vectors.of([word])
    return float(square - vector @ vector)


def closeness(one: str, other: str) -> float:
    first, second = shipped().of([one, other])[0]
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


def test_a_known_word_has_its_own_vector(small: StaticVectors) -> None:
    assert meaning(small, "refund") == pytest.approx([3.0, 0.0], abs=0.02)


def test_an_unknown_word_is_the_sum_of_its_longest_known_pieces(small: StaticVectors) -> None:
    assert meaning(small, "rebooks") == pytest.approx([1.5, 2.5], abs=0.04)


def test_characters_of_no_piece_are_left_out(small: StaticVectors) -> None:
    assert meaning(small, "rezbook") == pytest.approx([1.0, 2.0], abs=0.02)


def test_a_word_of_no_known_piece_has_the_zero_vector(small: StaticVectors) -> None:
    assert [meaning(small, word) for word in ("zzz", "")] == [[0.0, 0.0], [0.0, 0.0]]


def test_a_word_is_the_stranger_the_more_pieces_it_falls_into(small: StaticVectors) -> None:
    one, two, three, none = (
        strangeness(small, word) for word in ("refund", "rebook", "rebooks", "zzz")
    )

    assert abs(one) < 1e-3 < two < three == pytest.approx(none)


def test_of_a_text_in_a_strange_language_the_vectors_say_little() -> None:
    (english, of_english), (turkish, of_turkish) = (
        shipped().of(text.split())
        for text in ("my card was stolen yesterday", "kartım dün çalınmış olabilir")
    )

    assert said(turkish, of_turkish) < 0.6 * said(english, of_english)


def said(vectors: Floats, squares: Floats) -> float:
    """Return the length of the block of a text of these words."""
    return float(np.linalg.norm(vectors.sum(axis=0)) / np.sqrt(squares.sum()))


def test_each_chinese_character_stands_alone(small: StaticVectors) -> None:
    assert meaning(small, "退款") == pytest.approx([4.0, 4.0], abs=0.04)


def test_no_words_have_no_vectors(small: StaticVectors) -> None:
    assert [found.shape for found in small.of([])] == [(0, 2), (0,)]


def test_a_word_has_the_same_vector_alone_and_among_others() -> None:
    words = ["refund", "chargebacks", "zq", "ümlaut", "退款"]

    vectors_together, squares_together = shipped().of(words)

    for place, word in enumerate(words):
        (vector,), (square,) = shipped().of([word])
        assert np.array_equal(vectors_together[place], vector)
        assert squares_together[place] == square


def test_the_shipped_table_fits_into_eight_megabytes() -> None:
    assert vectors.SHIPPED.stat().st_size <= 8_000_000


def test_the_shipped_table_puts_like_words_together() -> None:
    assert closeness("refund", "reimbursement") > closeness("refund", "weather") + 0.2
    assert closeness("cancel", "cancellation") > closeness("cancel", "sunny") + 0.2


def test_the_digest_is_that_of_the_file() -> None:
    content = vectors.SHIPPED.read_bytes()

    assert shipped().digest == hashlib.sha256(content).hexdigest()


def test_a_table_left_on_disk_answers_as_one_that_was_read() -> None:
    words = [
        f"{start}{end}" for start in ("re", "un", "ü", "退") for end in string.ascii_letters
    ]
    read = parsed(vectors.SHIPPED.read_bytes())

    for _ in range(2):  # many at once are let go of, and found again
        for found, expected in zip(shipped().of(words), read.of(words), strict=True):
            assert np.array_equal(found, expected)


def test_a_table_that_is_not_the_expected_one_is_refused(tmp_path) -> None:
    other = tmp_path / "vectors.safetensors"
    other.write_bytes(dump(list(TABLE), np.array(list(TABLE.values()))))

    with pytest.raises(ArtifactRefused, match="not the file that was shipped"):
        mapped(other, shipped().digest)


@pytest.mark.parametrize("spoil", [lambda c: b"", lambda c: c[:-1], lambda c: c[: len(c) // 2]])
def test_a_damaged_table_is_refused(spoil) -> None:
    content = dump(list(TABLE), np.array(list(TABLE.values())))

    with pytest.raises(ArtifactRefused, match="damaged"):
        parsed(spoil(content))


def test_a_table_with_a_piece_twice_is_not_written() -> None:
    with pytest.raises(ValueError, match="distinct"):
        dump(["a", "a"], np.ones((2, 2)))


def test_a_table_that_lacks_a_vector_is_not_written() -> None:
    with pytest.raises(ValueError, match="one vector"):
        dump(["a", "b"], np.ones((1, 2)))


@given(st.text(alphabet=string.ascii_lowercase, max_size=40))
def test_a_word_of_known_letters_is_cut_without_loss(word: str) -> None:
    letters = [*string.ascii_lowercase, *(f"##{char}" for char in string.ascii_lowercase)]
    names = [*letters, "the", "##ing", "##ed"]

    cut = [names[row].removeprefix("##") for row in Pieces(names).rows_of(word)]

    assert "".join(cut) == word


@given(st.text(max_size=40))
def test_any_word_gets_finite_numbers(word: str) -> None:
    assert all(np.isfinite(found).all() for found in shipped().of([word]))
