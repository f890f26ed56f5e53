"""Leaving words out of a conversation: where each stands, and the text without some of them."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from classifier.engine.folding import Folded, fold, is_word_border
from classifier.engine.redaction import without_placeholders
from classifier.engine.text import Transcript
from classifier.engine.verdict import Evidence

Place = tuple[int, int, int]
"""A turn, and half-open code-point offsets into its text."""


@dataclass(frozen=True, slots=True)
class Removed:
    """One word that was left out wherever it is said; placed where it is said first.

    ``start`` and ``end`` are half-open code-point offsets into ``turns[turn].text``.
    """

    turn: int
    start: int
    end: int


def phrases(transcript: Transcript, removed: Sequence[Removed]) -> list[str]:
    """Return what was left out in the text's own words; neighbours are one phrase."""
    told: list[str] = []
    before: Removed | None = None
    for place in removed:
        text = transcript.turns[place.turn].text
        said = " ".join(text[place.start : place.end].split())
        between = text[before.end : place.start] if before else ""
        if before and before.turn == place.turn and not between.strip():
            told[-1] += (" " if between else "") + said
        else:
            told.append(said)
        before = place
    return list(dict.fromkeys(told))


class WordsAt:
    """Finds the words that a span of the text touches."""

    def __init__(self, places: dict[str, list[Place]]) -> None:
        self._ends: dict[int, list[tuple[int, int, str]]] = {}
        for word, its_places in places.items():
            for turn, start, end in its_places:
                self._ends.setdefault(turn, []).append((end, start, word))
        for ends in self._ends.values():
            ends.sort()

    def __call__(self, span: Evidence) -> Iterator[str]:
        ends = self._ends.get(span.turn, [])
        for _, start, word in islice(ends, bisect_left(ends, (span.start + 1,)), None):
            if start >= span.end:
                return
            yield word


def places_of(transcript: Transcript) -> dict[str, list[Place]]:
    """Return each word, folded, with where it is said: turn, half-open original offsets."""
    places: dict[str, list[Place]] = {}
    for number, turn in enumerate(transcript.turns):
        folded = fold(turn.text)
        for start, end in words_in(folded):
            place = (number, *folded.span(start, end))
            places.setdefault(folded.text[start:end], []).append(place)
    return places


def words_in(folded: Folded) -> Iterator[tuple[int, int]]:
    """Yield the half-open spans of the words of a folded text; what was redacted is none."""
    text = without_placeholders(folded.text)
    start = 0
    for at in range(1, len(text) + 1):
        if at < len(text) and not is_word_border(text, at):
            continue
        if any(char.isalnum() for char in text[start:at]):
            yield start, at
        start = at


def without(
    transcript: Transcript, places: dict[str, list[Place]], words: Iterable[str]
) -> Transcript:
    """Return the transcript with every place of these words cut out."""
    cuts: dict[int, list[tuple[int, int]]] = {}
    for word in words:
        for turn, start, end in places[word]:
            cuts.setdefault(turn, []).append((start, end))
    turns = list(transcript.turns)
    for number, spans in cuts.items():
        kept, reached = [], 0
        for start, end in sorted(spans):
            kept.append(turns[number].text[reached:start])
            reached = max(reached, end)  # two words of one character: ½
        kept.append(turns[number].text[reached:])
        turns[number] = replace(turns[number], text="".join(kept))
    return replace(transcript, turns=tuple(turns))
