"""Finding: one automaton over the literals of all rules, in one pass, with borders and positions.

The text is searched with a blank for everything that is no part of a word, and a phrase that must
be a word of its own is looked for with blanks around it. So the automaton itself keeps "fee" apart
from "coffee", and hardly anything is found in vain (a fifth of what plain phrases find in real
conversations). What it finds is compared with the text once more, signs included.

Scripts without blanks between words have a border at each character: a text in one is searched
for the phrases as they are, and borders are looked at afterwards.
"""

import re
from collections.abc import Iterable, Sequence
from enum import IntEnum
from itertools import chain
from typing import NamedTuple, Protocol, cast

import ahocorasick_rs
import numpy as np
from numpy.typing import NDArray

from classifier.engine.folding import UNSPACED, is_word_border, joins
from classifier.engine.hashing import Whole

APART = "\n"
"""Stands between texts that are searched as one; folded text never holds it."""


class Reach(IntEnum):
    """How far a phrase must be a word of its own; a looser one is satisfied by a stricter."""

    WORD = 0
    ANY_ENDING = 1
    ANYWHERE = 2


class Sought(NamedTuple):
    """A folded phrase, and how it must stand."""

    phrase: str
    reach: Reach


class Finder:
    """Finds many phrases at once; never changed, so threads may share it."""

    __slots__ = ("_all", "_bordered", "_codes", "_numbers", "_phrases", "_signs")

    def __init__(self, sought: Iterable[Sought]) -> None:
        sought = tuple(sought)
        worded = [number for number, each in enumerate(sought) if _is_worded(each.phrase)]
        signs = [number for number, each in enumerate(sought) if not _is_worded(each.phrase)]
        self._phrases = sought
        self._numbers = np.array(worded, dtype=np.int64)
        self._codes = np.array([_code(sought[number]) for number in worded], dtype=np.int64)
        self._bordered = _Search([_bordered(sought[number]) for number in worded])
        self._signs = _Standing([(number, sought[number]) for number in signs])
        self._all = _Standing(list(enumerate(sought)))

    def find(self, text: str) -> tuple[Whole, Whole, Whole]:
        """Return what is found: its place in ``sought``, and its half-open span of the text.

        ``text`` is folded, without placeholders; several stand ``APART``. Of each phrase what
        comes first in the text comes first.
        """
        if not text.isascii() and UNSPACED.search(text):
            return _columns(self._all.find(text))
        worded = self._between_borders(text)
        signs = self._signs.find(text)
        if not signs:
            return worded
        number, start, end = map(np.concatenate, zip(worded, _columns(signs), strict=True))
        return number, start, end

    def find_in_one(self, text: str) -> list[tuple[int, int, int]]:
        """Return what ``find`` does, quicker for one short text."""
        if not text.isascii() and UNSPACED.search(text):
            return self._all.find(text)
        spaced = text.translate(_SPACED)
        uncut = frozenset(_negations(text)) if "'t" in text else _NOWHERE
        found = []
        for pattern, begins, ends in self._bordered.matches(f" {spaced} "):
            code, number = self._codes.item(pattern), self._numbers.item(pattern)
            start, end = begins - 1 + (code & _LEAD > 0), ends - 1 - (code & _TRAIL > 0)
            said = text[start:end]
            if (code & _SIGNS or said != spaced[start:end]) and said != self._phrases[
                number
            ].phrase:
                continue  # a sign stood where it wants another
            if (start in uncut and not code & _ANYWHERE) or (end in uncut and code & _WORD):
                continue
            found.append((number, start, end))
        return found + self._signs.find(text)

    def _between_borders(self, text: str) -> tuple[Whole, Whole, Whole]:
        """Return what is found in a text of words with blanks between them."""
        spaced = text.translate(_SPACED)
        pattern, begins, ends = _columns(self._bordered.matches(f" {spaced} "))
        code = self._codes[pattern]
        start = begins - 1 + (code & _LEAD > 0)
        end = ends - 1 - (code & _TRAIL > 0)
        number = self._numbers[pattern]
        kept = self._agree(number, start, end, code, text, spaced)
        number, start, end, code = number[kept], start[kept], end[kept], code[kept]
        if "'t" not in text:
            return number, start, end
        is_cut = np.zeros(len(text) + 1, dtype=bool)
        is_cut[_negations(text)] = True
        begins_whole = ~is_cut[start] | (code & _ANYWHERE > 0)
        kept = begins_whole & (~is_cut[end] | (code & _WORD == 0))
        return number[kept], start[kept], end[kept]

    def _agree(
        self, number: Whole, start: Whole, end: Whole, code: Whole, text: str, spaced: str
    ) -> NDArray[np.bool_]:
        """Say of each place whether it holds its phrase, signs included."""
        signs = np.zeros(len(text) + 1, dtype=np.int64)
        np.cumsum(_characters(text) != _characters(spaced), out=signs[1:])
        # A phrase that ends in a sign is also found where the text ends without it.
        doubtful = (code & _SIGNS > 0) | (signs.take(end, mode="clip") > signs[start])
        agree = ~doubtful
        for at in np.flatnonzero(doubtful).tolist():
            said = text[start.item(at) : end.item(at)]
            agree[at] = said == self._phrases[number.item(at)].phrase
        return agree


_LEAD, _TRAIL, _SIGNS, _WORD, _ANYWHERE = 1, 2, 4, 8, 16
_NOWHERE: frozenset[int] = frozenset()


def _code(sought: Sought) -> int:
    """Return in bits what a pattern has (a blank before or after, signs, words), and its reach."""
    has_signs = sought.phrase.translate(_SPACED) != sought.phrase
    reach = {Reach.WORD: _WORD, Reach.ANY_ENDING: 0, Reach.ANYWHERE: _ANYWHERE}[sought.reach]
    return _lead(sought) * _LEAD | _trail(sought) * _TRAIL | has_signs * _SIGNS | reach


def _columns(found: Sequence[tuple[int, int, int]]) -> tuple[Whole, Whole, Whole]:
    """Return a list of three numbers each as three arrays."""
    flat = np.fromiter(chain.from_iterable(found), np.int64, 3 * len(found))
    one, two, three = flat.reshape(-1, 3).T
    return one, two, three


def _characters(text: str) -> NDArray[np.unsignedinteger]:
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), dtype=np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


class _Automaton(Protocol):
    def find_matches_as_indexes(
        self, text: str, *, overlapping: bool
    ) -> list[tuple[int, int, int]]: ...


class _Search:
    """One automaton; built when it is first asked, as most desks never need the third."""

    __slots__ = ("_automaton", "_patterns")

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = [_SURROGATE.sub("\ufffd", pattern) for pattern in patterns]
        self._automaton: _Automaton | None = None

    def matches(self, text: str) -> Sequence[tuple[int, int, int]]:
        """Return which pattern stands where, by its end."""
        if not self._patterns:
            return ()
        if self._automaton is None:
            self._automaton = cast("_Automaton", ahocorasick_rs.AhoCorasick(self._patterns))
        try:
            return self._automaton.find_matches_as_indexes(text, overlapping=True)
        except UnicodeEncodeError:  # half a character, which UTF-8 cannot say
            whole = _SURROGATE.sub("\ufffd", text)
            return self._automaton.find_matches_as_indexes(whole, overlapping=True)


class _Standing:
    """Finds phrases as they are, then looks how they stand: for signs, and for any script."""

    __slots__ = ("_search", "_sought")

    def __init__(self, sought: Sequence[tuple[int, Sought]]) -> None:
        self._sought = sought
        self._search = _Search(each.phrase for _, each in sought)

    def find(self, text: str) -> list[tuple[int, int, int]]:
        found = []
        for pattern, start, end in self._search.matches(text):
            number, (phrase, reach) = self._sought[pattern]
            if text[start:end] == phrase and _standing(text, start, end) <= reach:
                found.append((number, start, end))
        return found


_SURROGATE = re.compile("[\ud800-\udfff]")


def _is_worded(phrase: str) -> bool:
    """Say whether a phrase has letters or digits, and none of a script without blanks."""
    return any(map(joins, phrase)) and not UNSPACED.search(phrase)


def _bordered(sought: Sought) -> str:
    return " " * _lead(sought) + sought.phrase.translate(_SPACED) + " " * _trail(sought)


def _lead(sought: Sought) -> int:
    return int(sought.reach is not Reach.ANYWHERE and joins(sought.phrase[0]))


def _trail(sought: Sought) -> int:
    return int(sought.reach is Reach.WORD and joins(sought.phrase[-1]))


def _negations(text: str) -> list[int]:
    """Return where no word begins or ends although an apostrophe stands there: around ``n't``."""
    return [
        place
        for found in _NEGATION.finditer(text)
        for place in (found.start(), found.start() + 1)
        if not is_word_border(text, place)
    ]


_NEGATION = re.compile("'t")


def _standing(text: str, start: int, end: int) -> Reach:
    """Return the strictest reach that a phrase found there satisfies."""
    if not is_word_border(text, start):
        return Reach.ANYWHERE
    return Reach.WORD if is_word_border(text, end) else Reach.ANY_ENDING


class _Spaced(dict[int, str]):
    """A blank for each character that is no part of a word; remembered as it is met."""

    def __missing__(self, code: int) -> str:
        if len(self) >= _REMEMBERED:
            self.clear()
        char = chr(code)
        self[code] = kept = char if joins(char) or UNSPACED.match(char) else " "
        return kept


_REMEMBERED = 32_768
_SPACED = _Spaced()
