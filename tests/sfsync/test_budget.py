"""Our API calls: a share of the org's, counted before they are made, the important ones first."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from random import Random

import pytest
from django.db import connection as database

from classifier import leases
from sfsync import budget
from sfsync.calls import Purpose, under
from sfsync.credentials import Credentials
from sfsync.errors import BudgetSpent, SalesforceThrottled
from sfsync.gate import SharedGate, closed_until, not_before
from sfsync.gateway import SalesforceGateway
from sfsync.local_org.door import InProcessDoor
from sfsync.local_org.org import LocalOrg
from sfsync.models import ApiSpending, Connection, Notice
from sfsync.transport import open_session
from tests.sfsync.conftest import NOON, OrgClock

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
IMPORTANT_FIRST = [
    Purpose.CONFIRM,
    Purpose.WRITE,
    Purpose.SCAN,
    Purpose.FETCH,
    Purpose.BACKFILL,
    Purpose.DESCRIBE,
]


@pytest.fixture
def allowed(db: None) -> Callable[..., None]:
    """Let the org have said what it may make in 24 hours, and what is used."""

    def told(calls: int, used: int = 0, at: datetime = NOON, share: int = 20) -> None:
        Connection.current()
        Connection.objects.update(
            org_calls_allowed=calls,
            org_calls_used=used,
            org_calls_told_at=at,
            api_share_percent=share,
        )

    return told


def spend(calls: int, at: datetime, purpose: Purpose = Purpose.SCAN) -> None:
    for _ in range(calls):
        budget.reserve(purpose, at)


def granted(purpose: Purpose, at: datetime) -> int:
    """Reserve until it is refused; return how many there were."""
    calls = 0
    while True:
        try:
            budget.reserve(purpose, at)
        except BudgetSpent:
            return calls
        calls += 1


def test_an_hour_takes_a_twelfth_of_the_days_budget(allowed):
    allowed(10_000)

    assert granted(Purpose.CONFIRM, NOON) == 160  # 8 % of 20 % of 10,000


def test_the_day_takes_our_share_and_no_more(allowed):
    allowed(1_000)

    calls = sum(granted(Purpose.CONFIRM, NOON + number * 66 * MINUTE) for number in range(20))

    assert calls == 200


def test_what_is_important_may_use_what_the_rest_must_leave(allowed):
    allowed(12_500)

    calls = [granted(purpose, NOON) for purpose in reversed(IMPORTANT_FIRST)]

    assert calls == [100, 20, 50, 10, 10, 10]
    assert sum(calls) == 200


def test_the_budget_is_free_again_when_it_says_so(allowed):
    allowed(10_000)
    granted(Purpose.SCAN, NOON)
    with pytest.raises(BudgetSpent) as refused:
        budget.reserve(Purpose.SCAN, NOON + MINUTE)

    assert HOUR <= refused.value.until - NOON <= HOUR + 5 * MINUTE
    assert closed_until(Purpose.SCAN, refused.value.until - MINUTE) == refused.value.until
    budget.reserve(Purpose.SCAN, refused.value.until)


def test_a_refusal_is_one_notice_that_closes_when_the_budget_is_free(allowed):
    allowed(10_000)
    granted(Purpose.SCAN, NOON)
    granted(Purpose.SCAN, NOON + MINUTE)
    notice = Notice.objects.get(cleared_at=None)
    assert (notice.key, notice.count) == ("api-budget", 2)
    assert "asking what changed in one hour is used up" in notice.text

    budget.reserve(Purpose.WRITE, NOON + 2 * MINUTE)
    assert Notice.objects.filter(cleared_at=None).exists()
    budget.reserve(Purpose.SCAN, NOON + HOUR + 5 * MINUTE)

    assert not Notice.objects.filter(cleared_at=None).exists()


@pytest.mark.parametrize(
    ("used", "open_for"),
    [
        (7_998, IMPORTANT_FIRST),
        (8_000, [Purpose.CONFIRM]),
        (8_499, [Purpose.CONFIRM]),
        (8_500, []),
    ],
)
def test_the_orgs_own_use_stops_all_but_confirming_and_then_all(allowed, used, open_for):
    allowed(10_000, used=used)

    found = [one for one in IMPORTANT_FIRST if closed_until(one, NOON + MINUTE) is None]

    assert found == open_for


def test_until_an_answer_tells_the_allowance_the_smallest_is_assumed(db):
    assert granted(Purpose.CONFIRM, NOON) == 240  # 8 % of 20 % of 15,000


def test_the_environment_sets_the_share_and_the_connection_overrides_it(db, settings):
    settings.SALESFORCE_API_SHARE = 0.5
    connection = Connection.current()
    assert connection.api_share == 0.5

    connection.api_share_percent = 10

    assert connection.api_share == 0.1


def test_a_moment_is_put_off_only_while_the_budget_is_closed(allowed):
    allowed(10_000, used=9_000, at=leases.now())
    moment = leases.now()

    assert not_before(Purpose.WRITE, moment) > moment + 14 * MINUTE
    assert not_before(Purpose.WRITE, None) is None
    allowed(10_000, used=10)
    assert not_before(Purpose.WRITE, moment) == moment


@pytest.mark.django_db(transaction=True)
def test_workers_that_spend_at_the_same_time_never_spend_more_than_there_is():
    at = leases.now()
    Connection.current()
    Connection.objects.update(org_calls_allowed=2_500, org_calls_told_at=at)

    def worker() -> int:
        try:
            return granted(Purpose.CONFIRM, at)
        finally:
            database.close()

    with ThreadPoolExecutor(4) as pool:
        calls = [future.result() for future in [pool.submit(worker) for _ in range(4)]]

    assert sum(calls) == 40
    assert ApiSpending.objects.get().calls == 40


# Through the gateway: the org counts


@pytest.fixture
def governed(
    org: LocalOrg, clock: OrgClock, credentials: Credentials, db: None
) -> SalesforceGateway:
    """A gateway whose budget goes by the org's clock."""
    return SalesforceGateway(
        credentials, open_session(InProcessDoor(org)), SharedGate(clock=clock)
    )


def test_each_call_is_counted_under_its_purpose_and_a_login_is_not(governed, org):
    with under(Purpose.SCAN):
        governed.identity()
    governed.describe("Case")

    spent = dict(ApiSpending.objects.values_list("purpose", "calls"))
    assert spent == {"scan": 1, "describe": 1}
    assert org.ledger.api_calls == 2
    connection = Connection.current()
    assert (connection.org_calls_used, connection.org_calls_allowed) == (2, 100_000)


def test_a_call_made_again_with_a_new_token_is_counted_again(governed, org):
    governed.identity()
    org.tokens.revoke_all()

    governed.describe("Case")

    assert sum(ApiSpending.objects.values_list("calls", flat=True)) == 3


def test_a_refused_call_never_leaves(governed, org, allowed, clock):
    governed.identity()
    allowed(10)
    calls = org.ledger.api_calls

    with pytest.raises(BudgetSpent):
        governed.describe("Case")

    assert org.ledger.api_calls == calls


def test_while_others_burn_calls_one_call_a_quarter_of_an_hour_looks_again(
    governed, org, clock
):
    governed.identity()
    org.others_call(90_000)
    governed.describe("Case")
    calls = org.ledger.calls.copy()

    for _ in range(60):
        clock.go_on(minutes=1)
        with pytest.raises(BudgetSpent):
            governed.describe("User")

    assert dict(org.ledger.calls - calls) == {"GET limits": 4}


def test_it_goes_on_when_the_look_finds_calls_free_again(governed, org, clock):
    governed.identity()
    org.others_call(90_000)
    governed.describe("Case")
    clock.go_on(hours=24, minutes=1)

    governed.describe("User")

    assert org.ledger.calls["GET limits"] == 1


def test_after_salesforces_own_refusal_nothing_is_asked_for_a_quarter_of_an_hour(
    governed, org, clock
):
    org.faults.allowance_spent = 1
    with pytest.raises(SalesforceThrottled):
        governed.identity()
    clock.go_on(minutes=14)
    with pytest.raises(BudgetSpent) as refused:
        governed.identity()
    assert refused.value.until == NOON + 15 * MINUTE
    assert Notice.objects.get().key == "salesforce-throttled"

    clock.go_on(minutes=1)
    governed.identity()

    assert Notice.objects.filter(cleared_at=None).count() == 0


SHARE, ALLOWANCE = 0.2, 400
STEP = timedelta(minutes=30)


class Judge:
    """The org's own count against what we do: what is broken is said in a sentence."""

    def __init__(self, org: LocalOrg, clock: OrgClock) -> None:
        self.made: list[datetime] = []
        self.broken: list[str] = []
        self.refusals = 0
        self._org, self._clock = org, clock
        self._told = 0
        self._looked_at = NOON - DAY

    def watch(self, call: Callable[[], object]) -> None:
        """Let a call be made, or refused, and look at what the org counted."""
        used, kinds = self._org.calls_used(), self._org.ledger.calls.copy()
        try:
            call()
        except (BudgetSpent, SalesforceThrottled):
            self.refusals += 1
        new = self._org.ledger.calls - kinds
        now = self._clock.now
        self.made.extend([now] * new.total())
        if sum(at > now - DAY for at in self.made) > SHARE * ALLOWANCE:
            self.broken.append(f"{now}: more than our share in 24 hours")
        # Where it is known, and still so, only the question whether it is may be asked.
        may_look = dict(new) == {"GET limits": 1} and now - self._looked_at >= 15 * MINUTE
        if new and min(self._told, used) >= 0.85 * ALLOWANCE and not may_look:
            self.broken.append(f"{now}: {dict(new)} at {used} of {ALLOWANCE}")
        if new["GET limits"]:
            self._looked_at = now
        if new:
            self._told = self._org.calls_used()


def test_over_thirty_days_with_other_apps_no_24_hours_hold_more_than_our_share(
    governed, org, clock
):
    org.api_allowance = ALLOWANCE
    draw, judge = Random(20261121), Judge(org, clock)

    for _ in range(30 * 24 * 2):
        clock.go_on(seconds=STEP.total_seconds())
        if draw.random() < 0.05:
            org.others_call(draw.randrange(150))
        for purpose in draw.choices(IMPORTANT_FIRST, k=draw.randrange(5)):
            with under(purpose):
                judge.watch(lambda: governed.newest("Case", ("Id",), limit=1))

    assert judge.broken == []
    assert len(judge.made) > 30 * ALLOWANCE * SHARE / 4  # the budget is used all the same
    assert judge.refusals > 100
    assert org.ledger.calls["GET limits"] > 10
