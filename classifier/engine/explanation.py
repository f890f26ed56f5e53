"""Explanation: which term of a text holds which part of its vector, and where it is said."""

from collections import Counter
from dataclasses import dataclass
from itertools import chain

import numpy as np

from classifier.engine.calibration import Array
from classifier.engine.features import Features, Floats, Reading, Whole


@dataclass(frozen=True, slots=True)
class Anatomy:
    """One text taken apart, the same for every category.

    Each value of the vector is shared out to the terms it comes from: a word group's to that
    group, a letter group's to the words it lies in, in proportion to how often.
    """

    reading: Reading
    rows: Whole
    values: Floats
    """The text's vector, as ``Features.vector`` returns it."""
    terms: tuple[str, ...]
    """Words and word groups that hold a part, in the order they are first said."""
    places: tuple[tuple[int, int, int], ...]
    """For each term the place in the reading's turns and the half-open span of folded text."""
    owners: Whole
    """For each part the number of its term."""
    parts: Whole
    """For each part the position of its value in ``rows``."""
    portions: Array
    """For each part the share of the value that is the term's, in (0, 1]."""

    @classmethod
    def of(cls, reading: Reading, features: Features) -> "Anatomy":
        """Return the anatomy of what a model reads."""
        placed = list(reading.placed_words())
        words = [[word for *_, word in turn] for turn in placed]
        rows, values = features.vector(words)
        places: dict[str, tuple[int, int, int]] = {}
        for at, (turn, said) in enumerate(zip(placed, words, strict=True)):
            for length, groups in enumerate(
                features.ngrams.of_words(said), features.ngrams.words[0]
            ):
                for first, group in enumerate(groups):
                    if group in features.words and group not in places:
                        places[group] = (at, turn[first][1], turn[first + length - 1][2])
            for _, start, end, word in turn:
                places.setdefault(word, (at, start, end))
        return cls._shared_out(
            reading, features, rows, values, places, Counter(chain.from_iterable(words))
        )

    @classmethod
    def _shared_out(
        cls,
        reading: Reading,
        features: Features,
        rows: Whole,
        values: Floats,
        places: dict[str, tuple[int, int, int]],
        said: Counter[str],
    ) -> "Anatomy":
        numbers = {term: number for number, term in enumerate(places)}
        groups = [
            (features.words[term], number)
            for term, number in numbers.items()
            if term in features.words
        ]
        spelt = [features.letters_of(word) for word in said]
        lengths = [len(letters) for letters in spelt]
        letters = np.array([row for word in spelt for row in word], dtype=np.int64)
        times = np.repeat(np.array(list(said.values()), dtype=np.float64), lengths)
        totals = np.bincount(letters, weights=times, minlength=1)
        group_rows = np.array([row for row, _ in groups], dtype=np.int64)
        return cls(
            reading,
            rows,
            values,
            tuple(places),
            tuple(places.values()),
            np.concatenate(
                [
                    np.array([number for _, number in groups], dtype=np.int64),
                    np.repeat(
                        np.array([numbers[word] for word in said], dtype=np.int64), lengths
                    ),
                ]
            ),
            np.searchsorted(rows, np.concatenate([group_rows, letters])),
            np.concatenate([np.ones(len(groups)), times / totals[letters]]),
        )

    def weights(self, added: Array) -> Array:
        """Return each term's part of what the rows add up to; the sum is the same."""
        parts = added[self.parts] * self.portions
        sums = np.bincount(self.owners, weights=parts, minlength=len(self.terms))
        return sums.astype(np.float64)  # of no part at all, whole numbers come back

    def place(self, term: int) -> tuple[int, int, int]:
        """Return where a term is first said: turn, and half-open span of the original text."""
        at, start, end = self.places[term]
        return self.reading.turns[at], *self.reading.folded[at].span(start, end)
