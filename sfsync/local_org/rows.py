"""sObject rows: one record at a time over REST."""

from collections.abc import Iterable
from datetime import datetime

from sfsync.local_org.checking import known_fields
from sfsync.local_org.errors import Refusal
from sfsync.local_org.moments import from_http_date, on_the_wire, to_second
from sfsync.local_org.schema import SObject
from sfsync.local_org.selecting import attributes
from sfsync.local_org.state import OrgState
from sfsync.local_org.tables import Row
from sfsync.local_org.wire import Request

NOT_MODIFIED, PRECONDITION_FAILED = 304, 412


def shaped(
    org: OrgState, user_id: str, sobject: SObject, row: Row, names: Iterable[str]
) -> dict[str, object]:
    """Return a row with the named fields, or all the user may read where none is named.

    Raises:
        Refusal: INVALID_FIELD for a field that is not there or may not be read.
    """
    body: dict[str, object] = {"attributes": attributes(sobject.name, str(row["Id"]))}
    wanted = list(known_fields(sobject, names).values())
    for field in wanted:
        if not org.access.can_read(user_id, sobject, field):
            message = f"No such column '{field.name}' on sobject of type {sobject.name}"
            raise Refusal(400, "INVALID_FIELD", message)
    chosen = wanted or [
        one for one in sobject.fields if org.access.can_read(user_id, sobject, one)
    ]
    return body | {one.name: on_the_wire(row.get(one.name)) for one in chosen}


def refuse_if_modified(request: Request, row: Row) -> None:
    """Refuse a write by ``If-Unmodified-Since``, to the second.

    The body of the refusal is our guess; the vendor documents the status alone.

    Raises:
        Refusal: 412 if the row changed after that moment, 400 for a date that is none.
    """
    text = request.headers.get("if-unmodified-since")
    if text and _last_modified(row) > _moment(text):
        message = "The record was modified since the given date"
        raise Refusal(PRECONDITION_FAILED, "PRECONDITION_FAILED", message)


def is_unmodified(request: Request, row: Row) -> bool:
    """Return whether ``If-Modified-Since`` lets a read end with 304."""
    text = request.headers.get("if-modified-since")
    return bool(text) and _last_modified(row) <= _moment(str(text))


def _moment(text: str) -> datetime:
    try:
        return from_http_date(text)
    except (ValueError, TypeError) as broken:
        raise Refusal(400, "INVALID_ARGUMENT", f"not an HTTP date: {text}") from broken


def _last_modified(row: Row) -> datetime:
    moment = row.get("LastModifiedDate") or row.get("CreatedDate")
    if not isinstance(moment, datetime):
        raise TypeError(f"a row without its stamps: {row['Id']}")
    return to_second(moment)
