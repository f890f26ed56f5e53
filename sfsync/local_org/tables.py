"""Rows of one sObject, with indexes on the fields that point to parents."""

from collections.abc import Iterable, Iterator

from sfsync.local_org.ids import new_id
from sfsync.local_org.moments import Value
from sfsync.local_org.schema import Kind, SObject

Row = dict[str, Value]
"""Field name → value. A row is replaced, never changed, so a cursor keeps what it saw."""


class Table:
    """All rows of one sObject, deleted ones included."""

    def __init__(self, sobject: SObject) -> None:
        self.sobject = sobject
        self._rows: dict[str, Row] = {}
        self._next = 1
        self._indexes: dict[str, dict[Value, dict[str, None]]] = {
            field.name: {} for field in sobject.fields if field.kind is Kind.REFERENCE
        }

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def reserve_id(self) -> str:
        """Return the id for the next row."""
        record_id = new_id(self.sobject.prefix, self._next)
        self._next += 1
        return record_id

    def get(self, record_id: str) -> Row | None:
        return self._rows.get(record_id)

    def put(self, record_id: str, values: Row) -> Row:
        """Merge values into the row of that id, or make it; return the new row."""
        before = self._rows.get(record_id)
        row = {**before, **values} if before else {"Id": record_id, **values}
        for name, index in self._indexes.items():
            old, new = before.get(name) if before else None, row.get(name)
            if old == new:
                continue
            if old is not None:
                index[old].pop(record_id, None)
            if new is not None:
                index.setdefault(new, {})[record_id] = None
        self._rows[record_id] = row
        return row

    def restore(self, record_id: str, row: Row | None) -> None:
        """Make the row of that id what it was before; None: there was none."""
        present = self._rows.pop(record_id, {})
        for name, index in self._indexes.items():
            if present.get(name) is not None:
                index[present[name]].pop(record_id, None)
            if row and row.get(name) is not None:
                index.setdefault(row[name], {})[record_id] = None
        if row is not None:
            self._rows[record_id] = row

    def has_index(self, name: str) -> bool:
        """Return whether ``find`` can look rows up by that field."""
        return name == "Id" or name in self._indexes

    def find(self, name: str, values: Iterable[Value]) -> list[Row]:
        """Return the rows whose indexed field holds one of the values, in order of making."""
        if name == "Id":
            return [
                self._rows[value]
                for value in dict.fromkeys(values)
                if isinstance(value, str) and value in self._rows
            ]
        index = self._indexes[name]
        return [
            self._rows[record_id]
            for value in dict.fromkeys(values)
            for record_id in index.get(value, ())
        ]
