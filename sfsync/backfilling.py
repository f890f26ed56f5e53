"""Backfilling: Cases of the past get reasons, step by step, once a person has seen which.

Each step is short and is a row that becomes due later: no worker waits while Salesforce works, and
a worker that is killed at any point is followed by another one.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F

from classifier import leases
from sfsync.backfill_comparing import compare_cases
from sfsync.backfill_listing import list_cases, take_list
from sfsync.backfill_reading import read_cases
from sfsync.backfill_writing import finish, settle, write_by_delivery
from sfsync.bulk import BulkJobs, Kind
from sfsync.bulk_writing import FROM_ROWS, write_by_bulk
from sfsync.calls import Purpose, under
from sfsync.errors import (
    Postponed,
    RecordGone,
    SalesforceError,
    SalesforceRejected,
    SalesforceThrottled,
    SalesforceUnavailable,
)
from sfsync.gate import closed_until, not_before
from sfsync.gateway import SalesforceGateway
from sfsync.models import (
    Backfill,
    BackfillCase,
    BulkWriting,
    Connection,
    Mode,
    Notice,
    StepTakenOver,
)
from sfsync.models.backfill import TEXT_CHARACTERS

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 5
"""Claims of one step in a row: one that kills its worker each time waits for a person."""
LONGEST_PAUSE = 900.0
STOPPED = "backfill-stopped"
Stage = Backfill.Stage
Step = Callable[[SalesforceGateway, Backfill], float]
"""Does one step and returns the seconds until the next."""


class CannotBackfill(Exception):
    """A wish that was not granted; nothing changed. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Which Cases: created in [``created_from``, ``created_to``); no names: all."""

    created_from: datetime
    created_to: datetime
    record_types: Sequence[str] = ()
    origins: Sequence[str] = ()


def ask(wish: Wish, *, by: Any = None) -> Backfill:
    """Return a new backfill, which begins by itself; ``by`` is the user who asks.

    Raises:
        CannotBackfill: another one is under way, or the span makes no sense.
    """
    at = leases.now()
    if wish.created_from >= wish.created_to:
        raise CannotBackfill("The span must end after it begins.")
    with transaction.atomic():
        Connection.objects.select_for_update().filter(pk=Connection.current().pk).first()
        if Backfill.objects.under_way().exists():
            raise CannotBackfill(
                "A backfill is under way. Let it come to its end, or cancel it, before you ask"
                " for the next."
            )
        return Backfill.objects.create(
            created_from=wish.created_from,
            created_to=wish.created_to,
            record_types=list(wish.record_types),
            origins=list(wish.origins),
            asked_by_id=by.pk if by else None,
            asked_at=at,
            stage_at=at,
            pace_at=at,
            due_at=at,
        )


def approve(backfill: Backfill, *, by: Any) -> int:
    """Let what the dry run lists be written; return how many Cases that is.

    Where two people are asked for (``settings.PROMOTION_NEEDS_SECOND_PERSON``), who asked for the
    backfill does not approve it.

    Raises:
        CannotBackfill: not by this person, not now, or there is nothing to approve.
    """
    if refusal := approval_refusal(backfill, by):
        raise CannotBackfill(refusal)
    changes = backfill.cases.filter(verdict=BackfillCase.Verdict.CHANGE).count()
    at = leases.now()
    waiting = Backfill.objects.under_way().filter(pk=backfill.pk, stage=Stage.REVIEW)
    is_approved = waiting.update(
        stage=Stage.WRITE,
        approved_by=by.get_username(),
        approved_at=at,
        approved_changes=changes,
        by_bulk=changes > FROM_ROWS,
        stage_at=at,
        total=changes,
        done=0,
        pace_at=at,
        pace_done=0,
        due_at=at,
        said="",
        error="",
    )
    if not is_approved:
        raise CannotBackfill("This backfill does not wait for approval any more.")
    logger.info("backfill=%d approved_by=%s rows=%d", backfill.pk, by.get_username(), changes)
    return changes


def approval_refusal(backfill: Backfill, by: Any) -> str:
    """Return why ``by`` may not approve this now, and what to do; empty: they may."""
    if backfill.stage != Stage.REVIEW or backfill.is_over:
        return "This backfill does not wait for approval."
    if settings.PROMOTION_NEEDS_SECOND_PERSON and backfill.asked_by_id == by.pk:
        return (
            "You asked for this backfill, so another person approves it. Ask somebody with the"
            " permission “Can approve what a backfill would write” to look at this page."
        )
    connection = Connection.current()
    if connection.mode == Mode.SHADOW:
        return (
            "The connection is in shadow mode, in which nothing is written. Set its mode to"
            " suggest or automatic, then approve."
        )
    return ""


def pause(backfill: Backfill) -> None:
    """Do no further step until somebody goes on; what Salesforce has begun it finishes."""
    Backfill.objects.under_way().filter(pk=backfill.pk, paused_at=None).update(
        paused_at=leases.now(), pace_at=None
    )


def resume(backfill: Backfill) -> None:
    """Go on, also after an error; the pace is measured anew."""
    at = leases.now()
    stopped = Backfill.objects.under_way().filter(pk=backfill.pk)
    stopped.update(
        paused_at=None, error="", failures=0, attempts=0, pace_at=at, pace_done=F("done")
    )
    stopped.exclude(stage=Stage.REVIEW).update(due_at=at)
    Notice.clear(STOPPED, at)


def cancel(backfill: Backfill) -> None:
    """End a backfill: what was written stays, nothing more is written."""
    Backfill.objects.under_way().filter(pk=backfill.pk).update(
        is_cancelled=True, paused_at=None, error="", due_at=leases.now(), attempts=0
    )
    Notice.clear(STOPPED, leases.now())


def step_due(gateway: SalesforceGateway) -> int:
    """Do the next step of the backfill that waits longest; return 1 where another is due at once.

    Running it twice, or at the same time in two processes, does no harm: the backfill is
    leased. Trouble with Salesforce puts the step off; what waiting will not mend pauses the
    backfill, with the reason on its page.
    """
    moment = leases.now()
    if closed_until(Purpose.BACKFILL, moment):
        return 0
    claimed = leases.take(Backfill.objects.due(moment), limit=1)
    if not claimed:
        return 0
    (backfill,) = claimed
    before = gateway.calls
    try:
        with leases.kept(claimed):
            wait = _step(gateway, backfill)
    except StepTakenOver:
        logger.warning("backfill=%d taken_over=yes", backfill.pk)
        wait = LONGEST_PAUSE
    _rest(backfill, wait, gateway.calls - before)
    return int(wait == 0 and not backfill.is_over and backfill.due_at is not None)


def is_due() -> bool:
    """Return whether any step may be done now."""
    return Backfill.objects.due(leases.now()).exists()


def next_step_at() -> datetime | None:
    """Return when the next step may be done; None where none waits."""
    due = Backfill.objects.under_way().filter(paused_at=None, due_at__isnull=False)
    first = due.order_by("due_at").values_list("due_at", flat=True).first()
    return not_before(Purpose.BACKFILL, first)


STEPS: dict[str, Step] = {
    Stage.LIST: list_cases,
    Stage.TAKE: take_list,
    Stage.READ: read_cases,
    Stage.COMPARE: compare_cases,
}


def _step(gateway: SalesforceGateway, backfill: Backfill) -> float:
    if backfill.attempts > MOST_ATTEMPTS:
        _stop(backfill, "Its worker was stopped again and again at the same step. Look into the"
              " worker's log, then go on.")  # fmt: skip
        return LONGEST_PAUSE
    try:
        with under(Purpose.BACKFILL):
            Connection.pin(gateway.identity())
            wait = _step_of(backfill)(gateway, backfill)
    except (Postponed, SalesforceThrottled) as error:
        backfill.note(said=str(error)[:TEXT_CHARACTERS])
        until = closed_until(Purpose.BACKFILL, leases.now())
        return (until - leases.now()).total_seconds() if until else LONGEST_PAUSE
    except SalesforceUnavailable as error:
        failures = backfill.failures + 1
        backfill.note(failures=failures, said=str(error)[:TEXT_CHARACTERS])
        return min(LONGEST_PAUSE, 5.0 * 2.0 ** min(failures, 10))
    except SalesforceError as error:
        _stop(backfill, str(error))
        return LONGEST_PAUSE
    if backfill.failures and not backfill.is_over:
        backfill.note(failures=0)
    return wait


def _step_of(backfill: Backfill) -> Step:
    if backfill.is_cancelled:
        return _wind_up
    if backfill.stage == Stage.WRITE:
        return write_by_bulk if backfill.by_bulk else write_by_delivery
    return STEPS[backfill.stage]


def _wind_up(gateway: SalesforceGateway, backfill: Backfill) -> float:
    """End a cancelled backfill: Salesforce's jobs too, and what they had written is recorded."""
    jobs = BulkJobs(gateway)
    writing = backfill.writings.filter(
        state__in=[BulkWriting.State.PREPARING, BulkWriting.State.RUNNING]
    ).first()
    if writing is not None:
        if writing.state == BulkWriting.State.RUNNING:
            _abort(jobs, Kind.INGEST, writing.job_id)
        try:
            return write_by_bulk(gateway, backfill)
        except SalesforceRejected:
            return 0  # that it was aborted is no news
    if backfill.stage == Stage.LIST and backfill.job_id:
        _abort(jobs, Kind.QUERY, backfill.job_id)
    settle(backfill.cases.filter(outcome=BackfillCase.Outcome.SENDING))
    finish(backfill)
    Backfill.objects.filter(pk=backfill.pk).update(stage=Stage.CANCELLED)
    return 0


def _abort(jobs: BulkJobs, kind: Kind, job_id: str) -> None:
    try:
        if not jobs.find(kind, job_id).is_over:
            jobs.abort(kind, job_id)
    except (RecordGone, SalesforceRejected):
        return  # over already


def _stop(backfill: Backfill, because: str) -> None:
    """Pause until a person goes on, and tell people why."""
    at = leases.now()
    backfill.note(paused_at=at, error=because[:TEXT_CHARACTERS], said="")
    text = f"A backfill is paused: {because} Its page (Backfill in the menu) lets it go on."
    Notice.raise_for(STOPPED, Notice.Level.WARNING, text, at)


def _rest(backfill: Backfill, wait: float, calls: int) -> None:
    """Give the claim back; the next step is due after ``wait`` seconds."""
    mine = Backfill.objects.filter(pk=backfill.pk, epoch=backfill.epoch)
    mine.update(lease_token=None, leased_until=None, attempts=0, calls=backfill.calls + calls)
    due_at = leases.now() + timedelta(seconds=wait)
    waiting = mine.filter(ended_at=None, due_at__isnull=False)
    waiting.filter(is_cancelled=backfill.is_cancelled).update(due_at=due_at)
