"""Scoring: the raw scores of texts, from what each known word adds to every column."""

from collections.abc import Iterator, Sequence
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from classifier.engine.calibration import Array
from classifier.engine.features import Features, Floats
from classifier.engine.reading import Reading
from classifier.engine.shelf import SHELF_BYTES, Parts, Shelf

__all__ = ["Parts", "Scorer"]

_FEW_TEXTS = 4  # up to here, one at a time is quicker than all at once
_TOKENS_AT_ONCE = (
    20_000  # so that a batch of long texts needs no more memory than one of short ones
)
_KEPT_BYTES = 8_000_000  # of the parts of one batch, to explain them without asking again


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
        room: int = SHELF_BYTES,
    ) -> None:
        self.features = features
        self.weights = weights
        self.scales = scales
        self.intercepts = intercepts
        self._room = room
        self._lock = Lock()
        self._shelf = Shelf(features, weights, room)

    def parts(self, readings: Sequence[Reading]) -> list[Parts]:
        """Return each text taken apart, in order."""
        found: list[Parts] = []
        for some in _slices(readings):
            shelf = self._learnt({word for _, tokens in some for word in tokens})
            if len(some) < _FEW_TEXTS:
                found += [shelf.part(reading, tokens) for reading, tokens in some]
            else:
                found += shelf.part_all(some)
        return found

    def margins(self, parts: Sequence[Parts]) -> Array:
        """Return texts × columns raw scores."""
        sums = np.empty((len(parts), len(self.intercepts)), dtype=np.float32)
        room = _KEPT_BYTES
        for line, part in enumerate(parts):
            words = part.pool[part.word_rows]
            score = part.word_values @ words
            if part.said_rows:
                groups = self.weights[part.group_rows].astype(np.float32)
                score += part.group_values @ groups
                if words.nbytes + groups.nbytes <= room:
                    part.group_steps = groups
                    room -= groups.nbytes
            if words.nbytes <= room:
                part.word_steps = words
                room -= words.nbytes
            sums[line] = score
        margins: Array = (sums * self.scales + self.intercepts).astype(np.float64)
        return margins

    def added(self, part: Parts, column: int) -> Array:
        """Return what each distinct word, and then each known group, adds to one raw score."""
        if part.word_steps is not None:
            steps = part.word_steps[:, column]
        else:
            steps = part.pool[part.word_rows, column]
        each = steps * part.word_values
        blocks = len(each) // max(1, len(part.words))
        added = each.reshape(len(part.words), blocks).sum(axis=1, dtype=np.float64)
        if part.said_rows:
            if part.group_steps is not None:
                steps = part.group_steps[:, column]
            else:
                steps = self.weights[part.group_rows, column].astype(np.float32)
            added = np.concatenate([added, steps * part.group_values])
        scaled: Array = added * float(self.scales[column])
        return scaled

    def _learnt(self, words: set[str]) -> Shelf:
        """Return a shelf that holds these words."""
        shelf = self._shelf
        if words <= shelf.ids.keys():
            return shelf
        with self._lock:
            if self._shelf.is_full:
                self._shelf = Shelf(self.features, self.weights, self._room)
            self._shelf.learn([word for word in words if word not in self._shelf.ids])
            return self._shelf


def _slices(readings: Sequence[Reading]) -> Iterator[list[tuple[Reading, list[str]]]]:
    """Yield the readings with their tokens, about ``_TOKENS_AT_ONCE`` at a time."""
    some: list[tuple[Reading, list[str]]] = []
    count = 0
    for reading in readings:
        tokens = reading.tokens()
        if some and count + len(tokens) > _TOKENS_AT_ONCE:
            yield some
            some, count = [], 0
        some.append((reading, tokens))
        count += len(tokens)
    if some:
        yield some
