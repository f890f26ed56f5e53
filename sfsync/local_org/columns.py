"""From a path in a query to a field and the way to its value."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sfsync.local_org.errors import Refusal
from sfsync.local_org.field_makers import parent
from sfsync.local_org.moments import Value
from sfsync.local_org.schema import Field, Kind, SObject
from sfsync.local_org.soql_tree import Path, Query, pointed
from sfsync.local_org.state import OrgState
from sfsync.local_org.tables import Row

NO_SUCH_COLUMN = (
    "No such column '{}' on sobject of type {}. If you are attempting to use a custom field, "
    "be sure to append the '__c' after the custom field name. Please reference your WSDL or "
    "the describe call for the appropriate names."
)
NO_SUCH_RELATIONSHIP = "Didn't understand relationship '{}' in field path. {}"
_APPEND_R = (
    "If you are attempting to use a custom relationship, be sure to append the '__r' after "
    "the custom relationship name. Please reference your WSDL or the describe call for the "
    "appropriate names."
)


def _name_object() -> SObject:
    """Return what a parent of several types looks like: the fields owners share."""
    shared = SObject("Name", "")
    shared.add(
        Field(name, Kind.STRING, length=255)
        for name in ("Name", "Type", "FirstName", "LastName", "Username", "Email", "Alias")
    )
    shared.add([Field("Id", Kind.ID, length=18), Field("IsActive", Kind.BOOLEAN)])
    shared.add([parent("UserRoleId", "UserRole")])
    return shared


NAME = _name_object()


@dataclass(frozen=True, slots=True)
class Column:
    """A path understood: its field and how to get its value from a row."""

    path: Path
    field: Field
    value: Callable[[Row], Value]
    is_own: bool
    """Whether the field is of the row itself, not of a parent."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Names of one query: the sObject it reads, and whose eyes it reads with."""

    org: OrgState
    user_id: str
    query: Query
    sobject: SObject

    def column(self, path: Path) -> Column:
        """Return the column of a path.

        Raises:
            Refusal: INVALID_FIELD, also for fields that the user may not read.
        """
        owner, steps = self._walk(path)
        field = owner.find(path.names[-1])
        if field is None or not self._is_visible(owner, field):
            message = NO_SUCH_COLUMN.format(path.names[-1], owner.name)
            raise pointed(self.query.text, path.at, "INVALID_FIELD", message)
        name = field.name
        if not steps:
            return Column(path, field, lambda row: row.get(name), is_own=True)
        return Column(path, field, lambda row: self._far(row, steps, name), is_own=False)

    def filterable(self, path: Path) -> Column:
        """Return a column that may stand in WHERE.

        Raises:
            Refusal: INVALID_FIELD for long texts and the like.
        """
        column = self.column(path)
        if not column.field.is_filterable:
            message = f"field '{column.field.name}' can not be filtered in a query call"
            raise pointed(self.query.text, path.at, "INVALID_FIELD", message)
        return column

    def sortable(self, path: Path) -> Column:
        """Return a column that may stand in ORDER BY.

        Raises:
            Refusal: INVALID_FIELD for long texts and multi-select picklists.
        """
        column = self.column(path)
        if not column.field.is_sortable:
            message = f"field '{column.field.name}' can not be sorted in a query call"
            raise pointed(self.query.text, path.at, "INVALID_FIELD", message)
        return column

    def parent(self, sobject: SObject, relationship: str, path: Path) -> tuple[Field, SObject]:
        """Return the reference field and the sObject behind a relationship name.

        Raises:
            Refusal: INVALID_FIELD if there is no such relationship.
        """
        field = sobject.find_parent(relationship)
        if field is None:
            message = NO_SUCH_RELATIONSHIP.format(relationship, _APPEND_R)
            raise pointed(self.query.text, path.at, "INVALID_FIELD", message)
        if len(field.references) > 1:
            return field, NAME
        target = self.org.schema.find(field.references[0])
        if target is None:
            message = NO_SUCH_RELATIONSHIP.format(relationship, _APPEND_R)
            raise pointed(self.query.text, path.at, "INVALID_FIELD", message)
        return field, target

    def parent_row(self, field: Field, row: Row) -> Row | None:
        """Return the row a reference points to, None where it is empty."""
        record_id = row.get(field.name)
        if record_id is None:
            return None
        tables = self.org.tables
        if len(field.references) == 1:
            return tables[field.references[0]].get(str(record_id))
        for name in field.references:
            found = tables[name].get(str(record_id))
            if found is not None:
                # A queue says so itself; all others are named by their sObject.
                is_group = name == "Group"
                shown = found.get("Name", found.get("CaseNumber"))
                return {**found, "Type": found["Type"] if is_group else name, "Name": shown}
        return None

    def _walk(self, path: Path) -> tuple[SObject, tuple[Field, ...]]:
        sobject, steps = self.sobject, []
        names: Iterable[str] = path.names[:-1]
        if len(path.names) > 1 and path.names[0].lower() == self.sobject.name.lower():
            names = path.names[1:-1]
        for relationship in names:
            field, sobject = self.parent(sobject, relationship, path)
            steps.append(field)
        return sobject, tuple(steps)

    def _far(self, row: Row, steps: tuple[Field, ...], name: str) -> Value:
        found = row
        for field in steps:
            parent = self.parent_row(field, found)
            if parent is None:
                return None
            found = parent
        return found.get(name)

    def _is_visible(self, owner: SObject, field: Field) -> bool:
        return owner is NAME or self.org.access.can_read(self.user_id, owner, field)


def open_scope(org: OrgState, user_id: str, query: Query) -> Scope:
    """Return the scope of a query over an sObject.

    Raises:
        Refusal: INVALID_TYPE if the org has no such sObject.
    """
    sobject = org.schema.find(query.source)
    if sobject is None:
        raise invalid_type(query)
    return Scope(org, user_id, query, sobject)


def invalid_type(query: Query) -> Refusal:
    """Return the refusal for an sObject or child relationship that does not exist."""
    message = (
        f"sObject type '{query.source}' is not supported. If you are attempting to use a "
        "custom object, be sure to append the '__c' after the entity name. Please reference "
        "your WSDL or the describe call for the appropriate names."
    )
    return pointed(query.text, query.source_at, "INVALID_TYPE", message)
