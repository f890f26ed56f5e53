"""Reading: the turns of a conversation that a model reads, folded and cut into words."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from classifier.engine.folding import Folded, fold
from classifier.engine.redaction import without_placeholders
from classifier.engine.text import Speaker, Transcript

WORD_CHARACTERS = 40  # a longer run is no word but noise, or a sentence written without blanks
BORDER = "\n"
"""Stands between the words of two turns. No word, and no folded text, holds a line break."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The turns of one transcript that a model reads, folded."""

    turns: tuple[int, ...]
    """Their places in the transcript."""
    folded: tuple[Folded, ...]

    @classmethod
    def of(
        cls,
        transcript: Transcript,
        speakers: Sequence[Speaker],
        folded: Sequence[Folded] | None = None,
    ) -> "Reading":
        """Return what the speakers said; where they said nothing, what anybody said.

        ``folded[i]`` is ``fold(transcript.turns[i].text)``, where the caller has it already.
        """
        turns = transcript.turns
        spoken = [i for i, turn in enumerate(turns) if turn.text and not turn.text.isspace()]
        chosen = [i for i in spoken if turns[i].speaker in speakers] or spoken
        if folded:
            return cls(tuple(chosen), tuple([folded[i] for i in chosen]))
        return cls(tuple(chosen), tuple([fold(turns[i].text) for i in chosen]))

    def words(self) -> list[list[str]]:
        """Return the words of each turn, in order."""
        return [words_of(folded.text) for folded in self.folded]

    def tokens(self) -> list[str]:
        """Return the words of all turns in order, a ``BORDER`` between one turn and the next."""
        text = without_placeholders(self.joined())
        if text.isascii():
            first, *others = (
                text.encode("ascii").translate(_BLANKED).decode("ascii").split(BORDER)
            )
            tokens = first.split()
            for turn in others:
                tokens.append(BORDER)
                tokens += turn.split()
            if (
                len(text) <= WORD_CHARACTERS
                or len(max(tokens, key=len, default="")) <= WORD_CHARACTERS
            ):
                return tokens
        return _word_or_border().findall(text)

    def joined(self) -> str:
        """Return the folded turns as one text, a ``BORDER`` between one turn and the next."""
        return BORDER.join([folded.text for folded in self.folded])

    def places(self, tokens: Sequence[str]) -> "Places":
        """Return where each of ``tokens()`` stands. A border has a place that means nothing."""
        find = without_placeholders(self.joined()).find
        starts: list[int] = []
        reached = 0
        for token in tokens:
            start = find(token, reached)
            starts.append(start)
            reached = start + len(token)
        return Places(tokens, starts, self.folded)


class Places(Sequence[tuple[int, int, int]]):
    """For each word of a reading its place in ``Reading.turns`` and span of folded text."""

    def __init__(
        self, tokens: Sequence[str], starts: Sequence[int], folded: Sequence[Folded]
    ) -> None:
        self._tokens = tokens
        self._starts = starts
        self._turns = [0, *accumulate(len(turn.text) + len(BORDER) for turn in folded)]

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, number: int) -> tuple[int, int, int]:  # type: ignore[override]
        start = self._starts[number]
        turn = bisect_right(self._turns, start) - 1
        begun = start - self._turns[turn]
        return turn, begun, begun + len(self._tokens[number])


def words_of(folded: str) -> list[str]:
    """Return the words of a folded text; what was redacted is none."""
    pattern = _ASCII_WORD if folded.isascii() else _word_of_any_script()
    return pattern.findall(without_placeholders(folded))


_ASCII_WORD = re.compile(rf"\w{{1,{WORD_CHARACTERS}}}", re.ASCII)
_BLANKED = bytes(
    code if chr(code) == BORDER or _ASCII_WORD.match(chr(code)) else ord(" ")
    for code in range(256)
)


@lru_cache(maxsize=1)
def _word_characters() -> str:
    """Return the inside of a class of word characters: vowel signs of Hindi too, unlike in re."""
    marks = "".join(
        char for char in map(chr, range(0x300, 0x10000)) if unicodedata.category(char)[0] == "M"
    )
    return rf"\w{re.escape(marks)}"


@lru_cache(maxsize=1)
def _word_of_any_script() -> "re.Pattern[str]":
    return re.compile(rf"[{_word_characters()}]{{1,{WORD_CHARACTERS}}}")


@lru_cache(maxsize=1)
def _word_or_border() -> "re.Pattern[str]":
    return re.compile(rf"[{_word_characters()}]{{1,{WORD_CHARACTERS}}}|{BORDER}")
