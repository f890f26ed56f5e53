"""Folding: text as rules and models compare it, with a map back to the original offsets."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from classifier.engine.han import merged

# The longest fold of one code point is 18 (U+FDFA); the rest is room for marks. A longer pile
# of marks is noise (or an attack: ordering n marks takes n² steps) and only its start is read.
CLUSTER_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text and where each of its characters came from.

    Without pieces the fold kept every offset. Otherwise piece ``k`` covers
    ``text[starts[k]:starts[k + 1]]`` and came from ``original[origins[k]:ends[k]]``: as a whole
    if ``wholes[k]``, else character by character.
    """

    text: str
    starts: tuple[int, ...] = ()
    origins: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    wholes: tuple[bool, ...] = ()

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the half-open code-point span of the original that ``text[start:end]`` is.

        A cut through a character that folded to several (``ß`` to ``ss``) widens to the whole
        character, with its marks.

        Raises:
            ValueError: not a non-empty span of the folded text.
        """
        if not 0 <= start < end <= len(self.text):
            raise ValueError(f"not a span of {len(self.text)} characters: {start}:{end}")
        if not self.starts:
            return start, end
        return self._origin(start)[0], self._origin(end - 1)[1]

    def _origin(self, position: int) -> tuple[int, int]:
        k = bisect_right(self.starts, position) - 1
        if self.wholes[k]:
            return self.origins[k], self.ends[k]
        origin = self.origins[k] + position - self.starts[k]
        return origin, origin + 1


def fold(text: str) -> Folded:
    """Return the text without case, accents, width and the look of its white space.

    Compatibility forms fold together (full width, ligatures), every run of white space is one
    blank and none stands at the ends, and marks nobody sees (zero width, direction) are gone.
    Simplified and Traditional Chinese are one. Letters of other scripts stay. Takes any string,
    lone surrogates included; linear time.
    """
    is_ascii = text.isascii()
    drafted = text.lower() if is_ascii else text.translate(_DRAFT)
    blanked = " ".join(drafted.split())
    # Equal length: no run of white space and none at the ends, so every offset stands.
    if len(blanked) == len(text) and (is_ascii or not _SPECIAL.search(blanked)):
        return Folded(blanked)
    return _woven(text, drafted)


@dataclass(frozen=True, slots=True)
class FoldedLines:
    """Many texts in ASCII folded at once, one on each line, and where each character came from."""

    text: str
    origins: NDArray[np.int64]
    """Of each character of ``text`` its place among the texts as received, one on each line."""


def fold_lines(texts: Sequence[str]) -> FoldedLines:
    """Return on each line what ``fold`` makes of that text, many times as quick; all are ASCII.

    Of ASCII nothing but white space goes: of every run of it one blank stays, none at the ends.
    """
    joined = _LINE.join(texts)
    if joined.count(_LINE) >= len(texts):  # within a text a line's end is white space
        joined = _LINE.join([text.replace(_LINE, " ") for text in texts])
    codes = np.frombuffer(joined.encode("ascii"), dtype=np.uint8)
    is_line = codes == ord(_LINE)
    is_space = _IS_SPACE.take(codes)
    # Dropped: a blank after white space or a line's end, and a run of blanks before a line's end.
    after = np.concatenate([[True], is_space[:-1]])
    kept = ~is_space | is_line
    kept |= is_space & ~after
    origins = np.flatnonzero(kept)
    left = codes[origins]
    ends = np.append(left[1:] == ord(_LINE), True)
    stays = (left == ord(_LINE)) | ~is_space[origins] | ~ends[: len(left)]
    origins, left = origins[stays], left[stays]
    content = left.tobytes().translate(_BLANKED)
    return FoldedLines(content.decode("ascii").lower(), origins)


_LINE = "\n"
_IS_SPACE = np.array([chr(code).isspace() for code in range(128)])
_BLANKED = bytes(
    ord(" ") if code < len(_IS_SPACE) and _IS_SPACE[code] and code != ord(_LINE) else code
    for code in range(256)
)


def is_word_border(text: str, position: int) -> bool:
    """Say whether a word of folded text may begin or end at ``position``.

    Scripts that write without blanks (Chinese, Japanese, Thai, …) have a border at each
    character; so has Korean, whose particles cling to the word. ``n't`` belongs to its word:
    "won't" does not hold the word "won".
    """
    if not 0 < position < len(text):
        return True
    before, after = text[position - 1], text[position]
    if before == " " or after == " ":
        return True
    if "'" in (before, after) and _NEGATION.match(text, position - 1 - (before == "'")):
        return False
    return not (joins(before) and joins(after))


_NEGATION = re.compile(r"[^\W\d_]'t(?!\w)")


@lru_cache(maxsize=8192)
def joins(char: str) -> bool:
    """Say whether a character makes one word with a neighbour that does so too."""
    if char.isascii():
        return char.isalnum() or char == "_"
    if UNSPACED.match(char):
        return False
    return char.isalnum() or unicodedata.category(char)[0] == "M"


UNSPACED = re.compile(
    "["
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff"  # Hangul
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u312f\u31a0-\u31ff"  # radicals, kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "]"
)

# The draft of a text has its length: white space is a blank, a character that folds to exactly
# one is that one, and the others are one of three noncharacters, which Unicode never assigns.
_ATTACHED = "\ufdd0"  # melts into the character before it: a mark, a later jamo
_UNSEEN = "\ufdd1"  # zero width, direction
_SEVERAL = "\ufdd2"  # folds to none or to several
_SPECIAL = re.compile(f"[{_ATTACHED}{_UNSEEN}{_SEVERAL}]")
# Possessive quantifiers over disjoint classes: one pass, however the text is built.
_TOKEN = re.compile(
    rf"(?P<blank>\s{{2,}}+|[^\S ])"
    rf"|(?P<unseen>{_UNSEEN}++)"
    rf"|(?P<cluster>[^\s{_ATTACHED}{_UNSEEN}](?:{_UNSEEN}*+{_ATTACHED})++|{_ATTACHED}++|{_SEVERAL})"
)


# Of ASCII nothing but white space moves; looking for that alone takes a tenth of the time.
_BLANK = re.compile(r"(?P<blank>\s{2,}+|[^\S ])")


class _Draft(dict[int, str]):
    """The draft of each code point, remembered as it is met (bounded: there are a million)."""

    def __missing__(self, code: int) -> str:
        if len(self) >= _REMEMBERED:
            self.clear()
        self[code] = drafted = _drafted(chr(code))
        return drafted


def _drafted(char: str) -> str:
    if char.isspace():
        return " "
    if _is_attached(char):
        return _ATTACHED
    if unicodedata.category(char) == "Cf":
        return _UNSEEN
    folded = _folded_cluster(char)
    return folded if len(folded) == 1 and not _SPECIAL.match(folded) else _SEVERAL


_REMEMBERED = 32_768
_DRAFT = _Draft()


def _is_attached(char: str) -> bool:
    if _COMPATIBILITY_JAMO.match(char) or _SYLLABLE.match(char):
        return False
    first = unicodedata.normalize("NFKD", char)[0]
    return bool(_LATER_JAMO.match(first)) or unicodedata.category(first)[0] == "M"


# Stand alone (as in laughter and tears), although Unicode decomposes them to jamo that join.
_COMPATIBILITY_JAMO = re.compile("[\u3131-\u318e]")
_SYLLABLE = re.compile("[\uac00-\ud7a3]")
_LATER_JAMO = re.compile("[\u1160-\u11ff\ud7b0-\ud7ff]")


@lru_cache(maxsize=_REMEMBERED)
def _folded_cluster(cluster: str) -> str:
    """Return what a character with its marks folds to; may be empty, may be several."""
    if _COMPATIBILITY_JAMO.match(cluster):
        return cluster[0]
    caseless = unicodedata.normalize("NFKD", cluster.translate(_ALIKE)).casefold()
    decomposed = unicodedata.normalize("NFKD", caseless).translate(_ALIKE)
    kept = "".join(char for char in decomposed if not _is_dropped(char))
    composed = unicodedata.normalize("NFC", kept[:CLUSTER_CHARACTERS])
    return " ".join(merged(composed).split(" "))


# Typed for one another so often that a rule must not tell them apart.
_ALIKE = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201b\u02bc\u00b4\u2032", "'"),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    }
)


def _is_dropped(char: str) -> bool:
    kind = unicodedata.category(char)
    if kind in {"Cf", "Me"}:
        return True
    if kind != "Mn":
        return False
    return unicodedata.combining(char) not in _KEPT_CLASSES or bool(_SELECTOR.match(char))


# Combining classes that are letters or parts of letters: nukta, kana voicing, virama (7 to 9),
# vowels and tones of Thai and its neighbours (84 to 132), and 0, most Indic and Thai vowels.
# Dropped are overlays (1), Hebrew and Arabic points (10 to 36) and accents (200 and up).
_KEPT_CLASSES = frozenset({0, 7, 8, 9, *range(84, 133)})
_SELECTOR = re.compile("[\u034f\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def _woven(text: str, drafted: str) -> Folded:
    """Return the fold of a text some of whose characters moved, with its map."""
    weaver = _Weaver()
    reached = 0
    for token in (_BLANK if drafted.isascii() else _TOKEN).finditer(drafted):
        start, end = token.span()
        weaver.add(drafted[reached:start], reached, start, whole=False)
        if token.lastgroup == "blank":
            weaver.add(" ", start, end, whole=True)
        elif token.lastgroup == "cluster":
            read = text[start : min(end, start + CLUSTER_CHARACTERS)]
            weaver.add(_folded_cluster(read), start, end, whole=True)
        reached = end
    weaver.add(drafted[reached:], reached, len(text), whole=False)
    return weaver.folded()


class _Weaver:
    """Joins the folded pieces of one text and notes where each came from."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._starts: list[int] = []
        self._origins: list[int] = []
        self._ends: list[int] = []
        self._wholes: list[bool] = []
        self._length = 0

    def add(self, folded: str, start: int, end: int, *, whole: bool) -> None:
        """Add what ``original[start:end]`` folded to; a blank after a blank is left out."""
        if folded.startswith(" ") and (not self._pieces or self._pieces[-1].endswith(" ")):
            folded = folded[1:]
            start += not whole
        if not folded:
            return
        self._pieces.append(folded)
        self._starts.append(self._length)
        self._origins.append(start)
        self._ends.append(end)
        self._wholes.append(whole)
        self._length += len(folded)

    def folded(self) -> Folded:
        text = "".join(self._pieces)
        if not text:
            return Folded("")
        # The last piece may be nothing but the blank that goes: no offset points there then.
        return Folded(
            text.removesuffix(" "),
            tuple(self._starts),
            tuple(self._origins),
            tuple(self._ends),
            tuple(self._wholes),
        )
