"""Ringing: a notification is kept, then its Case is read, and read again where needed."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError as BrokerError

from classifier import leases
from sfsync.answering import ONE_STORY
from sfsync.models import CaseLink, Doorbell, Watermark
from sfsync.models.doorbell import KEPT

logger = logging.getLogger(__name__)

STATION = "sfsync.tasks.read_rung_cases"
PULL = "sfsync.tasks.pull_cases"
RING_SECONDS = 60
HEEDED_AT_ONCE = 500
PRUNE_BATCH = 5000
GIVEN_UP = timedelta(hours=1)
"""A ring whose Case could not be read for so long is left to the poll."""


@dataclass(frozen=True, slots=True)
class Ring:
    """One notification about one Case, both ids checked."""

    notification_id: str
    case_id: str
    """18 characters."""
    changed_at: datetime | None = None


def note_rings(source: Doorbell.Source, org_id: str, rings: Iterable[Ring]) -> int:
    """Keep what was rung, and return how many rings were new.

    One transaction of two statements, so that whoever rang is answered soon: after it the
    caller may say that it was received. A notification that came before changes nothing. The
    station that heeds rings is rung after the commit; where that fails, the timetable finds
    the rows.
    """
    listed = list(rings)
    at = leases.now()
    with transaction.atomic():
        known = Doorbell.objects.rung_before(
            source, org_id, {ring.notification_id for ring in listed}
        )
        fresh = [
            Doorbell(
                source=source,
                org_id=org_id,
                notification_id=ring.notification_id,
                case_id=ring.case_id,
                changed_at=ring.changed_at,
                received_at=at,
                due_at=at,
            )
            for ring in listed
            if ring.notification_id not in known
        ]
        if fresh:
            # Conflicts: the same notification, at this very moment, in another process.
            Doorbell.objects.bulk_create(fresh, ignore_conflicts=True)
            transaction.on_commit(ring_station)
    return len(fresh)


def ring_station(station: str = STATION) -> None:
    """Let due Cases be read at once; a broken bell is no reason to fail."""
    try:
        current_app.send_task(station, expires=RING_SECONDS)
    except BrokerError as error:
        logger.warning("hint=lost station=%s cause=%s", station, type(error).__name__)


def ring_pull(sobject: str) -> None:
    """Let the pull ask at once what of an object (empty: of all) changed: hints were lost."""
    Watermark.wake(sobject)
    ring_station(PULL)


def heed_rings() -> int:
    """Make due the Cases that rang, and those whose change was not visible yet; return how many.

    Rings are counted, not Cases. What could not be looked at for an hour is left to the poll.
    """
    at = leases.now()
    under_way = Doorbell.objects.unheard().filter(due_at=None)
    under_way.filter(received_at__lt=at - GIVEN_UP).update(
        heard=Doorbell.Heard.MISSED, heard_at=at
    )
    heeded = 0
    while batch := _heed_some(at):
        heeded += batch
    return heeded


def _heed_some(at: datetime) -> int:
    with transaction.atomic():
        rings = list(
            Doorbell.objects.due(at).select_for_update(skip_locked=True)[:HEEDED_AT_ONCE]
        )
        if rings:
            # In order, so that two who mark the same Cases never wait for each other in a ring.
            case_ids = sorted({ring.case_id for ring in rings})
            CaseLink.objects.mark_due(case_ids, at)
            late = CaseLink.objects.filter(found_unrung_at__gte=at - ONE_STORY)
            late.filter(case_id__in=case_ids).update(found_unrung_at=None)
            Doorbell.objects.filter(pk__in=[ring.pk for ring in rings]).update(due_at=None)
    return len(rings)


def prune_rings() -> int:
    """Forget rings older than ``KEPT``, and return how many."""
    before = leases.now() - KEPT
    forgotten = 0
    while ids := list(
        Doorbell.objects.filter(received_at__lt=before)
        .order_by("received_at")
        .values_list("pk", flat=True)[:PRUNE_BATCH]
    ):
        forgotten += Doorbell.objects.filter(pk__in=ids).delete()[0]
    return forgotten
