"""Compiling: expressions become plans over one shared list of phrases, each with what triggers it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from classifier.engine.rulelang.finding import Reach, Sought
from classifier.engine.rulelang.likeness import Likeness, pieces
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
    Words,
    is_silent,
)
from classifier.engine.rulelang.patterns import compiled, required_literals
from classifier.engine.rulelang.plans import FactPlan, GroupPlan, LeafPlan, Plan
from classifier.engine.rulelang.sources import (
    Counted,
    Literals,
    Misspelt,
    Nearby,
    Patterned,
    Similar,
    Source,
)
from classifier.engine.text import EARLIER_REASONS, Speaker


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
