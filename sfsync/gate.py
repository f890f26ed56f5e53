"""The gate that every call to Salesforce passes: may it be made, and what became of it?"""

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import DatabaseError

from classifier import leases
from sfsync import breaker, budget, writers
from sfsync.calls import Call, Outcome, Purpose
from sfsync.errors import BudgetSpent

logger = logging.getLogger(__name__)


class SharedGate:
    """The gate of all processes that share our database.

    ``clock`` returns the time by which calls are counted; the database's unless told otherwise.
    """

    def __init__(self, clock: Callable[[], datetime] = leases.now) -> None:
        self._clock = clock

    def admit(self, call: Call) -> None:
        """Count a call before it is made.

        Raises:
            Postponed: it must not be made now; nothing was counted.
        """
        at = self._clock()
        tries_again = breaker.admit(call.operation, at)
        if not call.is_counted:
            return
        try:
            budget.reserve(call.purpose, at)
        except BudgetSpent:
            if tries_again:
                breaker.give_back(call.operation, at)
            raise

    def note(self, call: Call, outcome: Outcome) -> None:
        """Hear what became of a call. A database that fails now must not lose the answer."""
        try:
            at = self._clock()
            budget.settle(call, outcome, at)
            breaker.note(call.operation, outcome, at)
            writers.note(call.operation, outcome, at)
        except DatabaseError as error:
            logger.warning("call=not_noted cause=%s", type(error).__name__)


def closed_until(purpose: Purpose, at: datetime) -> datetime | None:
    """Return until when no call for ``purpose`` may be made; None: it may be tried."""
    shut = budget.closed(purpose, at)
    moments = (shut.until if shut else None, breaker.closed_until(purpose, at))
    return max(filter(None, moments), default=None)


def not_before(purpose: Purpose, moment: datetime | None) -> datetime | None:
    """Return ``moment``, or when calls may be made again if that is later; None stays None."""
    if moment is None:
        return None
    return max(moment, closed_until(purpose, leases.now()) or moment)
