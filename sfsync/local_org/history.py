"""CaseHistory: who changed which tracked field, from what, to what."""

from sfsync.local_org.ids import long_id
from sfsync.local_org.moments import Value
from sfsync.local_org.schema import Field, Kind, SObject
from sfsync.local_org.state import Change, OrgState
from sfsync.local_org.tables import Row

HISTORY_LENGTH = 255
"""Old and new values are cut to this."""


def history_changes(
    org: OrgState, sobject: SObject, before: Row, changed: Row, user_id: str
) -> list[Change]:
    """Return the history rows of one update; none for fields that stay as they are.

    A lookup gives two rows (names, then ids). Long text and multi-select picklists give a
    row without values: one can see that they changed, never from what to what.
    """
    if sobject.name != "Case":
        return []
    changes = []
    for field in sobject.fields:
        if not field.is_tracked or field.name not in changed:
            continue
        old, new = before.get(field.name), changed[field.name]
        if old == new:
            continue
        for old_shown, new_shown in _shown(org, field, old, new):
            row = _row(org, field, old_shown, new_shown) | {
                "CaseId": before["Id"],
                "CreatedById": user_id,
            }
            history_id = org.table("CaseHistory").reserve_id()
            changes.append(Change("CaseHistory", history_id, row))
    return changes


def _shown(org: OrgState, field: Field, old: Value, new: Value) -> list[tuple[Value, Value]]:
    if field.kind is Kind.REFERENCE:
        return [(_name_of(org, field, old), _name_of(org, field, new)), (old, new)]
    if field.is_long_text or field.kind is Kind.MULTIPICKLIST:
        return [(None, None)]
    return [(_cut(old), _cut(new))]


def _row(org: OrgState, field: Field, old: Value, new: Value) -> Row:
    is_lookup = field.kind is Kind.REFERENCE
    return {
        "IsDeleted": False,
        "CreatedDate": org.now(),
        # A lookup is named by its relationship: Owner, not OwnerId.
        "Field": field.relationship if is_lookup else field.name,
        "DataType": "EntityId" if is_lookup and new and _looks_like_id(new) else _type(field),
        "OldValue": old,
        "NewValue": new,
    }


def _type(field: Field) -> str:
    names = {Kind.MULTIPICKLIST: "MultiEnum", Kind.PICKLIST: "DynamicEnum"}
    return names.get(field.kind, "Text")


def _looks_like_id(value: Value) -> bool:
    return long_id(value) == value


def _name_of(org: OrgState, field: Field, record_id: Value) -> Value:
    for name in field.references:
        row = org.table(name).get(str(record_id))
        if row is not None:
            return row.get("Name")
    return record_id


def _cut(value: Value) -> Value:
    return value[:HISTORY_LENGTH] if isinstance(value, str) else value
