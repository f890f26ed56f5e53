"""From Salesforce's JSON to the nouns of the edge; pure functions."""

from collections.abc import Container, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from classifier.engine.intake import cleaned
from sfsync.cases import (
    CaseSnapshot,
    Changes,
    FieldChange,
    FieldDescription,
    PicklistEntry,
    SObjectDescription,
    Stamp,
    User,
)

QUEUE_PREFIX = "00G"
"""Ids of queues begin so (key prefix of Group); users' begin with 005."""
NEEDED = ("Id", "CaseNumber", "Status", "IsClosed", "CreatedDate", "SystemModstamp")
LAST_MODIFIED = "LastModifiedDate"
ROLES = "Owner.UserRole"
"""Among the present fields of a Case: our user may read roles, by which people have a team."""
# What an org may lack or hide from us: describe says which are there, and what we then select.
OPTIONAL = {
    "Subject": ("Subject",),
    "Description": ("Description",),
    "Origin": ("Origin",),
    "Priority": ("Priority",),
    "OwnerId": ("OwnerId", "Owner.Name"),
    ROLES: ("Owner.UserRole.Name",),
    "RecordTypeId": ("RecordType.DeveloperName",),
    "Language": ("Language",),
    "Product__c": ("Product__c",),
    "ProductId": ("Product.Name",),
}


def case_fields(present: Container[str], extra: Sequence[str]) -> tuple[str, ...]:
    """Return what to select of a Case in an org whose Case has the fields ``present``."""
    optional = [
        field for name, selected in OPTIONAL.items() if name in present for field in selected
    ]
    return tuple(dict.fromkeys((*NEEDED, *optional, *extra)))


def to_snapshot(row: Mapping[str, Any], extra: Sequence[str]) -> CaseSnapshot:
    """Return a Case as read; ``extra`` names the admin's fields among the columns."""
    owner_id = text(row.get("OwnerId"))
    owner_name = text(related(row, "Owner", "Name"))
    return CaseSnapshot(
        case_id=row["Id"],
        case_number=text(row["CaseNumber"]),
        subject=text(row.get("Subject")),
        description=text(row.get("Description")),
        status=text(row["Status"]),
        is_closed=bool(row["IsClosed"]),
        origin=text(row.get("Origin")),
        priority=text(row.get("Priority")),
        record_type=text(related(row, "RecordType", "DeveloperName")),
        owner_id=owner_id,
        owner_name=owner_name,
        queue=owner_name if owner_id.startswith(QUEUE_PREFIX) else "",
        team=text(related(row.get("Owner") or {}, "UserRole", "Name")),
        language=text(row.get("Language")),
        product=text(row.get("Product__c")) or text(related(row, "Product", "Name")),
        created_at=moment(row["CreatedDate"]),
        modstamp=moment(row["SystemModstamp"]),
        extra={name: text(row[name]) for name in extra},
    )


def to_stamp(row: Mapping[str, Any], case_field: str) -> Stamp:
    return Stamp(row["Id"], row[case_field], moment(row["SystemModstamp"]))


def to_field_change(row: Mapping[str, Any]) -> FieldChange:
    """Return a row of CaseHistory; its values are of any type."""
    old, new = (
        None if row[name] is None else text(row[name]) for name in ("OldValue", "NewValue")
    )
    return FieldChange(
        history_id=row["Id"],
        case_id=row["CaseId"],
        field=row["Field"],
        old=old,
        new=new,
        by=text(row["CreatedById"]),
        at=moment(row["CreatedDate"]),
    )


def to_user(row: Mapping[str, Any]) -> User:
    return User(row["Id"], text(row["Name"]), text(row["Username"]), text(row["UserType"]))


def to_changes(answer: Mapping[str, Any], kind: str) -> Changes:
    """Return what getUpdated (``kind`` "updated") or getDeleted ("deleted") said."""
    if kind == "updated":
        ids = tuple(answer["ids"])
    else:
        ids = tuple(record["id"] for record in answer["deletedRecords"])
    return Changes(ids, moment(answer["latestDateCovered"]))


def to_description(name: str, answer: Mapping[str, Any]) -> SObjectDescription:
    return SObjectDescription(
        name,
        {field["name"]: _to_field(field) for field in answer["fields"]},
        is_replicateable=bool(answer.get("replicateable", True)),
    )


def _to_field(field: Mapping[str, Any]) -> FieldDescription:
    values = field.get("picklistValues") or ()
    return FieldDescription(
        name=field["name"],
        type=field["type"],
        length=int(field.get("length") or 0),
        is_updateable=bool(field.get("updateable")),
        is_restricted=bool(field.get("restrictedPicklist")),
        picklist_values=tuple(value["value"] for value in values if value.get("active", True)),
        label=text(field.get("label")),
        entries=tuple(
            PicklistEntry(
                value["value"],
                text(value.get("label")) or value["value"],
                bool(value.get("active", True)),
            )
            for value in values
        ),
        controller=text(field.get("controllerName")),
        is_filterable=bool(field.get("filterable", True)),
    )


def text(value: object) -> str:
    """Return a field's value as text that a database can hold; empty where there is none."""
    return "" if value is None else cleaned(str(value))


def related(row: Mapping[str, Any], relation: str, name: str) -> Any:
    """Return a field of a parent record, or None where there is no parent."""
    parent = row.get(relation)
    return parent.get(name) if parent else None


def moment(value: str) -> datetime:
    """Return Salesforce's ``2022-03-17T16:21:26.000+0000`` as an aware datetime in UTC.

    Raises:
        ValueError: it is not one.
    """
    return datetime.fromisoformat(value).astimezone(UTC)
