"""Plans: compiled expressions, that say whether they hold for what was heard, and by what."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

from classifier.engine.folding import fold
from classifier.engine.rulelang.heard import EVERYWHERE, Heard, Place, Unit, Window
from classifier.engine.rulelang.literal import Literal
from classifier.engine.rulelang.nodes import Join, Scope, Where
from classifier.engine.rulelang.sources import Source


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
