"""OneText: a single text taken apart and explained in plain Python, quicker than arrays of one."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import mul

import numpy as np
from numpy.typing import NDArray

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

    __slots__ = ("has_repeats", "lengths", "places", "rows", "times")

    def __init__(
        self, rows: Sequence[int], places: Sequence[int], lengths: Sequence[int]
    ) -> None:
        """Take the row, the place and the length of each term as it is said."""
        self.rows: Sequence[int] = rows
        self.places: Sequence[int] = places
        """The token at which each is first said."""
        self.lengths: Sequence[int] = lengths
        """How many words each has."""
        self.times = [1.0] * len(rows)
        """1 + ln of how often each is said."""
        self.has_repeats = len(set(rows)) < len(rows)
        if self.has_repeats:
            self._count()

    def _count(self) -> None:
        counts: dict[int, int] = {}
        firsts = []
        for at, row in enumerate(self.rows):
            if row in counts:
                counts[row] += 1
            else:
                counts[row] = 1
                firsts.append(at)
        self.rows = list(counts)
        self.places = [self.places[at] for at in firsts]
        self.lengths = [self.lengths[at] for at in firsts]
        self.times = [1.0 if count == 1 else damped_count(count) for count in counts.values()]

    def products(self, lines: NDArray[np.floating | np.int8]) -> Floats:
        """Return the sum of the lines of the terms, times these."""
        count = len(self.times)
        if self.has_repeats or count > len(_ONES):
            return np.array(self.times, dtype=np.float32) @ lines
        return _ONES[:count] @ lines


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
        self._words = Counted(*_words(said.numbers))
        self._groups = Counted(*_groups(said.numbers, shelf))
        # Clip: no number lies outside, and raising for one takes as long as the gathering.
        self._of_words = shelf.lines.take(self._words.rows, axis=0, mode="clip")
        self._of_groups = shelf.weights.take(self._groups.rows or _NO_ROWS, axis=0, mode="clip")
        self._sums = self._words.products(self._of_words)
        squares = self._squared_lengths()
        self._factors = [1 / math.sqrt(square) if square > 0 else 0.0 for square in squares]

    def __len__(self) -> int:
        return 1

    def _squared_lengths(self) -> list[float]:
        """Return the squared length of each block."""
        words, known, rarity = self._words, self.shelf.square_list, self.shelf.features.rarity
        own = letters = meaning = 0.0
        if words.has_repeats:
            for number, time in zip(words.rows, words.times, strict=True):
                of_own, of_letters, of_meaning = known[number]
                squared = time * time
                own += squared * of_own
                letters += squared * of_letters
                meaning += squared * of_meaning
        elif words.rows:
            squares = [known[number] for number in words.rows]
            own, letters, meaning = map(sum, zip(*squares, strict=True))
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
            steps[0] += factors[0] * self._groups.products(self._of_groups)
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
        of_words = terms[0]
        for place, time, steps in zip(words.places, words.times, added, strict=True):
            of_words[place] = time * sum(map(mul, steps, factors))
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


_ONES = np.ones(256, dtype=np.float32)
_NO_ROWS = np.zeros(0, dtype=np.int64)


_Terms = tuple[Sequence[int], Sequence[int], Sequence[int]]


def _words(numbers: Sequence[int]) -> _Terms:
    """Return number, place and length of each word."""
    places: Sequence[int] = range(len(numbers))
    if 0 in numbers:
        places = [at for at in places if numbers[at]]
        numbers = [numbers[at] for at in places]
    return numbers, places, [1] * len(numbers)


def _groups(numbers: Sequence[int], shelf: Shelf) -> _Terms:
    """Return row, place and length of each known group of several words, by length and place.

    A word and an edge of its turn have the place and the length of the word.
    """
    shortest, longest = shelf.features.ngrams.words
    hashes = [shelf.hash_list[number] for number in numbers]
    begun = [shelf.begun_list[number] for number in numbers]
    keys: list[int] = []
    places: list[int] = []
    lengths: list[int] = []
    if shortest <= EDGE_LENGTH <= longest:
        first, last = _edges(numbers)
        keys += hashing.pair_keys(
            [hashing.FIRST_BEGUN] * len(first), [hashes[at] for at in first]
        )
        keys += hashing.pair_keys([begun[at] for at in last], [hashing.LAST] * len(last))
        places += first + last
        lengths += [1] * len(places)
    groups: Sequence[int] = hashes
    for length in range(2, longest + 1):
        if length < longest or length > EDGE_LENGTH:
            groups = hashing.joined(groups, hashes[length - 1 :])
            found = [hashing.key_of(hashed) if hashed else -1 for hashed in groups]
        else:  # pairs, and nothing is made of them
            found = hashing.pair_keys(begun, hashes[1:])
        if length >= shortest:
            keys += found
            places += range(len(found))
            lengths += [length] * len(found)
    rows = [*map(shelf.features.words.row_of.get, keys)]
    known = [at for at, row in enumerate(rows) if row is not None]
    return (
        [row for row in rows if row is not None],
        [places[at] for at in known],
        [lengths[at] for at in known],
    )


def _edges(numbers: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return the places of the first and of the last words of turns, which a 0 parts."""
    if not numbers:
        return [], []
    if 0 not in numbers:
        return [0], [len(numbers) - 1]
    padded = [0, *numbers, 0]
    said = [at for at, number in enumerate(numbers) if number]
    return [at for at in said if not padded[at]], [at for at in said if not padded[at + 2]]


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
