"""What a file would do, row by row: the values that planning fills and the page shows."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from classifier.exchanging.columns import FileRow
from classifier.models import Category, KeywordRule


class Action(StrEnum):
    ADD = "added"
    CHANGE = "changed"
    SAME = "unchanged"


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one good row."""

    kind: str
    place: str
    name: str
    action: Action
    columns: tuple[str, ...] = ()
    """Those that change; of a new row none."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One wrong cell, or a wrong row where ``column`` is empty."""

    place: str
    column: str
    sentence: str


@dataclass(slots=True)
class Plan:
    """What a file would do. Nothing is stored until it is carried out, and only without mistakes."""

    steps: list[Step] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    new_categories: list[list[Category]] = field(default_factory=list)
    """By depth: parents before their children."""
    changed_categories: list[Category] = field(default_factory=list)
    new_rules: list[KeywordRule] = field(default_factory=list)
    changed_rules: list[KeywordRule] = field(default_factory=list)
    added_cells: dict[str, dict[str, str]] = field(default_factory=dict)
    """Category code → column of another app → cell."""

    def refuse(self, row: FileRow, column: str, sentence: str) -> None:
        self.mistakes.append(Mistake(row.place, column, sentence))

    @property
    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """Kind → action → number of rows."""
        found: dict[str, Counter[str]] = {"category": Counter(), "rule": Counter()}
        for step in self.steps:
            found[step.kind][step.action.value] += 1
        return found

    @property
    def news(self) -> list[Step]:
        """The rows that add or change something."""
        return [step for step in self.steps if step.action is not Action.SAME]

    @property
    def digest(self) -> str:
        """SHA-256 of what would be done: what was shown is what is carried out, or nothing."""
        told = [
            f"{step.kind}\t{step.name}\t{step.action}\t{','.join(step.columns)}"
            for step in self.steps
        ]
        return hashlib.sha256("\n".join(told).encode("utf-8", "surrogatepass")).hexdigest()
