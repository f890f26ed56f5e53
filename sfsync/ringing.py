"""Ringing: a notification is kept, its Case is read soon, and looked at again where needed."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError as BrokerError

from classifier import leases
from sfsync.answering import ONE_STORY
from sfsync.models import CaseLink, Doorbell
from sfsync.models.doorbell import KEPT

logger = logging.getLogger(__name__)

STATION = "sfsync.tasks.read_rung_cases"
RING_SECONDS = 60
LOOK_BATCH = 500
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
    """Keep what was rung and make its Cases due; return how many rings were new.

    One transaction: after it the caller may say that it was received. A notification that came
    before changes nothing. The station is rung after the commit; where that fails, the
    timetable finds the rows.
    """
    listed = list(rings)
    at = leases.now()
    with transaction.atomic():
        known = Doorbell.objects.rung_before(
            source, org_id, {ring.notification_id for ring in listed}
        )
        fresh = [ring for ring in listed if ring.notification_id not in known]
        if not fresh:
            return 0
        Doorbell.objects.bulk_create(
            [
                Doorbell(
                    source=source,
                    org_id=org_id,
                    notification_id=ring.notification_id,
                    case_id=ring.case_id,
                    changed_at=ring.changed_at,
                    received_at=at,
                )
                for ring in fresh
            ],
            ignore_conflicts=True,  # the same notification, at this very moment, elsewhere
        )
        # Always in this order, so that two requests about the same Cases never deadlock.
        case_ids = sorted({ring.case_id for ring in fresh})
        CaseLink.objects.mark_due(case_ids, at)
        late = CaseLink.objects.filter(found_unrung_at__gte=at - ONE_STORY)
        late.filter(case_id__in=case_ids).update(found_unrung_at=None)
        transaction.on_commit(ring_station)
    return len(fresh)


def ring_station() -> None:
    """Let due Cases be read at once; a broken bell is no reason to fail."""
    try:
        current_app.send_task(STATION, expires=RING_SECONDS)
    except BrokerError as error:
        logger.warning("hint=lost station=%s cause=%s", STATION, type(error).__name__)


def look_again() -> int:
    """Make due once more the Cases whose change was not visible yet; return how many rings.

    What could not be looked at for an hour is left to the poll.
    """
    at = leases.now()
    Doorbell.objects.unheard().filter(received_at__lt=at - GIVEN_UP).update(
        heard=Doorbell.Heard.MISSED, heard_at=at, due_at=None
    )
    with transaction.atomic():
        rings = list(Doorbell.objects.due(at)[:LOOK_BATCH])
        if rings:
            CaseLink.objects.mark_due(sorted({ring.case_id for ring in rings}), at)
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
