"""Cutting: many texts cut into words at once, and where each word stands in what was received.

All texts are joined, and their words are arrays of offsets: no string is made of a word unless
somebody asks for it. What is in ASCII is joined as it was received, in lower case; of any other
text the words that ``Reading`` found.
"""

from collections.abc import Sequence

import numpy as np

from classifier.engine.hashing import Keys, Whole
from classifier.engine.numbering import SHORT
from classifier.engine.reading import BORDER, WORD_CHARACTERS, Reading, in_plain

Place = tuple[int, int, int]
"""A turn of a transcript, and a half-open span of its text."""


class Cut:
    """Some texts, one after the other, as the places of their tokens; not to be changed.

    A token is a word, or the border between two turns of a text.
    """

    __slots__ = (
        "_begins",
        "_borders",
        "_content",
        "_ends",
        "_others",
        "_readings",
        "_starts",
        "starts",
    )

    def __init__(self, readings: Sequence[Reading]) -> None:
        self._readings = readings
        self._others: dict[int, list[str]] = {}
        """The tokens of the texts that are not joined as they were received."""
        joined = " ".join([reading.received for reading in readings])
        if joined.isascii():
            self._join(in_plain(joined), [len(reading.received) for reading in readings])
        else:
            self._join_each()
        while too_long := self._too_long():
            for text in too_long:
                self._others[text] = readings[text].tokens()
            self._join_each()

    def __len__(self) -> int:
        return len(self._readings)

    def keys(self) -> tuple[Keys, Whole]:
        """Return the key of each token, and which are too long for one; a border's is 0."""
        lengths = self._ends - self._starts
        codes = np.ndarray(len(self._content) - SHORT + 1, "<u8", self._content, strides=(1,))
        keys = codes[self._starts] & _BYTES.take(lengths, mode="clip")
        return keys, np.flatnonzero(lengths > SHORT)

    def words(self, tokens: Whole) -> list[str]:
        """Return some tokens as strings."""
        content = self._content
        spans = zip(self._starts[tokens].tolist(), self._ends[tokens].tolist(), strict=True)
        return [content[start:end].decode("utf-8", "surrogatepass") for start, end in spans]

    def told(self, texts: Whole, first: Whole, last: Whole) -> list[tuple[Place, str]]:
        """Return where stretches of words stand, and their words with blanks between them.

        Each goes from a first to a last token, counted through all texts, which are of one turn.
        """
        starts, ends = self._starts[first], self._ends[last]
        begins = self._begins[texts]
        passed = np.searchsorted(self._borders, starts)
        turns = passed - np.searchsorted(self._borders, begins)
        within = turns > 0
        begins[within] = self._borders[passed[within] - 1] + len(BORDER)
        numbers = (texts, turns, starts, ends, starts - begins, ends - begins)
        content, readings = self._content, self._readings
        found = [
            (
                (readings[text].turns[turn], begin, stop),
                " ".join(content[start:end].decode("utf-8", "surrogatepass").split()),
            )
            for text, turn, start, end, begin, stop in zip(
                *[each.tolist() for each in numbers], strict=True
            )
        ]
        for at in np.flatnonzero(np.isin(texts, list(self._others))).tolist():
            text = texts.item(at)
            one, other = first.item(at) - self.starts[text], last.item(at) - self.starts[text]
            place = readings[text].where(self._others[text], one, other)
            found[at] = place, found[at][1]
        return found

    def _join(self, content: bytes, sizes: Sequence[int]) -> None:
        """Cut texts of so many bytes with a blank between them.

        Everything that is no part of a word is a blank, or a border.
        """
        self._content = b" %b %b" % (content, bytes(SHORT))
        self._begins = np.cumsum([1, *[size + 1 for size in sizes]])
        """Where each text begins, and where one more would."""
        codes = np.frombuffer(self._content, np.uint8, len(content) + 2)
        is_border, is_word = codes == ord(BORDER), codes > ord(" ")
        self._borders = np.flatnonzero(is_border)
        self._starts = np.flatnonzero(is_border[1:] | (is_word[1:] & ~is_word[:-1])) + 1
        self._ends = np.flatnonzero(is_border[:-1] | (is_word[:-1] & ~is_word[1:])) + 1
        self.starts: list[int] = np.searchsorted(self._starts, self._begins).tolist()
        """Where each text's tokens start, counted through all the texts, and the last one's end."""

    def _join_each(self) -> None:
        """Join the texts of which not all are in ASCII."""
        texts = []
        for text, reading in enumerate(self._readings):
            if reading.plain is None:
                self._others.setdefault(text, reading.tokens())
            tokens = self._others.get(text)
            said = reading.plain or "" if tokens is None else " ".join(tokens)
            texts.append(said.encode("utf-8", "surrogatepass"))
        self._join(b" ".join(texts), [len(text) for text in texts])

    def _too_long(self) -> list[int]:
        """Return which texts in ASCII have words that are too long."""
        tokens = np.flatnonzero(self._ends - self._starts > WORD_CHARACTERS)
        if not tokens.size:
            return []
        texts = np.searchsorted(self.starts, tokens, side="right") - 1
        return [text for text in np.unique(texts).tolist() if text not in self._others]


_BYTES = np.array([(1 << 8 * size) - 1 for size in range(SHORT + 1)], dtype=np.uint64)
"""Of a number of 64 bits the bytes that belong to a word of so many."""
