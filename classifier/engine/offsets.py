"""Offsets: where the words of many texts stand in what was received, worked out for all at once."""

from collections.abc import Iterator, Sequence

import numpy as np

from classifier.engine.parts import Said
from classifier.engine.reading import BORDER

Stretch = tuple[int, int, int]
"""A text's number, and the places of a first and a last token in it, which are of one turn."""


class Offsets:
    """Finds the tokens of texts again: of those in ASCII in arrays, of the others one by one."""

    def __init__(self, said: Sequence[Said]) -> None:
        self._said = said
        plain = [text.reading.plain for text in said]
        self._is_plain = [each is not None for each in plain]
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

    def where(self, stretches: Sequence[Stretch]) -> list[Stretch]:
        """Return for each stretch what ``Reading.where`` does: a turn, a start and an end."""
        found = [(0, 0, 0)] * len(stretches)
        plain = [at for at, (text, _, _) in enumerate(stretches) if self._is_plain[text]]
        for at, place in zip(
            plain, self._of_plain([stretches[at] for at in plain]), strict=True
        ):
            found[at] = place
        for at, (text, first, last) in enumerate(stretches):
            if not self._is_plain[text]:
                said = self._said[text]
                found[at] = said.reading.where(said.tokens, first, last)
        return found

    def _of_plain(self, stretches: Sequence[Stretch]) -> Iterator[Stretch]:
        text, first, last = np.array(stretches, dtype=np.int64).reshape(-1, 3).T
        starts = self._starts[self._tokens[text] + first]
        ends = self._ends[self._tokens[text] + last]
        passed = np.searchsorted(self._borders, starts)
        turns = passed - np.searchsorted(self._borders, self._begins[text])
        begun = self._begins[text]
        within = turns > 0
        begun[within] = self._borders[passed[within] - 1] + len(BORDER)
        numbers = turns.tolist(), (starts - begun).tolist(), (ends - begun).tolist()
        for (number, _, _), turn, start, end in zip(stretches, *numbers, strict=True):
            yield self._said[number].reading.turns[turn], start, end
