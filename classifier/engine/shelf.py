"""Shelf: what each known word adds to every column, worked out once and remembered."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.engine import hashing
from classifier.engine.calibration import Array
from classifier.engine.counting import distinct
from classifier.engine.features import (
    Features,
    Floats,
    Spelling,
    Whole,
    damped,
    squared_lengths,
)
from classifier.engine.reading import BORDER, Reading

_FEW_WORDS = 6  # new words; up to here, one at a time is quicker than all at once
SHELF_BYTES = 24_000_000  # of what is remembered of words; one in a batch may go beyond
_WORDS_AT_ONCE = 1_000  # being learnt; with 500 columns they need 100 MB on the way
_DAMPED: NDArray[np.float64] = np.concatenate([[0.0], 1 + np.log(np.arange(1, 256))])


@dataclass(slots=True)
class Parts:
    """One text taken apart, the same for every column; not to be changed.

    The text's raw score in a column is the column's intercept plus, for each distinct word, the
    word's parts times their values, plus, for each known word group, its weight times its value.
    """

    reading: Reading
    tokens: Sequence[str]
    words: Sequence[str]
    """The distinct words, in no special order."""
    pool: Floats
    """What the parts of words add in each column, in whole steps of a weight."""
    word_rows: Whole
    """Rows of ``pool``: as many parts for each word as there are blocks."""
    word_values: Floats
    group_rows: Whole
    """Rows of the weights, of each distinct known group of several words, ascending."""
    group_values: Floats
    said_rows: Sequence[int]
    """The row of each known group as it is said, with repeats, by length and then in order."""
    said_at: Sequence[int]
    """The place of its first word in ``tokens``."""
    said_words: Sequence[int]
    """How many words it has."""
    word_steps: Floats | None = None
    """``pool[word_rows]``, kept where texts are short: it is asked for again to explain."""
    group_steps: Floats | None = None
    """The weights of ``group_rows`` likewise."""


class Shelf:
    """What is remembered of words. Grows under a lock; what has a number never changes."""

    def __init__(
        self, features: Features, weights: NDArray[np.int8], room: int = SHELF_BYTES
    ) -> None:
        self._features = features
        self._weights = weights
        self._blocks = 3 if features.vectors else 2
        columns, width = weights.shape[1], features.vectors.width if features.vectors else 0
        self._most: int = room // (4 * (self._blocks * columns + width) + 200)
        self._words = [BORDER]
        self._hashes = [0]
        self._hash_array: hashing.Keys = np.zeros(1, dtype=np.uint64)
        self._pool = np.zeros((self._blocks, columns), dtype=np.float32)
        self._squares = np.zeros((1, 2))
        self._square_list = [(0.0, 0.0)]
        self._vectors = np.zeros((1, width), dtype=np.float32)
        self.ids: dict[str, int] = {BORDER: 0}

    @property
    def is_full(self) -> bool:
        return len(self._words) > self._most

    def learn(self, words: Sequence[str]) -> None:
        """Remember some distinct words that are not known yet."""
        for start in range(0, len(words), _WORDS_AT_ONCE):
            self._learn(words[start : start + _WORDS_AT_ONCE])

    def _learn(self, words: Sequence[str]) -> None:
        known, count, blocks = len(self._words), len(words), self._blocks
        self._make_room(known + count)
        pool = self._pool[known * blocks : (known + count) * blocks].reshape(count, blocks, -1)
        squares = self._squares[known : known + count]
        hashes = [hashing.word_hash(word) for word in words]
        for start, end, spelling in self._spelt(words):
            pool[start:end, 1] = self._poured(spelling)
            squares[start:end, 1] = squared_lengths(spelling, self._features.rarity)
        row_of = self._features.words.row_of
        for place, hashed in enumerate(hashes):
            row = row_of.get(hashing.key_of(hashed))
            if row is not None:
                pool[place, 0] = self._weights[row]
                squares[place, 0] = float(self._features.rarity[row]) ** 2
        if self._features.vectors:
            vectors = self._features.vectors.of(words)
            self._vectors[known : known + count] = vectors
            for place, vector in enumerate(vectors):  # a product of all may round otherwise
                pool[place, 2] = vector @ self._dense
        self._hash_array[known : known + count] = hashes
        self._square_list += map(tuple, squares.tolist())
        self._hashes += hashes
        self._words += words
        # Last: who finds a word here finds all that belongs to it.
        self.ids.update(zip(words, range(known, known + count), strict=True))

    def _spelt(self, words: Sequence[str]) -> Iterator[tuple[int, int, Spelling]]:
        if len(words) > _FEW_WORDS:
            yield 0, len(words), self._features.spelling(words)
            return
        for place, word in enumerate(words):
            yield place, place + 1, self._features.spelling_of(word)

    def _poured(self, spelling: Spelling) -> Floats:
        """Return words × columns: sums of whole steps, so exact in whatever order."""
        steps = self._weights[spelling.rows] * spelling.counts[:, None].astype(np.float32)
        steps = np.concatenate([steps, np.zeros((1, steps.shape[1]), dtype=np.float32)])
        sums: Floats = np.add.reduceat(steps, spelling.starts[:-1], axis=0)
        sums[spelling.starts[:-1] == spelling.starts[1:]] = 0
        return sums

    @cached_property
    def _dense(self) -> Floats:
        return self._weights[self._features.hashed :].astype(np.float32)

    def _make_room(self, count: int) -> None:
        if count <= len(self._squares):
            return
        more = max(count, 2 * len(self._squares)) - len(self._squares)
        self._pool = _longer(self._pool, more * self._blocks)
        self._squares = _longer(self._squares, more)
        self._vectors = _longer(self._vectors, more)
        self._hash_array = _longer(self._hash_array, more)

    def part(self, reading: Reading, tokens: Sequence[str]) -> Parts:
        """Return one text taken apart: quicker than ``part_all`` for a few."""
        ids, hashes, squares = self.ids, self._hashes, self._square_list
        numbers = [ids[word] for word in tokens]
        counts = _counted(numbers)
        counts.pop(0, None)
        said = sorted(counts, key=hashes.__getitem__)
        times = [_damped_one(counts[number]) for number in said]
        said_squares = letter_squares = 0.0
        for time, number in zip(times, said, strict=True):
            of_word, of_letters = squares[number]
            said_squares += time * time * of_word
            letter_squares += time * time * of_letters
        rows, places, lengths = self._groups([hashes[number] for number in numbers])
        group_counts = _counted(rows)
        group_rows = sorted(group_counts)
        group_times = [_damped_one(group_counts[row]) for row in group_rows]
        for row, time in zip(group_rows, group_times, strict=True):
            said_squares += (time * self._features.rarity.item(row)) ** 2
        by_block = [_inverse(said_squares), _inverse(letter_squares)]
        if self._features.vectors:
            total = np.array(times, dtype=np.float64) @ self._vectors[said]
            by_block.append(_inverse(float(total @ total)))
        blocks = self._blocks
        return Parts(
            reading,
            tokens,
            [self._words[number] for number in said],
            self._pool,
            np.array([n * blocks + b for n in said for b in range(blocks)], dtype=np.int64),
            np.array([time * part for time in times for part in by_block], dtype=np.float32),
            np.array(group_rows, dtype=np.int64),
            np.array([time * by_block[0] for time in group_times], dtype=np.float32),
            rows,
            places,
            lengths,
        )

    def _groups(self, hashes: list[int]) -> tuple[list[int], list[int], list[int]]:
        """Return row, place and length of each known group of several words."""
        row_of = self._features.words.row_of
        shortest, longest = self._features.ngrams.words
        rows: list[int] = []
        places: list[int] = []
        lengths: list[int] = []
        groups = hashes
        for length in range(2, longest + 1):
            groups = hashing.joined(groups, hashes[length - 1 :])
            if length < shortest:
                continue
            for place, hashed in enumerate(groups):
                row = row_of.get(hashing.key_of(hashed))
                if row is not None and hashed:
                    rows.append(row)
                    places.append(place)
                    lengths.append(length)
        return rows, places, lengths

    def part_all(self, texts: Sequence[tuple[Reading, Sequence[str]]]) -> list[Parts]:
        """Return what ``part`` does for each text, worked out for all at once."""
        ids, size = self.ids, len(texts)
        sizes = np.array([len(tokens) for _, tokens in texts])
        numbers = np.array(
            [ids[word] for _, tokens in texts for word in tokens], dtype=np.int64
        )
        lines = np.repeat(np.arange(size), sizes)
        spoken = numbers > 0
        word_lines, words, counts = self._distinct_words(lines[spoken], numbers[spoken])
        times = _damped(counts)
        said = self._groups_of_all(lines, self._hash_array[numbers])
        group_lines, group_rows, group_counts = distinct(said[0], said[1])
        group_times = _damped(group_counts)
        group_squares = np.square(group_times * self._features.rarity[group_rows])
        squares = self._squares[words] * np.square(times)[:, None]
        blocks = np.empty((size, self._blocks))
        blocks[:, 0] = _sums(word_lines, squares[:, 0], size) + _sums(
            group_lines, group_squares, size
        )
        blocks[:, 1] = _sums(word_lines, squares[:, 1], size)
        cuts = _cuts(word_lines, size)
        if self._features.vectors:
            for line, (start, end) in enumerate(pairwise(cuts)):
                total = times[start:end] @ self._vectors[words[start:end]]
                blocks[line, 2] = total @ total
        with np.errstate(divide="ignore"):
            blocks = np.where(blocks > 0, 1 / np.sqrt(blocks), 0.0)
        values = (times[:, None] * blocks[word_lines]).astype(np.float32).ravel()
        rows = (words[:, None] * self._blocks + np.arange(self._blocks)).ravel()
        group_values = (group_times * blocks[group_lines, 0]).astype(np.float32)
        known = self._words
        named = [known[number] for number in words.tolist()]
        group_cuts, said_cuts = _cuts(group_lines, size), _cuts(said[0], size)
        said[2] -= (np.cumsum(sizes) - sizes)[said[0]]
        said_rows, said_at, said_words = said[1].tolist(), said[2].tolist(), said[3].tolist()
        return [
            Parts(
                reading,
                tokens,
                named[start:end],
                self._pool,
                rows[start * self._blocks : end * self._blocks],
                values[start * self._blocks : end * self._blocks],
                group_rows[group_start:group_end],
                group_values[group_start:group_end],
                said_rows[said_start:said_end],
                said_at[said_start:said_end],
                said_words[said_start:said_end],
            )
            for (reading, tokens), (start, end), (group_start, group_end), (
                said_start,
                said_end,
            ) in zip(
                texts, pairwise(cuts), pairwise(group_cuts), pairwise(said_cuts), strict=True
            )
        ]

    def _distinct_words(self, lines: Whole, numbers: Whole) -> tuple[Whole, Whole, Whole]:
        """Return text, word and count of each distinct pair, a text's words by their hashes.

        An order that does not depend on what was remembered when: sums are then equal.
        """
        met, _ = np.unique(numbers, return_counts=True)  # without counts: numpy.ma, 3 MB
        met = met[np.argsort(self._hash_array[met], kind="stable")]
        ranks = np.zeros(len(self._words), dtype=np.int64)
        ranks[met] = np.arange(len(met))
        found_lines, found, counts = distinct(lines, ranks[numbers])
        return found_lines, met[found], counts

    def _groups_of_all(self, lines: Whole, hashes: hashing.Keys) -> Whole:
        """Return text, row, place and length of each known group, by text, length and place."""
        shortest, longest = self._features.ngrams.words
        found: list[Whole] = []
        groups = hashes
        for length in range(2, longest + 1):
            whole = max(0, len(hashes) - length + 1)
            # The first and the last word of a group are of one text, or a text ends in it.
            groups = hashing.joined_arrays(groups[:whole], hashes[length - 1 :])
            groups[lines[:whole] != lines[length - 1 :]] = 0
            if length < shortest:
                continue
            rows = self._features.words.rows(hashing.keys_of(groups))
            places = np.flatnonzero((rows >= 0) & (groups != 0))
            found.append(
                np.stack([lines[places], rows[places], places, np.full(len(places), length)])
            )
        if len(found) == 1:
            return found[0]
        every = np.concatenate([np.zeros((4, 0), dtype=np.int64), *found], axis=1)
        return every[:, np.argsort(every[0], kind="stable")]


def _longer(array: NDArray[Any], more: int) -> NDArray[Any]:
    """Return a copy with so many further rows of noughts; they take memory when written to."""
    longer = np.zeros((len(array) + more, *array.shape[1:]), dtype=array.dtype)
    longer[: len(array)] = array
    return longer


def _sums(lines: Whole, values: Array, size: int) -> Array:
    """Return the sum of each text's values."""
    sums: Array = np.bincount(lines, weights=values, minlength=size).astype(np.float64)
    return sums


def _cuts(lines: Whole, size: int) -> list[int]:
    """Return where each text starts among ascending lines, and where the last one ends."""
    cuts: list[int] = np.searchsorted(lines, np.arange(size + 1)).tolist()
    return cuts


def _counted(numbers: Sequence[int]) -> dict[int, int]:
    """Return how often each number is there."""
    counts: dict[int, int] = {}
    for number in numbers:
        counts[number] = counts.get(number, 0) + 1
    return counts


def _damped(counts: Whole) -> Array:
    """Return 1 + ln count, read from a table where counts are low."""
    if counts.size and counts.max() < len(_DAMPED):
        return _DAMPED[counts]
    return damped(counts)


def _damped_one(count: int) -> float:
    return 1.0 if count == 1 else 1 + math.log(count)


def _inverse(squares: float) -> float:
    """Return what brings a block of this squared length to length 1; an empty one stays empty."""
    return 1 / math.sqrt(squares) if squares > 0 else 0.0
