"""Planning the categories of a file: found by code or by path, parents before or after children."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from classifier.engine.taxonomy import CODE_CHARACTERS, code_of, split_path
from classifier.exchanging.columns import (
    ADDED,
    CATEGORY,
    CATEGORY_COLUMNS,
    FileRow,
    columns_of,
    share,
    yes_or_no,
)
from classifier.exchanging.plan import Action, Plan, Step
from classifier.exchanging.writing import category_cells
from classifier.models import Category
from classifier.models.category import LABEL_CHARACTERS, RecallFloor

_CODE = re.compile(r"[^\s;,>]+")  # a semicolon separates the values of a multi-select picklist

Path = tuple[str, ...]


@dataclass(slots=True)
class Known:
    """The categories as they would be once the file is in: by code, and by labels."""

    rows: dict[str, Category]
    cells: dict[str, dict[str, str]]
    """What stands in the database now, code → column → cell."""
    parents: dict[str, str]
    """Code → the parent's code, empty at the top."""
    labels: dict[str, str]
    paths: dict[Path, str] = field(default_factory=dict)

    @classmethod
    def now(cls) -> "Known":
        columns = columns_of(CATEGORY)
        cells = {row[0]: dict(zip(columns, row, strict=True)) for row in category_cells()}
        known = cls(
            {row.code: row for row in Category.objects.all()},
            cells,
            {code: own["parent"] for code, own in cells.items()},
            {code: own["label"] for code, own in cells.items()},
        )
        known.paths = {known.path(code): code for code in cells}
        return known

    def path(self, code: str) -> Path:
        """Return the labels from the top down."""
        labels: list[str] = []
        seen: set[str] = set()
        while code and code not in seen:
            seen.add(code)
            labels.append(self.labels[code])
            code = self.parents[code]
        return tuple(reversed(labels))

    def find(self, reference: str) -> str | None:
        """Return the code that a cell means: a code, or a path as “Billing > Refund”."""
        if reference in self.parents:
            return reference
        return self.paths.get(split_path(reference))


def plan_categories(rows: Sequence[FileRow], plan: Plan) -> Known:
    """Add what the category rows would do to ``plan``; return all categories as they would be."""
    known = Known.now()
    fresh: dict[str, Category] = {}
    depths: dict[str, int] = {}
    seen: dict[str, str] = {}
    waiting = list(rows)
    while waiting:
        left = []
        for row in waiting:
            parent = known.find(row.cell("parent")) if row.cell("parent") else ""
            if parent is None:
                left.append(row)
            elif (code := _code(row, parent, known, plan)) is not None:
                if code in seen:
                    plan.refuse(row, "code", f"“{code}” stands in {seen[code]} too; keep one.")
                    continue
                seen[code] = row.place
                _take(row, code, parent, known, plan, fresh)
                depths[code] = 1 + depths.get(parent, 0)
        if len(left) == len(waiting):
            _refuse_orphans(left, plan)
            break
        waiting = left
    for code, category in fresh.items():
        while len(plan.new_categories) < depths[code]:
            plan.new_categories.append([])
        plan.new_categories[depths[code] - 1].append(category)
    _refuse_twins(known, seen, plan)
    return known


def _code(row: FileRow, parent: str, known: Known, plan: Plan) -> str | None:
    """Return the code of a row, made from its labels where it has none; None: it is wrong."""
    code, label = row.cell("code"), row.cell("label")
    if not code and not label:
        plan.refuse(row, "code", "Write the code of a category, or the label of a new one.")
        return None
    if len(label) > LABEL_CHARACTERS or "\n" in label:
        plan.refuse(
            row, "label", f"A label is one line of at most {LABEL_CHARACTERS} characters."
        )
        return None
    if not code:
        path = (*(known.path(parent) if parent else ()), label)
        return known.paths.get(path) or code_of(path, known.parents)
    if code in known.parents:
        return code
    if not _CODE.fullmatch(code) or len(code) > CODE_CHARACTERS:
        plan.refuse(
            row,
            "code",
            f"A code has at most {CODE_CHARACTERS} characters, without blanks, commas,"
            " semicolons and “>”; leave it empty and it is made from the label.",
        )
        return None
    if not label:
        plan.refuse(row, "label", f"“{code}” is new, so it needs a label.")
        return None
    return code


def _take(
    row: FileRow,
    code: str,
    parent: str,
    known: Known,
    plan: Plan,
    fresh: dict[str, Category],
) -> None:
    """Plan one row whose code and parent are known."""
    before = known.cells.get(code)
    if before is not None and row.cell("parent") and parent != before["parent"]:
        is_ring = code in _line(parent, known)
        plan.refuse(
            row,
            "parent",
            f"“{code}” cannot stand below itself."
            if is_ring
            else f"“{code}” stands {_below(before['parent'])} and stays there, because its code"
            " stands in Salesforce. Add a new category, and switch this one off with active = no.",
        )
        return
    cells = dict(_checked(row, plan))
    if before is None:
        category = Category(code=code, parent=_row_of(parent, known))
        known.rows[code] = fresh[code] = category
        known.parents[code], known.labels[code] = parent, row.cell("label")
        known.paths.setdefault(known.path(code), code)
        plan.steps.append(Step(CATEGORY, row.place, code, Action.ADD))
        changed = cells
    else:
        category = known.rows[code]
        changed = {name: cell for name, cell in cells.items() if cell != before[name]}
        action = Action.CHANGE if changed else Action.SAME
        plan.steps.append(Step(CATEGORY, row.place, code, action, tuple(changed)))
        if "label" in changed:
            known.labels[code] = changed["label"]
            known.paths[known.path(code)] = code
        if set(changed) & set(CATEGORY_COLUMNS):
            plan.changed_categories.append(category)
    _set(category, changed)
    added = {name: cell for name, cell in changed.items() if name not in CATEGORY_COLUMNS}
    if added:
        plan.added_cells[code] = added


def _checked(row: FileRow, plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield the cells that say something, in the form in which they are compared."""
    for name, cell in row.cells.items():
        if (name == "label" and cell) or name == "guideline":
            yield name, cell
        elif cell and name in _READ:
            try:
                yield name, _READ[name](cell)
            except ValueError as error:
                plan.refuse(row, name, f"{error}.")
    for columns in ADDED:
        for name in columns.names:
            if name not in row.cells:
                continue
            if mistake := columns.mistake(name, row.cell(name)):
                plan.refuse(row, name, mistake)
            else:
                yield name, row.cell(name)


def _yes(cell: str) -> str:
    return "yes" if yes_or_no(cell) else "no"


def _floor(cell: str) -> str:
    """Return a share that a training finds a bar for, as it goes out.

    Raises:
        ValueError: it is none.
    """
    found = f"{share(cell):g}"
    known = [f"{floor:g}" for floor in RecallFloor.values]
    if found not in known:
        raise ValueError(f"“{cell[:40]}” is not offered; write one of {', '.join(known)}")
    return found


_READ = {"active": _yes, "critical": _yes, "found_at_least": _floor, "own_proof": _yes}
"""How a cell that says something is read; an empty one leaves everything as it is."""


def _set(category: Category, cells: Mapping[str, str]) -> None:
    category.label = cells.get("label", category.label)
    category.guideline = cells.get("guideline", category.guideline)
    if "active" in cells:
        category.is_active = cells["active"] == "yes"
    if "critical" in cells:
        category.is_critical = cells["critical"] == "yes"
    if "found_at_least" in cells:
        category.recall_floor = float(cells["found_at_least"])
    if "own_proof" in cells:
        category.needs_own_proof = cells["own_proof"] == "yes"


def _row_of(code: str, known: Known) -> Category | None:
    return known.rows[code] if code else None


def _line(code: str, known: Known) -> list[str]:
    """Return a code and those above it."""
    line: list[str] = []
    while code and code not in line:
        line.append(code)
        code = known.parents[code]
    return line


def _below(parent: str) -> str:
    return f"below “{parent}”" if parent else "at the top"


def _refuse_orphans(rows: Sequence[FileRow], plan: Plan) -> None:
    """Name the rows whose parent is nowhere, and those that stand below themselves."""
    by_name = {
        name: row for row in rows for name in (row.cell("code"), row.cell("label")) if name
    }
    for row in rows:
        line, at = [row], by_name.get(_last(row.cell("parent")))
        while at is not None and at not in line:
            line.append(at)
            at = by_name.get(_last(at.cell("parent")))
        if at is row:
            ring = " → ".join(_name(one) for one in (*line, row))
            plan.refuse(row, "parent", f"A category cannot stand below itself: {ring}.")
        elif at is None and len(line) == 1:
            wanted = row.cell("parent")[:80]
            plan.refuse(
                row,
                "parent",
                f"There is no category “{wanted}”, here or in the file. Write its code or its"
                " path (as in Billing > Refund), or add a row for it.",
            )
        else:
            plan.refuse(
                row, "parent", f"Its parent “{_name(line[1])}” is wrong: mend that row."
            )


def _last(reference: str) -> str:
    """Return the code, or the last label of a path."""
    path = split_path(reference)
    return path[-1] if path else ""


def _name(row: FileRow) -> str:
    return row.cell("code") or row.cell("label")


def _refuse_twins(known: Known, seen: Mapping[str, str], plan: Plan) -> None:
    """Refuse two categories of one label in one place, as the tables would."""
    places: dict[tuple[str, str], str] = {}
    for code, label in known.labels.items():
        twin = places.setdefault((known.parents[code], label), code)
        if twin == code:
            continue
        of_file = code if code in seen else twin
        if of_file in seen:
            plan.refuse(
                FileRow(CATEGORY, seen[of_file], {}),
                "label",
                f"“{label}” would stand twice {_below(known.parents[code])}: as “{twin}” and as"
                f" “{code}”. Give one another label.",
            )
