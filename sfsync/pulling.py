"""Pulling: what changed in Salesforce is found, then read, Case by Case."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from classifier import leases
from sfsync import breaker
from sfsync.calls import Purpose, under
from sfsync.errors import (
    Postponed,
    SalesforceBusy,
    SalesforceError,
    SalesforceThrottled,
    SalesforceUnavailable,
)
from sfsync.finding import find_changes, find_deleted
from sfsync.gate import closed_until, not_before
from sfsync.gateway import SalesforceGateway
from sfsync.models import CaseLink, Connection, Notice
from sfsync.reading import CaseReader
from sfsync.source_switch import pauses, readers_in_use

logger = logging.getLogger(__name__)

READ_LIMIT = 1_000
"""Cases read by one run, so that a run ends and its worker is free for writing."""
READ_SECONDS = 60.0
"""Half of what a task may take: the batch begun last needs its time, too."""
FAILED = "salesforce-pull"


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one run came to: numbers of Cases, and of API calls."""

    cases_changed: int = 0
    """Marked to be read, because they or something of theirs changed."""
    cases_read: int = 0
    transcripts_new: int = 0
    """Cases with new words, or that have moved on (first reply, closing)."""
    gone: int = 0
    unreadable: int = 0
    """Skipped for now, each with its reason in the list of Cases."""
    api_calls: int = 0

    is_partial: bool = False
    """Whether more Cases may be due already."""


def pull_changed(gateway: SalesforceGateway, *, limit: int = READ_LIMIT) -> Pulled:
    """Find what changed, read up to ``limit`` due Cases, and return what came of it.

    Running it twice, or at the same time in two processes, does no harm: watermarks and Cases
    are leased, and words that are known already change nothing. Nothing is asked while our
    budget of API calls has nothing left for it.

    Raises:
        SalesforceError: the run ended early; what was read stays, the rest is found again.
            A notice says what an operator can do.
    """
    if closed_until(Purpose.SCAN, leases.now()):
        return Pulled()
    calls_before = gateway.calls
    with _told(), under(Purpose.SCAN):
        Connection.pin(gateway.identity())
        readers = readers_in_use(gateway, leases.now())
        gone = find_deleted(gateway)
        changed = find_changes(gateway, readers, pauses=pauses())
        reader = CaseReader(gateway, readers)
        is_partial = _read_due(gateway, reader, limit)
    read = reader.read
    pulled = Pulled(
        cases_changed=changed,
        cases_read=read.cases,
        transcripts_new=read.transcripts_new,
        gone=gone + read.gone,
        unreadable=read.unreadable,
        api_calls=gateway.calls - calls_before,
        is_partial=is_partial,
    )
    logger.info("pull=done %s", pulled)
    return pulled


def read_due(gateway: SalesforceGateway, *, limit: int = READ_LIMIT) -> Pulled:
    """Read up to ``limit`` Cases that are due, without asking what else changed.

    For when a door rang: the Cases are known by then. Nothing is asked where none is due, or
    while our budget of API calls has nothing left for it.

    Raises:
        SalesforceError: as ``pull_changed``.
    """
    moment = leases.now()
    if not CaseLink.objects.due(moment).exists() or closed_until(Purpose.FETCH, moment):
        return Pulled()
    calls_before = gateway.calls
    with _told(), under(Purpose.FETCH):
        Connection.pin(gateway.identity())
        reader = CaseReader(gateway, readers_in_use(gateway, moment))
        is_partial = reader.read_due(limit, until=gateway.seconds() + READ_SECONDS)
    read = reader.read
    pulled = Pulled(
        cases_read=read.cases,
        transcripts_new=read.transcripts_new,
        gone=read.gone,
        unreadable=read.unreadable,
        api_calls=gateway.calls - calls_before,
        is_partial=is_partial,
    )
    logger.info("rung=done %s", pulled)
    return pulled


def next_read_at() -> datetime | None:
    """Return when the next Case may be read; None where none is due."""
    return not_before(
        Purpose.FETCH,
        CaseLink.objects.filter(read_due_at__isnull=False, gone_at=None)
        .order_by("read_due_at")
        .values_list("read_due_at", flat=True)
        .first(),
    )


def _read_due(gateway: SalesforceGateway, reader: CaseReader, limit: int) -> bool:
    """Return whether more Cases may be due already; none is read while they must wait."""
    if closed_until(Purpose.FETCH, leases.now()):
        return False
    with under(Purpose.FETCH):
        return reader.read_due(limit, until=gateway.seconds() + READ_SECONDS)


@contextmanager
def _told() -> Iterator[None]:
    """Tell people of a failure in one open notice, and close it when pulling works again."""
    try:
        yield
    except (SalesforceBusy, SalesforceThrottled, Postponed):
        raise  # passes within seconds, or is told where it is counted
    except SalesforceError as error:
        _tell(error)
        raise
    Notice.clear(FAILED, leases.now())


def _tell(error: SalesforceError) -> None:
    if breaker.is_told():  # which tells of it in a notice of its own
        Notice.clear(FAILED, leases.now())
        return
    passes = isinstance(error, SalesforceUnavailable)
    level = Notice.Level.WARNING if passes else Notice.Level.ERROR
    Notice.raise_for(FAILED, level, str(error), leases.now())
