"""Reconciling: once a week every Case of 30 days is looked at, and what the pull missed is counted.

It asks Salesforce for nothing but ids and stamps, a span of time per step, and compares them with
what the pull knows. Up to the pull's watermark nothing should be missing; what is gets read.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from classifier import leases
from sfsync.calls import Purpose, under
from sfsync.cases import Stamp
from sfsync.errors import (
    LimitExceeded,
    Postponed,
    SalesforceError,
    SalesforceUnavailable,
)
from sfsync.finding import CASE, OVERLAP
from sfsync.gate import closed_until
from sfsync.gateway import SalesforceGateway
from sfsync.models import (
    CaseLink,
    Connection,
    Notice,
    Reconciliation,
    StepTakenOver,
    Watermark,
)

logger = logging.getLogger(__name__)

REACH = timedelta(days=30)
EVERY = timedelta(days=7)
RESTS = timedelta(hours=1)
"""A ring within so much of a week after the last one counts as a week."""
SLICE = timedelta(days=1)
SHORTEST_SLICE = timedelta(minutes=1)
FIRST_PULL_LASTS = timedelta(hours=1)
"""The first pull reached back from when it was made, not from when the org was connected."""
STEPS_AT_ONCE = 10
ROWS_AT_ONCE = 20_000
"""Ten pages: a step of seconds."""
PORTION = 500
"""Ids per statement."""
AGAIN_AFTER = timedelta(minutes=5)
MISSED = "missed-by-the-pull"


def begin() -> Reconciliation | None:
    """Return a new reconciliation; None where one is under way, was lately, or there is no need.

    It reaches from 30 days back (not further than the first pull did) to shortly before the
    time up to which the pull says that it knows everything.
    """
    at = leases.now()
    watermark = Watermark.objects.filter(sobject=CASE).first()
    connection = Connection.current()
    lately = Reconciliation.objects.filter(started_at__gt=at - EVERY + RESTS)
    covered = watermark.covered_until if watermark else None
    if covered is None or connection.connected_at is None or lately.exists():
        return None
    if Reconciliation.objects.filter(ended_at=None).exists():
        return None
    until = covered - OVERLAP
    first_pull = connection.connected_at - timedelta(days=connection.first_pull_days)
    since = max(until - REACH, first_pull + FIRST_PULL_LASTS)
    if since >= until:
        return None
    return Reconciliation.objects.create(
        since=since,
        until=until,
        swept_until=since,
        slice_seconds=int(SLICE.total_seconds()),
        started_at=at,
        due_at=at,
    )


def step_due(gateway: SalesforceGateway, *, at_most: int = ROWS_AT_ONCE) -> int:
    """Do some steps of the reconciliation under way; return 1 where more are due at once.

    A step looks at up to ``at_most`` Cases, and stands by itself: a worker that is killed, or
    an org that does not answer, costs the step that was being done.
    """
    moment = leases.now()
    if closed_until(Purpose.BACKFILL, moment):
        return 0
    claimed = leases.take(Reconciliation.objects.due(moment), limit=1)
    if not claimed:
        return 0
    (run,) = claimed
    due_at = moment
    try:
        with leases.kept(claimed):
            _go_on(gateway, run, at_most)
    except StepTakenOver:
        return 0
    except (Postponed, SalesforceUnavailable):
        due_at = closed_until(Purpose.BACKFILL, leases.now()) or leases.now() + AGAIN_AFTER
    except SalesforceError as error:
        logger.warning("reconciliation=%d failed code=%s", run.pk, error.code)
        run.note(error=str(error)[:500], ended_at=leases.now(), due_at=None)
    mine = Reconciliation.objects.filter(pk=run.pk, epoch=run.epoch)
    mine.update(lease_token=None, leased_until=None, attempts=0)
    mine.filter(ended_at=None).update(due_at=due_at)
    return int(run.ended_at is None and due_at == moment)


def last() -> Reconciliation | None:
    """Return the last one that came to its end."""
    return Reconciliation.objects.ended().first()


@dataclass(frozen=True, slots=True)
class Difference:
    """What one span held, beside what we knew of it."""

    looked_at: int
    missed: list[str]
    gone: list[str]


def _go_on(gateway: SalesforceGateway, run: Reconciliation, at_most: int) -> None:
    with under(Purpose.BACKFILL):
        Connection.pin(gateway.identity())
        for _ in range(STEPS_AT_ONCE):
            if run.swept_until >= run.until:
                _end(run)
                return
            _sweep(gateway, run, at_most)


def _sweep(gateway: SalesforceGateway, run: Reconciliation, at_most: int) -> None:
    """Look at the next span; one that holds too much is halved."""
    before = gateway.calls
    span = timedelta(seconds=run.slice_seconds)
    begin, end = run.swept_until, min(run.swept_until + span, run.until)
    most = at_most if span > SHORTEST_SLICE else None
    try:
        stamps = gateway.stamps_between(CASE, "Id", begin, end, at_most=most)
    except LimitExceeded:
        run.note(
            slice_seconds=max(run.slice_seconds // 2, int(SHORTEST_SLICE.total_seconds())),
            calls=run.calls + gateway.calls - before,
        )
        return
    found = _difference(gateway, stamps, begin, end)
    with transaction.atomic():
        run.note(
            swept_until=end,
            looked_at=run.looked_at + found.looked_at,
            missed=run.missed + len(found.missed),
            gone=run.gone + len(found.gone),
            calls=run.calls + gateway.calls - before,
        )
        CaseLink.objects.mark_due(found.missed, leases.now())
        CaseLink.objects.mark_gone(found.gone, leases.now())


def _difference(
    gateway: SalesforceGateway, stamps: Sequence[Stamp], begin: datetime, end: datetime
) -> Difference:
    found = {stamp.case_id: stamp.modstamp for stamp in stamps}
    missed = [case_id for ids in _portions(found) for case_id in _missed(ids, found)]
    # What we last saw in this span and Salesforce does not list here has changed since, or is gone.
    ours = CaseLink.objects.filter(modstamp__gte=begin, modstamp__lt=end, gone_at=None)
    unseen = [
        case_id for case_id in ours.values_list("case_id", flat=True) if case_id not in found
    ]
    there = {stamp.case_id for stamp in gateway.stamps(CASE, unseen, "Id")}
    return Difference(len(found), missed, [one for one in unseen if one not in there])


def _missed(ids: Sequence[str], stamps: Mapping[str, datetime]) -> Iterator[str]:
    """Yield the Cases of which we lack the state that Salesforce tells, and that do not wait."""
    known = {link.case_id: link for link in _links(ids)}
    for case_id in ids:
        link = known.get(case_id)
        if link is None or (link.read_due_at is None and _is_behind(link, stamps[case_id])):
            yield case_id


def _links(ids: Sequence[str]) -> QuerySet[CaseLink]:
    columns = ("case_id", "modstamp", "read_due_at", "gone_at")
    return CaseLink.objects.filter(case_id__in=ids).only(*columns)


def _is_behind(link: CaseLink, stamp: datetime) -> bool:
    if link.gone_at is not None:
        return True
    return link.modstamp is None or link.modstamp < stamp


def _end(run: Reconciliation) -> None:
    at = leases.now()
    run.note(ended_at=at, due_at=None)
    logger.info(
        "reconciliation=%d looked_at=%d missed=%d gone=%d calls=%d",
        run.pk, run.looked_at, run.missed, run.gone, run.calls,
    )  # fmt: skip
    if not run.missed:
        Notice.clear(MISSED, at)
        return
    text = (
        f"The weekly check looked at {run.looked_at:,} Cases, and the pull had missed"
        f" {run.missed:,} of them. They are being read now. If this comes again, look whether"
        " long-running imports or other jobs write Cases in the org at that time."
    )
    Notice.raise_for(MISSED, Notice.Level.WARNING, text, at)


def _portions(ids: Iterable[str]) -> Iterator[list[str]]:
    every = list(ids)
    return (every[start : start + PORTION] for start in range(0, len(every), PORTION))
