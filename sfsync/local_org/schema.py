"""What the org knows: sObjects, their fields, and what a field may hold."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

LONG_TEXT = 255
"""A textarea beyond this length is a long text area: not filterable, not sortable."""


class Kind(StrEnum):
    """Type of a field, spelled as describe spells it."""

    ID = "id"
    STRING = "string"
    TEXTAREA = "textarea"
    PICKLIST = "picklist"
    MULTIPICKLIST = "multipicklist"
    BOOLEAN = "boolean"
    INT = "int"
    DOUBLE = "double"
    PERCENT = "percent"
    DATETIME = "datetime"
    DATE = "date"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    REFERENCE = "reference"
    ANYTYPE = "anyType"
    BASE64 = "base64"
    """Bytes kept elsewhere; a query gives the path to them."""


NUMBERS = frozenset({Kind.INT, Kind.DOUBLE, Kind.PERCENT})
MOMENTS = frozenset({Kind.DATETIME, Kind.DATE})
_UNSORTABLE = frozenset({Kind.MULTIPICKLIST, Kind.BASE64})


@dataclass(frozen=True, slots=True)
class PicklistValue:
    """One value of a picklist: what the API stores, and what people see."""

    value: str
    label: str = ""
    is_active: bool = True
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an sObject."""

    name: str
    kind: Kind
    label: str = ""
    length: int = 0
    precision: int = 0
    scale: int = 0
    values: tuple[PicklistValue, ...] = ()
    is_restricted: bool = False
    references: tuple[str, ...] = ()
    relationship: str = ""
    is_required: bool = False
    is_createable: bool = True
    is_updateable: bool = True
    is_tracked: bool = False
    is_sortable_only: bool = False
    """Sortable but not filterable, as the values of CaseHistory are."""

    @property
    def is_custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def is_long_text(self) -> bool:
        return self.kind is Kind.TEXTAREA and self.length > LONG_TEXT

    @property
    def is_filterable(self) -> bool:
        is_kept_elsewhere = self.kind is Kind.BASE64
        return not (self.is_long_text or self.is_sortable_only or is_kept_elsewhere)

    @property
    def is_sortable(self) -> bool:
        return not self.is_long_text and self.kind not in _UNSORTABLE

    @property
    def shown_as(self) -> str:
        """Label for people, as error messages name the field."""
        return self.label or self.name


@dataclass(slots=True)
class SObject:
    """One type of record. Fields can be added and taken away while the org runs."""

    name: str
    prefix: str
    label: str = ""
    is_replicateable: bool = False
    is_createable: bool = True
    is_updateable: bool = True
    is_deletable: bool = True
    children: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Child relationship name → (child sObject, its field that points here)."""
    cascades: tuple[str, ...] = ()
    """Child relationships whose rows are deleted along."""
    key_filters: tuple[str, ...] = ()
    """Lookups of which a query must name one, with = or IN; empty: any query will do."""
    _fields: dict[str, Field] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.label = self.label or self.name

    @property
    def fields(self) -> tuple[Field, ...]:
        return tuple(self._fields.values())

    def add(self, fields: Iterable[Field]) -> None:
        """Add fields, or replace those of the same name."""
        self._fields.update((one.name.lower(), one) for one in fields)

    def remove(self, name: str) -> None:
        """Take a field away, as in an org that lacks the feature. Its values stay unseen."""
        self._fields.pop(name.lower(), None)

    def find(self, name: str) -> Field | None:
        """Return the field of that name in any spelling of capitals, None if there is none."""
        return self._fields.get(name.lower())

    def find_parent(self, relationship: str) -> Field | None:
        """Return the reference field behind a relationship name such as ``Owner``."""
        wanted = relationship.lower()
        for one in self._fields.values():
            if one.relationship.lower() == wanted:
                return one
        return None


class Schema:
    """All sObjects of the org, found by name in any spelling of capitals."""

    def __init__(self, sobjects: Iterable[SObject]) -> None:
        self._sobjects = {one.name.lower(): one for one in sobjects}

    def __iter__(self) -> Iterator[SObject]:
        return iter(self._sobjects.values())

    def find(self, name: str) -> SObject | None:
        return self._sobjects.get(name.lower())

    def by_prefix(self, record_id: str) -> SObject | None:
        """Return the sObject an id belongs to, by its first three characters."""
        for one in self._sobjects.values():
            if one.prefix == record_id[:3]:
                return one
        return None

    def remove(self, name: str) -> SObject | None:
        """Take an sObject away, as in an org where the feature is off."""
        return self._sobjects.pop(name.lower(), None)
