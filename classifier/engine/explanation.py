"""Explanation: what each word of a text adds to a category's score, and where it is said."""

from collections.abc import Mapping, Sequence

import numpy as np

from classifier.engine.calibration import Array
from classifier.engine.features import Whole
from classifier.engine.parts import Parts
from classifier.engine.telling import spans_of_all
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
        told = map(tuple, self._evidence_of_all(known, limit))
        if len(known) == len(asked):
            return list(told)
        found = dict(zip(known, told, strict=True))
        return [found.get(pair, ()) for pair in asked]

    def _evidence_of_all(self, asked: Sequence[Pair], limit: int) -> list[list[Evidence]]:
        """Return the evidence of each pair, worked out for all at once."""
        parts = self._parts
        texts = np.array([text for text, _ in asked])
        terms, starts = self._terms_of_all(texts, [self._columns[code] for _, code in asked])
        _, token = _chosen(parts.cut.starts, texts)
        shown = spans_of_all(terms, starts, parts.shelf.common[parts.numbers[token]], limit)
        text = texts[shown.texts]
        shift = np.array(parts.cut.starts)[text] - starts[shown.texts]
        told = parts.cut.told(text, shown.first + shift, shown.last + shift)
        found: list[list[Evidence]] = [[] for _ in asked]
        for pair, weight, (place, words) in zip(
            shown.texts.tolist(), shown.weights.tolist(), told, strict=True
        ):
            found[pair].append(Evidence(asked[pair][1], *place, "", words, weight))
        return found

    def _terms_of_all(self, texts: Whole, columns: Sequence[int]) -> tuple[Array, Whole]:
        """Return what each term of each text adds to a column, as ``spans_of_all`` takes it.

        Lengths × places, and where the places of each text start.
        """
        parts, shelf = self._parts, self._parts.shelf
        bounds, column = np.array(parts.cut.starts), np.array(columns)
        starts = np.concatenate([[0], np.cumsum(np.diff(bounds)[texts])])
        shift = starts[:-1] - bounds[texts]
        factors = (parts.factors[texts] * self._worth[column, None]).T
        pair, word = _chosen(parts.words.cuts, texts)
        # Taken by one number each: numpy takes several times as long for a row and a column.
        lines = shelf.lines.reshape(-1)
        at = parts.words.rows[word] * shelf.lines.shape[1] + (column * shelf.blocks)[pair]
        of_words = lines.take(at) * factors[0].take(pair)
        for block in range(1, shelf.blocks):
            of_words += lines.take(at + block) * factors[block].take(pair)
        of_words *= parts.words.times[word]
        place_of_words = parts.words.places[word] + shift[pair]
        pair, group = _chosen(parts.groups.cuts, texts)
        at = parts.groups.rows[group] * shelf.weights.shape[1] + column[pair]
        steps = shelf.weights.reshape(-1).take(at)
        of_groups = steps * factors[0].take(pair) * parts.groups.times[group]
        longer = (parts.groups.lengths[group] - 1) * starts[-1]
        lengths = shelf.features.ngrams.words[1]
        terms = np.zeros(lengths * starts.item(-1))
        terms[place_of_words] = of_words
        # An edge of a turn has the place of its word.
        np.add.at(terms, parts.groups.places[group] + shift[pair] + longer, of_groups)
        return terms.reshape(lengths, -1), starts


def _chosen(cuts: Sequence[int], texts: Whole) -> tuple[Whole, Whole]:
    """Return every term of the chosen texts, each with the number of the choice."""
    bounds = np.array(cuts)
    starts = bounds[texts]
    sizes = bounds[texts + 1] - starts
    choice = np.repeat(np.arange(len(texts)), sizes)
    before = np.cumsum(sizes) - sizes
    return choice, np.arange(len(choice)) + np.repeat(starts - before, sizes)
