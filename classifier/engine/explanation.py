"""Explanation: what each word of a text adds to a category's score, and where it is said."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import numpy as np

from classifier.engine.calibration import Array
from classifier.engine.features import Whole
from classifier.engine.offsets import Offsets, Stretch
from classifier.engine.parts import Parts
from classifier.engine.telling import Span, spans_of_all
from classifier.engine.verdict import Evidence

Pair = tuple[int, str]
"""A text's number and a category."""


class Explanation:
    """Explains some texts, for any categories.

    What a word adds is its own weight, that of its letter groups, that of its vector and that of
    standing first or last in its turn; what a group of several words adds is the group's alone. So
    the sum is exact.
    """

    def __init__(self, parts: Parts, columns: Mapping[str, int], worth: Array) -> None:
        """``columns``: of the categories. ``worth``: what a step of each adds to its logit."""
        self._parts = parts
        self._columns = columns
        self._worth = worth

    def telling(self, asked: Sequence[Pair], limit: int) -> list[tuple[Evidence, ...]]:
        """Return for each pair the spans that a reader is shown.

        Up to ``limit`` that speak for the category, then some against it. A category that the
        model does not know has none.
        """
        known = [pair for pair in asked if pair[1] in self._columns]
        if not known:
            return [()] * len(asked)
        told = self._evidence_of_all(known, self._spans_of_all(known, limit))
        found = dict(zip(known, told, strict=True))
        return [found.get(pair, ()) for pair in asked]

    def _spans_of_all(self, asked: Sequence[Pair], limit: int) -> list[list[Span]]:
        """Return the spans to show of each pair, worked out for all at once."""
        parts = self._parts
        texts = np.array([text for text, _ in asked])
        terms, starts = self._terms_of_all(texts, [self._columns[code] for _, code in asked])
        _, token = _chosen(parts.starts, texts)
        common = parts.shelf.common[parts.numbers[token]]
        return spans_of_all(terms, starts, common, limit)

    def _terms_of_all(self, texts: Whole, columns: Sequence[int]) -> tuple[Array, list[int]]:
        """Return what ``_terms_of_one`` does for each text and column, as ``spans_of_all`` takes.

        Lengths × places, and where the places of each text start.
        """
        parts, shelf = self._parts, self._parts.shelf
        bounds, column = np.array(parts.starts), np.array(columns)
        starts = np.concatenate([[0], np.cumsum(np.diff(bounds)[texts])])
        shift = starts[:-1] - bounds[texts]
        terms = np.zeros((shelf.features.ngrams.words[1], starts[-1]))
        factors = parts.factors[texts] * self._worth[column, None]
        pair, word = _chosen(parts.words.cuts, texts)
        blocks = (column * shelf.blocks)[pair, None] + np.arange(shelf.blocks)
        steps = shelf.lines[parts.words.rows[word, None], blocks]
        added = np.vecdot(steps, factors.take(pair, axis=0)) * parts.words.times[word]
        terms[0, parts.words.places[word] + shift[pair]] = added
        pair, group = _chosen(parts.groups.cuts, texts)
        steps = shelf.weights[parts.groups.rows[group], column[pair]]
        added = steps * factors[pair, 0] * parts.groups.times[group]
        place = parts.groups.places[group] + shift[pair]
        np.add.at(terms, (parts.groups.lengths[group] - 1, place), added)
        return terms, starts.tolist()

    def _evidence_of_all(
        self, asked: Sequence[Pair], spans: Sequence[Sequence[Span]]
    ) -> Iterator[tuple[Evidence, ...]]:
        """Yield the same for each pair; all are looked for in the texts at once."""
        stretches = [
            (text, span.first, span.last)
            for (text, _), its in zip(asked, spans, strict=True)
            for span in its
        ]
        places = iter(Offsets(self._parts.said).where(stretches))
        for (text, category), its in zip(asked, spans, strict=True):
            yield _evidence(
                category, self._parts.said[text].tokens, its, islice(places, len(its))
            )


def _evidence(
    category: str, tokens: Sequence[str], spans: Sequence[Span], places: Iterable[Stretch]
) -> tuple[Evidence, ...]:
    """Return the evidence of one text; ``places``: turn, start and end of each span."""
    return tuple(
        [
            Evidence(category, *place, "", " ".join(tokens[first : last + 1]), weight)
            for (first, last, weight), place in zip(spans, places, strict=True)
        ]
    )


def _chosen(cuts: Sequence[int], texts: Whole) -> tuple[Whole, Whole]:
    """Return every term of the chosen texts, each with the number of the choice."""
    bounds = np.array(cuts)
    starts, sizes = bounds[texts], bounds[texts + 1] - bounds[texts]
    choice = np.repeat(np.arange(len(texts)), sizes)
    before = np.cumsum(sizes) - sizes
    return choice, np.arange(len(choice)) + (starts - before)[choice]
