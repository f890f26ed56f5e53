"""Telling words: of all that a model counts in a text, the few spans that a reader is shown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

AGAINST = 2
"""How many spans are shown at most that speak against a category."""
_LEAST_TERM = 0.04  # of all that speaks for the category; less makes no span, and no end of one
_TRIED = 10  # terms of either sign that spans are made of, at most
_LEAST_SPAN = 0.08  # a span that adds less is noise to a reader
_TOO_MUCH_FOR_FILLER = 0.25  # a word that adds so much is shown, however common it is


class Span(NamedTuple):
    """Neighbouring words of a text, and what all terms within them add to a category's logit.

    ``first`` and ``last`` are places among all words of the text. A tuple: several are made for
    every verdict.
    """

    first: int
    last: int
    weight: float


@dataclass(frozen=True, slots=True)
class Telling:
    """Where the terms of one text stand, the same for every category.

    A term is a word, or a group of neighbouring words, where it is said first.
    """

    ends: Sequence[tuple[int, int]]
    """For each term the places of its first and of its last word."""
    words_at: dict[int, int]
    """Place → the word that is said first there."""
    groups_at: dict[int, list[tuple[int, int]]]
    """Place → the last place and the number of each group that is said first from there on."""
    is_common: Callable[[int], bool]
    """Whether the word at a place is said in so many texts that it tells nothing ("the")."""

    def spans(self, weights: Sequence[float], limit: int) -> list[Span]:
        """Return the spans to show of a category to which each term adds ``weights``.

        Up to ``limit`` that speak for it come first, then up to ``AGAINST`` that speak against
        it; the strongest first on either side. Terms that touch are one span, without words at
        its ends that are common or add next to nothing; a span that adds less than a share of all
        that speaks for the category is left out. Of a text of nothing but common words the
        strongest term is returned.
        """
        positive = sum([weight for weight in weights if weight > 0])
        speaking = self._signed(weights, 1, positive)
        if not speaking and weights and positive:
            best = max(range(len(weights)), key=weights.__getitem__)
            speaking = [Span(*self.ends[best], weights[best])]
        return speaking[:limit] + self._signed(weights, -1, positive)[:AGAINST]

    def within(self, weights: Sequence[float], first: int, last: int) -> float:
        """Return what all terms that are said first within these places add together."""
        found = 0.0
        for place in range(first, last + 1):
            if (word := self.words_at.get(place)) is not None:
                found += weights[word]
            for end, group in self.groups_at.get(place, ()):
                if end <= last:
                    found += weights[group]
        return found

    def _signed(self, weights: Sequence[float], sign: int, positive: float) -> list[Span]:
        """Return the spans of one sign that are worth showing, the strongest first."""
        least = _LEAST_TERM * positive
        strong = [n for n, weight in enumerate(weights) if weight * sign >= least and weight]
        if len(strong) > _TRIED:
            strong = sorted(strong, key=lambda n: -sign * weights[n])[:_TRIED]
        places: set[int] = set()
        for term in strong:
            first, last = self.ends[term]
            places.update(range(first, last + 1))
        shown = []
        for run in _runs(sorted(places)):
            first, last = self._trimmed(weights, *run, sign, positive)
            if first <= last:
                weight = self.within(weights, first, last)
                if weight * sign >= _LEAST_SPAN * positive and weight:
                    shown.append(Span(first, last, weight))
        return sorted(shown, key=lambda span: -sign * span.weight)

    def _trimmed(
        self, weights: Sequence[float], first: int, last: int, sign: int, positive: float
    ) -> tuple[int, int]:
        """Return the run without filler at its ends; the first lies behind the last if all is."""
        while first <= last and self._is_filler(weights, first, first, last, sign, positive):
            first += 1
        while first <= last and self._is_filler(weights, last, first, last, sign, positive):
            last -= 1
        return first, last

    def _is_filler(
        self,
        weights: Sequence[float],
        end: int,
        first: int,
        last: int,
        sign: int,
        positive: float,
    ) -> bool:
        """Say whether an end of a span is common, or the span loses next to nothing without it."""
        word = self.words_at.get(end)
        alone = 0.0 if word is None else sign * weights[word]
        if alone >= _TOO_MUCH_FOR_FILLER * positive:
            return False
        if self.is_common(end):
            return True
        if first == last or alone >= _LEAST_TERM * positive:
            return alone <= 0
        rest = (first + 1, last) if end == first else (first, last - 1)
        lost = self.within(weights, first, last) - self.within(weights, *rest)
        return sign * lost < _LEAST_TERM * positive


def _runs(places: Sequence[int]) -> list[tuple[int, int]]:
    """Return the first and the last of each row of places that follow one another."""
    runs: list[tuple[int, int]] = []
    for at in places:
        if runs and runs[-1][1] == at - 1:
            runs[-1] = runs[-1][0], at
        else:
            runs.append((at, at))
    return runs
