"""When Salesforce fails it is left alone, kind of call by kind, and tried again by one call."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection as database

from classifier import leases
from sfsync import breaker
from sfsync.calls import Operation, Outcome, Purpose, under
from sfsync.credentials import Credentials
from sfsync.errors import (
    BreakerOpen,
    BudgetSpent,
    SalesforceBusy,
    SalesforceDenied,
    SalesforceError,
    SalesforceUnavailable,
    unreachable,
)
from sfsync.gate import SharedGate, closed_until
from sfsync.gateway import SalesforceGateway
from sfsync.local_org.door import InProcessDoor
from sfsync.local_org.faults import ALWAYS
from sfsync.local_org.org import LocalOrg
from sfsync.models import ApiSpending, Breaker, CaseLink, Notice
from sfsync.pulling import pull_changed
from sfsync.pushing import Delivery
from sfsync.transport import open_session
from tests.sfsync.conftest import NOON, OrgClock
from tests.sfsync.pushing.conftest import CODES, Desk

READ, WRITE, LOGIN = Operation.READ, Operation.WRITE, Operation.LOGIN
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
FAILED, WORKED = Outcome(0.1, unreachable("reading", "ConnectionError")), Outcome(0.1)

pytestmark = pytest.mark.django_db


def fail(times: int, *, every: timedelta = SECOND, operation: Operation = READ) -> None:
    for number in range(times):
        breaker.note(operation, FAILED, NOON + number * every)


def is_cut_off(at: object, operation: Operation = READ) -> bool:
    try:
        breaker.admit(operation, at)
    except BreakerOpen:
        return True
    return False


def test_five_failures_within_a_minute_cut_a_kind_of_call_off():
    fail(4, every=15 * SECOND)
    assert not is_cut_off(NOON + 46 * SECOND)

    breaker.note(READ, FAILED, NOON + 50 * SECOND)

    assert is_cut_off(NOON + 51 * SECOND)
    assert not is_cut_off(NOON + 51 * SECOND, WRITE)


def test_five_failures_in_more_than_a_minute_do_not():
    fail(5, every=16 * SECOND)

    assert not is_cut_off(NOON + 65 * SECOND)


@pytest.mark.parametrize(("fails_below", "is_open"), [(20, False), (21, True)])
def test_half_of_twenty_calls_that_fail_cut_it_off_as_well(fails_below, is_open):
    for number in range(21):
        outcome = FAILED if number % 2 == 0 and number < fails_below else WORKED
        breaker.note(READ, outcome, NOON + number * 16 * SECOND)

    assert is_cut_off(NOON + 322 * SECOND) == is_open


def test_what_one_question_brings_about_is_no_failure():
    for error in (
        SalesforceBusy("busy", code="CONCURRENT_REQUESTS"),
        SalesforceUnavailable("slow", code="QUERY_TIMEOUT"),
        SalesforceDenied("no", code="INSUFFICIENT_ACCESS"),
    ):
        for _ in range(5):
            breaker.note(READ, Outcome(0.1, error), NOON)

    assert not is_cut_off(NOON)


def test_after_half_a_minute_one_call_tries_and_the_others_wait():
    fail(5)
    later = NOON + 34 * SECOND

    assert breaker.admit(READ, later)

    assert is_cut_off(later)


def test_a_probe_that_works_opens_the_way():
    fail(5)
    later = NOON + 34 * SECOND
    breaker.admit(READ, later)

    breaker.note(READ, WORKED, later)

    assert not is_cut_off(later)
    fail(4)
    assert not is_cut_off(later)


def test_waits_grow_and_stay_short_enough_to_go_on_two_minutes_after_healing():
    fail(5)
    at, waits = NOON + 4 * SECOND, []
    for _ in range(5):
        row = Breaker.objects.get()
        waits.append((row.open_until - at).total_seconds())
        at = row.open_until
        breaker.admit(READ, at)
        breaker.note(READ, FAILED, at)

    assert waits == [30, 60, 90, 90, 90]


def test_a_call_that_was_under_way_does_not_lengthen_the_wait():
    fail(5)
    until = Breaker.objects.get().open_until

    breaker.note(READ, FAILED, NOON + 20 * SECOND)

    assert Breaker.objects.get().open_until == until


def test_a_prober_that_dies_lets_the_next_one_try():
    fail(5)
    breaker.admit(READ, NOON + 34 * SECOND)

    assert is_cut_off(NOON + 93 * SECOND)
    assert not is_cut_off(NOON + 94 * SECOND)


def test_one_notice_stands_while_it_is_open():
    fail(5)
    breaker.admit(READ, NOON + 34 * SECOND)
    breaker.note(READ, FAILED, NOON + 34 * SECOND)

    notice = Notice.objects.get(cleared_at=None)
    assert notice.text.startswith("Reading fails again and again, so Salesforce is left alone")
    breaker.admit(READ, NOON + 94 * SECOND)
    breaker.note(READ, WORKED, NOON + 94 * SECOND)
    assert not Notice.objects.filter(cleared_at=None).exists()


def test_writing_needs_reading_and_reading_does_not_need_writing():
    fail(5, operation=WRITE)

    assert closed_until(Purpose.WRITE, NOON + 5 * SECOND) == NOON + 34 * SECOND
    assert closed_until(Purpose.SCAN, NOON + 5 * SECOND) is None
    assert closed_until(Purpose.CONFIRM, NOON + 5 * SECOND) is None


@pytest.mark.django_db(transaction=True)
def test_of_many_processes_one_tries():
    at = leases.now()
    for _ in range(5):
        breaker.note(READ, FAILED, at)

    def worker() -> bool:
        try:
            return is_cut_off(at + MINUTE)
        finally:
            database.close()

    with ThreadPoolExecutor(4) as pool:
        found = [future.result() for future in [pool.submit(worker) for _ in range(4)]]

    assert sorted(found) == [False, True, True, True]


# Through the gateway


@pytest.fixture
def governed(
    org: LocalOrg, clock: OrgClock, credentials: Credentials
) -> Callable[[], SalesforceGateway]:
    """Return a new process's gateway, whose gate goes by the org's clock."""
    return lambda: SalesforceGateway(
        credentials, open_session(InProcessDoor(org)), SharedGate(clock=clock)
    )


@pytest.fixture
def desk() -> Desk:
    org = LocalOrg()
    org.deploy_contact_reason(CODES)
    return Desk(org)


def errors_of(ask: Callable[[], object], times: int) -> list[type[SalesforceError]]:
    found = []
    for _ in range(times):
        try:
            ask()
        except SalesforceError as error:
            found.append(type(error))
    return found


def test_a_call_that_is_cut_off_never_leaves_and_is_not_counted(governed, org):
    gateway = governed()
    gateway.identity()
    org.faults.outages = ALWAYS

    found = errors_of(lambda: gateway.describe("Case"), 8)

    assert found == [SalesforceUnavailable] * 5 + [BreakerOpen] * 3
    assert sum(ApiSpending.objects.values_list("calls", flat=True)) == 6


def test_reading_goes_on_within_two_minutes_of_healing(governed, org, clock):
    gateway = governed()
    gateway.identity()
    org.faults.outages = ALWAYS
    for _ in range(120):
        clock.go_on(seconds=5)
        errors_of(lambda: gateway.newest("Case", ("Id",), limit=1), 1)
    assert org.faults.outages > ALWAYS - 20  # left alone most of the time

    org.faults.outages = 0
    waited = 0
    while errors_of(lambda: gateway.newest("Case", ("Id",), limit=1), 1):
        clock.go_on(seconds=5)
        waited += 5

    assert waited <= 120


def test_a_refused_login_is_tried_once_in_five_minutes_by_whatever_process(
    governed, org, clock
):
    org.app.approved.clear()
    tried = 0

    for _ in range(60):
        clock.go_on(seconds=10)
        found = errors_of(lambda: governed().identity(), 2)
        tried += found.count(SalesforceDenied)

    assert tried == 2
    (notice,) = Notice.objects.filter(cleared_at=None)
    assert "pre-authorised" in notice.text
    assert "nobody tries before" in notice.text


def test_a_token_that_stays_refused_makes_no_login_storm(governed, org, clock):
    gateway = governed()
    gateway.identity()
    org.faults.storm = type(org.faults.storm)(expired_token=1.0)
    logins = org.ledger.logins

    for _ in range(60):
        clock.go_on(seconds=5)
        errors_of(lambda: gateway.newest("Case", ("Id",), limit=1), 1)

    assert org.ledger.logins - logins <= 2


def test_whoever_checks_the_connection_tries_at_once(governed, org, clock):
    approved = set(org.app.approved)
    org.app.approved.clear()
    errors_of(lambda: governed().identity(), 1)
    org.app.approved.update(approved)
    assert errors_of(lambda: governed().identity(), 1) == [BreakerOpen]

    breaker.try_again(clock.now)

    assert governed().identity().org_id == org.org_id
    assert breaker.sentences() == []


def test_a_probe_that_the_budget_refuses_leaves_the_try_to_another(governed, org, clock):
    gateway = governed()
    gateway.identity()
    org.others_call(82_000)
    gateway.now()
    gateway.describe("User")
    org.faults.outages = 5
    with under(Purpose.CONFIRM):
        errors_of(lambda: gateway.describe("Case"), 5)
    clock.go_on(seconds=31)

    assert errors_of(lambda: gateway.describe("Case"), 1) == [BudgetSpent]
    with under(Purpose.CONFIRM):
        assert errors_of(lambda: gateway.describe("Case"), 1) == []
    assert not breaker.is_told()


def test_rows_that_meet_an_open_breaker_wait_and_count_no_attempt(desk):
    desk.decided_case("billing")
    desk.push()
    link = desk.decided_case("billing")
    at = leases.now()
    for _ in range(5):
        breaker.note(WRITE, FAILED, at)

    assert desk.push() == Delivery()
    assert desk.row(link).attempts == 0
    Breaker.objects.update(open_until=leases.now())
    assert desk.push() == Delivery(written=1)
    assert not Breaker.objects.filter(open_until__isnull=False).exists()


def test_rows_claimed_when_the_breaker_opens_are_put_off_until_it_lets_one_try(desk):
    desk.decided_case("billing")
    desk.push()
    links = [desk.decided_case("billing") for _ in range(3)]
    at = leases.now()
    for _ in range(5):
        breaker.note(LOGIN, FAILED, at)
    desk.org.tokens.revoke_all()

    assert desk.push() == Delivery(retried=3)

    rows = [desk.row(link) for link in links]
    assert {(row.attempts, row.lease_token) for row in rows} == {(0, None)}
    assert {row.due_at for row in rows} == {Breaker.objects.get(operation=LOGIN).open_until}


def test_a_conversation_that_cannot_be_asked_for_keeps_its_case_waiting_uncounted(
    gateway, org, open_case
):
    case_id = open_case(channel="messaging")
    at = leases.now()
    for _ in range(5):
        breaker.note(Operation.CONNECT, FAILED, at)

    pull_changed(gateway)

    link = CaseLink.objects.get(case_id=case_id)
    assert (link.attempts, link.lease_token, link.read_error) == (0, None, "")
    assert link.read_due_at == Breaker.objects.get().open_until
