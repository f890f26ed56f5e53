"""Plans: expressions compiled into numbers of terms, so that one pass finds what they ask for."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, count, islice
from typing import Protocol, TypeAlias

from classifier.engine.folding import fold
from classifier.engine.redaction import PLACEHOLDER_FILL
from classifier.engine.rulelang.finding import Reach, Sought
from classifier.engine.rulelang.heard import EVERYWHERE, Heard, Place, Unit, Window
from classifier.engine.rulelang.likeness import Likeness, pieces, resembling
from classifier.engine.rulelang.literal import Literal
from classifier.engine.rulelang.nodes import (
    Expression,
    Field,
    Fuzzy,
    Group,
    Join,
    Leaf,
    Near,
    Number,
    Phrase,
    Regex,
    Scope,
    SimilarTo,
    Tag,
    Where,
    Words,
    is_silent,
)
from classifier.engine.rulelang.numerals import numbers, with_unit
from classifier.engine.rulelang.patterns import Pattern, compiled, required_literals
from classifier.engine.text import EARLIER_REASONS, Speaker

MATCHES = 50  # of one regex in one turn: more would let a pattern read a long turn ever again


class Source(Protocol):
    """Where a leaf may stand, before its modifiers are asked."""

    def places(self, heard: Heard) -> list[Place]: ...


@dataclass(frozen=True, slots=True)
class FactPlan:
    """A fact is one of several values."""

    name: str
    values: tuple[Literal, ...]
    language: str | None

    def holds(self, heard: Heard, _window: Window = EVERYWHERE) -> bool:
        return heard.speaks(self.language) and any(
            _is_value(value, fold(known).text)
            for known in heard.transcript.facet(self.name)
            for value in self.values
        )

    def evidence(self, _heard: Heard, _window: Window = EVERYWHERE) -> list[Place]:
        return []

    @property
    def gates(self) -> frozenset[int] | None:
        return None


@dataclass(frozen=True, slots=True)
class LeafPlan:
    """A leaf: its source, and what its modifiers ask."""

    number: int
    source: Source
    where: Where
    scope: Scope
    gates: frozenset[int] | None
    """Terms one of which is said whenever the leaf holds; None: nothing need be."""
    not_inside: tuple[int, ...]
    before: "LeafPlan | None"
    after: "LeafPlan | None"

    @property
    def is_plain(self) -> bool:
        """Whether it holds as soon as its source stands anywhere."""
        where = self.where
        asked = where.first or where.last or where.part or where.before or where.after
        return not (asked or where.language or where.not_inside or where.count > 1)

    def holds(self, heard: Heard, window: Window = EVERYWHERE) -> bool:
        return bool(self.evidence(heard, window))

    def evidence(self, heard: Heard, window: Window = EVERYWHERE) -> list[Place]:
        """Return where the leaf stands within the window, if often enough; else nowhere."""
        places = self.within(heard, window)
        if self.where.count == 1 or not places:
            return places
        units = _by_unit(places, heard, self.scope).values()
        often = [unit for unit in units if len(unit) >= self.where.count]
        return list(chain.from_iterable(often))

    def within(self, heard: Heard, window: Window) -> list[Place]:
        """Return where the leaf stands in a window, in reading order."""
        scope, unit = window
        if scope is Scope.CONVERSATION:
            return self.standing(heard)
        key = (self.number, scope)
        if key not in heard.by_unit:
            heard.by_unit[key] = _by_unit(self.standing(heard), heard, scope)
        return heard.by_unit[key].get(unit, [])

    def standing(self, heard: Heard) -> list[Place]:
        """Return where the leaf stands, in reading order."""
        if self.number not in heard.cache:
            heard.cache[self.number] = list(self._standing(heard))
        return heard.cache[self.number]

    def _standing(self, heard: Heard) -> Iterable[Place]:
        if not heard.speaks(self.where.language):
            return ()
        places = self.source.places(heard)
        where = self.where
        if where.speaker or where.first or where.last or where.part:
            turns = heard.turns(where)
            places = [place for place in places if place[0] in turns]
        if self.not_inside and places:
            places = _outside(places, heard.places(self.not_inside))
        if self.before and places:
            others = _by_unit(self.before.standing(heard), heard, self.scope)
            last = {unit: max(at[:2] for at in held) for unit, held in others.items()}
            places = [p for p in places if _is_before(p, last.get(heard.unit(p, self.scope)))]
        if self.after and places:
            others = _by_unit(self.after.standing(heard), heard, self.scope)
            first = {unit: min((at[0], at[2]) for at in held) for unit, held in others.items()}
            places = [p for p in places if _is_after(p, first.get(heard.unit(p, self.scope)))]
        return places


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """A group of plans, of which so many must hold."""

    join: Join
    parts: "tuple[Plan, ...]"
    least: int
    scope: Scope
    gates: frozenset[int] | None

    def holds(self, heard: Heard, window: Window = EVERYWHERE) -> bool:
        held = (self._holds(heard, each) for each in self._windows(heard, window))
        return all(held) if self.join is Join.NONE else any(held)

    def evidence(self, heard: Heard, window: Window = EVERYWHERE) -> list[Place]:
        """Return where what must be said stands, if the group holds; else nothing."""
        if self.join is Join.NONE:
            return []
        return sorted(
            {
                place
                for each in self._windows(heard, window)
                if self._holds(heard, each)
                for part in self.parts
                for place in (part.evidence(heard, each) if part.holds(heard, each) else ())
            }
        )

    def _holds(self, heard: Heard, window: Window) -> bool:
        held = (part.holds(heard, window) for part in self.parts)
        match self.join:
            case Join.ALL:
                return all(held)
            case Join.ANY:
                return any(held)
            case Join.NONE:
                return not any(held)
            case Join.AT_LEAST:
                return sum(held) >= self.least

    def _windows(self, heard: Heard, outer: Window) -> list[Window]:
        """Return the stretches to look at one by one: those in which anything asked for is said."""
        if _WIDTH[self.scope] >= _WIDTH[outer[0]]:
            return [outer]
        units: dict[Unit, None] = {}
        for leaf in leaf_plans(self):
            for place in leaf.within(heard, outer):
                units[heard.unit(place, self.scope)] = None
        return [(self.scope, unit) for unit in units] or [outer]


_WIDTH = {Scope.SENTENCE: 0, Scope.TURN: 1, Scope.CONVERSATION: 2}
Plan: TypeAlias = FactPlan | LeafPlan | GroupPlan


def leaf_plans(plan: Plan) -> Iterator[LeafPlan]:
    """Yield the leaves that speak of words."""
    if isinstance(plan, LeafPlan):
        yield plan
    elif isinstance(plan, GroupPlan):
        for part in plan.parts:
            yield from leaf_plans(part)


# Sources.


@dataclass(frozen=True, slots=True)
class Literals:
    """Any of several terms."""

    terms: tuple[int, ...]

    def places(self, heard: Heard) -> list[Place]:
        return heard.places(self.terms)


@dataclass(frozen=True, slots=True)
class Nearby:
    """One of some terms with one of others not far from it."""

    one: tuple[int, ...]
    other: tuple[int, ...]
    words: int
    ordered: bool
    scope: Scope
    where: Where

    def places(self, heard: Heard) -> list[Place]:
        turns = heard.turns(self.where)
        ones, others = (
            [place for place in heard.places(terms) if place.turn in turns]
            for terms in (self.one, self.other)
        )
        found = set(self._pairs(heard, ones, others))
        if not self.ordered:
            found.update(self._pairs(heard, others, ones))
        return sorted(found)

    def _pairs(
        self, heard: Heard, firsts: Sequence[Place], seconds: Sequence[Place]
    ) -> Iterator[Place]:
        """Yield each place with the nearest that follows it, if that is near; in linear time."""
        for turn, start, end in firsts:
            at = bisect_left(seconds, (turn, end, -1))
            if at == len(seconds):
                return
            near = seconds[at]
            if heard.unit(Place(turn, start, end), self.scope) != heard.unit(near, self.scope):
                continue
            between = heard.words_before(*near[:2]) - heard.words_before(turn, end)
            if between <= self.words:
                yield Place(turn, start, near.end) if near.turn == turn else near


@dataclass(frozen=True, slots=True)
class Patterned:
    """A regular expression, in turns that hold one of its required literals."""

    pattern: Pattern
    gates: tuple[int, ...]
    where: Where

    def places(self, heard: Heard) -> list[Place]:
        turns = heard.turns(self.where)
        if self.gates:
            turns &= {turn for turn, *_ in heard.places(self.gates)}
        return [
            Place(turn, *span)
            for turn in sorted(turns)
            for span in _spans(self.pattern, heard.texts[turn])
        ]


@dataclass(frozen=True, slots=True)
class Misspelt:
    """A phrase that may differ, around the pieces of it that were found."""

    phrase: str
    distance: int
    pieces: tuple[tuple[int, int], ...]
    """Terms, and the offset of each in the phrase."""
    where: Where

    def places(self, heard: Heard) -> list[Place]:
        hits: dict[int, list[tuple[int, int]]] = {}
        for term, offset in self.pieces:
            for turn, start, _ in heard.found.get(term, ()):
                hits.setdefault(turn, []).append((start, offset))
        return [
            Place(turn, *span)
            for turn in sorted(hits.keys() & heard.turns(self.where))
            for span in resembling(
                self.phrase,
                self.distance,
                heard.texts[turn],
                hits[turn],
                whole_word=self.where.whole_word,
            )
        ]


@dataclass(frozen=True, slots=True)
class Counted:
    """A number in a range, with its unit if one is asked for."""

    minimum: float
    maximum: float
    units: tuple[str, ...]
    gates: tuple[int, ...]
    where: Where

    def places(self, heard: Heard) -> list[Place]:
        turns = heard.turns(self.where)
        if self.gates:
            turns &= {turn for turn, *_ in heard.places(self.gates)}
        return [
            Place(turn, *span)
            for turn in sorted(turns)
            for span in self._spans(heard.texts[turn])
        ]

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        for start, end, value in numbers(text):
            if not self.minimum <= value <= self.maximum:
                continue
            span = with_unit(text, start, end, self.units) if self.units else (start, end)
            if span:
                yield span


@dataclass(frozen=True, slots=True)
class Similar:
    """A sentence or turn like one of the examples."""

    likeness: Likeness
    minimum: float
    scope: Scope
    where: Where

    def places(self, heard: Heard) -> list[Place]:
        found = []
        for turn in sorted(heard.turns(self.where)):
            text = heard.texts[turn]
            cuts = heard.sentences(turn) if self.scope is Scope.SENTENCE else []
            for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
                said = text[start:end].strip()
                if said.strip(PLACEHOLDER_FILL) and self.likeness.of(said) >= self.minimum:
                    begins = start + len(text[start:end]) - len(text[start:end].lstrip())
                    found.append(Place(turn, begins, begins + len(said)))
        return found


# Compiling.


@dataclass(slots=True)
class Compiler:
    """Compiles expressions over one shared list of terms."""

    terms: dict[Sought, int] = field(default_factory=dict)
    """Phrases and how they must stand, numbered; rules share equal ones."""
    speakers: set[Speaker | None] = field(default_factory=set)
    """Who is listened to."""
    _leaves: dict[Leaf, "Plan"] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    def plan(self, expression: Expression) -> Plan:
        """Return the plan of an expression; equal leaves share theirs."""
        if not isinstance(expression, Group):
            if expression not in self._leaves:
                self._leaves[expression] = self._leaf(expression)
            return self._leaves[expression]
        parts = tuple(self.plan(part) for part in expression.parts)
        gates = _gates(expression, parts)
        return GroupPlan(expression.join, parts, expression.least, expression.scope, gates)

    def _leaf(self, leaf: Leaf) -> Plan:
        where = leaf.where
        if isinstance(leaf, Field):
            values = tuple(map(Literal.parsed, leaf.values))
            return FactPlan(leaf.name, values, where.language)
        if isinstance(leaf, Tag):
            return FactPlan(EARLIER_REASONS, (Literal.parsed(leaf.code),), where.language)
        self.speakers.add(where.speaker)
        source, gates = self._source(leaf)
        scope = where.scope or Scope.CONVERSATION
        if isinstance(leaf, Near):
            scope = where.scope or Scope.TURN
        if isinstance(leaf, SimilarTo):
            scope = Scope.CONVERSATION  # its own says what is compared
        return LeafPlan(
            next(self._numbers),
            source,
            where,
            scope,
            gates,
            self._terms(where.not_inside, whole_word=True),
            self._other(where.before),
            self._other(where.after),
        )

    def _other(self, leaf: Leaf | None) -> LeafPlan | None:
        if leaf is None:
            return None
        plan = self.plan(leaf)
        if not isinstance(plan, LeafPlan):
            raise TypeError(f"nothing stands before or after a fact: {leaf}")
        return plan

    def _source(self, leaf: Leaf) -> tuple[Source, frozenset[int] | None]:
        return _SOURCES[type(leaf)](self, leaf)

    def literals(self, leaf: Phrase | Words) -> tuple[Source, frozenset[int] | None]:
        phrases = (leaf.phrase,) if isinstance(leaf, Phrase) else leaf.phrases
        terms = self._terms(phrases, whole_word=leaf.where.whole_word)
        return Literals(terms), frozenset(terms)

    def near(self, leaf: Near) -> tuple[Source, frozenset[int] | None]:
        where = leaf.where
        one, other = (
            self._terms(side, whole_word=where.whole_word) for side in (leaf.one, leaf.other)
        )
        scope = where.scope or Scope.TURN
        gates = frozenset(one if len(one) <= len(other) else other)
        return Nearby(one, other, leaf.words, leaf.ordered, scope, where), gates

    def regex(self, leaf: Regex) -> tuple[Source, frozenset[int] | None]:
        gates = self._anywhere(sorted(required_literals(leaf.pattern)))
        source = Patterned(compiled(leaf.pattern), gates, leaf.where)
        return source, frozenset(gates) or None

    def fuzzy(self, leaf: Fuzzy) -> tuple[Source, frozenset[int] | None]:
        phrase = Literal.parsed(leaf.phrase).folded
        cut = pieces(phrase, leaf.distance)
        terms = self._anywhere(piece.text for piece in cut)
        offsets = tuple(zip(terms, (piece.offset for piece in cut), strict=True))
        source = Misspelt(phrase, leaf.distance, offsets, leaf.where)
        return source, frozenset(terms)

    def number(self, leaf: Number) -> tuple[Source, frozenset[int] | None]:
        units = tuple(Literal.parsed(unit).folded for unit in leaf.units)
        gates = self._anywhere(units)
        least = 0.0 if leaf.minimum is None else leaf.minimum
        most = float("inf") if leaf.maximum is None else leaf.maximum
        return Counted(least, most, units, gates, leaf.where), frozenset(gates) or None

    def similar(self, leaf: SimilarTo) -> tuple[Source, frozenset[int] | None]:
        scope = leaf.where.scope or Scope.SENTENCE
        return Similar(Likeness.to(leaf.examples), leaf.minimum, scope, leaf.where), None

    def _terms(self, phrases: Iterable[str], *, whole_word: bool) -> tuple[int, ...]:
        found = []
        for typed in phrases:
            literal = Literal.parsed(typed)
            reach = Reach.ANY_ENDING if literal.any_ending else Reach.WORD
            sought = Sought(literal.folded, reach if whole_word else Reach.ANYWHERE)
            found.append(self._term(sought))
        return tuple(dict.fromkeys(found))

    def _anywhere(self, texts: Iterable[str]) -> tuple[int, ...]:
        return tuple(self._term(Sought(text, Reach.ANYWHERE)) for text in texts)

    def _term(self, term: Sought) -> int:
        return self.terms.setdefault(term, len(self.terms))


_SOURCES: dict[type, Callable[..., tuple[Source, frozenset[int] | None]]] = {
    Phrase: Compiler.literals,
    Words: Compiler.literals,
    Near: Compiler.near,
    Regex: Compiler.regex,
    Fuzzy: Compiler.fuzzy,
    Number: Compiler.number,
    SimilarTo: Compiler.similar,
}


def _gates(group: Group, parts: Sequence[Plan]) -> frozenset[int] | None:
    """Return terms one of which is said whenever a group holds; None: nothing need be.

    A group that holds for silence has none. Of one that does not, something silent must be said:
    of ``all`` any one part will do, of the others each part counts.
    """
    if is_silent(group):
        return None
    silent = [is_silent(part) for part in group.parts]
    own = [part.gates for part in parts]
    if group.join is Join.ALL:
        known = [gates for gates in own if gates is not None]
        return min(known, key=frozenset.__len__) if known else None
    if group.join is Join.NONE:
        # Some part holds for silence and must not hold: one of its words is said.
        words = (_all_gates(part) for part, holds in zip(parts, silent, strict=True) if holds)
        return _united(words)
    return _united(gates for gates, holds in zip(own, silent, strict=True) if not holds)


def _all_gates(plan: Plan) -> frozenset[int] | None:
    if isinstance(plan, GroupPlan):
        return _united(map(_all_gates, plan.parts))
    return plan.gates


def _united(sets: Iterable[frozenset[int] | None]) -> frozenset[int] | None:
    united: frozenset[int] = frozenset()
    for each in sets:
        if each is None:
            return None
        united |= each
    return united


def _is_value(value: Literal, known: str) -> bool:
    return known.startswith(value.folded) if value.any_ending else known == value.folded


def _by_unit(places: Iterable[Place], heard: Heard, scope: Scope) -> dict[Unit, list[Place]]:
    units: dict[Unit, list[Place]] = {}
    for place in places:
        units.setdefault(heard.unit(place, scope), []).append(place)
    return units


def _outside(places: Iterable[Place], others: Sequence[Place]) -> list[Place]:
    """Return the places that are not part of one of the others; both in reading order."""
    reached: list[tuple[int, int]] = []
    for turn, _, end in others:
        reached.append(max(reached[-1], (turn, end)) if reached else (turn, end))
    kept = []
    for place in places:
        turn, start, end = place
        at = bisect_right(others, (turn, start, _FAR)) - 1
        # The farthest that any of those which begin before it reaches, in the same turn.
        if at < 0 or reached[at] < (turn, end):
            kept.append(place)
    return kept


_FAR = 1 << 60


def _is_before(place: Place, last: tuple[int, ...] | None) -> bool:
    return last is not None and (place[0], place[2]) <= last


def _is_after(place: Place, first: tuple[int, ...] | None) -> bool:
    return first is not None and first <= (place[0], place[1])


def _spans(pattern: Pattern, text: str) -> Iterator[tuple[int, int]]:
    """Yield the first matches that hold a character."""
    whole = text if text.isascii() else text.encode("utf-8", "replace").decode()
    for found in islice(pattern.finditer(whole), MATCHES):
        start, end = found.span()
        if end > start:
            yield start, end
