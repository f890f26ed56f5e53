"""Explanation: what each word of a text adds to a category's score, and where it is said."""

from collections.abc import Callable
from functools import cached_property

import numpy as np

from classifier.engine.calibration import Array
from classifier.engine.scoring import Parts
from classifier.engine.verdict import Evidence

Added = Callable[[Parts, str], tuple[Array, Array]]
"""Gives what each distinct word, and each known group, adds to a category's logit."""


class Explainer:
    """Explains one text: called with a category, it returns the words that speak for it.

    What a word adds is its own weight, that of its letter groups and that of its vector; what a
    group of several words adds is the group's alone. So the sum is exact.
    """

    def __init__(self, parts: Parts, knows: Callable[[str], bool], added: Added) -> None:
        self._parts = parts
        self._knows = knows
        self._added = added

    def __call__(self, category: str, limit: int | None = 5) -> tuple[Evidence, ...]:
        """Return what ``TextModel.explain`` promises."""
        if not self._knows(category):
            return ()
        weights = np.concatenate(self._added(self._parts, category))
        ranked = np.argsort(-weights, kind="stable").tolist()
        if limit is not None:
            ranked = [term for term in ranked[:limit] if weights[term] > 0]
        return tuple([self._evidence(category, term, float(weights[term])) for term in ranked])

    def _evidence(self, category: str, term: int, weight: float) -> Evidence:
        parts = self._parts
        if term < len(parts.words):
            first, count = parts.tokens.index(parts.words[term]), 1
        else:
            row = parts.group_rows[term - len(parts.words)]
            said = int(np.argmax(parts.said_rows == row))
            first, count = int(parts.said_at[said]), int(parts.said_words[said])
        turn, start, _ = self._places[first]
        span = parts.reading.folded[turn].span(start, self._places[first + count - 1][2])
        said_words = " ".join(parts.tokens[first : first + count])
        return Evidence(
            category, parts.reading.turns[turn], *span, term=said_words, weight=weight
        )

    @cached_property
    def _places(self) -> list[tuple[int, int, int]]:
        return self._parts.reading.places(self._parts.tokens)
