"""Claims on waiting rows that run out by themselves, the same on SQLite and PostgreSQL.

A claim is one conditional UPDATE: whoever changed the row owns it. The clock is the
database's, so workers on machines with different clocks agree; the epoch fences a worker
that wakes up after its lease ran out.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import uuid4

from django.db import DatabaseError, connection, models, transaction
from django.db.models import F, Q, QuerySet

SECONDS = 20.0
"""How long a claim lasts that nobody keeps: a killed worker's rows are free again after this."""

logger = logging.getLogger(__name__)


class Leased(models.Model):
    """A row that a worker can claim for a while. Finished rows keep no lease."""

    lease_token = models.UUIDField(null=True, editable=False)
    leased_until = models.DateTimeField(null=True, editable=False)
    epoch = models.PositiveIntegerField(default=0, editable=False)
    """Grows by one with each claim: an outcome reported under an old epoch changes nothing."""
    attempts = models.PositiveIntegerField(default=0, editable=False)
    """Claims so far, counted before the work, so that work that kills its worker is counted."""

    class Meta:
        abstract = True


Row = TypeVar("Row", bound=Leased)


def now() -> datetime:
    """Return the database's clock, aware, in UTC."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT clock_timestamp()")
            moment: datetime = cursor.fetchone()[0]
            return moment.astimezone(UTC)
        cursor.execute("SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')")
        (text,) = cursor.fetchone()
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)


def take(waiting: QuerySet[Row], *, limit: int, seconds: float = SECONDS) -> list[Row]:
    """Claim up to ``limit`` of the ``waiting`` rows for ``seconds`` and return them, in order.

    Each row is claimed by at most one caller at a time; a claim that is neither finished nor
    released is free again after ``seconds``.
    """
    token = uuid4()
    moment = now()
    free = Q(leased_until=None) | Q(leased_until__lt=moment)
    candidates = waiting.filter(free)
    with transaction.atomic():
        if connection.features.has_select_for_update_skip_locked:
            candidates = candidates.select_for_update(skip_locked=True, of=("self",))
        ids = [row.pk for row in candidates.only("pk")[:limit]]
        if not ids:
            return []
        # The condition is said again: without row locks (SQLite) another worker may have been quicker.
        waiting.model._default_manager.filter(free, pk__in=ids).update(
            lease_token=token,
            leased_until=moment + timedelta(seconds=seconds),
            epoch=F("epoch") + 1,
            attempts=F("attempts") + 1,
        )
    # By key: no index knows the token, and the table may hold a million rows.
    mine = waiting.model._default_manager.filter(pk__in=ids, lease_token=token)
    claimed = {row.pk: row for row in mine}
    return [claimed[pk] for pk in ids if pk in claimed]


def release(rows: Iterable[Row]) -> None:
    """Give claims back unfinished: the rows are free at once, their attempts not counted."""
    for row in rows:
        type(row)._default_manager.filter(pk=row.pk, epoch=row.epoch).update(
            lease_token=None, leased_until=None, attempts=F("attempts") - 1
        )


@contextmanager
def kept(rows: Sequence[Leased], *, seconds: float = SECONDS) -> Iterator[None]:
    """Keep the claims on ``rows`` while the block runs, however long it takes.

    They can so be short: a worker that is killed stops keeping them, and another takes over
    within ``seconds``. Rows that were finished or released meanwhile are left alone.
    """

    def renew_or_tell() -> None:
        try:
            renew(rows, seconds=seconds)
        except DatabaseError as error:  # the next quarter tries again; else the claim runs out
            logger.warning("lease=not_renewed cause=%s", type(error).__name__)

    with keeper.get()(renew_or_tell, seconds / 4):
        yield


@contextmanager
def from_a_thread(call: Callable[[], None], seconds: float) -> Iterator[None]:
    """Make the call every so many seconds while the block runs."""
    is_over = threading.Event()
    thread = threading.Thread(target=_call, args=(call, seconds, is_over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _call(call: Callable[[], None], seconds: float, is_over: threading.Event) -> None:
    try:
        while not is_over.wait(seconds):
            call()
    finally:
        connection.close()  # this thread's own


keeper: ContextVar[Callable[[Callable[[], None], float], AbstractContextManager[None]]] = (
    ContextVar("keeper", default=from_a_thread)
)
"""Who keeps the claims. A world with a clock of its own keeps them by that (decision 34)."""


def renew(rows: Sequence[Leased], *, seconds: float = SECONDS) -> None:
    """Let the claims on ``rows``, as far as they still hold, last ``seconds`` from now."""
    until = now() + timedelta(seconds=seconds)
    for model in {type(row) for row in rows}:
        ours = [row for row in rows if type(row) is model and row.lease_token]
        model._default_manager.filter(
            pk__in=[row.pk for row in ours],
            lease_token__in={row.lease_token for row in ours},
            leased_until__isnull=False,
        ).update(leased_until=until)
