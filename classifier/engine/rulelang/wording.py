"""Wording: short texts that say what an expression looks for, for a model to learn from."""

from collections.abc import Sequence

from classifier.engine.rulelang.nodes import (
    Expression,
    Fuzzy,
    Group,
    Join,
    Leaf,
    Near,
    Phrase,
    SimilarTo,
    Words,
)
from classifier.engine.text import Speaker

MOST = 20
"""Texts of one rule: a list of a hundred spellings would outweigh what another rule says."""


def wording(expression: Expression) -> tuple[str, ...]:
    """Return at most ``MOST`` texts as a customer may say them where the expression holds.

    Each is made of the phrases that must be said together: one of each part of ``all`` and
    ``near``, each of ``any`` by itself. What must not be said, facts, numbers, patterns and what
    somebody else says give no text; so there may be none.
    """
    return tuple(dict.fromkeys(_texts(expression)))[:MOST]


def _texts(expression: Expression) -> Sequence[str]:
    if not isinstance(expression, Group):
        return _said(expression)
    if expression.join is Join.NONE:
        return ()
    parts = [texts for part in expression.parts if (texts := _texts(part))]
    if expression.join is Join.ANY:
        return [text for texts in parts for text in texts]
    return _together(parts[: expression.least or None])


def _said(leaf: Leaf) -> Sequence[str]:
    if leaf.where.speaker not in {None, Speaker.CUSTOMER}:
        return ()
    match leaf:
        case Phrase() | Fuzzy():
            return [_spelt(leaf.phrase)]
        case Words():
            return [_spelt(phrase) for phrase in leaf.phrases]
        case Near():
            return _together([list(map(_spelt, side)) for side in (leaf.one, leaf.other)])
        case SimilarTo():
            return leaf.examples
        case _:
            return ()


def _together(parts: Sequence[Sequence[str]]) -> Sequence[str]:
    """Return texts of one text of each part, every text of the longest part once."""
    longest = max(map(len, parts), default=0)
    return [" ".join(part[at % len(part)] for part in parts) for at in range(longest)]


def _spelt(phrase: str) -> str:
    return phrase.strip().removesuffix("*")
