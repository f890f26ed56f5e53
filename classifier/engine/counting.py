"""Counting: which groups of words and letters some texts hold, and in how many texts each is."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from classifier.engine import hashing
from classifier.engine.hashing import Keys, Whole

EDGE_LENGTH = 2
"""A word and an edge of its turn count as a group of two."""
TEXTS_AT_ONCE = 1_000  # of 1 kB each they need 120 MB on the way
_TALLY_AT_MOST = 4_000_000  # keys counted and not yet added up, 64 MB

Item = TypeVar("Item")


def in_blocks(texts: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield the texts, ``TEXTS_AT_ONCE`` at a time."""
    rest = iter(texts)
    while block := list(islice(rest, TEXTS_AT_ONCE)):
        yield block


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Some texts as numbers."""

    size: int
    """How many texts."""
    words: list[str]
    """The distinct words, in the order they are first said."""
    hashes: Keys
    """The ``word_hash`` of each."""
    lines: Whole
    """The text of each distinct pair of text and word, ascending."""
    ids: Whole
    """The word's number of each such pair."""
    counts: Whole
    """How often that word is said in that text."""
    group_lines: Whole
    """The text of each group of several words, with repeats; the first and the last word of each
    turn are such a group together with its edge."""
    group_keys: Keys
    """The key of each such group."""

    @classmethod
    def of(
        cls, texts: Sequence[Sequence[Sequence[str]]], lengths: tuple[int, int]
    ) -> "TextBlock":
        """Return the block of texts, each the words of each turn; word groups of these lengths."""
        ids: dict[str, int] = {}
        said: list[int] = []
        sizes: list[int] = []
        for turns in texts:
            before = len(said)
            for turn in turns:
                said.extend([ids.setdefault(word, len(ids)) for word in turn])
                said.append(-1)  # the turn's end, which no group reaches over
            sizes.append(len(said) - before)
        words = list(ids)
        tokens = np.array(said, dtype=np.int64)
        token_lines = np.repeat(np.arange(len(texts)), sizes)
        spoken = tokens >= 0
        lines, found_ids, counts = distinct(token_lines[spoken], tokens[spoken])
        hashes = hashing.word_hashes(words)
        token_hashes = np.append(hashes, np.uint64(0))[tokens]
        groups = list(_groups(token_lines, token_hashes, lengths))
        return cls(
            len(texts),
            words,
            hashes,
            lines,
            found_ids,
            counts,
            np.concatenate([np.zeros(0, dtype=np.int64), *(lines for lines, _ in groups)]),
            np.concatenate([np.zeros(0, dtype=np.uint64), *(keys for _, keys in groups)]),
        )

    def word_keys(self, lengths: tuple[int, int]) -> tuple[Whole, Keys]:
        """Return text and key of each distinct word group of these lengths in each text."""
        lines, keys = _distinct_keys(self.group_lines, self.group_keys)
        if lengths[0] > 1:
            return lines, keys
        return (
            np.concatenate([self.lines, lines]),
            np.concatenate([hashing.keys_of(self.hashes)[self.ids], keys]),
        )

    def letter_keys(self, lengths: tuple[int, int]) -> tuple[Whole, Keys]:
        """Return text and key of each distinct letter group of these lengths in each text."""
        owners, keys = hashing.letter_keys_of_all(self.words, lengths)
        order = np.argsort(owners, kind="stable")
        keys = keys[order]
        sizes = np.bincount(owners, minlength=len(self.words))
        ends = np.cumsum(sizes)
        repeats = sizes[self.ids]
        before = np.cumsum(repeats) - repeats
        places = np.arange(repeats.sum()) + np.repeat(
            (ends - sizes)[self.ids] - before, repeats
        )
        return _distinct_keys(np.repeat(self.lines, repeats), keys[places])


def _groups(
    lines: Whole, hashes: Keys, lengths: tuple[int, int]
) -> Iterator[tuple[Whole, Keys]]:
    """Yield, for each length from two on, text and key of each group of neighbouring words.

    Of those of two the groups with an edge come first.
    """
    if lengths[0] <= EDGE_LENGTH <= lengths[1]:
        first, last = edges_of(hashes)
        yield lines[first], hashing.first_keys(hashes[first])
        yield lines[last], hashing.last_keys(hashes[last])
    groups = hashes
    for length in range(2, lengths[1] + 1):
        groups = hashing.joined_arrays(
            groups[: max(0, len(hashes) - length + 1)], hashes[length - 1 :]
        )
        if length >= lengths[0]:
            whole = np.flatnonzero(groups)
            yield lines[whole], hashing.keys_of(groups[whole])


def edges_of(hashes: Keys) -> tuple[Whole, Whole]:
    """Return the places of the first and of the last words of turns, which a 0 parts."""
    padded = np.concatenate([[np.uint64(0)], hashes, [np.uint64(0)]])
    spoken = hashes != 0
    first, last = spoken & (padded[:-2] == 0), spoken & (padded[2:] == 0)
    return np.flatnonzero(first), np.flatnonzero(last)


def distinct(lines: Whole, numbers: Whole) -> tuple[Whole, Whole, Whole]:
    """Return the distinct pairs of text and number, ascending, and how often each is there."""
    size = int(numbers.max(initial=0)) + 1
    pairs, counts = np.unique(lines * size + numbers, return_counts=True)
    found_lines, found = np.divmod(pairs, size)
    return found_lines, found, counts


def first_mentions(lines: Whole, numbers: Whole) -> tuple[Whole, Whole]:
    """Return where each distinct pair of text and number stands first, ascending, and how often.

    Quicker than ``distinct``, as pairs are sorted together with their places: one sort of plain
    numbers, which numpy does with the processor's widest instructions.
    """
    bits = len(lines).bit_length()
    span = int(numbers.max(initial=0)) + 1
    ranked = np.sort(((lines * span + numbers) << bits) + np.arange(len(lines)))
    pairs = ranked >> bits
    is_first = np.ones(len(pairs), dtype=bool)
    np.not_equal(pairs[1:], pairs[:-1], out=is_first[1:])
    starts = np.flatnonzero(is_first)
    counts = np.diff(starts, append=len(pairs))
    low = (1 << bits) - 1
    by_place = np.sort(((ranked[starts] & low) << bits) + counts)
    return by_place >> bits, by_place & low


def _distinct_keys(lines: Whole, keys: Keys) -> tuple[Whole, Keys]:
    known, numbers = np.unique(keys, return_inverse=True)
    found_lines, found, _ = distinct(lines, numbers)
    return found_lines, known[found]


class Tally:
    """Counts in how many texts each key is, text by text or many at once."""

    def __init__(self) -> None:
        self._keys: list[Keys] = []
        self._counts: list[Whole] = []
        self._waiting = 0

    def add(self, keys: Keys) -> None:
        """Count each key once more for each time that it is there."""
        found, counts = np.unique(keys, return_counts=True)
        self._keys.append(found)
        self._counts.append(counts)
        self._waiting += len(found)
        if self._waiting > _TALLY_AT_MOST:
            self._add_up()

    def kept(self, at_least: int, most: int) -> tuple[Keys, Whole]:
        """Return the most frequent keys, ascending, and their counts; ties fall to lower keys."""
        self._add_up()
        keys, counts = self._keys[0], self._counts[0]
        enough = counts >= at_least
        keys, counts = keys[enough], counts[enough]
        if len(keys) > most:
            chosen = np.sort(np.argsort(-counts, kind="stable")[:most])
            keys, counts = keys[chosen], counts[chosen]
        return keys, counts

    def _add_up(self) -> None:
        every = np.concatenate([np.zeros(0, dtype=np.uint64), *self._keys])
        counts = np.concatenate([np.zeros(0, dtype=np.int64), *self._counts])
        keys, numbers = np.unique(every, return_inverse=True)
        sums = np.bincount(numbers, weights=counts, minlength=len(keys))
        self._keys, self._counts, self._waiting = [keys], [sums.astype(np.int64)], 0


def lengths_of(lines: Whole, squares: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Return the length of each text's vector from its squares; of an empty one, 1."""
    sums = np.bincount(lines, weights=squares, minlength=size)
    lengths: NDArray[np.float64] = np.sqrt(np.where(sums > 0, sums, 1))
    return lengths
