"""Field history: which reason fields the org does not track, told by our own writes."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from classifier import leases
from sfsync.cases import FieldChange
from sfsync.field_map import Slot
from sfsync.models import Notice, WriteBack

UNTRACKED = "history-off:"
LEEWAY = timedelta(minutes=2)
"""Our clock and Salesforce's may differ, and a row of history may come late."""
WRITES_LOOKED_AT = 200


def advice(field: str) -> str:
    """Return what an operator can do about a field without history, in sentences."""
    return (
        f"Turn on field history for {field} (Setup > Object Manager > Case > Fields &"
        " Relationships > Set History Tracking): what people change there cannot be heard. Until"
        " then their word is noticed only when a new reason is about to be written."
    )


def untracked() -> list[str]:
    """Return the fields that are known to have no history."""
    notices = Notice.objects.filter(key__startswith=UNTRACKED, cleared_at=None)
    return [key.removeprefix(UNTRACKED) for key in notices.values_list("key", flat=True)]


def tell(
    slots: Mapping[str, Slot], rows: Iterable[FieldChange], *, since: datetime, until: datetime
) -> None:
    """Keep a notice for each field that we wrote in a span whose history shows nothing of it.

    ``rows``: the whole history of the fields in [since, until), our own changes included. A
    description of the org does not tell what is tracked; our own writes do, at no call.
    """
    shown = {(row.case_id, row.field) for row in rows}
    tracked = {field for _, field in shown}
    written = (
        WriteBack.objects.filter(
            outcome=WriteBack.Outcome.DELIVERED,
            handed_at=None,  # a Flow wrote it, at another time than we learnt of it
            ended_at__gte=since + LEEWAY,
            ended_at__lt=until - LEEWAY,
        )
        .exclude(sent_fields={})
        .order_by("-ended_at")
        .values_list("case_link__case_id", "sent_fields")[:WRITES_LOOKED_AT]
    )
    missing = {
        field
        for case_id, sent in written
        for field in slots
        if field in sent and (case_id, field) not in shown
    }
    for field in slots:
        if field in tracked:
            Notice.clear(f"{UNTRACKED}{field}", leases.now())
        elif field in missing:
            Notice.raise_for(
                f"{UNTRACKED}{field}", Notice.Level.WARNING, advice(field), leases.now()
            )
