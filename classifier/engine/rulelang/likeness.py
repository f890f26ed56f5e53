"""Likeness: phrases with a typo or two, and sentences that share most of their words and letters."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import NamedTuple

from classifier.engine.folding import fold, is_word_border


class Piece(NamedTuple):
    """A part of a fuzzy phrase, and where it begins in it."""

    text: str
    offset: int


def pieces(phrase: str, distance: int) -> tuple[Piece, ...]:
    """Return pieces one of which stands unharmed in every text within that distance.

    So many edits cannot harm one more piece than there are edits (the pigeonhole principle). Two
    swapped characters harm both pieces that they lie between, so what stands around such a border
    is looked for swapped as well.
    """
    borders = [round(len(phrase) * part / (distance + 1)) for part in range(distance + 2)]
    cut = [Piece(phrase[a:b], a) for a, b in pairwise(borders)]
    for left, right in pairwise(tuple(cut)):
        border = right.offset
        start = border - max(1, len(left.text) // 2)
        end = border + max(1, len(right.text) // 2)
        swapped = phrase[border] + phrase[border - 1]
        text = phrase[start : border - 1] + swapped + phrase[border + 1 : end]
        cut.append(Piece(text, start))
    return tuple(dict.fromkeys(piece for piece in cut if piece.text.strip()))


def resembling(
    phrase: str, distance: int, text: str, hits: Sequence[tuple[int, int]], *, whole_word: bool
) -> Iterator[tuple[int, int]]:
    """Yield the half-open spans of a text that are the phrase but for so many edits.

    ``hits`` are where pieces were found, with their offset in the phrase. Of spans that overlap
    the likest is taken. An edit is a wrong, missing or extra character, or two that are swapped.
    """
    begins = {
        start
        for at, offset in hits
        for start in range(max(0, at - offset - distance), at - offset + distance + 1)
        if start < len(text) and text[start] != " "
    }
    found: list[tuple[int, int, int]] = []
    for start in sorted(begins):
        if whole_word and not is_word_border(text, start):
            continue
        best = _best_end(phrase, distance, text, start, whole_word=whole_word)
        if best is None:
            continue
        edits, end = best
        if found and start < found[-1][1]:
            if edits < found[-1][2]:
                found[-1] = (start, end, edits)
        else:
            found.append((start, end, edits))
    yield from ((start, end) for start, end, _ in found)


def _best_end(
    phrase: str, distance: int, text: str, start: int, *, whole_word: bool
) -> tuple[int, int] | None:
    """Return the fewest edits, and where the likest text that begins there ends."""
    said = text[start : start + len(phrase) + distance]
    ends = [
        (edits, abs(length - len(phrase)), start + length)
        for length, edits in _edits(phrase, said, distance).items()
        if length
        and said[length - 1] != " "
        and (not whole_word or is_word_border(text, start + length))
    ]
    if not ends:
        return None
    edits, _, end = min(ends)
    return edits, end


def _edits(phrase: str, said: str, distance: int) -> dict[int, int]:
    """Return for each length of ``said`` its edits from the phrase, where not above ``distance``.

    Optimal string alignment in a band: the time grows with length times distance.
    """
    far = distance + 1
    before_last: dict[int, int] = {}
    last = {length: length for length in range(min(distance, len(said)) + 1)}
    for row, wanted in enumerate(phrase, 1):
        current: dict[int, int] = {}
        for column in range(max(0, row - distance), min(len(said), row + distance) + 1):
            edits = last.get(column, far) + 1
            if column:
                same = said[column - 1] == wanted
                edits = min(
                    edits,
                    current.get(column - 1, far) + 1,
                    last.get(column - 1, far) + (not same),
                )
                if (
                    row > 1
                    and column > 1
                    and said[column - 2] == wanted
                    and said[column - 1] == phrase[row - 2]
                ):
                    edits = min(edits, before_last.get(column - 2, far) + 1)
            if edits <= distance:
                current[column] = edits
        if not current:
            return {}
        before_last, last = last, current
    return last


@dataclass(frozen=True, slots=True)
class Likeness:
    """Tells how similar a text is to the likest of several examples."""

    _index: dict[str, tuple[tuple[int, float], ...]]
    """A feature → the examples that hold it, with its part in them."""

    @classmethod
    def to(cls, examples: Sequence[str]) -> "Likeness":
        index: dict[str, list[tuple[int, float]]] = {}
        for number, example in enumerate(examples):
            parts = _features(fold(example).text)
            length = _length(parts)
            for feature, count in parts.items():
                index.setdefault(feature, []).append((number, sqrt(count) / length))
        return cls({feature: tuple(held) for feature, held in index.items()})

    def of(self, text: str) -> float:
        """Return the cosine with the likest example, in [0, 1]; of folded text."""
        parts = _features(text)
        sums: dict[int, float] = {}
        for feature, count in parts.items():
            for number, part in self._index.get(feature, ()):
                sums[number] = sums.get(number, 0.0) + part * sqrt(count)
        return max(sums.values(), default=0.0) / _length(parts) if sums else 0.0


_LETTERS = (3, 4)


def _features(text: str) -> Counter[str]:
    """Count words, and groups of letters within them, blanks at their ends included."""
    parts: Counter[str] = Counter()
    for word in text.split():
        word = word.strip(".,;:!?…\"'()") or word  # noqa: PLW2901
        parts[word] += 1
        edged = f" {word} "
        for length in _LETTERS:
            parts.update(edged[at : at + length] for at in range(len(edged) - length + 1))
    return parts


def _length(parts: Counter[str]) -> float:
    return sqrt(sum(parts.values())) or 1.0  # of the square roots of the counts
