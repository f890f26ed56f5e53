"""The org's allowance of API calls: what we use of it, and the silence once it is spent."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from classifier import leases
from sfsync.errors import ALLOWANCE_SPENT
from sfsync.gateway import SalesforceGateway
from sfsync.models import ApiUsage, Connection, Notice

SILENCE = timedelta(minutes=15)
"""The allowance counts 24 rolling hours: some calls are free again by then, or soon after."""
SPENT = "salesforce-throttled"


def tell_spent(moment: datetime) -> None:
    """Begin the silence: from now on pulling and pushing ask nothing, and people know why."""
    Notice.raise_for(SPENT, Notice.Level.ERROR, ALLOWANCE_SPENT, moment)


def tell_free(moment: datetime) -> None:
    """End the silence: a call was answered."""
    Notice.clear(SPENT, moment)


def is_spent(moment: datetime) -> bool:
    """Return whether the allowance was found spent a short while ago."""
    until = silent_until()
    return until is not None and moment < until


def silent_until() -> datetime | None:
    """Return when the org may be asked again; None where there is no silence."""
    notice = Notice.objects.filter(key=SPENT, cleared_at=None).first()
    return notice.last_at + SILENCE if notice else None


def not_in_silence(moment: datetime | None) -> datetime | None:
    """Return ``moment``, or the end of the silence where that is later; None stays None."""
    return moment and max(moment, silent_until() or moment)


@contextmanager
def counted(gateway: SalesforceGateway) -> Iterator[None]:
    """Add the calls made inside to the day's account, whatever comes of them."""
    before = gateway.calls
    try:
        yield
    finally:
        ApiUsage.add(leases.now().date(), gateway.calls - before)
        Connection.note_api_use(gateway.api_use())
