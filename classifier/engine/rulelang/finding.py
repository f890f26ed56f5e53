"""Finding: one automaton over the literals of all rules, in one pass, with borders and positions.

The text is searched with a blank for everything that is no part of a word, and a phrase that must
be a word of its own is looked for with blanks around it. So the automaton itself keeps "fee" apart
from "coffee", and hardly anything is found in vain (a fifth of what plain phrases find in real
conversations). What it finds is compared with the text once more, signs included.

Scripts without blanks between words have a border at each character: a text in one is searched
for the phrases as they are, and borders are looked at afterwards.
"""

import re
from array import array
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple, Protocol, cast

import ahocorasick_rs

from classifier.engine.folding import UNSPACED, is_word_border, joins

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
        # Arrays of small numbers lie together in memory: to look into ten thousand scattered
        # entries would cost more than the search does.
        self._numbers = array("l", worded) if signs else None
        self._codes = bytes(_code(sought[number]) for number in worded)
        self._bordered = _Search([_bordered(sought[number]) for number in worded])
        self._signs = _Standing([(number, sought[number]) for number in signs])
        self._all = _Standing(list(enumerate(sought)))

    def find(self, text: str) -> list[tuple[int, int, int]]:
        """Return what is found: its place in ``sought``, and its half-open span of the text.

        ``text`` is folded, without placeholders; several stand ``APART``.
        """
        if not text.isascii() and UNSPACED.search(text):
            return self._all.find(text)
        found = self._between_borders(text)
        return found + self._signs.find(text) if self._numbers is not None else found

    def _between_borders(self, text: str) -> list[tuple[int, int, int]]:
        """Return what is found in a text of words with blanks between them."""
        spaced = f" {text.translate(_SPACED)} "
        found = []
        codes = self._codes
        numbers = self._numbers
        uncut = _negations(text) if "'t" in text else None
        for pattern, begins, ends in self._bordered.matches(spaced):
            code = codes[pattern]
            start = begins - 1 + (code & _LEAD)
            end = ends - 1 - (code >> 1 & 1)
            number = pattern if numbers is None else numbers[pattern]
            said = text[start:end]
            if (code & _SIGNS or said != spaced[start + 1 : end + 1]) and said != self._phrases[
                number
            ].phrase:
                continue  # a sign stood where it wants another
            if uncut and (
                (start in uncut and not code & _ANYWHERE) or (end in uncut and code & _WORD)
            ):
                continue
            found.append((number, start, end))
        return found


_LEAD, _TRAIL, _SIGNS, _WORD, _ANYWHERE = 1, 2, 4, 8, 16


def _code(sought: Sought) -> int:
    """Return in bits what a pattern has (a blank before, one after, signs), and its reach."""
    has_signs = sought.phrase.translate(_SPACED) != sought.phrase
    reach = {Reach.WORD: _WORD, Reach.ANY_ENDING: 0, Reach.ANYWHERE: _ANYWHERE}[sought.reach]
    return _lead(sought) * _LEAD + _trail(sought) * _TRAIL + has_signs * _SIGNS + reach


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


def _negations(text: str) -> frozenset[int]:
    """Return where no word begins or ends although an apostrophe stands there: around ``n't``."""
    return frozenset(
        place
        for found in _NEGATION.finditer(text)
        for place in (found.start(), found.start() + 1)
        if not is_word_border(text, place)
    )


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
