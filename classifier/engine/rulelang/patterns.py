"""Regular expressions by RE2, in linear time, and the literals that they cannot match without."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple, Protocol, cast

import re2

from classifier.engine.errors import RuleInvalid
from classifier.engine.folding import fold

PATTERN_CHARACTERS = 500
_MEMORY_BYTES = 4 << 20  # of one pattern's automaton; RE2 refuses what needs more
_ALTERNATIVES = 64  # more literals than this tell nothing apart


class Match(Protocol):
    def span(self) -> tuple[int, int]: ...


class Pattern(Protocol):
    """What we use of a compiled RE2 pattern; offsets are code points."""

    def search(self, text: str, /) -> Match | None: ...

    def finditer(self, text: str, /) -> Iterator[Match]: ...


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Pattern:
    """Return the pattern as it is matched with folded text: blind to case and accents.

    Raises:
        RuleInvalid: RE2 does not take it, it is too long, or it is found in nothing at all.
    """
    if not pattern.strip():
        raise RuleInvalid('the regex is empty; write one, as in regex(r"order \\d{6}")')
    if len(pattern) > PATTERN_CHARACTERS:
        raise RuleInvalid(f"a regex has at most {PATTERN_CHARACTERS} characters")
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = _MEMORY_BYTES
    try:
        found = cast("Pattern", re2.compile(folded_pattern(pattern), options))
    except re2.error as refusal:
        raise RuleInvalid(f"RE2 does not take the regex: {_told(refusal)}") from refusal
    if found.search("") is not None:
        raise RuleInvalid(
            "the regex is found in nothing at all; drop a star or a question mark"
        )
    return found


def folded_pattern(pattern: str) -> str:
    """Return the pattern with letters beyond ASCII folded, as the text is that it meets.

    Raises:
        RuleInvalid: a letter that folds to several stands in square brackets, or a lone surrogate.
    """
    if pattern.isascii():
        return pattern
    pieces = []
    inside = False
    escaped = False
    for char in pattern:
        piece = char if char.isascii() else fold(char).text
        if "\ud800" <= char <= "\udfff":
            raise RuleInvalid("the regex holds half a character; type it again")
        if len(piece) != 1 and inside:
            raise RuleInvalid(
                f"“{char}” cannot stand in square brackets; write {piece} outside"
            )
        pieces.append(piece if len(piece) == 1 else f"(?:{piece})")
        inside = (char == "[" or (inside and char != "]")) if not escaped else inside
        escaped = char == "\\" and not escaped
    return "".join(pieces)


def required_literals(pattern: str) -> frozenset[str]:
    """Return literals one of which stands in every text the pattern is found in, folded.

    Empty: there is no such set (or it is too large), so that finding it costs a scan.
    """
    need = _Reader(folded_pattern(pattern)).read()
    return need.best or frozenset()


def _told(refusal: Exception) -> str:
    said = refusal.args[0] if refusal.args else refusal
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


class _Need(NamedTuple):
    """What a piece of a pattern needs: all it can be (if that is few), else the best literals."""

    exact: frozenset[str] | None
    best: frozenset[str] | None

    @classmethod
    def nothing(cls) -> "_Need":
        return cls(None, None)

    def then(self, other: "_Need") -> "_Need":
        """Return the need of one piece followed by another."""
        if self.exact is not None and other.exact is not None:
            joined = {one + two for one in self.exact for two in other.exact}
            if len(joined) <= _ALTERNATIVES:
                return _Need.of(frozenset(joined))
        return _Need(None, _better(self.best, other.best))

    def either(self, other: "_Need") -> "_Need":
        """Return the need of one piece or another."""
        exact = None
        if self.exact is not None and other.exact is not None:
            exact = self.exact | other.exact
        both = None
        if self.best is not None and other.best is not None:
            both = self.best | other.best
        if exact is not None and len(exact) <= _ALTERNATIVES:
            return _Need.of(exact)
        return _Need(None, both if both is not None and len(both) <= _ALTERNATIVES else None)

    @classmethod
    def of(cls, exact: frozenset[str]) -> "_Need":
        folded = frozenset(fold(each).text for each in exact)
        # Blanks at the ends fold away; what is left is still needed. Nothing left: no need.
        return cls(exact, folded if all(folded) else None)

    def once_or_more(self) -> "_Need":
        return _Need(None, self.best)


def _better(one: frozenset[str] | None, two: frozenset[str] | None) -> frozenset[str] | None:
    """Return the set that is seldomer met: its shortest literal is longer, then the smaller."""
    if one is None or two is None:
        return one or two
    return max(one, two, key=lambda each: (min(map(len, each)), -len(each)))


class _Reader:
    """Reads RE2's syntax just far enough; whatever it does not know needs nothing."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def read(self) -> _Need:
        return self._alternatives()

    def _alternatives(self) -> _Need:
        need = self._sequence()
        while self._take("|"):
            need = need.either(self._sequence())
        return need

    def _sequence(self) -> _Need:
        pieces: list[_Need] = []
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            pieces.append(self._repeated(self._piece()))
        # Literals that touch are joined first; whatever lies between only cuts them apart.
        need = _Need(frozenset([""]), None)
        best = None
        for piece in pieces:
            joined = need.then(piece)
            if joined.exact is None:
                best = _better(best, need.best)
                best = _better(best, piece.best)
                need = piece if piece.exact is not None else _Need(frozenset([""]), None)
                exact_so_far = False
            else:
                need, exact_so_far = joined, True
        whole = bool(pieces) and exact_so_far and best is None
        if not pieces:
            return need
        return need if whole else _Need(None, _better(best, need.best))

    def _repeated(self, need: _Need) -> _Need:
        while self._at < len(self._pattern):
            if self._take("*") or self._take("?"):
                need = _Need.nothing()
            elif self._take("+"):
                need = need.once_or_more()
            elif (counts := self._counts()) is not None:
                need = need.once_or_more() if counts else _Need.nothing()
            else:
                return need
        return need

    def _counts(self) -> int | None:
        """Return the smaller number of ``{2,5}``; None where no such braces stand."""
        if not self._pattern.startswith("{", self._at):
            return None
        end = self._pattern.find("}", self._at)
        least, _, most = self._pattern[self._at + 1 : max(end, 0)].partition(",")
        if end < 0 or not (least.isdecimal() and (most == "" or most.isdecimal())):
            return None
        self._at = end + 1
        return int(least)

    def _piece(self) -> _Need:
        char = self._pattern[self._at]
        self._at += 1
        match char:
            case "(":
                return self._group()
            case "[":
                return self._brackets()
            case "\\":
                return self._escape()
            case "." | "^" | "$":
                return _Need.nothing()
            case _:
                return _Need.of(frozenset([char.lower()]))

    def _group(self) -> _Need:
        if self._take("?"):
            if self._take("P") or self._take("<"):
                self._at = self._pattern.find(">", self._at) + 1
            else:
                end = next(
                    at
                    for at in range(self._at, len(self._pattern))
                    if self._pattern[at] in ":)"
                )
                self._at = end + 1
                if self._pattern[end] == ")":  # only flags
                    return _Need.nothing()
        need = self._alternatives()
        self._take(")")
        return need

    def _brackets(self) -> _Need:
        self._take("^")
        self._take("]")
        while not self._take("]"):
            if self._pattern.startswith("[:", self._at):
                end = self._pattern.find(":]", self._at)
                self._at = end + 2 if end >= 0 else self._at + 1
            else:
                self._at += 2 if self._pattern[self._at] == "\\" else 1
        return _Need.nothing()

    def _escape(self) -> _Need:
        char = self._pattern[self._at]
        self._at += 1
        if char == "Q":
            end = self._pattern.find("\\E", self._at)
            quoted = self._pattern[self._at : end if end >= 0 else len(self._pattern)]
            self._at = end + 2 if end >= 0 else len(self._pattern)
            # What follows repeats its last character only, so the run is no exact piece.
            return _Need(None, _Need.of(frozenset([quoted[:-1].lower()])).best)
        if char in "pP":
            if self._take("{"):
                self._at = self._pattern.find("}", self._at) + 1
            else:
                self._at += 1
            return _Need.nothing()
        if char == "x":
            if self._take("{"):
                self._at = self._pattern.find("}", self._at) + 1
            else:
                self._at += 2
            return _Need.nothing()
        if char.isalnum():
            while self._at < len(self._pattern) and self._pattern[self._at] in "01234567":
                self._at += 1
            return _Need.nothing()
        return _Need.of(frozenset([char]))

    def _take(self, char: str) -> bool:
        if self._pattern.startswith(char, self._at):
            self._at += len(char)
            return True
        return False
