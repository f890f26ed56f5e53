"""The rule book: every keyword rule compiled into one automaton, matched in one pass."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import chain
from typing import NamedTuple, Protocol, Self, cast

import ahocorasick

from classifier.engine.errors import RuleInvalid
from classifier.engine.folding import Folded, fold, is_word_border
from classifier.engine.grammar import Condition, Effect, Phrase
from classifier.engine.redaction import without_placeholders
from classifier.engine.text import Speaker, Transcript

__all__ = ["Effect", "Hit", "Rule", "RuleBook", "Span"]

SPANS_KEPT = 50
"""How many places a phrase is remembered at in one transcript: enough to show, and bounded."""
UNTRIED = 0.5  # what is reckoned with until labels say more: right as often as wrong
_ENDING_CHARACTERS = 40  # how much of a word a star shows as evidence; the longest are shorter
_DIGEST_FORMAT = 2  # raised when folding or matching changes what a rule book says


class Span(NamedTuple):
    """A place in a transcript: half-open code-point offsets into ``turns[turn].text``.

    A tuple and no dataclass: thousands are made a second, at a third of the cost.
    """

    turn: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition in the rule language with an effect on a category.

    Raises:
        RuleInvalid: no name, no category, or a strength outside [0, 1].
    """

    name: str
    category: str
    """The category's code."""
    condition: Condition
    effect: Effect = Effect.ASSIGN
    strength: float | None = None
    """Share of gold transcripts the rule hits that truly belong there, in [0, 1], measured and
    shrunk towards one half (``strength.Strength``); None: never measured."""
    is_certain: bool = False
    """An admin stated it: an assigning rule decides alone, however little is measured. Never
    turned into a figure: what rests on it alone has no confidence."""

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.category.strip():
            raise RuleInvalid("a rule needs a name and a category")
        if self.strength is not None and not 0 <= self.strength <= 1:
            raise RuleInvalid(f"a strength lies between 0 and 1, not at {self.strength}")

    @property
    def weight(self) -> float:
        """What is reckoned with, in [0, 1]: the strength, or one half where none was measured."""
        return UNTRIED if self.strength is None else self.strength


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that holds for a transcript, and the places that made it hold."""

    rule: Rule
    spans: tuple[Span, ...]
    """In reading order, without repeats: where phrases of ``any_of`` and ``all_of`` stand."""


class RuleBook:
    """All active rules, compiled once, matched many times; never changed, so threads may share it.

    ``digest`` is the SHA-256 (hexadecimal) of what the rules say, whatever their order.
    """

    __slots__ = ("_automaton", "_listens_to", "_plans", "_triggered", "digest", "rules")

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = tuple(rules)
        self.digest = _digest(self.rules)
        terms: dict[_Term, int] = {}
        self._plans = [_Plan.of(rule.condition, terms) for rule in self.rules]
        self._triggered: dict[int, list[int]] = defaultdict(list)
        for position, plan in enumerate(self._plans):
            for term in plan.triggers():
                self._triggered[term].append(position)
        self._automaton = _automaton(terms)
        speakers = {term.speaker for term in terms}
        self._listens_to = frozenset(Speaker) if None in speakers else frozenset(speakers)

    def match(self, transcript: Transcript) -> tuple[Hit, ...]:
        """Return the rules that hold, in the order of the book, with spans in original offsets."""
        return self.match_folded(transcript, [fold(turn.text) for turn in transcript.turns])

    def match_all(self, transcripts: Iterable[Transcript]) -> list[tuple[Hit, ...]]:
        """Return the hits of each transcript, in the order given."""
        return [self.match(transcript) for transcript in transcripts]

    def match_folded(self, transcript: Transcript, folded: Sequence[Folded]) -> tuple[Hit, ...]:
        """Return what ``match`` does, from turns that are folded already.

        ``folded[i]`` is ``fold(transcript.turns[i].text)``.
        """
        found = self._found(transcript, folded)
        touched = set(chain.from_iterable(self._triggered.get(term, ()) for term in found))
        return tuple(
            Hit(self.rules[position], _spans(self._plans[position], found, folded))
            for position in sorted(touched)
            if self._plans[position].holds(found)
        )

    def _found(self, transcript: Transcript, folded: Sequence[Folded]) -> "_Found":
        """Return where each term is said, by whom it must be said."""
        found: _Found = {}
        if self._automaton is None:
            return found
        for index, turn in enumerate(transcript.turns):
            if turn.speaker not in self._listens_to:
                continue
            text = without_placeholders(folded[index].text)
            for last, (length, loosest, uses) in self._automaton.iter(text):
                start, end = last + 1 - length, last + 1
                standing = _standing(text, start, end)
                if standing > loosest:
                    continue
                for number, reach, speaker in uses:
                    if standing <= reach and (speaker is None or speaker is turn.speaker):
                        places = found.setdefault(number, [])
                        if len(places) < SPANS_KEPT:
                            places.append((index, start, _shown_end(text, end, reach)))
        return found


class _Reach(IntEnum):
    """How far a phrase must be a word of its own; a looser one is satisfied by a stricter."""

    WORD = 0
    ANY_ENDING = 1
    ANYWHERE = 2


def _standing(text: str, start: int, end: int) -> _Reach:
    """Return the strictest reach that a phrase found there satisfies."""
    if not is_word_border(text, start):
        return _Reach.ANYWHERE
    return _Reach.WORD if is_word_border(text, end) else _Reach.ANY_ENDING


class _Term(NamedTuple):
    """A folded phrase, how it must stand and who must say it; rules share equal terms."""

    phrase: str
    reach: _Reach
    speaker: Speaker | None

    @classmethod
    def of(cls, typed: str, condition: Condition) -> Self:
        phrase = Phrase.parsed(typed)
        if not condition.whole_word:
            return cls(phrase.folded, _Reach.ANYWHERE, condition.speaker)
        reach = _Reach.ANY_ENDING if phrase.any_ending else _Reach.WORD
        return cls(phrase.folded, reach, condition.speaker)


_Found = dict[int, list[tuple[int, int, int]]]
"""Number of a term → its places: turn, and half-open span of the turn's folded text."""


class _Plan(NamedTuple):
    """A condition in numbers of terms."""

    any_of: frozenset[int]
    all_of: frozenset[int]
    none_of: frozenset[int]

    @classmethod
    def of(cls, condition: Condition, terms: dict[_Term, int]) -> Self:
        """Return the plan; terms not met before are numbered and added to ``terms``."""

        def numbers(phrases: tuple[str, ...]) -> frozenset[int]:
            met = (_Term.of(phrase, condition) for phrase in phrases)
            return frozenset(terms.setdefault(term, len(terms)) for term in met)

        return cls(
            numbers(condition.any_of), numbers(condition.all_of), numbers(condition.none_of)
        )

    def triggers(self) -> frozenset[int]:
        """Return terms one of which is said whenever the condition holds; as few as can be."""
        return frozenset([min(self.all_of)]) if self.all_of else self.any_of

    def holds(self, found: _Found) -> bool:
        if self.any_of and not any(term in found for term in self.any_of):
            return False
        if any(term in found for term in self.none_of):
            return False
        return all(term in found for term in self.all_of)


class _Use(NamedTuple):
    term: int
    reach: _Reach
    speaker: Speaker | None


_Entry = tuple[int, _Reach, tuple[_Use, ...]]
"""What the automaton answers for a phrase: its length, its loosest use, its uses."""


class _Automaton(Protocol):
    def iter(self, text: str, /) -> Iterator[tuple[int, _Entry]]:
        """Yield the offset of the last character and the entry of every phrase in the text."""


def _automaton(terms: Mapping[_Term, int]) -> _Automaton | None:
    """Return one automaton over the phrases of all terms; None where there is none."""
    uses: dict[str, list[_Use]] = defaultdict(list)
    for term, number in terms.items():
        uses[term.phrase].append(_Use(number, term.reach, term.speaker))
    if not uses:
        return None  # an automaton without words refuses to search
    automaton = ahocorasick.Automaton()
    for phrase, its_uses in uses.items():
        entry: _Entry = (len(phrase), max(use.reach for use in its_uses), tuple(its_uses))
        automaton.add_word(phrase, entry)
    automaton.make_automaton()
    return cast("_Automaton", automaton)


def _shown_end(text: str, end: int, reach: _Reach) -> int:
    """Return where the evidence ends: after the rest of the word, for a star."""
    if reach is not _Reach.ANY_ENDING:
        return end
    last = min(len(text), end + _ENDING_CHARACTERS)
    return next((at for at in range(end, last) if is_word_border(text, at)), last)


def _spans(plan: _Plan, found: _Found, folded: Sequence[Folded]) -> tuple[Span, ...]:
    """Return where the phrases that must be said stand, in original offsets."""
    said = [*plan.all_of, *[term for term in plan.any_of if term in found]]
    places = list(chain.from_iterable(found[term] for term in said))
    if len(said) > 1:  # one term's places are in reading order already
        places = sorted(set(places))
    return tuple([Span(turn, *folded[turn].span(start, end)) for turn, start, end in places])


def _digest(rules: Iterable[Rule]) -> str:
    lines = sorted(json.dumps(_canonical(rule), ensure_ascii=True) for rule in rules)
    return hashlib.sha256("\n".join([str(_DIGEST_FORMAT), *lines]).encode()).hexdigest()


def _canonical(rule: Rule) -> list[object]:
    """Return what a rule says, equal for rules that say the same."""
    condition = rule.condition
    phrases = [
        sorted({str(Phrase.parsed(phrase)) for phrase in part})
        for part in (condition.any_of, condition.all_of, condition.none_of)
    ]
    listens = [condition.speaker, condition.whole_word]
    return [
        rule.name,
        rule.category,
        rule.effect,
        rule.strength,
        rule.is_certain,
        *phrases,
        *listens,
    ]
