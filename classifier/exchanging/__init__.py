"""Exchanging: the taxonomy and its rules come in and go out as one file.

What a file would do is planned first and shown; carrying it out is one transaction. Categories
are found by code, rules by name; what the file does not name stays.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from classifier import measuring
from classifier.exchanging.category_rows import plan_categories
from classifier.exchanging.columns import (
    ADDED,
    CATEGORY,
    RULE,
    CategoryColumns,
    FileInvalid,
    FileRow,
    add_columns,
)
from classifier.exchanging.plan import Action, Mistake, Plan, Step
from classifier.exchanging.reading import rows_of
from classifier.exchanging.rule_rows import plan_rules
from classifier.exchanging.writing import FORMS, taxonomy_file
from classifier.models import Category, KeywordRule
from classifier.models.keyword_rule import MEASURED

__all__ = [
    "FORMS",
    "Action",
    "CategoryColumns",
    "FileInvalid",
    "Mistake",
    "Plan",
    "PlanRefused",
    "Step",
    "add_columns",
    "bring_in",
    "columns_need",
    "plan_of",
    "taxonomy_file",
]

AT_ONCE = 500
_CATEGORY_FIELDS = (
    *("label", "guideline", "is_active"),
    *("is_critical", "recall_floor", "needs_own_proof"),
)
_RULE_FIELDS = (
    *KeywordRule.SAYS,
    *("is_certain", "must_match", "must_not_match", "is_active", "changed_at"),
    *("strength", *MEASURED),
)


class PlanRefused(Exception):
    """A file was not carried out and nothing was changed; the message says why and what to do."""


def plan_of(content: bytes, name: str) -> Plan:
    """Return what a file (CSV, XLSX or JSON, by its bytes and its name) would do; stores nothing.

    Raises:
        FileInvalid: the file as a whole cannot be read.
    """
    plan = Plan()
    rows = rows_of(content, name)
    known = plan_categories(list(_of_kind(rows, CATEGORY)), plan)
    plan_rules(list(_of_kind(rows, RULE)), known, plan)
    for row in rows:
        if row.kind not in {CATEGORY, RULE}:
            said = f"“{row.kind[:40]}” is" if row.kind else "An empty cell is"
            plan.refuse(row, "kind", f"{said} no kind of row; write {CATEGORY} or {RULE}.")
    order = {row.place: number for number, row in enumerate(rows)}
    plan.mistakes.sort(key=lambda mistake: order[mistake.place])
    plan.steps.sort(key=lambda step: order[step.place])
    return plan


def bring_in(
    content: bytes, name: str, *, at: datetime, by: Any = None, expected: str = ""
) -> Plan:
    """Carry out a file in one transaction and return what was done.

    ``by`` is the user, for the rows' history. ``expected`` is the digest of the plan that was
    shown: where the file would do something else by now, nothing is done.

    Raises:
        FileInvalid: the file as a whole cannot be read.
        PlanRefused: a row is wrong, or the plan is not the one expected.
    """
    with transaction.atomic():
        plan = plan_of(content, name)
        if plan.mistakes:
            first = plan.mistakes[0]
            raise PlanRefused(
                f"{len(plan.mistakes)} wrong cells, so nothing was changed. The first:"
                f" {first.place}, {first.column}: {first.sentence}"
            )
        if expected and plan.digest != expected:
            raise PlanRefused(
                "Something was changed since the file was looked at, so nothing was done. Look at"
                " what it would do now, then bring it in."
            )
        _store(plan, at, by)
        if plan.new_rules or plan.changed_rules:
            measuring.measure_waiting_later(at=at, by=by)
    return plan


def columns_need(plan: Plan) -> set[str]:
    """Return the permissions that a plan's cells of other apps need."""
    touched = {name for cells in plan.added_cells.values() for name in cells}
    return {one.permission for one in ADDED if touched & set(one.names)}


def _of_kind(rows: Sequence[FileRow], kind: str) -> Sequence[FileRow]:
    return [row for row in rows if row.kind == kind]


def _store(plan: Plan, at: datetime, by: Any) -> None:
    _store_changed_categories(plan.changed_categories, at, by)
    for level in plan.new_categories:
        bulk_create_with_history(
            level, Category, batch_size=AT_ONCE, default_user=by, default_date=at
        )
    bulk_create_with_history(
        plan.new_rules, KeywordRule, batch_size=AT_ONCE, default_user=by, default_date=at
    )
    for rule in plan.changed_rules:
        rule.changed_at = at
    if plan.changed_rules:
        bulk_update_with_history(
            plan.changed_rules, KeywordRule, _RULE_FIELDS, batch_size=AT_ONCE, default_user=by,
            default_date=at,
        )  # fmt: skip
    name = by.get_username() if by else ""
    for columns in ADDED:
        own = {
            code: {name: cell for name, cell in cells.items() if name in columns.names}
            for code, cells in plan.added_cells.items()
        }
        columns.keep({code: cells for code, cells in own.items() if cells}, by=name)


def _store_changed_categories(changed: Sequence[Category], at: datetime, by: Any) -> None:
    if not changed:
        return
    # Two siblings may exchange their labels; the tables would refuse the first of the two, so
    # that all labels go out of the way first.
    labels = [category.label for category in changed]
    for category in changed:
        category.label = f"\x1a{category.code}"
    Category.objects.bulk_update(changed, ["label"], batch_size=AT_ONCE)
    for category, label in zip(changed, labels, strict=True):
        category.label = label
    bulk_update_with_history(
        changed, Category, _CATEGORY_FIELDS, batch_size=AT_ONCE, default_user=by,
        default_date=at,
    )  # fmt: skip
