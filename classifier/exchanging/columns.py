"""The columns of the file that holds categories and rules, and how their cells are read."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

CATEGORY, RULE = "category", "rule"
KIND = "kind"
DEMANDS = ("critical", "found_at_least", "own_proof")
CATEGORY_COLUMNS = ("code", "label", "parent", "guideline", "active", *DEMANDS)
RULE_COLUMNS = (
    *("name", "category", "expression", "any_of", "all_of", "none_of", "speaker", "whole_word"),
    *("effect", "certain", "strength", "must_match", "must_not_match", "active"),
)
"""``expression`` is a rule in the rule language, as it is typed; a rule in boxes has none.
``strength`` is measured: it goes out and is not brought in."""
BOXES = ("any_of", "all_of", "none_of", "must_match", "must_not_match")
"""Cells of several lines: one phrase or sentence each."""
_OTHER_NAMES = {
    "is_active": "active",
    "said_by": "speaker",
    "whole_words": "whole_word",
    "whole_words_only": "whole_word",
    "must": "must_match",
    "must_not": "must_not_match",
    "is_certain": "certain",
    "is_critical": "critical",
    "recall_floor": "found_at_least",
    "needs_own_proof": "own_proof",
    "needs_a_proof_of_its_own": "own_proof",
    "rule": "expression",
}
YES = frozenset({"yes", "true", "1", "y", "on", "x"})
NO = frozenset({"no", "false", "0", "n", "off"})


class CategoryColumns(Protocol):
    """Columns that another app adds to the categories of the file."""

    names: tuple[str, ...]
    permission: str
    """Who may change them, ``app.codename``."""

    def cells(self) -> Mapping[str, Sequence[str]]:
        """Return the code of each category that has cells, and those, in the order of names."""

    def mistake(self, name: str, cell: str) -> str:
        """Return what is wrong with a cell and what to do; empty: nothing."""

    def keep(self, changes: Mapping[str, Mapping[str, str]], *, by: str) -> None:
        """Store code → column → cell, within the caller's transaction; ``by`` says who."""


ADDED: list[CategoryColumns] = []
"""What other apps add, registered when they are ready."""


def add_columns(columns: CategoryColumns) -> None:
    """Let the file have these columns too; saying it again changes nothing."""
    if not any(type(one) is type(columns) for one in ADDED):
        ADDED.append(columns)


def columns_of(kind: str) -> tuple[str, ...]:
    """Return the columns of a kind of row, those of other apps included."""
    if kind == RULE:
        return RULE_COLUMNS
    return (*CATEGORY_COLUMNS, *(name for one in ADDED for name in one.names))


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row of a file. ``place`` says where it stands, for people; cells are text."""

    kind: str
    place: str
    cells: Mapping[str, str]
    """Only of the columns that the file has."""

    def cell(self, column: str) -> str:
        return self.cells.get(column, "")


class FileInvalid(Exception):
    """The file as a whole cannot be read; the message says why and what to do."""


def column_of(heading: str) -> str:
    """Return the column that a heading means: “Any of” is any_of."""
    plain = re.sub(r"[^a-z0-9]+", "_", heading.strip().lower()).strip("_")
    return _OTHER_NAMES.get(plain, plain)


def text_of(value: Any) -> str:
    """Return a cell's value as text, forgiving what spreadsheet programs make of it.

    101.0 is 101, TRUE is yes, a list is one line each; blanks at the ends of lines and empty
    lines are dropped.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, list):
        value = "\n".join(map(text_of, value))
    return lines(str(value))


def lines(text: str) -> str:
    """Return the lines of a text without blanks around them, empty ones dropped."""
    return "\n".join(line for each in text.splitlines() if (line := each.strip()))


def yes_or_no(cell: str) -> bool:
    """Return what a cell says.

    Raises:
        ValueError: it says neither.
    """
    word = cell.strip().lower()
    if word in YES:
        return True
    if word in NO:
        return False
    raise ValueError(f"“{cell[:40]}” is neither yes nor no; write one of the two")


def share(cell: str) -> float:
    """Return a share from 0 to 1, also written 95 % or with a decimal comma.

    Raises:
        ValueError: it is none.
    """
    plain = cell.replace(",", ".").replace(" ", "")
    try:
        number = float(plain.removesuffix("%"))
    except ValueError as error:
        raise ValueError(f"“{cell[:40]}” is no number; write one from 0 to 1") from error
    number = round(number / 100, 6) if plain.endswith("%") else number
    if not 0 <= number <= 1:
        raise ValueError(f"{cell} does not lie between 0 and 1")
    return number
