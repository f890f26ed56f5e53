"""Planning the rules of a file: found by name, checked in the rule language, tried on examples."""

from collections.abc import Sequence

from classifier.engine.errors import RuleInvalid
from classifier.engine.rulelang import parse, says, to_json, to_text
from classifier.exchanging.category_rows import Known
from classifier.exchanging.columns import (
    BOXES,
    RULE,
    RULE_COLUMNS,
    FileRow,
    lines,
    share,
    yes_or_no,
)
from classifier.exchanging.plan import Action, Plan, Step
from classifier.exchanging.writing import ANYONE, cells_of
from classifier.models import KeywordRule

NAME_CHARACTERS = 120
DECISIVE = 0.9
"""Of a new rule in a file of an earlier version, which has no column “certain”: from this typed
strength on it decided alone, and does so still."""
PHRASES = ("any_of", "all_of", "none_of")
_SPEAKERS = {
    **{value: value for value in KeywordRule.SpokenBy.values if value},
    **dict.fromkeys([ANYONE, "anybody"], ANYONE),
}
_EFFECTS = {
    **{value: value for value in KeywordRule.Effect.values},
    **{str(effect.label): str(effect.value) for effect in KeywordRule.Effect},
}


def plan_rules(rows: Sequence[FileRow], known: Known, plan: Plan) -> None:
    """Add what the rule rows would do to ``plan``; new and changed rules are tried."""
    found = {rule.name: rule for rule in KeywordRule.objects.select_related("category")}
    seen: dict[str, str] = {}
    for row in rows:
        name = row.cell("name")
        if not name or len(name) > NAME_CHARACTERS or "\n" in name:
            plan.refuse(row, "name", f"A rule needs a name of one line, at most {NAME_CHARACTERS}"
                        " characters: by it the rule is found again.")  # fmt: skip
        elif name in seen:
            plan.refuse(row, "name", f"“{name}” stands in {seen[name]} too; keep one.")
        else:
            seen[name] = row.place
            _plan_rule(row, found.get(name), known, plan)


def _plan_rule(row: FileRow, rule: KeywordRule | None, known: Known, plan: Plan) -> None:
    mistakes = len(plan.mistakes)
    cells = _checked(row, known, plan)
    before = dict(zip(RULE_COLUMNS, cells_of(rule), strict=True)) if rule else {}
    if rule or "certain" in cells:
        cells.pop("strength", None)
    changed = {name: cell for name, cell in cells.items() if cell != before.get(name)}
    if rule and not changed:
        plan.steps.append(Step(RULE, row.place, rule.name, Action.SAME))
        return
    if rule is None and "category" not in cells and len(plan.mistakes) == mistakes:
        plan.refuse(row, "category", "A new rule needs a category: its code or its path.")
    if len(plan.mistakes) > mistakes:
        return
    planned = rule or KeywordRule(name=row.cell("name"))
    _set(planned, changed, known)
    for column, sentence in planned.mistakes():
        plan.refuse(row, column, sentence)
    if rule:
        plan.changed_rules.append(planned)
        columns = tuple(changed)
        plan.steps.append(Step(RULE, row.place, planned.name, Action.CHANGE, columns))
    else:
        plan.new_rules.append(planned)
        plan.steps.append(Step(RULE, row.place, planned.name, Action.ADD))


def _checked(row: FileRow, known: Known, plan: Plan) -> dict[str, str]:
    """Return the cells that say something, in the form in which they are compared."""
    cells = {box: row.cell(box) for box in BOXES if box in row.cells}
    if "expression" in row.cells:
        cells["expression"] = _as_told(row, plan)
    elif any(cells.get(box) for box in PHRASES):
        cells["expression"] = ""
    if cells.get("expression") and any(cells.get(box) for box in PHRASES):
        plan.refuse(row, "expression", "A rule stands in the rule language or in boxes of"
                    " phrases, not in both: empty one of them.")  # fmt: skip
    for name in (
        "active",
        "certain",
        "whole_word",
        "speaker",
        "effect",
        "strength",
        "category",
    ):
        cell = row.cell(name)
        if not cell:
            continue
        try:
            cells[name] = _value(name, cell, known)
        except ValueError as error:
            plan.refuse(row, name, f"{error}.")
    return cells


def _as_told(row: FileRow, plan: Plan) -> str:
    """Return a rule of the rule language as ``cells_of`` would write it."""
    cell = row.cell("expression")
    if not cell:
        return ""
    try:
        return lines(to_text(says(parse(cell))))
    except RuleInvalid as refusal:
        plan.refuse(row, "expression", f"{str(refusal)[:1].upper()}{str(refusal)[1:]}.")
        return cell


def _value(name: str, cell: str, known: Known) -> str:
    """Return a cell as ``cells_of`` would write it.

    Raises:
        ValueError: says what is wrong and what to write.
    """
    if name in {"active", "certain", "whole_word"}:
        return "yes" if yes_or_no(cell) else "no"
    if name == "strength":
        return repr(share(cell))
    if name == "category":
        code = known.find(cell)
        if code is None:
            raise ValueError(
                f"There is no category “{cell[:80]}”, here or in the file. Write its code or its"
                " path (as in Billing > Refund)"
            )
        return code
    choices = _SPEAKERS if name == "speaker" else _EFFECTS
    value = choices.get(cell.lower())
    if value is None:
        raise ValueError(
            f"“{cell[:40]}” is none of {', '.join(dict.fromkeys(choices.values()))}"
        )
    return value


def _set(rule: KeywordRule, cells: dict[str, str], known: Known) -> None:
    if any(name in KeywordRule.SAYS for name in cells):
        rule.forget_record()
    for name, cell in cells.items():
        match name:
            case "expression":
                rule.expression = to_json(parse(cell)) if cell else None
            case "certain":
                rule.is_certain = cell == "yes"
            case "active":
                rule.is_active = cell == "yes"
            case "whole_word":
                rule.whole_word = cell == "yes"
            case "strength":  # an older file's, typed by people
                rule.is_certain = float(cell) >= DECISIVE and rule.effect == rule.Effect.ASSIGN
            case "speaker":
                rule.speaker = "" if cell == ANYONE else cell
            case "category":
                rule.category = known.rows[cell]
            case _:
                setattr(rule, name, cell)
    if rule.expression is not None:
        rule.any_of = rule.all_of = rule.none_of = ""
