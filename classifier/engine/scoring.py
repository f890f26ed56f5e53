"""Scoring: the raw scores of texts, from what each known word adds to every column."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import repeat
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from classifier.engine.calibration import Array
from classifier.engine.cutting import Cut
from classifier.engine.features import Features, Floats, Whole
from classifier.engine.numbering import STRANGE
from classifier.engine.one_text import OneText, Said
from classifier.engine.parts import Parts, all_apart
from classifier.engine.reading import Reading
from classifier.engine.shelf import SHELF_BYTES, Shelf

Apart = Parts | OneText
"""Some texts taken apart: many, or one."""

_FEW_TEXTS = 3  # up to here, one at a time is quicker than all at once
# So that a batch of long texts, or of very many short ones, needs no more memory than a usual one.
_CHARACTERS_AT_ONCE = 120_000
_TEXTS_AT_ONCE = 256


class Scorer:
    """Knows what every word adds to each column; shared by threads.

    A word's parts are worked out when it is first met, for all new words of a batch at once, and
    remembered. What is remembered is bounded (``room``: bytes) and never changes an answer.
    """

    def __init__(
        self,
        features: Features,
        weights: NDArray[np.int8],
        scales: Floats,
        intercepts: Floats,
        *,
        common_below: float = 0.0,
        room: int = SHELF_BYTES,
    ) -> None:
        """``common_below``: words of less rarity are common."""
        self.scales = scales
        self.intercepts = intercepts
        self._lock = Lock()
        self._new_shelf = partial(Shelf, features, weights, common_below, room)
        self._shelf = self._new_shelf()

    def parts(self, readings: Sequence[Reading]) -> list[Apart]:
        """Return the texts taken apart, many of them together, in order."""
        if len(readings) == 1:
            return [self.part(readings[0])]
        found: list[Apart] = []
        for some in _slices(readings):
            if len(some) <= _FEW_TEXTS:
                found += map(self.part, some)
                continue
            shelf = self._roomy_shelf()
            cut = Cut(some)
            found.append(all_apart(cut, self._numbers(cut, shelf), shelf))
        return found

    def part(self, reading: Reading) -> OneText:
        """Return one text taken apart."""
        shelf = self._roomy_shelf()
        return OneText(self._said(reading, shelf), shelf)

    def margins(self, parts: Sequence[Apart]) -> Array:
        """Return texts × columns raw scores."""
        steps = [some.steps() for some in parts]
        together = steps[0] if len(steps) == 1 else np.concatenate(steps)
        margins: Array = (together * self.scales + self.intercepts).astype(np.float64)
        return margins

    def _roomy_shelf(self) -> Shelf:
        """Return the shelf to use for one batch; a new one, if the last was filled."""
        with self._lock:
            if self._shelf.is_full:
                self._shelf = self._new_shelf()
            return self._shelf

    def _said(self, reading: Reading, shelf: Shelf) -> Said:
        """Return a text as the numbers of its words; the shelf learns those it has not met."""
        runs = reading.runs()
        numbers = [*map(shelf.ids.get, runs, repeat(STRANGE))]
        if STRANGE not in numbers:
            return Said(reading, runs, numbers)
        tokens = reading.tokens()
        self._learn(tokens, shelf)
        return Said(reading, tokens, [*map(shelf.ids.__getitem__, tokens)])

    def _numbers(self, cut: Cut, shelf: Shelf) -> Whole:
        """Return the number of each token of many texts; the shelf learns likewise."""
        keys, long = cut.keys()
        numbers = shelf.short.numbers(keys)
        numbers[long] = [*map(shelf.ids.get, cut.words(long), repeat(STRANGE))]
        strange = np.flatnonzero(numbers == STRANGE)
        if strange.size:
            words = cut.words(strange)
            self._learn(words, shelf)
            numbers[strange] = [*map(shelf.ids.__getitem__, words)]
        return numbers

    def _learn(self, words: Sequence[str], shelf: Shelf) -> None:
        with self._lock:
            shelf.learn([word for word in dict.fromkeys(words) if word not in shelf.ids])


def _slices(readings: Sequence[Reading]) -> Iterator[list[Reading]]:
    """Yield the readings, some at a time."""
    some: list[Reading] = []
    count = 0
    for reading in readings:
        size = len(reading.received)
        if some and (count + size > _CHARACTERS_AT_ONCE or len(some) == _TEXTS_AT_ONCE):
            yield some
            some, count = [], 0
        some.append(reading)
        count += size
    if some:
        yield some
