"""Shelf: what each known word adds to every column, worked out once and remembered."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.engine import hashing
from classifier.engine.features import Features, Floats, Spelling, squared_lengths
from classifier.engine.numbering import ShortWords
from classifier.engine.reading import BORDER

_FEW_WORDS = 6  # new words; up to here, one at a time is quicker than all at once
_MOST_BLOCKS = 3
SHELF_BYTES = 24_000_000  # of what is remembered of words; one in a batch may go beyond
_WORDS_AT_ONCE = 1_000  # being learnt; with 500 columns they need 100 MB on the way


class Shelf:
    """What is remembered of words, by number. Grows under a lock; a number never changes."""

    def __init__(
        self,
        features: Features,
        weights: NDArray[np.int8],
        common_below: float = 0.0,
        room: int = SHELF_BYTES,
    ) -> None:
        self.features = features
        self.weights = np.ascontiguousarray(weights)  # else a flat view of them is a copy
        self.blocks = 3 if features.vectors else 2
        self._common_below = common_below
        length = self.blocks * weights.shape[1]
        self._most: int = room // (4 * length + 350)
        self.ids: dict[str, int] = {BORDER: 0}
        """The number of each word; 0 is none."""
        self.lines: Floats = np.zeros((1, length), dtype=np.float32)
        """Words × what each adds in whole steps of a weight: to the first column by its own
        weight, by its letters and by its vector, to the second column likewise, and so on. What
        explains one column lies together in memory."""
        self.hashes: hashing.Keys = np.zeros(1, dtype=np.uint64)
        self.squares = np.zeros((1, _MOST_BLOCKS))
        """Words × the squared length of what each adds to its own block, its letters', its vector's."""
        self.common: NDArray[np.bool_] = np.zeros(1, dtype=bool)
        """Whether so many texts say the word that it tells nothing."""
        self.short = ShortWords()
        # The same again: one at a time, a list is quicker than an array.
        self.hash_list = [0]
        self.begun_list = [0]
        self.square_list = [(0.0,) * _MOST_BLOCKS]
        self.common_list = [False]

    @property
    def is_full(self) -> bool:
        return len(self.ids) > self._most

    def learn(self, words: Sequence[str]) -> None:
        """Remember some distinct words that are not known yet."""
        for start in range(0, len(words), _WORDS_AT_ONCE):
            self._learn(words[start : start + _WORDS_AT_ONCE])

    def _learn(self, words: Sequence[str]) -> None:
        known, count = len(self.ids), len(words)
        self._make_room(known + count)
        lines = self.lines[known : known + count]
        own, letters, *meaning = (
            lines[:, block :: self.blocks] for block in range(self.blocks)
        )
        squares = self.squares[known : known + count]
        hashes = [hashing.word_hash(word) for word in words]
        for start, end, spelling in self._spelt(words):
            letters[start:end] = self._poured(spelling)
            squares[start:end, 1] = squared_lengths(spelling, self.features.rarity)
        rows = [self.features.words.row_of.get(hashing.key_of(hashed)) for hashed in hashes]
        for place, row in enumerate(rows):
            if row is not None:
                own[place] = self.weights[row]
                squares[place, 0] = self.features.rarity.item(row) ** 2
        if self.features.vectors:
            vectors, squares[:, 2] = self.features.vectors.of(words)
            for place, vector in enumerate(vectors):  # a product of all may round otherwise
                meaning[0][place] = vector @ self._dense
        self.hashes[known : known + count] = hashes
        self.hash_list += hashes
        self.begun_list += map(hashing.begun, hashes)
        self.square_list += map(tuple, squares.tolist())
        common = [row is not None and self._is_common(row) for row in rows]
        self.common[known : known + count] = common
        self.common_list += common
        # Last: who finds a word here finds all that belongs to it.
        self.ids.update(zip(words, range(known, known + count), strict=True))
        self.short.add(words, known)

    def _is_common(self, row: int) -> bool:
        return self.features.rarity.item(row) < self._common_below

    def _spelt(self, words: Sequence[str]) -> Iterator[tuple[int, int, Spelling]]:
        if len(words) > _FEW_WORDS:
            yield 0, len(words), self.features.spelling(words)
            return
        for place, word in enumerate(words):
            yield place, place + 1, self.features.spelling_of(word)

    def _poured(self, spelling: Spelling) -> Floats:
        """Return words × columns: sums of whole steps, so exact in whatever order."""
        weights = self.weights[spelling.rows]
        if len(spelling.starts) == 2:  # noqa: PLR2004 - one word
            return spelling.counts.astype(np.float32) @ weights
        steps = weights * spelling.counts[:, None].astype(np.float32)
        steps = np.concatenate([steps, np.zeros((1, steps.shape[1]), dtype=np.float32)])
        sums: Floats = np.add.reduceat(steps, spelling.starts[:-1], axis=0)
        sums[spelling.starts[:-1] == spelling.starts[1:]] = 0
        return sums

    @cached_property
    def _dense(self) -> Floats:
        """What each number of a vector adds in each column."""
        return self.weights[self.features.hashed :].astype(np.float32)

    def _make_room(self, count: int) -> None:
        if count <= len(self.squares):
            return
        more = max(count, 2 * len(self.squares)) - len(self.squares)
        self.lines = _longer(self.lines, more)
        self.squares = _longer(self.squares, more)
        self.hashes = _longer(self.hashes, more)
        self.common = _longer(self.common, more)


def _longer(array: NDArray[Any], more: int) -> NDArray[Any]:
    """Return a copy with so many further rows of noughts; they take memory when written to."""
    longer = np.zeros((len(array) + more, *array.shape[1:]), dtype=array.dtype)
    longer[: len(array)] = array
    return longer
