"""Running a query: choose rows, sort them, and shape them as Salesforce does."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from sfsync.local_org.columns import Scope, invalid_type, open_scope
from sfsync.local_org.errors import Refusal
from sfsync.local_org.filtering import candidates, predicate, refuse_unkeyed
from sfsync.local_org.moments import Value, on_the_wire
from sfsync.local_org.schema import Field, SObject
from sfsync.local_org.soql_tree import Aggregate, Order, Path, Query, pointed
from sfsync.local_org.state import OrgState
from sfsync.local_org.summing import summed
from sfsync.local_org.tables import Row

Json = dict[str, object]
MOST_OFFSET = 2_000


@dataclass(frozen=True, slots=True)
class Selection:
    """What a query found: rows not yet shaped, and the shape they get."""

    rows: Sequence[object]
    shape: Callable[[object], Json]
    long_texts: int
    """How many long custom text fields are selected; two or more make pages small."""


def select(org: OrgState, user_id: str, query: Query, *, with_deleted: bool) -> Selection:
    """Return the rows of a query, in order.

    Raises:
        Refusal: the query names something the org or the user does not have.
    """
    scope = open_scope(org, user_id, query)
    refuse_unkeyed(scope)
    if query.is_aggregate and not query.counts_only:
        rows = _matching(scope, with_deleted=with_deleted)
        return Selection(summed(scope, rows), lambda row: row, 0)  # type: ignore[arg-type,return-value]  # summed rows are shaped already
    shape = _Shape(scope, scope.sobject)
    if not query.counts_only:
        for column in query.columns:
            shape.add(column)
    found = _matching(scope, with_deleted=with_deleted)
    rows = _cut(query, _sorted(scope, found))
    return Selection(rows, shape, shape.long_texts)  # type: ignore[arg-type]  # rows are Rows here


def _matching(scope: Scope, *, with_deleted: bool) -> list[Row]:
    test = predicate(scope, scope.query.where)
    return [
        row
        for row in candidates(scope, scope.query.where)
        if (with_deleted or not row.get("IsDeleted")) and test(row)
    ]


def _cut(query: Query, rows: list[Row]) -> list[Row]:
    if query.offset > MOST_OFFSET:
        message = f"Maximum SOQL offset allowed is {MOST_OFFSET}"
        raise Refusal(400, "NUMBER_OUTSIDE_VALID_RANGE", message)
    end = None if query.limit is None else query.offset + query.limit
    return rows[query.offset : end]


def _sorted(scope: Scope, rows: list[Row]) -> list[Row]:
    for order in reversed(scope.query.order):
        rows = _sorted_by(scope, order, rows)
    return rows


def _sorted_by(scope: Scope, order: Order, rows: Iterable[Row]) -> list[Row]:
    column = scope.sortable(order.path)
    ignores_case = column.field.kind not in {"id", "reference"}

    def key(pair: tuple[Value, Row]) -> Value:
        value = pair[0]
        return value.casefold() if isinstance(value, str) and ignores_case else value

    pairs = [(column.value(row), row) for row in rows]
    empty = [row for value, row in pairs if value is None]
    filled = sorted(
        (pair for pair in pairs if pair[0] is not None),
        key=key,  # type: ignore[arg-type]  # one column holds one type
        reverse=order.is_descending,
    )
    present = [row for _, row in filled]
    return present + empty if order.has_nulls_last else empty + present


@dataclass(frozen=True, slots=True)
class _Children:
    """A child subquery, understood once and run for every row."""

    scope: Scope
    shape: "_Shape"
    pointer: str
    """Field of the child that holds the parent's id."""

    def of(self, row: Row) -> Json | None:
        """Return the children of a row, None where there are none (not known for sure)."""
        test = predicate(self.scope, self.scope.query.where)
        rows = [
            one
            for one in self.scope.org.table(self.scope.sobject.name).find(
                self.pointer, [row["Id"]]
            )
            if not one.get("IsDeleted") and test(one)
        ]
        rows = _cut(self.scope.query, _sorted(self.scope, rows))
        if not rows:
            return None
        records = [self.shape(one) for one in rows]
        return {"totalSize": len(records), "done": True, "records": records}


@dataclass(slots=True)
class _Shape:
    """How one row becomes JSON: its own fields, its parents, its children."""

    scope: Scope
    sobject: SObject
    names: list[str] = field(default_factory=list)
    parents: dict[str, tuple[Field, "_Shape"]] = field(default_factory=dict)
    children: dict[str, _Children] = field(default_factory=dict)
    long_texts: int = 0

    def add(self, column: Path | Aggregate | Query) -> None:
        if isinstance(column, Query):
            self._add_children(column)
        elif isinstance(column, Path):
            self.add_path(column, column.names, self.scope.column(column).field)
        else:
            message = "COUNT() must be the only element in the select list"
            raise pointed(self.scope.query.text, column.at, "MALFORMED_QUERY", message)

    def add_path(self, path: Path, names: tuple[str, ...], field: Field) -> None:
        """Add a field of the row, or of a parent some steps away."""
        self.long_texts += field.is_long_text and field.is_custom
        if len(names) > 1 and names[0].lower() == self.sobject.name.lower():
            names = names[1:]
        if len(names) > 1:
            reference, target = self.scope.parent(self.sobject, names[0], path)
            fresh = (reference, _Shape(self.scope, target))
            _, parent = self.parents.setdefault(reference.relationship, fresh)
            parent.add_path(path, names[1:], field)
            return
        if field.name in self.names:
            message = f"duplicate field selected: {field.name}"
            raise pointed(self.scope.query.text, path.at, "MALFORMED_QUERY", message)
        self.names.append(field.name)

    def _add_children(self, query: Query) -> None:
        wanted = query.source.lower()
        for relationship, (child, pointer) in self.sobject.children.items():
            if relationship.lower() == wanted and self.scope.org.schema.find(child):
                inner = replace(query, source=child)
                scope = open_scope(self.scope.org, self.scope.user_id, inner)
                shape = _Shape(scope, scope.sobject)
                for column in query.columns:
                    shape.add(column)
                # Tried here, so that a mistake shows even where no row has children.
                predicate(scope, inner.where)
                self.children[relationship] = _Children(scope, shape, pointer)
                return
        raise invalid_type(query)

    def __call__(self, row: Row) -> Json:
        record_id = str(row["Id"])
        shaped: Json = {"attributes": attributes(self.sobject.name, record_id)}
        for name in self.names:
            shaped[name] = on_the_wire(row.get(name))
        for relationship, (reference, shape) in self.parents.items():
            parent = self.scope.parent_row(reference, row)
            shaped[relationship] = None if parent is None else shape(parent)
        for relationship, children in self.children.items():
            shaped[relationship] = children.of(row)
        return shaped


def attributes(sobject: str, record_id: str) -> Json:
    """Return the ``attributes`` of a row. A parent of several types is typed ``Name``."""
    owner = _OWNERS.get(record_id[:3], sobject) if sobject == "Name" else sobject
    url = f"/services/data/v66.0/sobjects/{owner}/{record_id}"
    return {"type": sobject, "url": url}


_OWNERS = {"005": "User", "00G": "Group", "500": "Case", "003": "Contact", "01t": "Product2"}
