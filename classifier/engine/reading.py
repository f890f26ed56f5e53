"""Reading: the turns of a conversation that a model reads, cut into words, and where each stands."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

from classifier.engine.folding import Folded, fold
from classifier.engine.redaction import without_placeholders
from classifier.engine.text import Speaker, Transcript

WORD_CHARACTERS = 40  # a longer run is no word but noise, or a sentence written without blanks
BORDER = "\0"
"""Stands between the words of two turns. No word holds it; where a customer sent it, it counts as
a blank."""
_NOT_ASKED = "not asked yet"


class Reading:
    """The turns of one transcript that a model reads; folded only where that is asked for.

    Never changed but for what it remembers of its own text.
    """

    __slots__ = ("_folded", "_places", "_plain", "_texts", "received", "turns")

    def __init__(
        self,
        turns: Sequence[int],
        texts: Sequence[str],
        folded: tuple[Folded, ...] | None = None,
    ) -> None:
        self.turns = turns
        """Their places in the transcript."""
        self._texts = texts
        self._folded = folded
        joined = BORDER.join(texts)
        if joined.count(BORDER) >= len(texts):
            joined = BORDER.join([text.replace(BORDER, " ") for text in texts])
        self.received = joined
        """The turns as they were received, a ``BORDER`` between one turn and the next."""
        self._plain: str | None = _NOT_ASKED
        self._places: Places | None = None

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
        chosen = [
            i
            for i, turn in enumerate(turns)
            if turn.speaker in speakers and (text := turn.text) and not text.isspace()
        ] or [i for i, turn in enumerate(turns) if turn.text and not turn.text.isspace()]
        texts = [turns[i].text for i in chosen]
        return cls(tuple(chosen), texts, tuple([folded[i] for i in chosen]) if folded else None)

    @property
    def plain(self) -> str | None:
        """The turns in lower case, a blank for each character that is of no word.

        A ``BORDER`` stands between one turn and the next; offsets are those of what was received.
        None: there is more than ASCII in them, or words too long.
        """
        if self._plain is _NOT_ASKED:
            received = self.received
            self._plain = in_plain(received).decode("ascii") if received.isascii() else None
        return self._plain

    @property
    def folded(self) -> tuple[Folded, ...]:
        """The turns, folded."""
        if self._folded is None:
            self._folded = tuple([fold(text) for text in self._texts])
        return self._folded

    def words(self) -> list[list[str]]:
        """Return the words of each turn, in order."""
        return [words_of(folded.text) for folded in self.folded]

    def tokens(self) -> list[str]:
        """Return the words of all turns in order, a ``BORDER`` between one turn and the next."""
        runs = self.runs()
        if max(map(len, runs), default=0) <= WORD_CHARACTERS:
            return runs
        self._plain = None
        return _word_or_border().findall(self._joined())

    def runs(self) -> list[str]:
        """Return what ``tokens`` does, but that a word may be longer than ``WORD_CHARACTERS``.

        Enough for who knows all of them, and a fifth quicker.
        """
        if (plain := self.plain) is not None:
            return plain.replace(BORDER, _APART).split()
        joined = self._joined()
        if joined.isascii():
            return in_plain(joined).decode("ascii").replace(BORDER, _APART).split()
        return _word_or_border().findall(joined)

    def where(self, tokens: Sequence[str], first: int, last: int) -> tuple[int, int, int]:
        """Return a turn of the transcript and a half-open span of its text as it was received.

        There stand the tokens (all of them are ``tokens()``) from ``first`` to ``last``, which
        are of one turn. Linear in the length of the text.
        """
        plain = self.plain
        if plain is None:
            return self._where_folded(tokens, first, last)
        spaced = f" {plain.replace(BORDER, ' ')} "
        start = 0
        word = f" {tokens[first]} "
        for _ in range(tokens[: first + 1].count(tokens[first])):
            start = spaced.index(word, start) + 1
        end = start + len(tokens[first])
        for token in tokens[first + 1 : last + 1]:
            end = spaced.index(token, end) + len(token)
        start, end = start - 1, end - 1  # without the blank at the front
        turn = plain.count(BORDER, 0, start)
        begun = plain.rfind(BORDER, 0, start) + 1
        return self.turns[turn], start - begun, end - begun

    def places(self, tokens: Sequence[str]) -> "Places":
        """Return where each of ``tokens()`` stands. A border has a place that means nothing."""
        if self._places is None:
            self._places = Places(tokens, self._joined(), self.folded)
        return self._places

    def _where_folded(
        self, tokens: Sequence[str], first: int, last: int
    ) -> tuple[int, int, int]:
        places = self.places(tokens)
        turn, start, _ = places[first]
        return self.turns[turn], *self.folded[turn].span(start, places[last][2])

    def _joined(self) -> str:
        """Return the folded turns without placeholders, a ``BORDER`` between them."""
        return BORDER.join(
            [without_placeholders(turn.text).replace(BORDER, " ") for turn in self.folded]
        )


class Places(Sequence[tuple[int, int, int]]):
    """For each word of a reading its place in ``Reading.turns`` and span of folded text."""

    def __init__(self, tokens: Sequence[str], joined: str, folded: Sequence[Folded]) -> None:
        self._tokens = tokens
        self._starts: list[int] = []
        reached = 0
        for token in tokens:
            start = joined.find(token, reached)
            self._starts.append(start)
            reached = start + len(token)
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


def in_plain(text: str) -> bytes:
    """Return ASCII text in lower case, a blank for each character that is of no word."""
    return text.encode("ascii").translate(_PLAIN)


_ASCII_WORD = re.compile(rf"\w{{1,{WORD_CHARACTERS}}}", re.ASCII)
_APART = f" {BORDER} "
_PLAIN = bytes(
    ord(char.lower()) if char == BORDER or _ASCII_WORD.match(char) else ord(" ")
    for char in map(chr, range(256))
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
