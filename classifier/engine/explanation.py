"""Explanation: what each word of a text adds to a category's score, and where it is said."""

from collections.abc import Callable
from functools import cached_property

import numpy as np

from classifier.engine.calibration import Array
from classifier.engine.scoring import Parts
from classifier.engine.verdict import Evidence

Added = Callable[[Parts, str], Array]
"""Gives what each distinct word, then each known group, adds to a category's logit."""


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
        weights = self._added(self._parts, category)
        ranked = np.argsort(-weights, kind="stable")[:limit]
        found = zip(ranked.tolist(), weights[ranked].tolist(), strict=True)
        return tuple(
            [
                self._evidence(category, term, weight)
                for term, weight in found
                if limit is None or weight > 0
            ]
        )

    def _evidence(self, category: str, term: int, weight: float) -> Evidence:
        parts, tokens = self._parts, self._parts.tokens
        if term < len(parts.words):
            words = parts.words[term]
            first = last = tokens.index(words)
        else:
            said = parts.said_rows.index(int(parts.group_rows[term - len(parts.words)]))
            first = parts.said_at[said]
            last = first + parts.said_words[said] - 1
            words = " ".join(tokens[first : last + 1])
        turn, start, _ = self._places[first]
        span = parts.reading.folded[turn].span(start, self._places[last][2])
        return Evidence(category, parts.reading.turns[turn], *span, "", words, weight)

    @cached_property
    def _places(self) -> list[tuple[int, int, int]]:
        return self._parts.reading.places(self._parts.tokens)
