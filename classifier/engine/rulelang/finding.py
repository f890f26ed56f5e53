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

    __slots__ = ("_all", "_bordered", "_signs")

    def __init__(self, sought: Iterable[Sought]) -> None:
        sought = tuple(sought)
        numbered = list(enumerate(sought))
        signs = [(number, each) for number, each in numbered if not _is_worded(each.phrase)]
        self._bordered = _Search(
            (_bordered(each), (number, _lead(each), *each))
            for number, each in numbered
            if _is_worded(each.phrase)
        )
        self._signs = _Search((each.phrase, (number, 0, *each)) for number, each in signs)
        self._all = _Search((each.phrase, (number, 0, *each)) for number, each in numbered)

    def find(self, text: str) -> list[tuple[int, int, int]]:
        """Return what is found: its place in ``sought``, and its half-open span of the text.

        ``text`` is folded, without placeholders; several stand ``APART``.
        """
        if not text.isascii() and UNSPACED.search(text):
            return self._all.standing_in(text)
        found = self._bordered.bordered_in(text)
        return found + self._signs.standing_in(text) if self._signs.is_any else found


_Entry = tuple[int, int, str, Reach]
"""Number, blanks before the phrase in its pattern, phrase, reach."""


class _Automaton(Protocol):
    def find_matches_as_indexes(
        self, text: str, *, overlapping: bool
    ) -> list[tuple[int, int, int]]: ...


class _Search:
    """One automaton; built when it is first asked, as most desks never need the third."""

    __slots__ = ("_automaton", "_entries", "_patterns", "is_any")

    def __init__(self, entries: Iterable[tuple[str, _Entry]]) -> None:
        pairs = list(entries)
        self._patterns = [_SURROGATE.sub("\ufffd", pattern) for pattern, _ in pairs]
        self._entries = [entry for _, entry in pairs]
        self._automaton: _Automaton | None = None
        self.is_any = bool(pairs)

    def bordered_in(self, text: str) -> list[tuple[int, int, int]]:
        """Return what is found in a text of words with blanks between them."""
        found = []
        entries = self._entries
        apostrophes = "'" in text
        for pattern, at, _ in self._matches(f" {text.translate(_SPACED)} "):
            number, lead, phrase, reach = entries[pattern]
            start = at - 1 + lead
            end = start + len(phrase)
            if text[start:end] != phrase:
                continue  # a sign stood where it wants another
            if apostrophes and _is_negation(text, start, end, reach):
                continue
            found.append((number, start, end))
        return found

    def standing_in(self, text: str) -> list[tuple[int, int, int]]:
        """Return what is found in a text of any script."""
        found = []
        for pattern, start, end in self._matches(text):
            number, _, phrase, reach = self._entries[pattern]
            if text[start:end] == phrase and _standing(text, start, end) <= reach:
                found.append((number, start, end))
        return found

    def _matches(self, text: str) -> Sequence[tuple[int, int, int]]:
        if not self.is_any:
            return ()
        if self._automaton is None:
            self._automaton = cast("_Automaton", ahocorasick_rs.AhoCorasick(self._patterns))
        try:
            return self._automaton.find_matches_as_indexes(text, overlapping=True)
        except UnicodeEncodeError:  # half a character, which UTF-8 cannot say
            whole = _SURROGATE.sub("\ufffd", text)
            return self._automaton.find_matches_as_indexes(whole, overlapping=True)


_SURROGATE = re.compile("[\ud800-\udfff]")


def _is_worded(phrase: str) -> bool:
    """Say whether a phrase has letters or digits, and none of a script without blanks."""
    return any(map(joins, phrase)) and not UNSPACED.search(phrase)


def _bordered(sought: Sought) -> str:
    pattern = " " * _lead(sought) + sought.phrase.translate(_SPACED)
    return pattern + " " * (sought.reach is Reach.WORD and joins(sought.phrase[-1]))


def _lead(sought: Sought) -> int:
    return int(sought.reach is not Reach.ANYWHERE and joins(sought.phrase[0]))


def _is_negation(text: str, start: int, end: int, reach: Reach) -> bool:
    """Say whether a border runs through ``n't``: elsewhere blanks around it keep it right."""
    if reach is Reach.ANYWHERE:
        return False
    if "'" in text[max(start - 1, 0) : start + 1] and not is_word_border(text, start):
        return True
    return (
        reach is Reach.WORD and "'" in text[end - 1 : end + 1] and not is_word_border(text, end)
    )


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
