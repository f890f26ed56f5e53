"""Scoring: the raw scores of texts, from what each known word adds to every column."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import repeat
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from classifier.engine.calibration import Array
from classifier.engine.features import Features, Floats
from classifier.engine.one_text import OneText
from classifier.engine.parts import Parts, Said, all_apart
from classifier.engine.reading import Reading
from classifier.engine.shelf import SHELF_BYTES, Shelf

Apart = Parts | OneText
"""Some texts taken apart: many, or one."""

_STRANGE = -1  # the number of a word that the shelf has not met
_FEW_TEXTS = 3  # up to here, one at a time is quicker than all at once
# So that a batch of long texts, or of very many short ones, needs no more memory than a usual one.
_TOKENS_AT_ONCE = 20_000
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
        found: list[Apart] = []
        for some in _slices(readings):
            shelf = self._roomy_shelf()
            said = self._numbered(some, shelf)
            if len(said) <= _FEW_TEXTS:
                found += [OneText(text, shelf) for text in said]
            else:
                found.append(all_apart(said, shelf))
        return found

    def part(self, reading: Reading) -> OneText:
        """Return one text taken apart."""
        shelf = self._roomy_shelf()
        (said,) = self._numbered([(reading, reading.runs())], shelf)
        return OneText(said, shelf)

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

    def _numbered(self, texts: Sequence[tuple[Reading, list[str]]], shelf: Shelf) -> list[Said]:
        """Return the numbers of the words of each text; the shelf learns those it has not met."""
        number_of = shelf.ids.get
        said = [
            Said(reading, runs, [*map(number_of, runs, repeat(_STRANGE))])
            for reading, runs in texts
        ]
        strange = [text for text in said if _STRANGE in text.numbers]
        if strange:
            for text in strange:
                text.tokens[:] = text.reading.tokens()
            self._learn({word for text in strange for word in text.tokens}, shelf)
            for text in strange:
                text.numbers[:] = map(shelf.ids.__getitem__, text.tokens)
        return said

    def _learn(self, words: set[str], shelf: Shelf) -> None:
        with self._lock:
            shelf.learn([word for word in words if word not in shelf.ids])


def _slices(readings: Sequence[Reading]) -> Iterator[list[tuple[Reading, list[str]]]]:
    """Yield the readings with their runs, some at a time."""
    some: list[tuple[Reading, list[str]]] = []
    count = 0
    for reading in readings:
        runs = reading.runs()
        if some and (count + len(runs) > _TOKENS_AT_ONCE or len(some) == _TEXTS_AT_ONCE):
            yield some
            some, count = [], 0
        some.append((reading, runs))
        count += len(runs)
    if some:
        yield some
