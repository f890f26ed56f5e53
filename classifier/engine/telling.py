"""Telling words: of all that a model counts in a text, the few spans that a reader is shown.

A term is a word, or a group of neighbouring words, where it is said first. Terms that touch are one
span, without words at its ends that are common or add next to nothing; a span that adds less than
a share of all that speaks for the category is left out. Of a text of nothing but common words the
strongest term is shown.

There are two ways to the same spans: in plain Python for one text, in numpy for many at once.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifier.engine.calibration import Array
from classifier.engine.features import Whole

Flags = NDArray[np.bool_]

SHOWN = 5
"""How many spans are shown at most that speak for a category."""
AGAINST = 2
"""How many spans are shown at most that speak against a category."""
_LEAST_TERM = 0.04  # of all that speaks for the category; less makes no span, and no end of one
_TRIED = 10  # terms of either sign that spans are made of, at most
_LEAST_SPAN = 0.08  # a span that adds less is noise to a reader
_TOO_MUCH_FOR_FILLER = 0.25  # a word that adds so much is shown, however common it is


class Span(NamedTuple):
    """Neighbouring words of a text, and what all terms within them add to a category's logit.

    ``first`` and ``last`` are places among all words. A tuple: several are made for every verdict.
    """

    first: int
    last: int
    weight: float


def spans_of_one(
    terms: Sequence[Sequence[float]], common: Sequence[bool], limit: int
) -> list[Span]:
    """Return the spans to show of one text that was asked about one category.

    ``terms[k][i]`` is what the ``k + 1`` words from place ``i`` on add to the category's logit; 0
    where they are said again, or are no term. ``common[i]``: so many texts say the word at ``i``
    that it tells nothing ("the").

    Up to ``limit`` spans that speak for the category come first, then up to ``AGAINST`` that
    speak against it; the strongest first on either side.
    """
    positive = sum([weight for of_length in terms for weight in of_length if weight > 0])
    negative = sum([weight for of_length in terms for weight in of_length if weight < 0])
    found = [Span(*run) for run in _runs_of_one(terms, common, positive)[:limit]]
    if positive and not found:
        found = [_strongest(np.array(terms))]
    if -negative >= _LEAST_SPAN * positive:  # else none of the spans against it can be worthy
        opposite = [[-weight for weight in of_length] for of_length in terms]
        against = _runs_of_one(opposite, common, positive)[:AGAINST]
        found += [Span(first, last, -weight) for first, last, weight in against]
    return found


_Run = tuple[int, int, float]
"""A first and a last place, and a weight."""


def _runs_of_one(
    terms: Sequence[Sequence[float]], common: Sequence[bool], positive: float
) -> list[_Run]:
    """Return what is worth showing that speaks for a category in one text, the strongest first.

    Or against it, where all signs are turned.
    """
    least = max(_LEAST_TERM * positive, _NOUGHT)
    strong = [
        (place, place + more, weight)
        for more, of_length in enumerate(terms)
        for place, weight in enumerate(of_length)
        if weight >= least
    ]
    if len(strong) > _TRIED:
        strong = sorted(strong, key=_by_strength)[:_TRIED]
    strong.sort()
    least_span = max(_LEAST_SPAN * positive, _NOUGHT)
    found = []
    for first, last in _runs(strong):
        while first <= last and _is_filler(terms, common, positive, (first, first, last)):
            first += 1  # noqa: PLW2901
        while first <= last and _is_filler(terms, common, positive, (last, first, last)):
            last -= 1  # noqa: PLW2901
        if first <= last and (weight := _within(terms, first, last)) >= least_span:
            found.append((first, last, weight))
    found.sort(key=_by_strength)
    return found


def _within(terms: Sequence[Sequence[float]], first: int, last: int) -> float:
    """Return what all terms that are said first within these places add together."""
    if first == last:
        return terms[0][first]
    fitting = terms[: last - first + 1]
    return sum([sum(one[first : last + 1 - more]) for more, one in enumerate(fitting)])


def _is_filler(
    terms: Sequence[Sequence[float]],
    common: Sequence[bool],
    positive: float,
    span: tuple[int, int, int],
) -> bool:
    """Say whether an end of a span is common, or the span loses next to nothing without it.

    ``span``: the end, and the first and the last place.
    """
    end, first, last = span
    alone = terms[0][end]
    if alone >= _TOO_MUCH_FOR_FILLER * positive:
        return False
    if common[end]:
        return True
    if first == last:
        return alone <= 0
    if alone >= _LEAST_TERM * positive:
        return False
    lost = 0.0
    for more, of_length in enumerate(terms[: last - first + 1]):
        lost += of_length[end if end == first else end - more]
    return lost < _LEAST_TERM * positive


_NOUGHT = math.ulp(0.0)  # the least that is more than nothing


def _by_strength(run: _Run) -> float:
    return -run[2]


def _runs(terms: Sequence[_Run]) -> list[tuple[int, int]]:
    """Return the first and the last place of each row of terms that touch or overlap."""
    if not terms:
        return []
    found = []
    first, last, _ = terms[0]
    for begins, ends, _ in terms:
        if begins > last + 1:
            found.append((first, last))
            first, last = begins, ends
        elif ends > last:
            last = ends
    found.append((first, last))
    return found


def _strongest(terms: Array) -> Span:
    """Return the term of one text that adds most."""
    more, place = map(int, np.unravel_index(terms.argmax(), terms.shape))
    return Span(place, place + more, terms.item(more, place))


class Shown(NamedTuple):
    """The spans to show of several texts in arrays, those of a text together, as it shows them."""

    texts: Whole
    first: Whole
    """Places are counted through all texts."""
    last: Whole
    weights: Array


def spans_of_all(terms: Array, starts: Whole, common: Flags, limit: int) -> Shown:
    """Return what ``spans_of_one`` does for each of several texts.

    Text ``n`` has the places ``starts[n]:starts[n + 1]`` of ``terms`` (lengths × places) and of
    ``common``.
    """
    sizes = np.diff(starts)
    texts = np.repeat(np.arange(len(sizes)), sizes)
    positive = np.zeros(len(sizes))
    with_words = np.flatnonzero(sizes)
    if with_words.size:
        gains = np.add.reduceat(np.maximum(terms, 0), starts[with_words], axis=1)
        positive[with_words] = gains.sum(axis=0)
    speaking = _Sides(terms, texts, common, positive).spans(limit)
    against = _Sides(-terms, texts, common, positive).spans(AGAINST)
    silent = positive > 0
    silent[speaking.texts] = False
    alone = _strongest_of_all(terms, starts, np.flatnonzero(silent))
    against.weights[:] *= -1
    every = [np.concatenate(each) for each in zip(speaking, alone, against, strict=True)]
    order = np.argsort(every[0], kind="stable")
    text, first, last, weights = (each[order] for each in every)
    return Shown(text, first, last, weights)


def _strongest_of_all(terms: Array, starts: Whole, texts: Whole) -> Shown:
    """Return the term of each of these texts that adds most; none of them is empty."""
    if not texts.size:
        return Shown(texts, texts, texts, np.zeros(0))
    begun, sizes = starts[texts], np.diff(starts)[texts]
    before = np.cumsum(sizes) - sizes
    places = np.arange(sizes.sum()) + np.repeat(begun - before, sizes)
    adds = terms.take(places, axis=1)
    most = np.maximum.reduceat(adds, before, axis=1).max(axis=0)
    more, at = np.nonzero(adds == np.repeat(most, sizes))
    owners = np.repeat(np.arange(len(texts)), sizes)
    _, chosen = np.unique(
        owners[at], return_index=True
    )  # as in argmax, the first of its length
    first = places[at[chosen]]
    return Shown(texts, first, first + more[chosen], adds[more[chosen], at[chosen]])


class _Sides:
    """What ``_runs_of_one`` finds in one text, of several, in arrays."""

    __slots__ = ("_common", "_positive", "_terms", "_texts")

    def __init__(self, terms: Array, texts: Whole, common: Flags, positive: Array) -> None:
        self._terms = terms
        self._texts = texts
        self._common = common
        self._positive = positive[texts]
        """Of each place what speaks for the category in its text."""

    def spans(self, limit: int) -> Shown:
        """Return up to ``limit`` spans of each text, by text and strength."""
        first, last = self._runs(*self._strong())
        self._trim(first, last)
        left = first <= last
        first, last = first[left], last[left]
        weights = self._within(first, last)
        worthy = (weights >= _LEAST_SPAN * self._positive[first]) & (weights > 0)
        first, last, weights = first[worthy], last[worthy], weights[worthy]
        chosen = _strongest_of_each(self._texts[first], weights, limit)
        first = first[chosen]
        return Shown(self._texts[first], first, last[chosen], weights[chosen])

    def _strong(self) -> tuple[Whole, Whole]:
        """Return the first and the last place of the strongest terms, in the order said."""
        least = np.maximum(_LEAST_TERM * self._positive, _NOUGHT)
        lengths = len(self._terms)
        # Each row by itself: numpy looks through flags that lie together many times as quickly.
        strong = [
            np.flatnonzero(one >= least) * lengths + at for at, one in enumerate(self._terms)
        ]
        first, more = np.divmod(np.sort(np.concatenate(strong)), lengths)
        texts = self._texts[first]
        if np.bincount(texts).max(initial=0) > _TRIED:
            kept = np.sort(_strongest_of_each(texts, self._terms[more, first], _TRIED))
            first, more = first[kept], more[kept]
        return first, first + more

    def _runs(self, first: Whole, last: Whole) -> tuple[Whole, Whole]:
        """Return the first and the last place of each row of terms that touch or overlap."""
        reached = np.maximum.accumulate(last)
        is_new = np.ones(len(first) + 1, dtype=bool)
        is_new[1:-1] = first[1:] > reached[:-1] + 1
        is_new[1:-1] |= np.diff(self._texts[first]) > 0
        return first[is_new[:-1]], reached[is_new[1:]]

    def _trim(self, first: Whole, last: Whole) -> None:
        """Move the ends of the runs over filler; the first lies behind the last if all is."""
        for ends, step in ((first, 1), (last, -1)):
            moving = np.flatnonzero(first <= last)
            while moving.size:
                moving = moving[self._are_filler(ends[moving], first[moving], last[moving])]
                ends[moving] += step
                moving = moving[first[moving] <= last[moving]]

    def _are_filler(self, ends: Whole, first: Whole, last: Whole) -> Flags:
        """Say of ends of spans whether they are common, or the span loses next to nothing."""
        alone, positive = self._terms[0, ends], self._positive[ends]
        lost = alone.copy()
        for more, of_length in enumerate(self._terms[1:], 1):
            place = np.where(ends == first, ends, ends - more)
            lost += np.where(last - first >= more, of_length[place], 0.0)
        is_own = (first == last) | (alone >= _LEAST_TERM * positive)
        adds_nothing = np.where(is_own, alone <= 0, lost < _LEAST_TERM * positive)
        filler: Flags = (self._common[ends] | adds_nothing) & (
            alone < _TOO_MUCH_FOR_FILLER * positive
        )
        return filler

    def _within(self, first: Whole, last: Whole) -> Array:
        """Return what all terms that are said first within each of these spans add together."""
        weights = np.zeros(len(first))
        for more, of_length in enumerate(self._terms):
            sizes = np.maximum(last + 1 - more - first, 0)
            spans = np.repeat(np.arange(len(first)), sizes)
            places = np.arange(len(spans)) + (first - np.cumsum(sizes) + sizes)[spans]
            weights += np.bincount(spans, of_length[places], len(first))
        return weights


def _strongest_of_each(texts: Whole, weights: Array, limit: int) -> Whole:
    """Return which are the strongest of each text, by text and strength; ``texts`` ascend."""
    order = np.lexsort((-weights, texts))
    ranks = np.arange(len(texts)) - np.searchsorted(texts, texts)
    chosen: Whole = order[ranks < limit]
    return chosen
