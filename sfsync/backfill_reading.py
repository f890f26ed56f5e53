"""Reading the Cases of a backfill: a portion at a time, while nothing of today waits."""

from classifier import leases
from sfsync import live_first
from sfsync.gateway import SalesforceGateway
from sfsync.models import Backfill, CaseLink
from sfsync.reading import CaseReader
from sfsync.source_switch import readers_in_use

PORTION = 400
"""Cases of one step: as many ids as fit one query."""
MOST_ATTEMPTS = 3
REST_SECONDS = 60.0
"""Before what could not be read is tried again."""


def read_cases(gateway: SalesforceGateway, backfill: Backfill) -> float:
    """Read one portion; return the seconds until the next step.

    What is read waits for a decision like any Case's words. Nothing is read while Cases of
    today wait to be read or decided.

    Raises:
        SalesforceError, StepTakenOver: the portion is free again.
    """
    waiting = CaseLink.objects.to_backfill(backfill.pk, MOST_ATTEMPTS)
    if not waiting.exists():
        left = backfill.cases.filter(verdict="").count()
        backfill.enter(Backfill.Stage.COMPARE, leases.now(), total=left)
        return 0
    if live_first.must_wait_to_read(leases.now()):
        backfill.note(said="Cases of today come first; this goes on by itself.")
        return live_first.SECONDS
    links = leases.take(waiting, limit=PORTION)
    if not links:  # an earlier worker's claims run out first
        return live_first.SECONDS
    CaseReader(gateway, readers_in_use(gateway, leases.now())).read_claimed(links)
    backfill.note(done=max(0, backfill.total - waiting.count()), said="")
    is_second_try = all(link.attempts > 1 for link in links)
    return REST_SECONDS if is_second_try else 0
