"""WHERE: from the tree of a condition to a function over rows."""

import operator
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

from sfsync.local_org.columns import Column, Scope, open_scope
from sfsync.local_org.errors import Refusal
from sfsync.local_org.ids import long_id
from sfsync.local_org.moments import Value
from sfsync.local_org.schema import NUMBERS, Kind
from sfsync.local_org.soql import like_pattern
from sfsync.local_org.soql_tree import (
    Comparison,
    Condition,
    Every,
    Literal,
    Membership,
    MultiPick,
    Negation,
    Path,
    Query,
    Some,
    pointed,
)
from sfsync.local_org.tables import Row

Predicate = Callable[[Row], bool]
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ID_KINDS = frozenset({Kind.ID, Kind.REFERENCE})
_WANTED = {
    Kind.BOOLEAN: "boolean",
    Kind.DATETIME: "dateTime",
    Kind.DATE: "date",
} | dict.fromkeys(NUMBERS, "double")
_FITTING = {
    Kind.BOOLEAN: frozenset({"boolean"}),
    Kind.DATETIME: frozenset({"datetime", "days"}),
    Kind.DATE: frozenset({"date", "days"}),
} | dict.fromkeys(NUMBERS, frozenset({"number"}))


def predicate(scope: Scope, condition: Condition | None) -> Predicate:
    """Return a function that says whether a row meets the condition.

    Raises:
        Refusal: a field is unknown or cannot be filtered, or a value does not fit it.
    """
    match condition:
        case None:
            return lambda _: True
        case Every(parts):
            tests = [predicate(scope, part) for part in parts]
            return lambda row: all(test(row) for test in tests)
        case Some(parts):
            tests = [predicate(scope, part) for part in parts]
            return lambda row: any(test(row) for test in tests)
        case Negation(part):
            inner = predicate(scope, part)
            return lambda row: not inner(row)
        case Comparison():
            return _comparison(scope, condition)
        case Membership():
            return _membership(scope, condition)
        case MultiPick():
            return _multi_pick(scope, condition)


def candidates(scope: Scope, condition: Condition | None) -> Iterable[Row]:
    """Return rows that may meet the condition: by an index where one helps, else all."""
    table = scope.org.table(scope.sobject.name)
    parts = condition.parts if isinstance(condition, Every) else (condition,)
    for part in parts:
        if isinstance(part, Comparison) and part.operator == "=":
            found = _indexed(scope, part.path, (part.literal,))
        elif isinstance(part, Membership) and not part.is_negated:
            found = _indexed(scope, part.path, part.options)
        else:
            continue
        if found is not None:
            return table.find(*found)
    return table


def refuse_unkeyed(scope: Scope) -> None:
    """Refuse a query without the filter that an sObject such as ContentDocumentLink demands.

    Raises:
        Refusal: MALFORMED_QUERY.
    """
    keys, condition = scope.sobject.key_filters, scope.query.where
    if not keys:
        return
    parts = condition.parts if isinstance(condition, Every) else (condition,)
    equal = {
        str(part.path)
        for part in parts
        if isinstance(part, Comparison) and part.operator == "="
    }
    listed = {
        str(part.path) for part in parts if isinstance(part, Membership) and not part.is_negated
    }
    if not (equal | listed) & set(keys):
        message = (
            f"Implementation restriction: {scope.sobject.name} requires a filter by a single "
            f"Id on {' or '.join(keys)} using the equals operator or multiple Id's using the "
            "IN operator."
        )
        raise Refusal(400, "MALFORMED_QUERY", message)
    if keys[-1] not in equal and any(_is_about_no_id(scope, part) for part in parts):
        message = (
            "Implementation restriction: filtering on non-id fields is only permitted when "
            f"filtering by {scope.sobject.name}.{keys[-1]} using the equals operator."
        )
        raise Refusal(400, "MALFORMED_QUERY", message)


def _is_about_no_id(scope: Scope, condition: Condition | None) -> bool:
    match condition:
        case Every(parts) | Some(parts):
            return any(_is_about_no_id(scope, part) for part in parts)
        case Negation(part):
            return _is_about_no_id(scope, part)
        case Comparison() | Membership() | MultiPick():
            return scope.column(condition.path).field.kind not in _ID_KINDS
    return False


def _indexed(
    scope: Scope, path: Path, options: tuple[Literal, ...] | Query
) -> tuple[str, list[Value]] | None:
    column = scope.column(path)
    table = scope.org.table(scope.sobject.name)
    if not column.is_own or not table.has_index(column.field.name):
        return None
    if isinstance(options, Query):
        return column.field.name, list(_inner_values(scope, options))
    if any(option.value is None for option in options):
        return None
    return column.field.name, [_fitted(scope, column, option) for option in options]


def _comparison(scope: Scope, test: Comparison) -> Predicate:
    column = scope.filterable(test.path)
    value_of = column.value
    if test.operator == "LIKE":
        pattern = like_pattern(str(test.literal.value))
        return lambda row: pattern.fullmatch(str(value_of(row) or "")) is not None
    if test.literal.kind == "days":
        return _on_days(scope, column, test)
    wanted = _fitted(scope, column, test.literal)
    if test.operator in _ORDERED:
        return partial(_is_ordered, value_of, _ORDERED[test.operator], wanted)
    if test.operator not in {"=", "!="}:
        raise pointed(
            scope.query.text, test.path.at, "MALFORMED_QUERY", f"bad operator {test.operator}"
        )
    is_equal = test.operator == "="
    # Null differs from every value, as it does for Salesforce (and not in SQL).
    return lambda row: (_folded(column, value_of(row)) == wanted) is is_equal


def _is_ordered(
    value_of: Callable[[Row], Value],
    compare: Callable[[Any, Any], bool],
    wanted: Value,
    row: Row,
) -> bool:
    value = value_of(row)
    if value is None or wanted is None:
        return False
    # Text ignores case, but ids, which are told apart by it, do not.
    if isinstance(value, str) and long_id(wanted) is None:
        value = value.casefold()
    return compare(value, wanted)


def _membership(scope: Scope, test: Membership) -> Predicate:
    column = scope.filterable(test.path)
    value_of, is_wanted = column.value, not test.is_negated
    if isinstance(test.options, Query):
        options = set(_inner_values(scope, test.options))
    else:
        options = {_fitted(scope, column, option) for option in test.options}
    return lambda row: (_folded(column, value_of(row)) in options) is is_wanted


def _inner_values(scope: Scope, query: Query) -> Iterable[Value]:
    """Return what the query in ``IN (SELECT …)`` selects."""
    inner = open_scope(scope.org, scope.user_id, query)
    head = query.columns[0]
    if len(query.columns) != 1 or not isinstance(head, Path):
        message = "only one field can be selected in an inner query"
        raise pointed(query.text, query.source_at, "MALFORMED_QUERY", message)
    refuse_unkeyed(inner)
    column, test = inner.column(head), predicate(inner, query.where)
    return {
        column.value(row)
        for row in candidates(inner, query.where)
        if not row.get("IsDeleted") and test(row)
    }


def _multi_pick(scope: Scope, test: MultiPick) -> Predicate:
    column = scope.filterable(test.path)
    if column.field.kind is not Kind.MULTIPICKLIST:
        message = f"INCLUDES and EXCLUDES need a multi-select picklist, not '{test.path}'"
        raise pointed(scope.query.text, test.path.at, "INVALID_FIELD", message)
    groups = [frozenset(str(option.value).split(";")) for option in test.options]
    is_wanted, value_of = not test.is_negated, column.value

    def meets(row: Row) -> bool:
        chosen = frozenset(str(value_of(row) or "").split(";"))
        return any(group <= chosen for group in groups) is is_wanted

    return meets


def _fitted(scope: Scope, column: Column, literal: Literal) -> Value:
    """Return a literal as values of the column compare.

    Raises:
        Refusal: INVALID_FIELD if the literal is of another type than the field.
    """
    kind = column.field.kind
    if literal.kind == "null":
        return None
    if kind in _ID_KINDS:
        full = long_id(literal.value)
        if full is None:
            message = f"invalid ID field: {literal.value}"
            raise Refusal(400, "INVALID_QUERY_FILTER_OPERATOR", message)
        return full
    if literal.kind not in _FITTING.get(kind, frozenset({"string"})):
        raise _misfit(scope, column, literal)
    return literal.value.casefold() if isinstance(literal.value, str) else literal.value


def _misfit(scope: Scope, column: Column, literal: Literal) -> Refusal:
    wanted = _WANTED.get(column.field.kind, "string")
    quotes = "should be enclosed" if wanted == "string" else "should not be enclosed"
    message = (
        f"value of filter criterion for field '{column.field.name}' must be of type {wanted} "
        f"and {quotes} in quotes"
    )
    return pointed(scope.query.text, literal.at, "INVALID_FIELD", message)


def _folded(column: Column, value: Value) -> Value:
    if isinstance(value, str) and column.field.kind not in _ID_KINDS:
        return value.casefold()
    return value


def _on_days(scope: Scope, column: Column, test: Comparison) -> Predicate:
    """Compare with a span of whole days, in UTC (a real org uses the user's time zone)."""
    start, end = _span(scope.org.now().date(), test.literal)
    value_of = column.value
    tests: dict[str, Callable[[datetime], bool]] = {
        "=": lambda moment: start <= moment < end,
        "!=": lambda moment: not start <= moment < end,
        "<": lambda moment: moment < start,
        "<=": lambda moment: moment < end,
        ">": lambda moment: moment >= end,
        ">=": lambda moment: moment >= start,
    }
    compare = tests[test.operator]

    def meets(row: Row) -> bool:
        value = value_of(row)
        if isinstance(value, date) and not isinstance(value, datetime):
            value = _midnight(value)
        return isinstance(value, datetime) and compare(value)

    return meets


def _span(today: date, literal: Literal) -> tuple[datetime, datetime]:
    days = int(literal.value) if isinstance(literal.value, int | float) else 0
    first, last = today + timedelta(days=days), today + timedelta(days=days + 1)
    word = literal.text.upper()
    if word == "LAST_N_DAYS":
        last = today + timedelta(days=1)
    if word == "NEXT_N_DAYS":
        first = today + timedelta(days=1)
    return _midnight(first), _midnight(last)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
