"""COUNT, MIN, MAX, SUM, AVG and GROUP BY."""

from collections.abc import Sequence

from sfsync.local_org.columns import Scope
from sfsync.local_org.moments import Value, on_the_wire
from sfsync.local_org.soql_tree import Aggregate, Path, pointed
from sfsync.local_org.tables import Row


def summed(scope: Scope, rows: Sequence[Row]) -> list[dict[str, object]]:
    """Return one AggregateResult per group; one in all without GROUP BY.

    Raises:
        Refusal: MALFORMED_QUERY if a selected field is not grouped.
    """
    query = scope.query
    grouping = [scope.column(path) for path in query.grouping]
    groups: dict[tuple[Value, ...], list[Row]] = {} if grouping else {(): []}
    for row in rows:
        groups.setdefault(tuple(one.value(row) for one in grouping), []).append(row)
    results = [_result(scope, members) for members in groups.values()]
    return results[: query.limit]


def _result(scope: Scope, rows: Sequence[Row]) -> dict[str, object]:
    result: dict[str, object] = {"attributes": {"type": "AggregateResult"}}
    grouped = {str(path).lower() for path in scope.query.grouping}
    unnamed = 0
    for column in scope.query.columns:
        if isinstance(column, Aggregate):
            name = column.alias or f"expr{unnamed}"
            unnamed += not column.alias
            result[name] = on_the_wire(_aggregate(scope, column, rows))
        elif isinstance(column, Path) and str(column).lower() in grouped:
            found = scope.column(column)
            result[found.field.name] = on_the_wire(found.value(rows[0]))
        else:
            at = column.at if isinstance(column, Path) else column.source_at
            message = "Field must be grouped or aggregated"
            raise pointed(scope.query.text, at, "MALFORMED_QUERY", message)
    return result


def _aggregate(scope: Scope, column: Aggregate, rows: Sequence[Row]) -> Value:
    if column.path is None:
        return len(rows)
    found = scope.column(column.path)
    values = [value for row in rows if (value := found.value(row)) is not None]
    if column.function == "COUNT":
        return len(values)
    if column.function == "COUNT_DISTINCT":
        return len(set(values))
    if not values:
        return None
    if column.function in {"MIN", "MAX"}:
        best = min if column.function == "MIN" else max
        return best(values)
    total = sum(value for value in values if isinstance(value, int | float))
    return total if column.function == "SUM" else total / len(values)
