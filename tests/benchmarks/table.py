"""The table of measures: what each row demands, what was measured, and what falls short, in words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class System(StrEnum):
    """Who was measured; the value is the column's head."""

    DEFAULT = "ours, default"
    ENCODER = "ours, with encoder"
    WORDS = "words"
    LETTERS = "words + letters"
    FASTTEXT = "fastText"
    MINILM = "MiniLM + LR"


OURS = (System.DEFAULT, System.ENCODER)
PEERS = tuple(system for system in System if system not in OURS)


class Unit(StrEnum):
    """How a figure is written."""

    PERCENT = "%"
    POINTS = "points"
    COEFFICIENT = ""
    MICROSECONDS = "µs"
    MILLISECONDS = "ms"
    PER_SECOND = "/s"
    TIMES = "×"
    MEGABYTES = "MB"


_DECIMALS = {Unit.COEFFICIENT: 3, Unit.MICROSECONDS: 0, Unit.PER_SECOND: 0}
_SMALL = 10  # megabytes; below, two decimals say something


@dataclass(frozen=True, slots=True)
class Bound:
    """What is demanded of one of our columns."""

    floor: float | None = None
    aim: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One figure that is asked for: its name, its unit, what is demanded of it."""

    name: str
    measure: str
    """The function that brings it (``--only``)."""
    words: str
    unit: Unit
    default: Bound | None = None
    encoder: Bound | None = None
    is_higher_better: bool = True
    needs: str = ""
    """Another row that must be met for this one to count."""
    is_promise: bool = False
    """Kept or not kept: more than the floor is no merit, so peers are compared only below it."""

    def bound(self, system: System) -> Bound | None:
        """Return what is demanded of a system; None: nothing."""
        return {System.DEFAULT: self.default, System.ENCODER: self.encoder}.get(system)

    def reaches(self, value: float, mark: float) -> bool:
        """Say whether a value is as good as a mark."""
        return value >= mark if self.is_higher_better else value <= mark

    def seems_as_good(self, value: float, other: float) -> bool:
        """Say the same of two values as they are shown: what no reader sees is no difference."""
        return self.shown(value) == self.shown(other) or self.reaches(value, other)

    def shown(self, value: float, more: int = 0) -> str:
        """Return a value as people read it, with its unit and so many decimals more."""
        number = f"{value:,.{self._decimals(value) + more}f}"
        return f"{number} {self.unit}".strip()

    def gap(self, value: float, mark: float) -> str:
        """Return by how much they differ, with as many decimals as it takes to see it."""
        apart = abs(value - mark)
        exact = next(
            (more for more in range(3) if round(apart, self._decimals(mark) + more)), 3
        )
        return self.shown(apart, exact + self._decimals(mark) - self._decimals(apart))

    def _decimals(self, value: float) -> int:
        if self.unit is Unit.MEGABYTES:
            return 2 if value < _SMALL else 0
        return _DECIMALS.get(self.unit, 1)


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured."""

    value: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """Why nothing was measured."""

    why: str


Cell = Figure | Missing
NOT_RUN = Missing("not in this run")


@dataclass(slots=True)
class Results:
    """All cells of a run."""

    cells: dict[tuple[str, System], Cell] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    """How long each measure took."""
    commit: str = "unknown"
    """What was measured: read when the run began, for others may commit meanwhile."""

    def put(self, row: str, system: System, cell: Cell | float) -> None:
        """Keep what was measured."""
        self.cells[row, system] = cell if isinstance(cell, Figure | Missing) else Figure(cell)

    def at(self, row: str, system: System) -> Cell | None:
        """Return a cell; None where a system is not asked for that figure."""
        return self.cells.get((row, system))

    def value(self, row: str, system: System) -> float | None:
        """Return the value of a cell, None where there is none."""
        cell = self.cells.get((row, system))
        return cell.value if isinstance(cell, Figure) else None


def verdict(row: Row, system: System, results: Results, rows: Mapping[str, Row]) -> str:
    """Return whether a floor is met, in words; "–" where nothing is demanded."""
    bound = row.bound(system)
    if bound is None:
        return "–"
    cell = results.at(row.name, system) or NOT_RUN
    if isinstance(cell, Missing):
        return cell.why
    if bound.floor is not None and not row.reaches(cell.value, bound.floor):
        return f"misses the floor by {row.gap(cell.value, bound.floor)}"
    needed = rows.get(row.needs)
    if needed and not verdict(needed, system, results, rows).startswith("met"):
        return f"does not count: {needed.words} is not met"
    floor = "" if bound.floor is None else "met, "
    if bound.aim is None:
        return "met"
    return f"{floor}aim reached" if row.reaches(cell.value, bound.aim) else f"{floor}aim missed"


def shortfalls(rows: Sequence[Row], results: Results) -> list[str]:
    """Return a sentence for each figure of ours that is below a floor or below a peer."""
    by_name = {row.name: row for row in rows}
    sentences = []
    for row in rows:
        for system in OURS:
            sentences += _shortfalls(row, system, results, by_name)
    return sentences


def _shortfalls(
    row: Row, system: System, results: Results, rows: Mapping[str, Row]
) -> Iterable[str]:
    value = results.value(row.name, system)
    if value is None:
        return
    told = verdict(row, system, results, rows)
    bound = row.bound(system)
    start = f"{row.words} ({system}): {row.shown(value)}"
    is_missed = told.startswith("misses")
    if bound and bound.floor is not None and is_missed:
        yield f"{start} {told} ({row.shown(bound.floor)})."
    if told.startswith("does not count"):
        yield f"{start} {told}."
    better = [
        f"{peer} ({row.shown(theirs)})"
        for peer in PEERS
        if (theirs := results.value(row.name, peer)) is not None
        and not row.seems_as_good(value, theirs)
    ]
    if better and (is_missed or not row.is_promise):
        yield f"{start} is worse than {' and '.join(better)}."


def markdown(rows: Sequence[Row], results: Results) -> str:
    """Return the table of all rows, one column for each system, and whether floors are met."""
    by_name = {row.name: row for row in rows}
    head = ["measure", "floor (aim)", *OURS, "floor met?", *PEERS]
    lines = [_line(head), _line(["---"] * len(head))]
    for row in rows:
        ours = [_shown(row, results.at(row.name, system)) for system in OURS]
        peers = [_shown(row, results.at(row.name, peer)) for peer in PEERS]
        demands = _both(_demand(row, row.default), _demand(row, row.encoder))
        met = _both(*(verdict(row, system, results, by_name) for system in OURS))
        lines.append(_line([row.words, demands, *ours, met, *peers]))
    return "\n".join(lines)


def plain(rows: Sequence[Row], results: Results) -> str:
    """Return the same figures for a terminal, one line each."""
    by_name = {row.name: row for row in rows}
    lines = []
    for row in rows:
        for system in System:
            cell = results.at(row.name, system)
            if cell is None:
                continue
            told = verdict(row, system, results, by_name)
            note = cell.note if isinstance(cell, Figure) else ""
            parts = (_shown(row, cell), "" if told == "–" else told, note)
            said = " · ".join(dict.fromkeys(part for part in parts if part))
            lines.append(f"{row.words:64.64}  {system:18}  {said}")
    return "\n".join(lines)


def notes(rows: Sequence[Row], results: Results) -> list[str]:
    """Return what is remarked about single figures."""
    return [
        f"{row.words} ({system}): {cell.note}"
        for row in rows
        for system in System
        if isinstance(cell := results.at(row.name, system), Figure) and cell.note
    ]


def _demand(row: Row, bound: Bound | None) -> str:
    if bound is None:
        return "–"
    sign = "≥" if row.is_higher_better else "≤"
    aim = "" if bound.aim is None else f"({row.shown(bound.aim)})"
    floor = "" if bound.floor is None else f"{sign} {row.shown(bound.floor)}"
    return f"{floor} {aim}".strip()


def _both(default: str, encoder: str) -> str:
    return default if encoder in {default, "–"} else f"{default} · encoder: {encoder}"


def _shown(row: Row, cell: Cell | None) -> str:
    if cell is None:
        return ""
    return cell.why if isinstance(cell, Missing) else row.shown(cell.value)


def _line(parts: Iterable[str]) -> str:
    return f"| {' | '.join(parts)} |"
