"""A worker dies at every point of a backfill's life, and another one goes on as if it had not.

Every kind of step is done again and again, each time dying one write (or one call) later, until
it comes through. So each point is died at once, with whatever an earlier death left behind.
"""

from collections import Counter
from contextlib import nullcontext

import pytest

from sfsync import backfilling
from sfsync.gateway import SalesforceGateway
from sfsync.models import Backfill, BulkWriting, CaseLink, WriteBack
from sfsync.transport import open_session
from tests.sfsync.backfilling.conftest import PAST, REASON
from tests.sfsync.backfilling.killing import DeadlyDoor, Killed, killed_after_write

MOST_DEATHS = 400


class Graveyard:
    """Does each kind of step until it has been died through; counts deaths per kind."""

    def __init__(self, history, kill) -> None:
        self.history, self._kill = history, kill
        self.deaths: Counter[str] = Counter()

    def live_through(self, *ends: str) -> None:
        while self.history.backfill.stage not in ends:
            assert self.deaths.total() < MOST_DEATHS
            assert not self.history.backfill.paused_at, self.history.backfill.error
            self._step(self._kind())
            self._time_passes()
            self.history.deliver()

    def _step(self, kind: str) -> None:
        self.deaths[kind] += 1
        try:
            with self._kill(self.deaths[kind]):
                self.history.step()
        except Killed:
            return
        self.deaths[kind] -= 1

    def _kind(self) -> str:
        writing = BulkWriting.objects.filter(state__in=["preparing", "running"]).first()
        return f"{self.history.backfill.stage} {writing.state if writing else ''}"

    def _time_passes(self) -> None:
        """Claims of the dead run out. Deaths here are ours, not the Cases' fault."""
        for model in (Backfill, CaseLink):
            model.objects.filter(leased_until__isnull=False).update(leased_until=PAST)
            model.objects.update(attempts=0)
        held = WriteBack.objects.exclude(held_because="backfill")
        held.filter(leased_until__isnull=False).update(leased_until=PAST)


def test_killed_after_every_write_each_case_is_still_written_once(history, ada, bob):
    ids = history.cases("billing", "delivery", "")
    history.ask(by=ada)
    graveyard = Graveyard(history, killed_after_write)
    graveyard.live_through("review")
    backfilling.approve(history.backfill, by=bob)
    Backfill.objects.update(by_bulk=True)
    graveyard.live_through("done")

    assert graveyard.deaths.total() > 60
    assert_written_once(history, ids)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_around_every_call_each_case_is_still_written_once(
    history, credentials, org, ada, bob, moment
):
    ids = history.cases("billing", "delivery", "")
    history.ask(by=ada)

    def killing(number):
        door = DeadlyDoor(org)
        history.gateway = SalesforceGateway(credentials, open_session(door))
        setattr(door, moment, number)
        return nullcontext()

    graveyard = Graveyard(history, killing)
    graveyard.live_through("review")
    backfilling.approve(history.backfill, by=bob)
    Backfill.objects.update(by_bulk=True)
    graveyard.live_through("done")

    assert graveyard.deaths.total() > 25
    assert_written_once(history, ids)


def assert_written_once(history, ids) -> None:
    billing, delivery, nobody = ids
    jobs = history.gateway.told("looking", "GET", "jobs/ingest")["records"]
    queries = history.gateway.told("looking", "GET", "jobs/query")["records"]
    assert history.writes() == {billing: 1, delivery: 1}
    assert history.outcomes() == {billing: "written", delivery: "written", nobody: ""}
    assert [job["state"] for job in jobs].count("JobComplete") == 1
    assert {job["state"] for job in jobs} <= {"JobComplete", "Aborted"}
    assert len(queries) == 1
    assert CaseLink.objects.count() == 3
    assert history.link(billing).delivered[REASON] == "billing"
    assert history.backfill.done == history.backfill.total == 2
