"""The rule book: every keyword rule compiled into one automaton, matched in one pass."""

import hashlib
import json
from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import itemgetter
from typing import NamedTuple

from classifier.engine.errors import RuleInvalid
from classifier.engine.folding import Folded, fold, is_word_border
from classifier.engine.grammar import Condition, Effect
from classifier.engine.redaction import PLACEHOLDER_FILL, without_placeholders
from classifier.engine.rulelang import Expression, says
from classifier.engine.rulelang.canon import canonical
from classifier.engine.rulelang.compiling import Compiler
from classifier.engine.rulelang.finding import APART, Finder, Reach
from classifier.engine.rulelang.heard import Heard, Span
from classifier.engine.rulelang.plans import LeafPlan, Plan
from classifier.engine.rulelang.sources import Literals
from classifier.engine.text import Speaker, Transcript

__all__ = ["Effect", "Hit", "Rule", "RuleBook", "Span"]

SPANS_KEPT = 50
"""How many places a hit tells: enough to show, and bounded."""
UNTRIED = 0.5  # what is reckoned with until labels say more: right as often as wrong
_ENDING_CHARACTERS = 40  # how much of a word a star shows as evidence; the longest are shorter
_DIGEST_FORMAT = 3  # raised when folding or matching changes what a rule book says


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


class Hit(NamedTuple):
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
        "_direct",
        "_endings",
        "_finder",
        "_listens_to",
        "_plans",
        "_speakers",
        "_triggered",
        "digest",
        "rules",
    )

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = tuple(rules)
        self.digest = _digest(self.rules)
        compiler = Compiler()
        self._plans = [compiler.plan(rule.expression) for rule in self.rules]
        self._always = [at for at, plan in enumerate(self._plans) if plan.gates is None]
        # Numbers that lie together: ten thousand scattered lists would cost more than the search.
        self._direct = array("l", [_NO_RULE]) * len(compiler.terms)
        self._triggered: dict[int, list[int]] = defaultdict(list)
        for position, plan in enumerate(self._plans):
            term = _only_term(plan)
            if term is not None and self._direct[term] == _NO_RULE:
                self._direct[term] = position
                continue
            for gate in plan.gates or ():
                self._triggered[gate].append(position)
        self._speakers = [
            plan.where.speaker if isinstance(plan, LeafPlan) else None for plan in self._plans
        ]
        self._finder = Finder(compiler.terms)
        self._endings = bytes(sought.reach is Reach.ANY_ENDING for sought in compiler.terms)
        # Not a set: the hash of an enumeration's member is worked out anew in Python each time.
        self._listens_to = None if None in compiler.speakers else tuple(compiler.speakers)

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
        texts = [turn.text for turn in folded]
        if PLACEHOLDER_FILL in APART.join(texts):
            texts = [without_placeholders(text) for text in texts]
        found = self._found(transcript, texts)
        ready: list[tuple[int, list[Span]]] = []
        turns = transcript.turns
        touched = set(self._always)
        for term, places in found.items():
            position = self._direct[term]
            if position == _NO_RULE:
                continue
            speaker = self._speakers[position]
            if speaker is not None:
                places = [at for at in places if turns[at[0]].speaker is speaker]  # noqa: PLW2901
            if places:
                ready.append((position, places))
        for term in found.keys() & self._triggered.keys():
            touched.update(self._triggered[term])
        if touched:
            heard = Heard(transcript, texts, found)
            for position in touched:
                plan = self._plans[position]
                if plan.holds(heard):
                    ready.append((position, plan.evidence(heard)))
        ready.sort(key=_POSITION)
        return tuple(
            [Hit(self.rules[position], _spans(places, folded)) for position, places in ready]
        )

    def _found(self, transcript: Transcript, texts: Sequence[str]) -> dict[int, list[Span]]:
        """Return where each term is said, by whom it must be said, in reading order.

        Every place is a span of folded text; where nothing moved it is the original's, too.
        """
        turns: Sequence[int] = range(len(texts))
        if self._listens_to is not None:
            said_by = [turn.speaker for turn in transcript.turns]
            turns = [index for index in turns if said_by[index] in self._listens_to]
        heard = texts if self._listens_to is None else [texts[index] for index in turns]
        joined = APART.join(heard)
        begins = [0]
        begins.extend(accumulate([len(text) + 1 for text in heard]))
        begun = until = turn = 0
        found: dict[int, list[Span]] = {}
        for term, start, end in self._finder.find(joined):
            if not begun <= start < until:
                at = bisect_right(begins, start) - 1
                begun, until, turn = begins[at], begins[at + 1], turns[at]
            shown = _shown_end(joined, end) if self._endings[term] else end
            place = _span(Span, (turn, start - begun, shown - begun))
            if term in found:
                found[term].append(place)
            else:
                found[term] = [place]
        return found


_NO_RULE = -1
_POSITION = itemgetter(0)
_span = tuple.__new__  # half the time of Span(…), and thousands are made a second
_Use = tuple[int, Speaker | None]
"""A term, and who must say it."""


def _only_term(plan: Plan) -> int | None:
    """Return the one term that is all a plan asks for, if it is."""
    if isinstance(plan, LeafPlan) and isinstance(plan.source, Literals) and plan.is_plain:
        return plan.source.terms[0] if len(plan.source.terms) == 1 else None
    return None


def _shown_end(text: str, end: int) -> int:
    """Return where the evidence of a star ends: after the rest of the word."""
    last = min(len(text), end + _ENDING_CHARACTERS)
    return next((at for at in range(end, last) if is_word_border(text, at)), last)


def _spans(places: Sequence[Span], folded: Sequence[Folded]) -> tuple[Span, ...]:
    """Return so many places as a hit tells, in original offsets."""
    if len(places) > SPANS_KEPT:
        places = places[:SPANS_KEPT]
    return tuple(
        [
            Span(place[0], *folded[place[0]].span(place[1], place[2]))
            if folded[place[0]].starts
            else place
            for place in places
        ]
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
