"""Explanation: what each word of a text adds to a category's score, and where it is said."""

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from classifier.engine.calibration import Array
from classifier.engine.scoring import Parts
from classifier.engine.telling import Span, Telling
from classifier.engine.verdict import Evidence

Added = Callable[[Parts, str], Array]
"""Gives what each distinct word, then each known group, adds to a category's logit."""


class Explainer:
    """Explains one text: called with a category, it returns the words that speak for it.

    What a word adds is its own weight, that of its letter groups and that of its vector; what a
    group of several words adds is the group's alone. So the sum is exact.
    """

    def __init__(
        self,
        parts: Parts,
        knows: Callable[[str], bool],
        added: Added,
        is_common: Callable[[str], bool],
    ) -> None:
        self._parts = parts
        self._knows = knows
        self._added = added
        self._is_common = is_common

    def __call__(self, category: str, limit: int | None = 5) -> tuple[Evidence, ...]:
        """Return what ``TextModel.explain`` promises."""
        if not self._knows(category):
            return ()
        weights = self._added(self._parts, category)
        listed = weights.tolist()
        if limit is not None:
            spans = self._telling.spans(listed, limit)
            return tuple([self._evidence(category, span) for span in spans])
        ends = self._telling.ends
        ranked = np.argsort(-weights, kind="stable").tolist()
        terms = [Span(ends[term][0], ends[term][1], listed[term]) for term in ranked]
        return tuple([self._evidence(category, term) for term in terms])

    @cached_property
    def _telling(self) -> Telling:
        """Where each term is said first."""
        parts, tokens = self._parts, self._parts.tokens
        first_places = dict(zip(reversed(tokens), range(len(tokens) - 1, -1, -1), strict=True))
        firsts = [first_places[word] for word in parts.words]
        ends = [(place, place) for place in firsts]
        rows = parts.group_rows.tolist()
        numbers = {row: number for number, row in enumerate(rows, len(ends))}
        ends += [(0, 0)] * len(rows)
        groups_at: dict[int, list[tuple[int, int]]] = {}
        for row, first, length in zip(
            parts.said_rows, parts.said_at, parts.said_words, strict=True
        ):
            group = numbers.pop(row, None)  # said again, it adds nothing of its own
            if group is not None:
                last = first + length - 1
                ends[group] = first, last
                groups_at.setdefault(first, []).append((last, group))
        words_at = {place: word for word, place in enumerate(firsts)}
        is_common = self._is_common  # alone: with self a batch would wait for the collector
        return Telling(ends, words_at, groups_at, lambda at: is_common(tokens[at]))

    def _evidence(self, category: str, said: Span) -> Evidence:
        parts = self._parts
        words = " ".join(parts.tokens[said.first : said.last + 1])
        turn, start, _ = self._places[said.first]
        span = parts.reading.folded[turn].span(start, self._places[said.last][2])
        return Evidence(category, parts.reading.turns[turn], *span, "", words, said.weight)

    @cached_property
    def _places(self) -> Sequence[tuple[int, int, int]]:
        return self._parts.reading.places(self._parts.tokens)
