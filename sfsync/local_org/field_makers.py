"""Short ways to write down a field, with the defaults that most fields of an org share."""

from sfsync.local_org.schema import Field, Kind, PicklistValue, SObject

MULTIPICKLIST_LENGTH = 4099
"""Describe gives this length for every multi-select picklist."""
_USERS = ("User",)


def moment(name: str, label: str) -> Field:
    return Field(name, Kind.DATETIME, label=label)


def flag(name: str, label: str) -> Field:
    return Field(name, Kind.BOOLEAN, label=label)


def whole(name: str, label: str) -> Field:
    return Field(name, Kind.INT, label=label)


def picklist(name: str, *values: str, length: int = 40, label: str = "") -> Field:
    """Return an unrestricted picklist, as the standard ones of Case are."""
    options = tuple(PicklistValue(value, value) for value in values)
    return Field(name, Kind.PICKLIST, label=label or name, length=length, values=options)


def text(name: str, length: int = 255, label: str = "", *, is_required: bool = False) -> Field:
    return Field(name, Kind.STRING, label=label or name, length=length, is_required=is_required)


def area(name: str, length: int, label: str = "") -> Field:
    return Field(name, Kind.TEXTAREA, label=label or name, length=length)


def parent(
    name: str,
    *references: str,
    label: str = "",
    tracked: bool = False,
    required: bool = False,
) -> Field:
    """Return a lookup; ``Case__c`` is walked as ``Case__r``, ``CaseId`` as ``Case``."""
    is_custom = name.endswith("__c")
    return Field(
        name,
        Kind.REFERENCE,
        label=label or name,
        length=18,
        references=references,
        relationship=f"{name[:-1]}r" if is_custom else name.removesuffix("Id"),
        is_tracked=tracked,
        is_required=required,
    )


def read_only(
    name: str, kind: Kind, length: int = 0, *, is_sortable_only: bool = False
) -> Field:
    return Field(
        name,
        kind,
        label=name,
        length=length,
        is_createable=False,
        is_updateable=False,
        is_sortable_only=is_sortable_only,
    )


def user_field(name: str) -> Field:
    return Field(
        name,
        Kind.REFERENCE,
        label=name,
        length=18,
        references=_USERS,
        relationship=name.removesuffix("Id"),
        is_createable=False,
        is_updateable=False,
    )


def audit() -> tuple[Field, ...]:
    return (
        read_only("Id", Kind.ID, 18),
        read_only("IsDeleted", Kind.BOOLEAN),
        read_only("CreatedDate", Kind.DATETIME),
        user_field("CreatedById"),
        read_only("LastModifiedDate", Kind.DATETIME),
        user_field("LastModifiedById"),
        read_only("SystemModstamp", Kind.DATETIME),
    )


def with_stamps(sobject: SObject, *fields: Field) -> SObject:
    """Return the sObject with the audit fields that nearly all have, and these."""
    sobject.add(audit())
    sobject.add(fields)
    return sobject
