"""An idle org is asked less often; the first change, or a door, brings the pace back."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from classifier import leases
from sfsync.calls import OpenGate
from sfsync.credentials import Credentials
from sfsync.gateway import SalesforceGateway
from sfsync.local_org.door import InProcessDoor
from sfsync.local_org.org import LocalOrg
from sfsync.models import CaseLink, Connection, Watermark
from sfsync.pulling import Pulled, pull_changed
from sfsync.transport import open_session
from tests.sfsync.conftest import NOON, OrgClock

pytestmark = pytest.mark.django_db

PULL = timedelta(seconds=30)


@pytest.fixture
def pull(org: LocalOrg, clock: OrgClock, credentials: Credentials) -> Callable[[], Pulled]:
    """Pull by a machine on which as much time passes as in the org."""

    def seconds() -> float:
        return clock.now.timestamp()

    # The budget's clock is the database's, on which an hour of these tests is no time.
    Connection.current()
    Connection.objects.update(org_calls_allowed=org.api_allowance)
    session = open_session(InProcessDoor(org), clock=seconds)
    gateway = SalesforceGateway(credentials, session, OpenGate())
    return lambda: pull_changed(gateway)


@pytest.fixture
def pull_for(pull, clock) -> Callable[..., None]:
    """Pull every half a minute for so long."""

    def pulled(**span: float) -> None:
        for _ in range(timedelta(**span) // PULL):
            clock.go_on(seconds=PULL.total_seconds())
            pull()

    return pulled


@pytest.fixture
def quiet_night(pull, open_case, clock) -> str:
    """Nothing has changed for six hours; return the one Case that is known."""
    case_id = open_case()
    pull()
    clock.go_on(minutes=1)
    pull()
    Watermark.objects.update(changed_at=clock.now - timedelta(hours=6))
    return case_id


def test_a_quiet_night_costs_few_calls(quiet_night, pull_for, org):
    before = org.ledger.api_calls

    pull_for(hours=1)

    # Five minutes' rest: twelve questions each for ten objects and for deletions, some in two
    # calls; at the pace of the day it would be 730.
    assert org.ledger.api_calls - before <= 12 * 13


def test_what_comes_in_after_a_quiet_night_waits_five_minutes_at_most(
    quiet_night, pull_for, open_case, clock
):
    came_in = clock.now
    case_id = open_case("Is anybody there?")

    while not CaseLink.objects.filter(case_id=case_id).exists():
        pull_for(seconds=30)

    assert clock.now - came_in <= timedelta(minutes=5, seconds=30)


def test_the_first_change_brings_the_pace_back(quiet_night, pull_for, open_case):
    open_case()
    pull_for(minutes=6)

    second = open_case()
    pull_for(seconds=30)

    assert CaseLink.objects.filter(case_id=second).exists()


def test_a_door_that_rings_wakes_all_objects(quiet_night, pull_for, org):
    asked = org.ledger.calls["GET sobjects/*/updated"]
    CaseLink.objects.mark_due([quiet_night], leases.now())

    pull_for(seconds=30)

    assert org.ledger.calls["GET sobjects/*/updated"] - asked >= 3
    assert CaseLink.objects.get(case_id=quiet_night).read_due_at is None


def test_on_an_active_desk_every_case_is_known_within_a_minute(
    pull, pull_for, org, open_case, clock
):
    waits: list[timedelta] = []
    waiting: dict[str, datetime] = {}
    for minute in range(42):
        if minute % 7 == 0:
            waiting[open_case()] = clock.now
        for _ in range(2):
            pull_for(seconds=30)
            known = CaseLink.objects.filter(case_id__in=waiting)
            found = list(known.values_list("case_id", flat=True))
            waits.extend(clock.now - waiting.pop(case_id) for case_id in found)

    assert len(waits) == 6
    assert sorted(waits)[int(0.95 * len(waits))] <= timedelta(seconds=60)


def test_a_quiet_object_of_an_awake_desk_rests_two_minutes_at_most(
    quiet_night, pull_for, open_case
):
    Watermark.objects.filter(sobject="Case").update(changed_at=NOON)
    mail = Watermark.objects.filter(sobject="EmailMessage")
    before = mail.get().pulled_at

    pull_for(minutes=1, seconds=30)
    assert mail.get().pulled_at == before
    pull_for(seconds=30)

    assert mail.get().pulled_at > before


def test_a_small_allowance_stretches_the_pauses(pull, pull_for, org, open_case):
    Connection.objects.update(org_calls_allowed=15_000)
    open_case()
    pull()
    before = org.ledger.api_calls

    for _ in range(6):
        pull_for(minutes=10)
        open_case()

    an_hours_budget = 15_000 * 0.2 * 0.08
    assert org.ledger.api_calls - before <= an_hours_budget
