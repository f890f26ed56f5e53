"""How many API calls we may make: a share of the org's, the more important ones first.

A call is counted before it is made, in one short transaction that locks the connection's row,
so that several processes never spend the same call twice. The clock is the database's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet, Sum

from sfsync.calls import Call, Outcome, Purpose
from sfsync.errors import ALLOWANCE_SPENT, BudgetSpent, SalesforceThrottled
from sfsync.models import ApiSpending, Connection, Notice

DAY = timedelta(hours=24)
HOUR = timedelta(hours=1)
SLOT = timedelta(minutes=5)
"""Calls are counted together for so long, and free again when all of their slot is too old."""
KEPT = timedelta(days=8)
"""For the week on the dashboard."""
HOURLY = 0.08
"""Of the day's budget an hour may take so much: twice the even pace (reliability page, 4.7)."""
LEAST_ALLOWANCE = 15_000
"""Of a Developer Edition: taken for the org's until an answer tells the true one."""
STOPS_AT, STOPS_BUT_CONFIRMING_AT = 0.85, 0.80
"""Share of the org's allowance, used by whomever, at which we make no more calls."""
LOOK_AGAIN = timedelta(minutes=15)
"""While the org's use keeps us from asking, one call so often asks whether it still does."""
SILENCE = timedelta(minutes=15)
"""After Salesforce refused: the allowance counts 24 rolling hours, some are free by then."""
SPENT = "salesforce-throttled"
WAITS = "api-budget"
USABLE: Mapping[Purpose, float] = {
    Purpose.CONFIRM: 1.0,
    Purpose.LOOK: 1.0,
    Purpose.WRITE: 0.95,
    Purpose.SCAN: 0.90,
    Purpose.FETCH: 0.85,
    Purpose.BACKFILL: 0.60,
    Purpose.DESCRIBE: 0.50,
}
"""Purpose → how much of the day's and of the hour's budget it may see used up: what is less
important stops earlier, so that something is always left for what is more important."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many calls we may make."""

    day: int
    hour: int

    @classmethod
    def of(cls, connection: Connection) -> "Limits":
        day = int((connection.org_calls_allowed or LEAST_ALLOWANCE) * connection.api_share)
        return cls(day, int(day * HOURLY))

    def within(self, purpose: Purpose) -> "Limits":
        """Return what a call for ``purpose`` may find used."""
        share = USABLE[purpose]
        return Limits(int(self.day * share), int(self.hour * share))


@dataclass(frozen=True, slots=True)
class Closed:
    """Why calls of a purpose may not be made, and until when."""

    until: datetime
    because: str
    is_look_due: bool = False


@dataclass(frozen=True, slots=True)
class Budget:
    """The budget as people see it: what we may use in 24 hours, and what is used."""

    allowed: int
    used: int
    free_at: datetime | None
    """When writing is possible again; None: it is now."""


def reserve(purpose: Purpose, at: datetime) -> None:
    """Count one call for ``purpose`` at ``at``, before it is made.

    Raises:
        BudgetSpent: it may not be made; nothing was counted, and a notice says why.
    """
    Connection.current()
    with transaction.atomic():
        connection = Connection.objects.select_for_update().get(id=1)
        closed = _closed(connection, purpose, at)
        if closed is None:
            _count(connection, purpose, at)
            return
    if not closed.is_look_due:
        _tell(closed, at)
    raise BudgetSpent(
        closed.because, until=closed.until, code="BUDGET_SPENT", is_look_due=closed.is_look_due
    )


def settle(call: Call, outcome: Outcome, at: datetime) -> None:
    """Keep what a call's answer told of the org's use; a refusal begins a silence."""
    if outcome.org_use is not None:
        Connection.note_api_use(outcome.org_use, at)
    if isinstance(outcome.error, SalesforceThrottled):
        Connection.objects.filter(id=1).update(calls_stopped_until=at + SILENCE)
        Notice.raise_for(SPENT, Notice.Level.ERROR, ALLOWANCE_SPENT, at)
    elif call.is_counted and outcome.error is None:
        silenced = Connection.objects.filter(id=1, calls_stopped_until__isnull=False)
        if silenced.update(calls_stopped_until=None):
            Notice.clear(SPENT, at)


def closed(purpose: Purpose, at: datetime) -> Closed | None:
    """Return why a call for ``purpose`` may not be made now; None: it may, or we must look."""
    found = _closed(Connection.current(), purpose, at)
    return None if found is None or found.is_look_due else found


def standing(at: datetime) -> Budget:
    """Return how the budget stands, for people; three queries."""
    connection = Connection.objects.filter(id=1).first() or Connection(id=1)
    shut = _closed(connection, Purpose.WRITE, at)
    return Budget(Limits.of(connection).day, _used(at, DAY), shut.until if shut else None)


def _closed(connection: Connection, purpose: Purpose, at: datetime) -> Closed | None:
    stopped = connection.calls_stopped_until
    if stopped is not None and at < stopped:
        return Closed(stopped, ALLOWANCE_SPENT)
    return _by_the_orgs_use(connection, purpose, at) or _by_our_own(connection, purpose, at)


def _by_the_orgs_use(connection: Connection, purpose: Purpose, at: datetime) -> Closed | None:
    used, allowed = connection.org_calls_used, connection.org_calls_allowed
    told_at = connection.org_calls_told_at
    share = STOPS_AT if purpose is Purpose.CONFIRM else STOPS_BUT_CONFIRMING_AT
    if not allowed or told_at is None or used + 1 <= share * allowed:
        return None
    is_old = told_at + LOOK_AGAIN <= at
    if is_old and purpose is Purpose.LOOK:
        return None
    because = (
        f"The whole org has used {used:,} of its {allowed:,} API calls of 24 hours, by whatever"
        f" integration. From {share:.0%} on we make no more, so that the others can work;"
        " every 15 minutes we look again. If this comes often, buy more API calls or let other"
        " integrations make fewer."
    )
    return Closed(max(told_at + LOOK_AGAIN, at), because, is_look_due=is_old)


def _by_our_own(connection: Connection, purpose: Purpose, at: datetime) -> Closed | None:
    limits = Limits.of(connection).within(purpose)
    spans = ((DAY, limits.day, "24 hours"), (HOUR, limits.hour, "one hour"))
    free_at = [
        (_free_at(at, span, limit), name)
        for span, limit, name in spans
        if _used(at, span) + 1 > limit
    ]
    if not free_at:
        return None
    until, name = max(free_at)
    because = (
        f"Our share of the org's API calls for {purpose.label} in {name} is used up. It goes on"
        f" at {until:%H:%M} UTC by itself; nothing is lost meanwhile. If this comes often, raise"
        " our share under Connection in the admin, or ask sources less often."
    )
    return Closed(until, because)


def _counted(at: datetime, span: timedelta) -> QuerySet[ApiSpending]:
    return ApiSpending.objects.filter(started_at__gt=at - span - SLOT)


def _used(at: datetime, span: timedelta) -> int:
    return _counted(at, span).aggregate(calls=Sum("calls"))["calls"] or 0


def _free_at(at: datetime, span: timedelta, limit: int) -> datetime:
    """Return when so much of what was used is too old to count that one more call fits."""
    slots = list(_counted(at, span).order_by("started_at").values_list("started_at", "calls"))
    left = sum(calls for _, calls in slots)
    for started_at, calls in slots:
        left -= calls
        if left + 1 <= limit:
            return started_at + span + SLOT
    return at + span  # the limit is 0: an allowance of a few calls


def _count(connection: Connection, purpose: Purpose, at: datetime) -> None:
    slot = at - (at - datetime.min.replace(tzinfo=at.tzinfo)) % SLOT
    if ApiSpending.add(slot, purpose):
        ApiSpending.objects.filter(started_at__lt=at - KEPT).delete()
    if connection.calls_wait_until is not None and connection.calls_wait_until <= at:
        Connection.objects.filter(id=1).update(calls_wait_until=None)
        Notice.clear(WAITS, at)


def _tell(shut: Closed, at: datetime) -> None:
    """Tell people in one notice, which stays open until the last purpose is free again."""
    if shut.because == ALLOWANCE_SPENT:
        return  # told when Salesforce said it
    Notice.raise_for(WAITS, Notice.Level.WARNING, shut.because, at, rings=True)
    waits = Connection.objects.filter(id=1)
    later = Q(calls_wait_until=None) | Q(calls_wait_until__lt=shut.until)
    waits.filter(later).update(calls_wait_until=shut.until)
