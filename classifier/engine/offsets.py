"""Offsets: where the words of many texts stand in what was received, worked out for all at once."""

from collections.abc import Sequence

import numpy as np

from classifier.engine.hashing import Whole
from classifier.engine.parts import Said
from classifier.engine.reading import BORDER

Place = tuple[int, int, int]
"""A turn of a transcript, and a half-open span of its text."""

_NOWHERE = 0, 0, 0


class Offsets:
    """Finds the tokens of texts again: of those in ASCII in arrays, of the others one by one."""

    def __init__(self, said: Sequence[Said]) -> None:
        self._said = said
        plain = [text.reading.plain for text in said]
        self._is_plain = np.array([each is not None for each in plain], dtype=bool)
        sizes = [
            0 if each is None else len(text.tokens)
            for each, text in zip(plain, said, strict=True)
        ]
        self._tokens = np.cumsum([0, *sizes])
        """Where the tokens of each text start among those of all texts in ASCII."""
        told = [each or "" for each in plain]
        self._begins = np.cumsum([0, *[len(each) + 1 for each in told]])
        """Where each text begins, one after the other with a blank between them."""
        codes = np.frombuffer(f" {' '.join(told)} ".encode("ascii"), dtype=np.uint8)
        is_border, is_word = codes == ord(BORDER), codes > ord(" ")
        self._starts = np.flatnonzero(is_border[1:] | (is_word[1:] & ~is_word[:-1]))
        self._ends = np.flatnonzero(is_border[:-1] | (is_word[:-1] & ~is_word[1:]))
        self._borders = np.flatnonzero(is_border[1:])

    def where(self, texts: Whole, first: Whole, last: Whole) -> list[Place]:
        """Return what ``Reading.where`` does: a turn, a start and an end.

        Of each stretch from a first to a last token of a text, which are of one turn.
        """
        found = (
            self._of_plain(texts, first, last) if self._starts.size else [_NOWHERE] * len(texts)
        )
        if not self._is_plain.all():
            for at, text in enumerate(texts.tolist()):
                if not self._is_plain[text]:
                    said = self._said[text]
                    found[at] = said.reading.where(said.tokens, first.item(at), last.item(at))
        return found

    def _of_plain(self, texts: Whole, first: Whole, last: Whole) -> list[Place]:
        """Return the same; for a text that is not in ASCII anything."""
        begun = self._tokens[texts]
        starts = self._starts.take(begun + first, mode="clip")
        ends = self._ends.take(begun + last, mode="clip")
        passed = np.searchsorted(self._borders, starts)
        begun = self._begins[texts]
        turns = passed - np.searchsorted(self._borders, begun)
        turns[~self._is_plain[texts]] = 0
        within = turns > 0
        begun[within] = self._borders[passed[within] - 1] + len(BORDER)
        numbers = (
            texts.tolist(),
            turns.tolist(),
            (starts - begun).tolist(),
            (ends - begun).tolist(),
        )
        said = self._said
        return [
            (said[text].reading.turns[turn], start, end)
            for text, turn, start, end in zip(*numbers, strict=True)
        ]
