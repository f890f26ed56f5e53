"""Sources: where a leaf may stand in what was heard, before its modifiers are asked."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from classifier.engine.redaction import PLACEHOLDER_FILL
from classifier.engine.rulelang.heard import Heard, Place
from classifier.engine.rulelang.likeness import Likeness, resembling
from classifier.engine.rulelang.nodes import Scope, Where
from classifier.engine.rulelang.numerals import numbers, with_unit
from classifier.engine.rulelang.patterns import Pattern

MATCHES = 50  # of one regex in one turn: more would let a pattern read a long turn ever again


class Source(Protocol):
    """Where a leaf may stand, before its modifiers are asked."""

    def places(self, heard: Heard) -> list[Place]: ...


@dataclass(frozen=True, slots=True)
class Literals:
    """Any of several terms."""

    terms: tuple[int, ...]

    def places(self, heard: Heard) -> list[Place]:
        return heard.places(self.terms)


@dataclass(frozen=True, slots=True)
class Nearby:
    """One of some terms with one of others not far from it."""

    one: tuple[int, ...]
    other: tuple[int, ...]
    words: int
    ordered: bool
    scope: Scope
    where: Where

    def places(self, heard: Heard) -> list[Place]:
        turns = heard.turns(self.where)
        ones, others = (
            [place for place in heard.places(terms) if place.turn in turns]
            for terms in (self.one, self.other)
        )
        found = set(self._pairs(heard, ones, others))
        if not self.ordered:
            found.update(self._pairs(heard, others, ones))
        return sorted(found)

    def _pairs(
        self, heard: Heard, firsts: Sequence[Place], seconds: Sequence[Place]
    ) -> Iterator[Place]:
        """Yield each place with the nearest that follows it, if that is near; in linear time."""
        for turn, start, end in firsts:
            at = bisect_left(seconds, (turn, end, -1))
            if at == len(seconds):
                return
            near = seconds[at]
            if heard.unit(Place(turn, start, end), self.scope) != heard.unit(near, self.scope):
                continue
            between = heard.words_before(*near[:2]) - heard.words_before(turn, end)
            if between <= self.words:
                yield Place(turn, start, near.end) if near.turn == turn else near


@dataclass(frozen=True, slots=True)
class Patterned:
    """A regular expression, in turns that hold one of its required literals."""

    pattern: Pattern
    gates: tuple[int, ...]
    where: Where

    def places(self, heard: Heard) -> list[Place]:
        turns = heard.turns(self.where)
        if self.gates:
            turns &= {turn for turn, *_ in heard.places(self.gates)}
        return [
            Place(turn, *span)
            for turn in sorted(turns)
            for span in _spans(self.pattern, heard.texts[turn])
        ]


@dataclass(frozen=True, slots=True)
class Misspelt:
    """A phrase that may differ, around the pieces of it that were found."""

    phrase: str
    distance: int
    pieces: tuple[tuple[int, int], ...]
    """Terms, and the offset of each in the phrase."""
    where: Where

    def places(self, heard: Heard) -> list[Place]:
        hits: dict[int, list[tuple[int, int]]] = {}
        for term, offset in self.pieces:
            for turn, start, _ in heard.found.get(term, ()):
                hits.setdefault(turn, []).append((start, offset))
        return [
            Place(turn, *span)
            for turn in sorted(hits.keys() & heard.turns(self.where))
            for span in resembling(
                self.phrase,
                self.distance,
                heard.texts[turn],
                hits[turn],
                whole_word=self.where.whole_word,
            )
        ]


@dataclass(frozen=True, slots=True)
class Counted:
    """A number in a range, with its unit if one is asked for."""

    minimum: float
    maximum: float
    units: tuple[str, ...]
    gates: tuple[int, ...]
    where: Where

    def places(self, heard: Heard) -> list[Place]:
        turns = heard.turns(self.where)
        if self.gates:
            turns &= {turn for turn, *_ in heard.places(self.gates)}
        return [
            Place(turn, *span)
            for turn in sorted(turns)
            for span in self._spans(heard.texts[turn])
        ]

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        for start, end, value in numbers(text):
            if not self.minimum <= value <= self.maximum:
                continue
            span = with_unit(text, start, end, self.units) if self.units else (start, end)
            if span:
                yield span


@dataclass(frozen=True, slots=True)
class Similar:
    """A sentence or turn like one of the examples."""

    likeness: Likeness
    minimum: float
    scope: Scope
    where: Where

    def places(self, heard: Heard) -> list[Place]:
        found = []
        for turn in sorted(heard.turns(self.where)):
            text = heard.texts[turn]
            cuts = heard.sentences(turn) if self.scope is Scope.SENTENCE else []
            for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
                said = text[start:end].strip()
                if said.strip(PLACEHOLDER_FILL) and self.likeness.of(said) >= self.minimum:
                    begins = start + len(text[start:end]) - len(text[start:end].lstrip())
                    found.append(Place(turn, begins, begins + len(said)))
        return found


def _spans(pattern: Pattern, text: str) -> Iterator[tuple[int, int]]:
    """Yield the first matches that hold a character."""
    whole = text if text.isascii() else text.encode("utf-8", "replace").decode()
    for found in islice(pattern.finditer(whole), MATCHES):
        start, end = found.span()
        if end > start:
            yield start, end
