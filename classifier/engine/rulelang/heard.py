"""What was heard in one conversation: where each term stands, and the stretches around it."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from classifier.engine.folding import UNSPACED
from classifier.engine.rulelang.nodes import Part, Scope, Where
from classifier.engine.text import Transcript


class Span(NamedTuple):
    """A place in a transcript: half-open code-point offsets into ``turns[turn].text``.

    A tuple and no dataclass: thousands are made a second, at a third of the cost.
    """

    turn: int
    start: int
    end: int


Place = Span
Unit = tuple[int, ...]
"""A stretch of the conversation: nothing, a turn, or a turn and a sentence."""
Window = tuple[Scope, Unit]

EVERYWHERE: Window = (Scope.CONVERSATION, ())


class Heard:
    """One conversation, folded, with the terms found in it; the rest is worked out when asked."""

    __slots__ = (
        "_sentences",
        "_turns",
        "_words",
        "by_unit",
        "cache",
        "found",
        "texts",
        "transcript",
    )

    def __init__(
        self, transcript: Transcript, texts: Sequence[str], found: Mapping[int, list[Place]]
    ) -> None:
        self.transcript = transcript
        self.texts = texts
        """Each turn's folded text, placeholders filled up."""
        self.found = found
        """Number of a term → its places, in reading order."""
        self.cache: dict[int, list[Place]] = {}
        """Number of a leaf → where it stands."""
        self.by_unit: dict[tuple[int, Scope], dict[Unit, list[Place]]] = {}
        """Number of a leaf and a scope → where it stands, stretch by stretch."""
        self._turns: dict[tuple[object, ...], frozenset[int]] = {}
        self._sentences: dict[int, list[int]] = {}
        self._words: list[tuple[int, list[int]]] | None = None

    def places(self, terms: Sequence[int]) -> list[Place]:
        """Return where any of the terms stands, in reading order, each place once."""
        if len(terms) == 1:
            return self.found.get(terms[0], [])
        return sorted({place for term in terms for place in self.found.get(term, ())})

    def turns(self, where: Where) -> frozenset[int]:
        """Return the turns that a leaf may stand in."""
        asked = (where.speaker, where.first, where.last, where.part)
        if asked not in self._turns:
            self._turns[asked] = frozenset(self._allowed(where))
        return self._turns[asked]

    def _allowed(self, where: Where) -> list[int]:
        """Return what ``turns`` does; the subject goes with the first turns and is none of them."""
        subjects: list[int] = []
        body: list[int] = []
        for index, turn in enumerate(self.transcript.turns):
            if where.speaker is None or turn.speaker is where.speaker:
                (subjects if turn.is_subject else body).append(index)
        if where.last is not None:
            subjects, body = [], body[-where.last :]
        if where.first is not None:
            body = body[: where.first]
        if where.part is not None:
            return subjects if where.part is Part.SUBJECT else body
        return [*subjects, *body]

    def speaks(self, language: str | None) -> bool:
        """Say whether the conversation is in a language; always, if none is asked for."""
        if language is None:
            return True
        asked = language.lower()
        return any(
            f"{code.lower().replace('_', '-')}-".startswith(f"{asked}-")
            for code in self.transcript.facet("language")
        )

    def unit(self, place: Place, scope: Scope) -> Unit:
        """Return the stretch in which a place lies."""
        if scope is Scope.CONVERSATION:
            return ()
        if scope is Scope.TURN:
            return (place[0],)
        return (place[0], bisect_right(self.sentences(place[0]), place[1]))

    def sentences(self, turn: int) -> list[int]:
        """Return where sentences after the first begin in a turn."""
        if turn not in self._sentences:
            found = _SENTENCE_END.finditer(self.texts[turn])
            self._sentences[turn] = [end.end() for end in found]
        return self._sentences[turn]

    def words_before(self, turn: int, offset: int) -> int:
        """Return how many words of the conversation begin before an offset in a turn."""
        if self._words is None:
            self._words = []
            total = 0
            for text in self.texts:
                starts = [word.start() for word in _WORD.finditer(text)]
                self._words.append((total, starts))
                total += len(starts)
        before, starts = self._words[turn]
        return before + bisect_left(starts, offset)


_SENTENCE_END = re.compile(r"[.!?…]++[\"'”’)]*+(?=\s)\s|[。！？]++")
_WORD = re.compile(rf"{UNSPACED.pattern}|(?:(?!{UNSPACED.pattern})[\w'])++")
