"""getUpdated and getDeleted: what changed in a window, and up to when that is complete."""

from datetime import datetime, timedelta

from sfsync.local_org.errors import Refusal, not_found
from sfsync.local_org.moments import stamp, to_minute
from sfsync.local_org.schema import SObject
from sfsync.local_org.state import MINUTE, OrgState
from sfsync.local_org.tables import Row

MOST_DAYS = timedelta(days=30)
DELETED_DAYS = timedelta(days=15)
MOST_IDS = 600_000


def updated(
    org: OrgState, sobject: SObject, start: datetime, end: datetime
) -> dict[str, object]:
    """Return ids of rows whose SystemModstamp lies in the window, and the date covered.

    Both ends are cut to the minute. The date covered is never later than the org's clock
    or the start of the earliest transaction still in flight, so a client that continues
    from it misses nothing.

    Raises:
        Refusal: INVALID_REPLICATION_DATE, EXCEEDED_ID_LIMIT or 404 for an sObject that
            cannot be replicated.
    """
    start, end = _window(org, sobject, start, end, MOST_DAYS)
    ids = [
        row["Id"]
        for row in org.table(sobject.name)
        if not row["IsDeleted"] and _in_window(row, start, end)
    ]
    if len(ids) > MOST_IDS:
        raise Refusal(400, "EXCEEDED_ID_LIMIT", "too many ids returned from getUpdated")
    return {"ids": ids, "latestDateCovered": stamp(_covered(org, end))}


def deleted(
    org: OrgState, sobject: SObject, start: datetime, end: datetime
) -> dict[str, object]:
    """Return rows deleted in the window, at most 15 days back.

    Raises:
        Refusal: as ``updated``.
    """
    start, end = _window(org, sobject, start, end, DELETED_DAYS)
    rows = [
        {"id": row["Id"], "deletedDate": stamp(moment)}
        for row in org.table(sobject.name)
        if row["IsDeleted"]
        and isinstance(moment := row["SystemModstamp"], datetime)
        and start <= moment < end
    ]
    return {
        "deletedRecords": rows,
        "earliestDateAvailable": stamp(to_minute(org.now() - DELETED_DAYS)),
        "latestDateCovered": stamp(_covered(org, end)),
    }


def _window(
    org: OrgState, sobject: SObject, start: datetime, end: datetime, reach: timedelta
) -> tuple[datetime, datetime]:
    if not sobject.is_replicateable:
        raise not_found()
    start, end = to_minute(start), to_minute(end)
    if end - start < MINUTE:
        message = "endDate must be at least one minute greater than startDate"
        raise Refusal(400, "INVALID_REPLICATION_DATE", message)
    if start < to_minute(org.now() - reach):
        message = f"startDate cannot be more than {reach.days} days ago"
        raise Refusal(400, "INVALID_REPLICATION_DATE", message)
    return start, end


def _in_window(row: Row, start: datetime, end: datetime) -> bool:
    moment = row.get("SystemModstamp", row["CreatedDate"])
    return isinstance(moment, datetime) and start <= moment < end


def _covered(org: OrgState, end: datetime) -> datetime:
    in_flight = None if org.faults.forgets_in_flight else org.earliest_in_flight()
    return to_minute(min(end, org.now(), in_flight or end))
