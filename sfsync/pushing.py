"""Pushing: what is due goes to Salesforce, never over a person's word."""

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from classifier import leases
from sfsync import breaker, missing_values, sending, writers
from sfsync.calls import Operation, Purpose, under
from sfsync.case_writes import COLLECTION_LIMIT
from sfsync.delivering import Batch
from sfsync.endings import Candidate
from sfsync.errors import (
    FieldMissing,
    Postponed,
    SalesforceBusy,
    SalesforceError,
    SalesforceThrottled,
    SalesforceUnavailable,
)
from sfsync.gate import closed_until, not_before
from sfsync.gateway import SalesforceGateway
from sfsync.models import CaseLink, Connection, FieldMapping, Notice, WriteBack
from sfsync.models.write_back import WriteBackQuerySet
from sfsync.protection import Protection
from sfsync.terms import Terms, release_held

logger = logging.getLogger(__name__)

UNAVAILABLE = "salesforce-unavailable"
REFUSED = "salesforce-refused"
SOON = timedelta(seconds=3)
MOST_ROWS = 1_000
"""Rows of one delivery: looked at in one call, written in five or, one by one, in forty."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a batch: numbers of write-backs."""

    written: int = 0
    unchanged: int = 0
    ceded: int = 0
    held: int = 0
    failed: int = 0
    """Given up."""
    retried: int = 0
    """Due again later."""
    gone: int = 0
    """The Case is deleted, or a newer decision stands."""

    def __add__(self, other: "Delivery") -> "Delivery":
        return Delivery(
            *(getattr(self, each.name) + getattr(other, each.name) for each in fields(self))
        )

    @property
    def moved_on(self) -> int:
        """Rows that need no further look for now."""
        ended = self.written + self.unchanged + self.ceded + self.failed + self.gone
        return ended + self.held


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a row waits after a failure that will pass: 1, 2, 4, 8, … seconds."""

    cap_seconds: float = 300.0
    chance: Callable[[], float] = random.random
    """Draws from [0, 1): spreads the retries of many rows."""

    def delay(self, attempts: int) -> timedelta:
        """Return the wait after the ``attempts``-th claim: half of it fixed, half drawn."""
        full = min(self.cap_seconds, 2.0 ** min(attempts - 1, 20))
        return timedelta(seconds=full * (0.5 + self.chance() / 2))


def deliver_due(
    gateway: SalesforceGateway, *, limit: int = MOST_ROWS, pace: Pace = Pace()
) -> Delivery:
    """Write up to ``limit`` (at most 1,000) due write-backs to their Cases; return what came of it.

    Nothing is claimed and nobody called while writing is paused, when nothing waits, or while as
    many workers write as Salesforce bears. While our budget of API calls has nothing left for
    writing, writes without an answer are only looked for. Otherwise: claim, read the Cases, decide row
    by row, note what is about to be sent, send it, record row by row. Every network call stands
    outside transactions, and an outcome counts only while the claim does.

    Raises:
        SalesforceError: other than SalesforceUnavailable, which only puts the rows off. The
            rows are put off as well; a notice says what an operator can do.
    """
    moment = leases.now()
    if Connection.current().paused_at is not None:
        return Delivery()
    if until := closed_until(Purpose.WRITE, moment):
        return _confirm(gateway, limit, pace, until)
    release_held()
    with writers.a_writer() as most:
        return _deliver_due(gateway, limit, most, pace) if most else Delivery()


def _deliver_due(gateway: SalesforceGateway, limit: int, most: int, pace: Pace) -> Delivery:
    """Deliver up to ``limit`` rows, of which ``most`` are sent in one call; a slow org gets one."""
    limit = min(limit, MOST_ROWS if most >= COLLECTION_LIMIT else most)
    asks_org = _held_by_org().exists()
    rows = _take(limit)
    if not rows and not asks_org:
        return Delivery()
    with under(Purpose.WRITE):
        try:
            _look_around(gateway)
            rows = rows or _take(limit)
            with leases.kept(rows):
                return _deliver(gateway, rows, most, pace) if rows else Delivery()
        except SalesforceError as error:
            return _after_error(error, rows, pace)


def deliver_again(rows: QuerySet[WriteBack]) -> int:
    """Make write-backs due once more, as if for the first time; return how many.

    Rows whose decision no longer stands are left alone. A ceded Case is looked at afresh: if
    a person's value still stands there, it is ceded again; what they emptied is free again.
    """
    moment = leases.now()
    chosen = WriteBack.objects.filter(
        pk__in=rows.values("pk"), decision__superseded_at=None
    ).filter(Q(leased_until=None) | Q(leased_until__lt=moment))
    with transaction.atomic():
        ids = list(chosen.values_list("pk", flat=True))
        links = CaseLink.objects.filter(write_backs__in=ids)
        links.filter(gone_at__isnull=False).update(gone_at=None)
        due = WriteBack.objects.filter(pk__in=ids).make_due(moment)
        for link in links.filter(ceded_at__isnull=False):
            # As after an attempt without an answer: our value may stand there, or none.
            link.write_backs.filter(pk__in=ids).update(sent_fields=link.delivered)
            CaseLink.objects.filter(pk=link.pk).update(ceded_at=None, delivered={})
        return due


def look_again() -> int:
    """Make due what waits for a field or a picklist value; return how many.

    For when an admin has changed the mapping or a category's Salesforce value: what is still
    missing then is held, and told, anew.
    """
    due = _held_by_org().make_due(leases.now())
    missing_values.tell()
    return due


def next_due_at() -> datetime | None:
    """Return when the next write-back may be delivered; None where none waits, or all paused."""
    connection = Connection.current()
    if connection.paused_at is not None:
        return None
    first = (
        WriteBack.objects.unended()
        .filter(due_at__isnull=False)
        .order_by("due_at")
        .values_list("due_at", flat=True)
        .first()
    )
    return not_before(Purpose.WRITE, first)


def opens_at() -> datetime | None:
    """Return when a Case that was changed a moment ago may be written; None where none waits.

    At most a few seconds ahead, and nothing went wrong: a condition tells seconds apart.
    """
    now = leases.now()
    waiting = WriteBack.objects.unended().filter(error_code="", attempts=0)
    soon = waiting.filter(due_at__gt=now, due_at__lte=now + SOON).order_by("due_at")
    return soon.values_list("due_at", flat=True).first()


def _look_around(gateway: SalesforceGateway) -> None:
    """Make sure of the org and of its fields, and make due what waited for these."""
    calls_before = gateway.calls
    Connection.pin(gateway.identity())
    _match_fields(gateway)
    missing_values.release_known(gateway.describe("Case"))
    has_answered = gateway.calls > calls_before  # not what was remembered
    if has_answered and next_due_at() is None:  # else a delivery will tell
        _works_again()


def _take(limit: int) -> list[WriteBack]:
    due = WriteBack.objects.due(leases.now())
    return leases.take(due, limit=min(limit, MOST_ROWS))


def _deliver(
    gateway: SalesforceGateway, rows: Sequence[WriteBack], most: int, pace: Pace
) -> Delivery:
    batch = Batch(Terms.now(), gateway.describe("Case"), pace.delay)
    with transaction.atomic():
        candidates = batch.sort(rows)
    if candidates:
        sending.send(gateway, batch, candidates, most=most)
        _works_again()
    logger.info("delivery=done %s", " ".join(f"{k}={v}" for k, v in batch.counts.items()))
    return Delivery(**batch.counts)


def _confirm(gateway: SalesforceGateway, limit: int, pace: Pace, until: datetime) -> Delivery:
    """Look what became of writes without an answer; what must be sent again waits ``until``."""
    if closed_until(Purpose.CONFIRM, leases.now()):
        return Delivery()
    unknown = WriteBack.objects.due(leases.now()).exclude(sent_fields={})
    rows = leases.take(unknown, limit=min(limit, MOST_ROWS))
    if not rows:
        return Delivery()
    with under(Purpose.CONFIRM):
        try:
            Connection.pin(gateway.identity())
            batch = Batch(Terms.now(), gateway.describe("Case"), pace.delay)
            batch.protection = Protection.LOOK  # nothing is written here
            with leases.kept(rows):
                to_send = _looked_at(gateway, batch, rows)
        except SalesforceError as error:
            return _after_error(error, rows, pace)
    put_off = sum(WriteBack.objects.postpone(candidate.row, until) for candidate in to_send)
    return Delivery(**batch.counts) + Delivery(retried=put_off)


def _looked_at(
    gateway: SalesforceGateway, batch: Batch, rows: Sequence[WriteBack]
) -> list[Candidate]:
    """Return what is to be sent, after a look at the Cases; the rest of the rows is settled."""
    with transaction.atomic():
        candidates = batch.sort(rows)
    if not candidates:
        return []
    cases = [candidate.row.case_link.case_id for candidate in candidates]
    looked = gateway.look(cases, batch.fields_to_read(candidates))
    with transaction.atomic():
        return batch.look(candidates, looked)


def _match_fields(gateway: SalesforceGateway) -> None:
    """Pause and resume fields as the org has them; complete what was written without one."""
    moment = leases.now()
    freed = FieldMapping.objects.match(gateway.describe("Case"), moment)
    if not freed:
        return
    WriteBack.objects.held(WriteBack.Hold.FIELD).make_due(moment)
    lacking = Q()
    for name in freed:
        lacking |= Q(fields__has_key=name) & ~Q(sent_fields__has_key=name)
    outcomes = [WriteBack.Outcome.DELIVERED, WriteBack.Outcome.UNCHANGED]
    ended = WriteBack.objects.filter(outcome__in=outcomes, decision__superseded_at=None)
    ended.filter(lacking).make_due(moment)


def _held_by_org() -> WriteBackQuerySet:
    by_org = [WriteBack.Hold.PICKLIST, WriteBack.Hold.FIELD]
    return WriteBack.objects.unended().filter(held_because__in=by_org)


def _after_error(error: SalesforceError, rows: Sequence[WriteBack], pace: Pace) -> Delivery:
    """Put the rows off, tell people; raise again what waiting alone will not mend."""
    moment = leases.now()
    if isinstance(error, FieldMissing):
        FieldMapping.objects.refuse(error.fields, error.code, moment)
    put_off = 0
    with transaction.atomic():
        if until := _until(error, moment):
            put_off = sum(WriteBack.objects.postpone(row, until) for row in rows)
            rows = ()
        for row in rows:
            due_at = moment + pace.delay(row.attempts)
            put_off += WriteBack.objects.settle(
                row,
                due_at=due_at,
                error_code=error.code[:80],
                error_text=str(error)[:1000],
                first_failed_at=row.first_failed_at or moment,
            )
    _tell(error, moment)
    logger.warning("delivery=put_off rows=%d code=%s", put_off, error.code)
    if isinstance(error, SalesforceUnavailable):
        return Delivery(retried=put_off)
    if isinstance(error, FieldMissing) and error.fields:
        return Delivery(retried=put_off)  # the other fields go on
    # An operator must act first: the org is not asked every few seconds.
    breaker.refuse(Operation.WRITE, moment, str(error))
    raise error


def _until(error: SalesforceError, moment: datetime) -> datetime | None:
    """Return from when on rows may go that nothing was tried with; None: it was tried."""
    if isinstance(error, Postponed):
        return error.until
    if isinstance(error, SalesforceThrottled):
        return not_before(Purpose.WRITE, moment)
    return None


def _tell(error: SalesforceError, moment: datetime) -> None:
    if isinstance(error, (SalesforceThrottled, SalesforceBusy, Postponed)):
        return  # passes within seconds, or is told where it is counted
    if breaker.is_told():  # which tells of it in a notice of its own
        Notice.clear(UNAVAILABLE, moment)
    elif isinstance(error, SalesforceUnavailable):
        Notice.raise_for(UNAVAILABLE, Notice.Level.WARNING, str(error), moment)
    else:
        Notice.raise_for(REFUSED, Notice.Level.ERROR, str(error), moment)


def _works_again() -> None:
    moment = leases.now()
    for key in (UNAVAILABLE, REFUSED):
        Notice.clear(key, moment)
