"""When to stop asking: each kind of call is cut off while it fails, and tried again by one call.

The state is one row per kind of call, so all processes stop together. The clock is the
database's. Rows that wait are never touched here: nothing was tried with them.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from sfsync.calls import Operation, Outcome, Purpose
from sfsync.errors import (
    BreakerOpen,
    Postponed,
    SalesforceBusy,
    SalesforceDenied,
    SalesforceError,
    SalesforceThrottled,
    SalesforceUnavailable,
)
from sfsync.models import Breaker, Notice

FAILURES, WITHIN = 5, timedelta(seconds=60)
LATEST, RECENT = 20, timedelta(minutes=10)
"""Half of the latest twenty calls, of ten minutes, may fail: a trickle fails slowly."""
KEPT = 100
"""Outcomes: enough to find five failures of a minute among many calls that worked."""
WAITS = tuple(timedelta(seconds=seconds) for seconds in (30, 60, 90))
"""The longest is short enough for work to go on two minutes after Salesforce has healed."""
REFUSED_WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 4, 5))
LOGIN_REFUSED_WAITS = (timedelta(minutes=5),)
"""More tries could lock the integration user (reliability page, F10)."""
PROBE = timedelta(seconds=60)
"""Longer than one call may take: a prober that was killed lets the next one try."""
NO_FAILURES = {"QUERY_TIMEOUT", "INVALID_QUERY_LOCATOR"}
"""Codes of what one question brings about, whatever else works."""
ACCOUNT_REFUSED = {"INVALID_SESSION_ID", "API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED"}
"""Codes of a refusal that every call of ours would meet."""
KEY = "breaker-"
NEEDED = {
    Purpose.CONFIRM: (Operation.READ,),
    Purpose.WRITE: (Operation.READ, Operation.WRITE),
}
"""Purpose → kinds of call that it cannot do without; else reading."""


def admit(operation: Operation, at: datetime) -> bool:
    """Let a call of this kind be made; return whether it is the one that tries again.

    Raises:
        BreakerOpen: this kind of call is cut off, or another one is trying just now.
    """
    row = Breaker.objects.filter(operation=operation, open_until__isnull=False).first()
    if row is None or row.open_until is None:
        return False
    due = Breaker.objects.filter(pk=row.pk, open_until=row.open_until)
    if row.open_until <= at and due.update(open_until=at + PROBE, is_probing=True):
        return True
    raise BreakerOpen(
        _sentence(row, row.open_until), until=max(row.open_until, at), code="BREAKER_OPEN"
    )


def give_back(operation: Operation, at: datetime) -> None:
    """Let another call try: ours was not made after all."""
    Breaker.objects.filter(operation=operation, is_probing=True).update(
        open_until=at, is_probing=False
    )


def note(operation: Operation, outcome: Outcome, at: datetime) -> None:
    """Keep what became of a call; cut its kind off, or open the way again."""
    error = outcome.error
    if isinstance(error, SalesforceDenied):
        if operation is Operation.LOGIN or error.code in ACCOUNT_REFUSED:
            _cut(operation, at, LOGIN_REFUSED_WAITS, str(error))
        return
    if _is_failure(error):
        _fail(operation, at)
    else:
        _succeed(operation, at)


def refuse(operation: Operation, at: datetime, because: str) -> None:
    """Cut a kind of call off for some minutes: an operator must act before it can work."""
    _cut(operation, at, REFUSED_WAITS, because, is_told=False)


def closed_until(purpose: Purpose, at: datetime) -> datetime | None:
    """Return until when calls that ``purpose`` needs are cut off; None: they may be tried."""
    needed = NEEDED.get(purpose, (Operation.READ,))
    moments = Breaker.objects.filter(operation__in=needed, open_until__gt=at)
    return max(filter(None, moments.values_list("open_until", flat=True)), default=None)


def is_told() -> bool:
    """Return whether an open notice tells that some kind of call is cut off."""
    return Notice.objects.filter(key__startswith=KEY, cleared_at=None).exists()


def try_again(at: datetime) -> int:
    """Let one call of each kind that is cut off try at once, as a person wishes; return how many."""
    cut_off = Breaker.objects.filter(open_until__isnull=False)
    return cut_off.update(open_until=at, is_probing=False)


def sentences() -> list[str]:
    """Return what is cut off just now, a sentence each."""
    rows = Breaker.objects.filter(open_until__isnull=False)
    return [_sentence(row, row.open_until) for row in rows if row.open_until]


def _is_failure(error: SalesforceError | None) -> bool:
    passes = (SalesforceBusy, SalesforceThrottled, Postponed)
    return (
        isinstance(error, SalesforceUnavailable)
        and not isinstance(error, passes)
        and error.code not in NO_FAILURES
    )


def _fail(operation: Operation, at: datetime) -> None:
    Breaker.objects.get_or_create(operation=operation)
    with transaction.atomic():
        row = Breaker.objects.select_for_update().get(operation=operation)
        row.outcomes = [*_recent(row.outcomes, at), [at.timestamp(), False]][-KEPT:]
        if row.open_until is not None:
            if row.is_probing:  # what else fails now was under way before
                _open(row, at, WAITS)
        elif _is_too_much(row.outcomes, at):
            row.opened_at = at
            _open(row, at, WAITS)
        row.save()
    if row.open_until is not None:
        _tell(row, at)


def _succeed(operation: Operation, at: datetime) -> None:
    row = Breaker.objects.filter(operation=operation).first()
    if row is None or (row.open_until is None and not row.outcomes):
        return
    with transaction.atomic():
        row = Breaker.objects.select_for_update().get(operation=operation)
        was_open = row.open_until is not None
        kept = [] if was_open else _recent(row.outcomes, at)
        row.outcomes = [*kept, [at.timestamp(), True]][-KEPT:] if kept else []
        row.opened_at = row.open_until = None
        row.openings, row.is_probing, row.was_refused = 0, False, False
        row.save()
    if was_open:
        Notice.clear(_key(operation), at)


def _cut(
    operation: Operation,
    at: datetime,
    waits: tuple[timedelta, ...],
    because: str,
    *,
    is_told: bool = True,
) -> None:
    Breaker.objects.get_or_create(operation=operation)
    with transaction.atomic():
        row = Breaker.objects.select_for_update().get(operation=operation)
        row.was_refused = True
        row.opened_at = row.opened_at or at
        _open(row, at, waits)
        row.save()
    if is_told:
        _tell(row, at, because)


def _open(row: Breaker, at: datetime, waits: tuple[timedelta, ...]) -> None:
    row.open_until = at + waits[min(row.openings, len(waits) - 1)]
    row.openings += 1
    row.is_probing = False


def _is_too_much(outcomes: list[list[float | bool]], at: datetime) -> bool:
    """Return whether 5 failed within a minute, or half of the latest 20 calls."""
    since = (at - WITHIN).timestamp()
    failed = sum(not worked and moment >= since for moment, worked in outcomes)
    latest = outcomes[-LATEST:]
    is_half = len(latest) == LATEST and sum(not worked for _, worked in latest) * 2 >= LATEST
    return failed >= FAILURES or is_half


def _recent(outcomes: Iterable[list[float | bool]], at: datetime) -> list[list[float | bool]]:
    """Return the outcomes of the last ten minutes, from the first failure on."""
    since = (at - RECENT).timestamp()
    recent = [one for one in outcomes if one[0] >= since]
    first = next((n for n, one in enumerate(recent) if not one[1]), len(recent))
    return recent[first:]


def _tell(row: Breaker, at: datetime, because: str = "") -> None:
    assert row.open_until is not None  # noqa: S101 -- for mypy
    level = Notice.Level.ERROR if row.was_refused else Notice.Level.WARNING
    text = f"{because} {_sentence(row, row.open_until)}".strip()
    Notice.raise_for(_key(row.operation), level, text, at, rings=True)


def _sentence(row: Breaker, until: datetime) -> str:
    kind = row.get_operation_display().capitalize()
    if row.was_refused:
        return (
            f"{kind} is refused by Salesforce, so nobody tries before {until:%H:%M:%S} UTC. Once it"
            " is mended, `python manage.py check_salesforce` tries at once."
        )
    return (
        f"{kind} fails again and again, so Salesforce is left alone until {until:%H:%M:%S} UTC;"
        " then one call tries, and all goes on by itself once it works. Nothing is lost. If it"
        " lasts, look at status.salesforce.com and at our way to the internet."
    )


def _key(operation: str) -> str:
    return KEY + operation
