"""OneText: a single text taken apart and explained in plain Python, quicker than arrays of one."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from classifier.engine import hashing
from classifier.engine.calibration import Array
from classifier.engine.counting import EDGE_LENGTH
from classifier.engine.features import Floats
from classifier.engine.parts import damped_count
from classifier.engine.reading import Reading
from classifier.engine.shelf import Shelf
from classifier.engine.telling import Span, spans_of_one
from classifier.engine.verdict import Evidence


@dataclass(frozen=True, slots=True)
class Said:
    """One text as the numbers of its words on a shelf."""

    reading: Reading
    tokens: list[str]
    numbers: list[int]
    """The number of each token; 0 for a border between turns."""


class Counted:
    """The distinct terms of one text, in the order they are first said."""

    __slots__ = ("lengths", "places", "rows", "times")

    def __init__(self, said: Sequence[tuple[int, int, int]]) -> None:
        """``said``: row, place and length of each term as it is said."""
        counts: dict[int, int] = {}
        self.places: list[int] = []
        """The token at which each is first said."""
        self.lengths: list[int] = []
        """How many words each has."""
        for row, place, length in said:
            if row in counts:
                counts[row] += 1
            else:
                counts[row] = 1
                self.places.append(place)
                self.lengths.append(length)
        self.rows = list(counts)
        self.times = [1.0 if count == 1 else damped_count(count) for count in counts.values()]
        """1 + ln of how often each is said."""


class OneText:
    """What ``parts.Parts`` is for many: the same numbers, added up in the same order."""

    __slots__ = (
        "_factors",
        "_groups",
        "_of_groups",
        "_of_words",
        "_sums",
        "_words",
        "said",
        "shelf",
    )

    def __init__(self, said: Said, shelf: Shelf) -> None:
        self.said = said
        self.shelf = shelf
        self._words = Counted(
            [(number, at, 1) for at, number in enumerate(said.numbers) if number]
        )
        self._groups = Counted(_groups(said.numbers, shelf))
        # Clip: no number lies outside, and raising for one takes as long as the gathering.
        self._of_words = shelf.lines.take(self._words.rows, axis=0, mode="clip")
        self._of_groups = shelf.weights.take(self._groups.rows or _NO_ROWS, axis=0, mode="clip")
        self._sums: Floats = np.array(self._words.times, dtype=np.float32) @ self._of_words
        squares = self._squared_lengths()
        self._factors = [1 / math.sqrt(square) if square > 0 else 0.0 for square in squares]

    def __len__(self) -> int:
        return 1

    def _squared_lengths(self) -> list[float]:
        """Return the squared length of each block."""
        known, rarity = self.shelf.square_list, self.shelf.features.rarity
        own = letters = meaning = 0.0
        for number, time in zip(self._words.rows, self._words.times, strict=True):
            of_own, of_letters, of_meaning = known[number]
            squared = time * time
            own += squared * of_own
            letters += squared * of_letters
            meaning += squared * of_meaning
        of_groups = 0.0
        for row, time in zip(self._groups.rows, self._groups.times, strict=True):
            value = time * rarity.item(row)
            of_groups += value * value
        return [own + of_groups, letters, meaning][: self.shelf.blocks]

    def steps(self) -> Floats:
        """Return 1 × columns: the raw scores without intercepts, in steps of a weight."""
        factors = np.array(self._factors, dtype=np.float32)
        by_block = self._sums.reshape(1, -1, self.shelf.blocks)
        steps: Floats = np.vecdot(by_block, factors)
        if self._groups.rows:
            times = np.array(self._groups.times, dtype=np.float32)
            steps[0] += factors[0] * (times @ self._of_groups)
        return steps

    def terms(self, column: int, worth: float) -> list[list[float]]:
        """Return for each length what the terms add to a logit, by the place of the first word.

        ``worth``: what one step of the column adds.
        """
        size = len(self.said.tokens)
        terms = [[0.0] * size for _ in range(self.shelf.features.ngrams.words[1])]
        blocks, words, groups = self.shelf.blocks, self._words, self._groups
        factors = [factor * worth for factor in self._factors]
        added = self._of_words[:, column * blocks : (column + 1) * blocks].tolist()
        for place, time, steps in zip(words.places, words.times, added, strict=True):
            terms[0][place] = time * sum(map(float.__mul__, steps, factors))
        if not groups.rows:
            return terms
        added = self._of_groups[:, column].tolist()
        for place, length, time, step in zip(
            groups.places, groups.lengths, groups.times, added, strict=True
        ):
            terms[length - 1][place] += time * step * factors[0]
        return terms

    def spans(self) -> list[tuple[int, int]]:
        """Return the first and the last place of every term, each once."""
        kinds = (self._words, self._groups)
        places = [
            pair for kind in kinds for pair in zip(kind.places, kind.lengths, strict=True)
        ]
        return [(place, place + length - 1) for place, length in dict.fromkeys(places)]


_NO_ROWS = np.zeros(0, dtype=np.int64)


def _groups(numbers: Sequence[int], shelf: Shelf) -> list[tuple[int, int, int]]:
    """Return row, place and length of each known group of several words, by length and place.

    A word and an edge of its turn have the place and the length of the word.
    """
    row_of = shelf.features.words.row_of
    shortest, longest = shelf.features.ngrams.words
    known = shelf.hash_list
    hashes = [known[number] for number in numbers]
    found: list[tuple[int, int, int]] = []
    if shortest <= EDGE_LENGTH <= longest:
        padded = [0, *hashes, 0]
        firsts = [at for at, one in enumerate(hashes) if one and not padded[at]]
        lasts = [at for at, one in enumerate(hashes) if one and not padded[at + 2]]
        keys = [
            *hashing.joined([hashing.FIRST] * len(firsts), [hashes[at] for at in firsts]),
            *hashing.joined([hashes[at] for at in lasts], [hashing.LAST] * len(lasts)),
        ]
        for place, hashed in zip((*firsts, *lasts), keys, strict=True):
            if (row := row_of.get(hashing.key_of(hashed))) is not None:
                found.append((row, place, 1))
    groups = hashes
    for length in range(2, longest + 1):
        groups = hashing.joined(groups, hashes[length - 1 :])
        if length < shortest:
            continue
        for place, hashed in enumerate(groups):
            if hashed and (row := row_of.get(hashing.key_of(hashed))) is not None:
                found.append((row, place, length))
    return found


class ExplanationOfOne:
    """What ``explanation.Explanation`` is for many."""

    __slots__ = ("_columns", "_text", "_worth")

    def __init__(self, text: OneText, columns: Mapping[str, int], worth: Array) -> None:
        """``columns``: of the categories. ``worth``: what a step of each adds to its logit."""
        self._text = text
        self._columns = columns
        self._worth = worth

    def telling(
        self, asked: Sequence[tuple[int, str]], limit: int
    ) -> list[tuple[Evidence, ...]]:
        """Return for each category the spans that a reader is shown; the text's number is 0."""
        return [self._told(category, limit) for _, category in asked]

    def every_term(self, category: str) -> tuple[Evidence, ...]:
        """Return all that the text holds, the strongest first; the sum is the logit's."""
        if category not in self._columns:
            return ()
        terms = self._terms(category)
        spans = [
            Span(first, last, terms[last - first][first]) for first, last in self._text.spans()
        ]
        return self._evidence(category, sorted(spans, key=lambda span: -span.weight))

    def _told(self, category: str, limit: int) -> tuple[Evidence, ...]:
        if category not in self._columns:
            return ()
        common = self._text.shelf.common_list
        is_common = [common[number] for number in self._text.said.numbers]
        return self._evidence(category, spans_of_one(self._terms(category), is_common, limit))

    def _terms(self, category: str) -> list[list[float]]:
        column = self._columns[category]
        return self._text.terms(column, self._worth.item(column))

    def _evidence(self, category: str, spans: Sequence[Span]) -> tuple[Evidence, ...]:
        said = self._text.said
        tokens, where = said.tokens, said.reading.where
        return tuple(
            [
                Evidence(
                    category,
                    *where(tokens, first, last),
                    "",
                    " ".join(tokens[first : last + 1]),
                    weight,
                )
                for first, last, weight in spans
            ]
        )
