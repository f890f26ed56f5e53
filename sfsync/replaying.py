"""Replaying: what was given up is grouped by its reason, tried out, sent again, or closed."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, F, Max, Min, Q, QuerySet

from classifier import leases
from sfsync import pushing
from sfsync.delivering import Batch
from sfsync.errors import LOCKED
from sfsync.gateway import SalesforceGateway
from sfsync.models import CaseLink, Connection, WriteBack
from sfsync.protection import Protection
from sfsync.terms import Terms

logger = logging.getLogger(__name__)

LOOKED_AT = 500
"""Rows that a dry run looks at: three calls to Salesforce and a second of the database."""
PORTION = 500
NOTE_CHARACTERS = 500
ADVICE = {
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "A validation rule of the org refuses. Let the rule pass"
    " the integration user, or fill in what it asks for.",
    "INSUFFICIENT_ACCESS_OR_READONLY": "Our user may not edit these Cases. Share them with it, or"
    " unlock the record (approval processes lock it).",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": "Our user may not see a record that the Case"
    " points to, such as its owner or account. Share it.",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "The Case’s record type does not offer this value."
    " Add it there (Setup > Object Manager > Case > Record Types).",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": "A trigger or flow of the org failed. Its owner finds"
    " why under Setup > Apex Jobs or Paused and Failed Flow Interviews.",
    "REQUIRED_FIELD_MISSING": "The org demands a field that these Cases lack. Fill it in, or demand"
    " it by the page layout instead.",
    "STRING_TOO_LONG": "A mapped field is too short. Make it longer, or map another one.",
    "ENTITY_IS_LOCKED": "An approval process locks these Cases. They can be written when it ends.",
    LOCKED: "Somebody else held these Cases for a whole day. Look for a job that does not end.",
}
OTHER = "Look the code up in Salesforce’s API guide, mend the cause, then send them again."


@dataclass(frozen=True, slots=True)
class Group:
    """Write-backs that were given up for one reason."""

    code: str
    number: int
    oldest: datetime
    newest: datetime
    example: WriteBack | None
    """The newest: its error text is Salesforce's, without any value of a field."""

    @property
    def advice(self) -> str:
        return ADVICE.get(self.code, OTHER)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Cases that cannot be read for one reason."""

    because: str
    number: int
    oldest: datetime | None
    """When the one was last read that waits longest."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What sending again would do: numbers of write-backs. Nothing was changed or sent."""

    chosen: int
    looked_at: int = 0
    """The first of them; with more, the rest will fare alike."""
    sent: int = 0
    unchanged: int = 0
    """The Case says so already."""
    ceded: int = 0
    """A person's word stands there: theirs stays."""
    gone: int = 0
    held: Mapping[str, int] = field(default_factory=dict)
    """Why it would be held back → how many."""
    is_paused: bool = False

    @property
    def left_alone(self) -> int:
        """Replaced by a newer decision meanwhile, or under way."""
        told = self.sent + self.unchanged + self.ceded + self.gone + sum(self.held.values())
        return self.looked_at - told


def groups(rows: QuerySet[WriteBack]) -> list[Group]:
    """Return ``rows``, which were given up, by their reason, the largest group first."""
    counted = (
        rows.order_by()
        .values("error_code")
        .annotate(
            number=Count("id"), oldest=Min("ended_at"), newest=Max("ended_at"), last=Max("id")
        )
        .order_by("-number", "error_code")
    )
    found = list(counted)
    examples = WriteBack.objects.select_related("case_link").in_bulk(
        [one["last"] for one in found]
    )
    return [
        Group(
            one["error_code"],
            one["number"],
            one["oldest"],
            one["newest"],
            examples.get(one["last"]),
        )
        for one in found
    ]


def unreadable(links: QuerySet[CaseLink]) -> list[Unreadable]:
    """Return those of the Cases that cannot be read, by the reason, the most first."""
    counted = (
        links.filter(pk__in=CaseLink.objects.unreadable().values("pk"))
        .order_by()
        .values("read_error")
        .annotate(number=Count("id"), oldest=Min("read_at"))
        .order_by("-number", "read_error")
    )
    return [Unreadable(one["read_error"], one["number"], one["oldest"]) for one in counted]


def rehearse(gateway: SalesforceGateway, rows: QuerySet[WriteBack]) -> Rehearsal:
    """Return what sending ``rows`` again would do, having asked Salesforce, changing nothing.

    The very code that delivers judges them, on the Cases as they are now, in a transaction that
    is taken back before anything is sent.

    Raises:
        SalesforceError: the Cases could not be looked at.
    """
    chosen = rows.count()
    ids = list(rows.order_by("id").values_list("pk", flat=True)[:LOOKED_AT])
    if not ids:
        return Rehearsal(chosen)
    Connection.pin(gateway.identity())
    batch = Batch(Terms.now(), gateway.describe("Case"), lambda _: timedelta(0))
    described = gateway.describe("Case").fields
    names = [name for name in batch.terms.slots if name in described]
    cases = WriteBack.objects.filter(pk__in=ids).values_list("case_link__case_id", flat=True)
    looked = gateway.look(list(cases), names)
    batch.protection = Protection.LOOK  # a Case of this very second need not wait here
    with transaction.atomic():
        pushing.deliver_again(WriteBack.objects.filter(pk__in=ids))
        candidates = batch.sort(list(WriteBack.objects.unended().filter(pk__in=ids)))
        to_send = batch.look(candidates, looked)
        held = _held(ids)
        transaction.set_rollback(True)
    counts = batch.counts
    return Rehearsal(
        chosen=chosen,
        looked_at=len(ids),
        sent=len(to_send),
        unchanged=counts["unchanged"] + counts["written"],
        ceded=counts["ceded"],
        gone=counts["gone"],
        held=held,
        is_paused=batch.terms.connection.paused_at is not None,
    )


def replay(rows: QuerySet[WriteBack], *, by: str) -> int:
    """Let ``rows`` be delivered again and return how many will be; ``by`` is who asked.

    Each Case is looked at again before it is written, so doing it twice writes once.
    """
    done = 0
    for portion in _portions(rows):
        with transaction.atomic():
            chosen = WriteBack.objects.filter(pk__in=portion)
            done += pushing.deliver_again(chosen)
            chosen.unended().update(
                replayed_at=leases.now(), replayed_by=by[:150], replays=F("replays") + 1
            )
    logger.info("replayed=%d by=%s", done, by)
    return done


def close(rows: QuerySet[WriteBack], *, by: str, note: str) -> int:
    """Let nobody be asked about ``rows`` any more, and return how many; they stay unwritten."""
    return sum(
        WriteBack.objects.dead_letters()
        .filter(pk__in=portion)
        .update(closed_at=leases.now(), closed_by=by[:150], closed_note=note[:NOTE_CHARACTERS])
        for portion in _portions(rows)
    )


def read_again(links: QuerySet[CaseLink]) -> int:
    """Let Cases that could not be read be read at once; return how many."""
    free = Q(leased_until=None) | Q(leased_until__lt=leases.now())
    ids = CaseLink.objects.unreadable().filter(pk__in=links.values("pk"))
    return ids.filter(free).update(read_due_at=leases.now(), attempts=0)


def _portions(rows: QuerySet[WriteBack]) -> Iterator[Sequence[int]]:
    ids = list(rows.order_by("id").values_list("pk", flat=True))
    return (ids[start : start + PORTION] for start in range(0, len(ids), PORTION))


def _held(ids: Sequence[int]) -> dict[str, int]:
    rows = WriteBack.objects.filter(pk__in=ids).exclude(held_because="").order_by()
    counts = rows.values_list("held_because").annotate(Count("id"))
    return {str(WriteBack.Hold(because).label): number for because, number in counts}
