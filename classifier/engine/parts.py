"""Parts: many texts taken apart at once into the words and word groups that a model knows."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.engine import hashing
from classifier.engine.calibration import Array
from classifier.engine.counting import EDGE_LENGTH, edges_of, first_mentions
from classifier.engine.cutting import Cut
from classifier.engine.features import Floats, Whole, damped
from classifier.engine.shelf import Shelf

_GATHERED = 2**18  # numbers at once: 1 MB stays in the processor's cache


@dataclass(frozen=True, slots=True)
class Terms:
    """The distinct words of some texts, or their distinct groups of several words.

    Those of one text stand together, in the order they are first said.
    """

    cuts: list[int]
    """Where each text's terms start, and where the last one's end."""
    rows: Whole
    """Words: their numbers on the shelf. Groups: their rows of the weights."""
    times: Floats
    """1 + ln of how often each is said in the text."""
    places: Whole
    """The token at which each is first said, counted through all the texts."""
    lengths: Whole
    """How many words each has."""

    def texts(self) -> Whole:
        """Return the text of each."""
        return np.repeat(np.arange(len(self.cuts) - 1), np.diff(self.cuts))

    def products(self, table: NDArray[np.floating | np.int8]) -> Floats:
        """Return texts × columns: the rows of a table that a text's terms have, times these."""
        cuts, width = self.cuts, table.shape[1]
        sums = np.zeros((len(cuts) - 1, width), dtype=np.float32)
        for texts in _pieces(cuts, max(1, _GATHERED // width)):
            begun = cuts[texts.start]
            # Clip: no row lies outside, and raising for one takes as long as the gathering.
            rows = table.take(self.rows[begun : cuts[texts.stop]], axis=0, mode="clip")
            rows = rows.astype(np.float32, copy=False)
            times = self.times[begun : cuts[texts.stop]]
            for text in texts:
                start, end = cuts[text] - begun, cuts[text + 1] - begun
                np.dot(times[start:end], rows[start:end], out=sums[text])
        return sums


@dataclass(frozen=True, slots=True)
class Parts:
    """Some texts taken apart, the same for every column; not to be changed.

    The raw score of a text in a column is the column's intercept plus, for each word, its time
    times the sum over the blocks of what the shelf says, each times the text's factor of that
    block, plus, for each group, its time times its weight times the factor of the first block.
    """

    shelf: Shelf
    cut: Cut
    numbers: Whole
    """The number of each token, of one text after the other."""
    words: Terms
    groups: Terms
    sums: Floats
    """Texts × columns × blocks: what their words add before factors, in steps of a weight."""
    factors: Array
    """Texts × blocks: what brings each block of a text to its length; 0 for an empty one."""

    def __len__(self) -> int:
        return len(self.cut)

    def steps(self) -> Floats:
        """Return texts × columns raw scores without intercepts, in steps of a weight."""
        factors = self.factors.astype(np.float32)
        steps: Floats = np.vecdot(self.sums, factors[:, None])
        steps += factors[:, :1] * self.groups.products(self.shelf.weights)
        return steps


def all_apart(cut: Cut, numbers: Whole, shelf: Shelf) -> Parts:
    """Return many texts taken apart, all at once; ``numbers``: of each token on the shelf."""
    words, groups = _terms_of_all(numbers, cut.starts, shelf)
    sums = words.products(shelf.lines)
    squares = _squared_lengths(words, groups, shelf)
    with np.errstate(divide="ignore"):
        factors = np.where(squares > 0, 1 / np.sqrt(squares), 0.0)
    by_block = sums.reshape(len(cut), -1, shelf.blocks)
    return Parts(shelf, cut, numbers, words, groups, by_block, factors)


def _pieces(cuts: Sequence[int], most: int) -> Iterator[range]:
    """Yield the texts in runs of up to ``most`` terms; one of more is a run of its own."""
    first = 0
    while first < len(cuts) - 1:
        last = max(first + 1, bisect_right(cuts, cuts[first] + most) - 1)
        yield range(first, last)
        first = last


def _terms_of_all(numbers: Whole, starts: Sequence[int], shelf: Shelf) -> tuple[Terms, Terms]:
    """Return the distinct words and the distinct groups of all texts."""
    size = len(starts) - 1
    texts = np.repeat(np.arange(size), np.diff(starts))
    places = np.flatnonzero(numbers)
    words = _distinct(texts[places], numbers[places], places, np.ones_like(places), size)
    return words, _distinct(*_groups_of_all(texts, shelf.hashes[numbers], shelf), size)


def _groups_of_all(
    texts: Whole, hashes: hashing.Keys, shelf: Shelf
) -> tuple[Whole, Whole, Whole, Whole]:
    """Return text, row, place and length of each known group, by text, length and place."""
    shortest, longest = shelf.features.ngrams.words
    found: list[tuple[hashing.Keys, Whole, int]] = []
    if shortest <= EDGE_LENGTH <= longest:
        found += _edges_of_all(texts, hashes)
    groups = hashes
    for length in range(2, longest + 1):
        whole = max(0, len(hashes) - length + 1)
        # The first and the last word of a group are of one text, or a text ends in it.
        groups = hashing.joined_arrays(groups[:whole], hashes[length - 1 :])
        groups[texts[:whole] != texts[length - 1 :]] = 0
        if length >= shortest:
            places = np.flatnonzero(groups)
            found.append((hashing.keys_of(groups[places]), places, length))
    if not found:
        return (np.zeros(0, dtype=np.int64),) * 4
    keys, places = (np.concatenate([each[part] for each in found]) for part in (0, 1))
    lengths = np.repeat([each[2] for each in found], [len(each[0]) for each in found])
    rows = shelf.features.words.rows(keys)
    known = np.flatnonzero(rows >= 0)
    by_text = known[np.argsort(texts[places[known]], kind="stable")]
    places = places[by_text]
    return texts[places], rows[by_text], places, lengths[by_text]


def _edges_of_all(
    texts: Whole, hashes: hashing.Keys
) -> Iterator[tuple[hashing.Keys, Whole, int]]:
    """Yield key, place and length of the firsts, and then of the lasts, of turns."""
    ends = np.flatnonzero(texts[1:] != texts[:-1]) + 1
    apart = np.insert(hashes, ends, 0)
    place_of = np.insert(np.arange(len(hashes)), ends, 0)
    first, last = edges_of(apart)
    yield hashing.first_keys(apart[first]), place_of[first], 1
    yield hashing.last_keys(apart[last]), place_of[last], 1


def _distinct(texts: Whole, rows: Whole, places: Whole, lengths: Whole, size: int) -> Terms:
    """Return each term of each text once."""
    first, counts = first_mentions(texts, rows)
    cuts = np.searchsorted(texts[first], np.arange(size + 1)).tolist()
    return Terms(cuts, rows[first], _damped(counts), places[first], lengths[first])


def _squared_lengths(words: Terms, groups: Terms, shelf: Shelf) -> Array:
    """Return texts × blocks: the squared length of each block of each text."""
    size = len(words.cuts) - 1
    squared = np.square(words.times, dtype=np.float64)
    texts = words.texts()
    squares: Array = np.stack(
        [
            np.bincount(texts, of_block.take(words.rows) * squared, size)
            for of_block in shelf.squares.T[: shelf.blocks]
        ],
        axis=1,
    )
    if groups.rows.size:
        values = groups.times * shelf.features.rarity[groups.rows].astype(np.float64)
        squares[:, 0] += np.bincount(groups.texts(), np.square(values), size)
    return squares


def _damped(counts: Whole) -> Floats:
    """Return 1 + ln count, read from a table where counts are low."""
    if counts.max(initial=0) < len(_DAMPED):
        return _DAMPED[counts]
    return damped(counts).astype(np.float32)


def damped_count(count: int) -> float:
    """Return the same for one count."""
    return _damped(np.array([count])).item()


_DAMPED: Floats = np.concatenate([[0.0], damped(np.arange(1, 256))]).astype(np.float32)
