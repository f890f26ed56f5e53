"""Writing: all categories and rules as one file."""

import json
from collections.abc import Sequence

from classifier.engine.errors import RuleInvalid
from classifier.exchanging.columns import (
    ADDED,
    BOXES,
    CATEGORY,
    KIND,
    RULE,
    RULE_COLUMNS,
    FileInvalid,
    columns_of,
    lines,
)
from classifier.models import Category, KeywordRule
from classifier.spreadsheets import CSV, LONGEST_CELL, XLSX, Form, written, written_book

JSON = Form("json", "JSON", "application/json")
FORMS = {form.code: form for form in (XLSX, CSV, JSON)}
ANYONE = "anyone"
STRENGTH_DIGITS = 4


def taxonomy_file(form: Form) -> bytes:
    """Return all categories, parents first, and all rules; a handful of queries.

    Raises:
        FileInvalid: a rule has more text than a cell of XLSX holds.
    """
    categories, rules = category_cells(), rule_cells()
    if form is JSON:
        return _as_json(categories, rules)
    if form is XLSX:
        _refuse_long(rules)
        return written_book(
            [
                ("Categories", columns_of(CATEGORY), categories),
                ("Rules", RULE_COLUMNS, rules),
            ]
        )
    columns = list(dict.fromkeys([KIND, *columns_of(CATEGORY), *RULE_COLUMNS]))
    rows = [
        [kind if column == KIND else cells.get(column, "") for column in columns]
        for kind, names, table in (
            (CATEGORY, columns_of(CATEGORY), categories),
            (RULE, RULE_COLUMNS, rules),
        )
        for cells in (dict(zip(names, row, strict=True)) for row in table)
    ]
    return b"".join(written(CSV, columns, rows))


def category_cells() -> list[list[str]]:
    """Return the cells of every category in the order of its columns, parents first."""
    added = [(columns, columns.cells()) for columns in ADDED]
    rows = list(Category.objects.select_related("parent"))
    depth = {row.pk: row.parent_id for row in rows}

    def below(pk: int | None, seen: int = 0) -> int:
        return seen if pk is None or seen > len(depth) else below(depth.get(pk), seen + 1)

    rows.sort(key=lambda row: (below(row.pk), row.code))
    cells = []
    for row in rows:
        own = [row.code, row.label, row.parent.code if row.parent else ""]
        own += [lines(row.guideline), _yes(row.is_active), _yes(row.is_critical)]
        own += [f"{row.recall_floor:g}", _yes(row.needs_own_proof)]
        for columns, known in added:
            own += known.get(row.code, [""] * len(columns.names))
        cells.append(own)
    return cells


def rule_cells() -> list[list[str]]:
    """Return the cells of every rule in the order of its columns, by name."""
    rules = KeywordRule.objects.select_related("category").order_by("name")
    return [cells_of(rule) for rule in rules]


def cells_of(rule: KeywordRule) -> list[str]:
    """Return a rule's cells; equal cells say the same."""
    return [
        rule.name,
        rule.category.code,
        _text(rule),
        lines(rule.any_of),
        lines(rule.all_of),
        lines(rule.none_of),
        rule.speaker or ANYONE,
        _yes(rule.whole_word),
        rule.effect,
        _yes(rule.is_certain),
        "" if rule.strength is None else repr(round(rule.strength, STRENGTH_DIGITS)),
        lines(rule.must_match),
        lines(rule.must_not_match),
        _yes(rule.is_active),
    ]


def _text(rule: KeywordRule) -> str:
    """Return a rule in the rule language as it is typed; a rule in boxes has none.

    What nobody can read (it came in past the form) goes out as it is stored.
    """
    if rule.expression is None:
        return ""
    try:
        return lines(rule.text)
    except RuleInvalid:
        return json.dumps(rule.expression, ensure_ascii=False)


def _as_json(categories: Sequence[Sequence[str]], rules: Sequence[Sequence[str]]) -> bytes:
    def value(column: str, cell: str) -> object:
        if column in BOXES:
            return cell.splitlines()
        if column in {"active", "certain", "whole_word", "critical", "own_proof"}:
            return cell == "yes"
        if column in {"strength", "found_at_least"}:
            return float(cell) if cell else None
        return cell

    def listed(columns: Sequence[str], table: Sequence[Sequence[str]]) -> list[object]:
        return [
            {c: value(c, cell) for c, cell in zip(columns, row, strict=True)} for row in table
        ]

    book = {
        "categories": listed(columns_of(CATEGORY), categories),
        "rules": listed(RULE_COLUMNS, rules),
    }
    return json.dumps(book, ensure_ascii=False, indent=1).encode("utf-8", "replace")


def _refuse_long(rules: Sequence[Sequence[str]]) -> None:
    for row in rules:
        if any(len(cell) >= LONGEST_CELL for cell in row):
            raise FileInvalid(
                f"The rule “{row[0]}” has more text than a cell of XLSX holds. Take CSV or JSON."
            )


def _yes(is_so: bool) -> str:  # noqa: FBT001
    return "yes" if is_so else "no"
