"""Writing what was approved, a few rows: the ordinary delivery does it, portion by portion."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from classifier import leases
from sfsync import live_first
from sfsync.gateway import SalesforceGateway
from sfsync.models import Backfill, BackfillCase, CaseLink, Connection, WriteBack

PORTION = 200
"""Rows let go at a time: one Collections call."""
PAUSED_SECONDS = 30.0
LATER = timedelta(minutes=1)
"""Before a row that a Bulk job could not write for now is tried again, as usual then."""
Outcome = BackfillCase.Outcome
Hold = WriteBack.Hold
ENDINGS = {
    WriteBack.Outcome.DELIVERED: Outcome.WRITTEN,
    WriteBack.Outcome.UNCHANGED: Outcome.UNCHANGED,
    WriteBack.Outcome.CEDED: Outcome.CEDED,
    WriteBack.Outcome.SUPERSEDED: Outcome.MOVED_ON,
    WriteBack.Outcome.GONE: Outcome.GONE,
    WriteBack.Outcome.DEAD: Outcome.FAILED,
}


def write_by_delivery(gateway: SalesforceGateway, backfill: Backfill) -> float:
    """Let one portion go, or look what became of it; return the seconds until the next step.

    The ordinary delivery looks at each Case before it writes and tries again what may pass.

    Raises:
        StepTakenOver: nothing was lost.
    """
    if is_paused(backfill):
        return PAUSED_SECONDS
    sending = _of(backfill, Outcome.SENDING)
    if count := sending.count():
        with transaction.atomic():
            settled = settle(sending)
            backfill.note(done=backfill.done + settled, said="")
        return 0 if settled == count else 1.0
    portion = list(_of(backfill, "")[:PORTION])
    if not portion:
        return finish(backfill)
    if live_first.must_wait_to_write(leases.now()):
        backfill.note(said="Writes of today come first; this goes on by itself.")
        return live_first.SECONDS
    _let_go(backfill, portion)
    return 1.0


def is_paused(backfill: Backfill) -> bool:
    """Return whether all writing to Salesforce is paused, and say so."""
    if Connection.current().paused_at is None:
        return False
    backfill.note(said="All writing to Salesforce is paused; resume it on the dashboard.")
    return True


def settle(rows: QuerySet[BackfillCase]) -> int:
    """Note what became of rows that were let go; return how many need no further look."""
    settled = []
    for row in rows.select_related("write_back__decision"):
        row.outcome = outcome_of(row.write_back)
        if row.outcome != Outcome.SENDING:
            settled.append(row)
    BackfillCase.objects.bulk_update(settled, ["outcome"])
    approved = [row.case_id for row in settled if row.outcome != Outcome.MOVED_ON]
    CaseLink.objects.filter(case_id__in=approved).update(backfill=None)
    return len(settled)


def outcome_of(write_back: WriteBack | None) -> Outcome:
    """Return what became of a row, as far as its backfill cares."""
    if write_back is None:
        return Outcome.MOVED_ON
    if write_back.outcome:
        return ENDINGS[WriteBack.Outcome(write_back.outcome)]
    if write_back.decision.superseded_at is not None:
        return Outcome.MOVED_ON
    if write_back.held_because == Hold.BACKFILL:
        return Outcome.SENDING
    if write_back.held_because:
        return Outcome.HELD
    return Outcome.LATER if write_back.error_code else Outcome.SENDING


def finish(backfill: Backfill) -> float:
    """End a backfill that has nothing left to write, with what waits for nothing any more."""
    at = leases.now()
    backfill.note(stage=Backfill.Stage.DONE, ended_at=at, due_at=None, said="")
    end_unwritten(backfill, at)
    return 0


def end_unwritten(backfill: Backfill, at: datetime) -> None:
    """End the rows of which the comparison found that there is nothing to write."""
    verdicts = BackfillCase.Verdict
    nothing = [verdicts.SAME, verdicts.PERSON, verdicts.UNSURE]
    cases = backfill.cases.filter(verdict__in=nothing)
    held = WriteBack.objects.held(Hold.BACKFILL).filter(pk__in=cases.values("write_back"))
    held.update(ended_at=at, outcome=WriteBack.Outcome.UNCHANGED, held_because="")


def _let_go(backfill: Backfill, portion: list[BackfillCase]) -> None:
    """Make a portion due, as far as it is still what was approved."""
    rows = [row.write_back_id for row in portion if row.write_back_id is not None]
    with transaction.atomic():
        backfill.note(said="")
        held = WriteBack.objects.held(Hold.BACKFILL).filter(
            pk__in=rows, decision__superseded_at=None
        )
        ids = list(held.values_list("pk", flat=True))
        CaseLink.objects.filter(write_backs__in=ids).update(backfill=None)
        WriteBack.objects.filter(pk__in=ids).make_due(leases.now())
        backfill.cases.filter(pk__in=[row.pk for row in portion]).update(
            outcome=Outcome.SENDING
        )


def _of(backfill: Backfill, outcome: str) -> QuerySet[BackfillCase]:
    return backfill.cases.filter(verdict=BackfillCase.Verdict.CHANGE, outcome=outcome).order_by(
        "id"
    )
