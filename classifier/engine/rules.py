"""The rule book: every keyword rule compiled into one automaton, matched in one pass."""

import hashlib
import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from classifier.engine.errors import RuleInvalid
from classifier.engine.folding import Folded, fold, is_word_border
from classifier.engine.grammar import Condition, Effect
from classifier.engine.redaction import without_placeholders
from classifier.engine.rulelang import Expression, says
from classifier.engine.rulelang.canon import canonical
from classifier.engine.rulelang.finding import APART, Finder, Reach, Sought
from classifier.engine.rulelang.heard import Heard, Place
from classifier.engine.rulelang.plans import Compiler, LeafPlan, Literals, Plan
from classifier.engine.text import Speaker, Transcript

__all__ = ["Effect", "Hit", "Rule", "RuleBook", "Span"]

SPANS_KEPT = 50
"""How many places a hit tells: enough to show, and bounded."""
UNTRIED = 0.5  # what is reckoned with until labels say more: right as often as wrong
_ENDING_CHARACTERS = 40  # how much of a word a star shows as evidence; the longest are shorter
_DIGEST_FORMAT = 3  # raised when folding or matching changes what a rule book says


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
        RuleInvalid: no name, no category, a strength outside [0, 1], or a condition that holds
            for silence.
    """

    name: str
    category: str
    """The category's code."""
    condition: Condition | Expression
    """As an admin gave it: typed into boxes, or in the whole language (``rulelang.parse``)."""
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
        if not isinstance(self.condition, Condition):
            says(self.condition)

    @property
    def expression(self) -> Expression:
        """The condition in the whole language."""
        if isinstance(self.condition, Condition):
            return self.condition.to_expression()
        return self.condition

    @property
    def weight(self) -> float:
        """What is reckoned with, in [0, 1]: the strength, or one half where none was measured."""
        return UNTRIED if self.strength is None else self.strength


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that holds for a transcript, and the places that made it hold."""

    rule: Rule
    spans: tuple[Span, ...]
    """In reading order, without repeats, at most ``SPANS_KEPT``: where what must be said stands.
    Empty for a rule that asks for facts alone."""


class RuleBook:
    """All active rules, compiled once, matched many times; never changed, so threads may share it.

    ``digest`` is the SHA-256 (hexadecimal) of what the rules say, whatever their order.
    """

    __slots__ = (
        "_always",
        "_finder",
        "_listens_to",
        "_plans",
        "_triggered",
        "_uses",
        "digest",
        "rules",
    )

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = tuple(rules)
        self.digest = _digest(self.rules)
        compiler = Compiler()
        self._plans = [_Ready.of(compiler.plan(rule.expression)) for rule in self.rules]
        self._triggered: dict[int, list[int]] = defaultdict(list)
        self._always: list[int] = []
        for position, ready in enumerate(self._plans):
            if ready.plan.gates is None:
                self._always.append(position)
            for term in ready.plan.gates or ():
                self._triggered[term].append(position)
        uses: dict[Sought, list[_Use]] = defaultdict(list)
        for (sought, speaker), number in compiler.terms.items():
            uses[sought].append((number, speaker))
        self._uses = [
            (each.reach is Reach.ANY_ENDING, tuple(its)) for each, its in uses.items()
        ]
        self._finder = Finder(uses)
        speakers = {term.speaker for term in compiler.terms}
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
        if not self.rules:
            return ()
        texts = [without_placeholders(turn.text) for turn in folded]
        heard = Heard(transcript, texts, self._found(transcript, texts))
        touched = set(self._always)
        for term in heard.found:
            touched.update(self._triggered.get(term, ()))
        hits = []
        for position in sorted(touched):
            places = self._plans[position].places(heard)
            if places is not None:
                hits.append(Hit(self.rules[position], _spans(places, folded)))
        return tuple(hits)

    def _found(self, transcript: Transcript, texts: Sequence[str]) -> dict[int, list[Place]]:
        """Return where each term is said, by whom it must be said, in reading order."""
        turns = [
            index
            for index, turn in enumerate(transcript.turns)
            if turn.speaker in self._listens_to
        ]
        text = APART.join([texts[index] for index in turns])
        begins = [0, *accumulate(len(texts[index]) + 1 for index in turns)]
        found: dict[int, list[Place]] = {}
        for number, start, end in self._finder.find(text):
            any_ending, uses = self._uses[number]
            at = bisect_right(begins, start) - 1
            turn, begun = turns[at], begins[at]
            shown = _shown_end(text, end) if any_ending else end
            for term, speaker in uses:
                if speaker is None or speaker is transcript.turns[turn].speaker:
                    place = (turn, start - begun, shown - begun)
                    if term in found:
                        found[term].append(place)
                    else:
                        found[term] = [place]
        return found


_Use = tuple[int, Speaker | None]
"""A term, and who must say it."""


class _Ready(NamedTuple):
    """A plan, and the terms that are all it asks for, if they are."""

    plan: Plan
    terms: tuple[int, ...]

    @classmethod
    def of(cls, plan: Plan) -> "_Ready":
        if isinstance(plan, LeafPlan) and isinstance(plan.source, Literals) and plan.is_plain:
            return cls(plan, plan.source.terms)
        return cls(plan, ())

    def places(self, heard: Heard) -> Sequence[Place] | None:
        """Return where what must be said stands; None: the plan does not hold."""
        if self.terms:
            return heard.places(self.terms) or None
        return self.plan.evidence(heard) if self.plan.holds(heard) else None


def _shown_end(text: str, end: int) -> int:
    """Return where the evidence of a star ends: after the rest of the word."""
    last = min(len(text), end + _ENDING_CHARACTERS)
    return next((at for at in range(end, last) if is_word_border(text, at)), last)


def _spans(places: Sequence[Place], folded: Sequence[Folded]) -> tuple[Span, ...]:
    """Return places in original offsets."""
    return tuple(
        [Span(turn, *folded[turn].span(start, end)) for turn, start, end in places[:SPANS_KEPT]]
    )


def _digest(rules: Iterable[Rule]) -> str:
    lines = sorted(json.dumps(_canonical(rule), ensure_ascii=True) for rule in rules)
    return hashlib.sha256("\n".join([str(_DIGEST_FORMAT), *lines]).encode()).hexdigest()


def _canonical(rule: Rule) -> list[object]:
    """Return what a rule says, equal for rules that say the same."""
    return [
        rule.name,
        rule.category,
        rule.effect,
        rule.strength,
        rule.is_certain,
        canonical(rule.expression),
    ]
