"""Writing what was approved, many rows: by ingest jobs of Bulk API 2.0.

Each Case is looked at just before, as in the ordinary delivery, and what will be sent is noted
before it is. A job that was cut short before Salesforce began with it is aborted, never gone on
with: what was looked at then is too old. Once Salesforce has begun, its own word counts, or, where
that is lost, what stands on the Cases.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from classifier import leases
from sfsync.backfill_listing import FIRST_POLL, JobFailed, wait_of
from sfsync.backfill_writing import LATER, PAUSED_SECONDS, finish, is_paused, settle
from sfsync.bulk import MOST_BYTES, BulkJobs, Kind, State
from sfsync.cases import CaseUpdate, SObjectDescription, UpdateResult
from sfsync.decided import to_decided
from sfsync.delivering import WITH_DECISION, Batch
from sfsync.endings import Candidate
from sfsync.errors import RecordGone
from sfsync.gateway import SalesforceGateway
from sfsync.models import Backfill, BackfillCase, BulkWriting, Connection, WriteBack
from sfsync.protection import Protection
from sfsync.soql import IDS_PER_QUERY
from sfsync.terms import Terms

logger = logging.getLogger(__name__)

FROM_ROWS = 2_000
"""More rows than that are written by Bulk: about there it needs fewer calls (wire spec, 8)."""
JOB_ROWS = 10_000
"""One internal batch of Salesforce's."""
RECORDED_AT_ONCE = 200
STEP_SECONDS = 60.0
"""Half of what a task may take. What is left then is the next step's, or the next job's."""
HELD_FOR = 900.0
"""How long rows of a job are kept from other writers, unless their job says it goes on."""
NOTHING_DESCRIBED = SObjectDescription("Case", {})
"""What is recorded has been fitted to the org before it was sent."""
Outcome = BackfillCase.Outcome


def write_by_bulk(gateway: SalesforceGateway, backfill: Backfill) -> float:
    """Do the next step of the present job; return the seconds until the one after.

    Raises:
        JobFailed: Salesforce gave a job up; going on makes a new one.
        SalesforceError, StepTakenOver: nothing was lost.
    """
    jobs = BulkJobs(gateway)
    writing = backfill.writings.filter(
        state__in=[BulkWriting.State.PREPARING, BulkWriting.State.RUNNING]
    ).first()
    if writing is not None and writing.state == BulkWriting.State.PREPARING:
        return recover(jobs, backfill, writing)
    if writing is not None:
        return _look_after(gateway, jobs, backfill, writing)
    if is_paused(backfill):
        return PAUSED_SECONDS
    if not _left(backfill).exists():
        return finish(backfill)
    _write(gateway, jobs, backfill)
    return FIRST_POLL


def _write(gateway: SalesforceGateway, jobs: BulkJobs, backfill: Backfill) -> None:
    """Look at the Cases of the next job, open it, upload, and let Salesforce begin."""
    writing = _planned(gateway, backfill)
    batch = Batch(_terms(backfill), gateway.describe("Case"), _delay)
    if batch.protection is not Protection.GUARD:
        batch.protection = Protection.LOOK  # a job takes no conditions
        looked_at = leases.now()
        BulkWriting.objects.filter(pk=writing.pk).update(looked_at=looked_at)
    updates: list[CaseUpdate] = []
    size, until = 0, gateway.seconds() + STEP_SECONDS
    for ids in _portions(writing.cases.order_by("id").values_list("pk", flat=True)):
        noted = _look(gateway, backfill, batch, ids)
        updates.extend(one.update for one in noted)
        size += sum(len(str(value)) for one in noted for value in one.send.values())
        # Some characters are several bytes.
        if size > MOST_BYTES // 2 or gateway.seconds() > until:
            break
    if not updates or not batch.terms.allow_the_same_as(Connection.current()):
        _give_up_unsent(backfill, writing)
        return
    job = jobs.start_update("Case")
    BulkWriting.objects.filter(pk=writing.pk).update(job_id=job.job_id, rows=len(updates))
    jobs.upload(job.job_id, updates)
    backfill.note(said="")  # still ours, as the last thing before Salesforce may begin
    jobs.complete(job.job_id)
    BulkWriting.objects.filter(pk=writing.pk).update(state=BulkWriting.State.RUNNING)
    logger.info("backfill=%d bulk_job=%s rows=%d", backfill.pk, job.job_id, len(updates))


def recover(jobs: BulkJobs, backfill: Backfill, writing: BulkWriting) -> float:
    """Find out how far an earlier worker came with this job, and give it up or go on with it."""
    if not writing.job_id:
        known = set(BulkWriting.objects.exclude(job_id="").values_list("job_id", flat=True))
        for job in jobs.mine_since(Kind.INGEST, writing.asked_at):
            if job.state is State.OPEN and job.sobject == "Case" and job.job_id not in known:
                jobs.abort(Kind.INGEST, job.job_id)
        _give_up_unsent(backfill, writing)
        return 0
    try:
        job = jobs.find(Kind.INGEST, writing.job_id)
    except RecordGone:
        _put_back(backfill, writing, BulkWriting.State.DROPPED)
        return 0
    if job.state is State.OPEN:
        jobs.abort(Kind.INGEST, writing.job_id)
        _give_up_unsent(backfill, writing)
    else:
        BulkWriting.objects.filter(pk=writing.pk).update(state=BulkWriting.State.RUNNING)
    return 0


def _look_after(
    gateway: SalesforceGateway, jobs: BulkJobs, backfill: Backfill, writing: BulkWriting
) -> float:
    try:
        job = jobs.find(Kind.INGEST, writing.job_id)
        if not job.is_over:
            BulkWriting.objects.filter(pk=writing.pk).update(polls=writing.polls + 1)
            _keep(WriteBack.objects.filter(pk__in=writing.cases.values("write_back")))
            backfill.note(said=f"Salesforce is writing {writing.rows:,} rows.")
            return min(wait_of(writing.polls), HELD_FOR / 3)
        results = jobs.results(writing.job_id)
    except RecordGone:
        _put_back(backfill, writing, BulkWriting.State.DROPPED)
        return 0
    until = gateway.seconds() + STEP_SECONDS
    if not _record(backfill, writing, results, lambda: gateway.seconds() > until):
        return 0
    if job.state is not State.DONE:
        code = job.error.partition(":")[0].strip()[:80] or job.state
        raise JobFailed(
            f"Salesforce gave up a Bulk job ({code}): {len(results):,} of its {writing.rows:,}"
            " rows were written or refused, the others were left as they are. Go on to write"
            " them by a new job.",
            code="BULK_JOB_FAILED",
        )
    return 0


def _planned(gateway: SalesforceGateway, backfill: Backfill) -> BulkWriting:
    """Note which rows the next job is for, before anything is sent."""
    asked_at = gateway.now().replace(microsecond=0) - timedelta(seconds=1)
    with transaction.atomic():
        backfill.note(said="The Cases are looked at once more before they are written.")
        writing = BulkWriting.objects.create(backfill=backfill, asked_at=asked_at)
        for ids in _portions(_left(backfill).values_list("pk", flat=True)[:JOB_ROWS]):
            backfill.cases.filter(pk__in=ids).update(writing=writing)
    return writing


def _look(
    gateway: SalesforceGateway, backfill: Backfill, batch: Batch, ids: Sequence[int]
) -> list[Candidate]:
    """Return what of these rows is to be sent, noted; the others are settled."""
    cases = backfill.cases.filter(pk__in=ids)
    with transaction.atomic():
        candidates = batch.sort(_claimed(cases))
    to_send: list[Candidate] = []
    if candidates:
        case_ids = [one.row.case_link.case_id for one in candidates]
        looked = gateway.look(case_ids, batch.fields_to_read(candidates))
    with transaction.atomic():
        if candidates:
            to_send = batch.look(candidates, looked)
        noted = batch.note(to_send)
        sent = [one.row.pk for one in noted]
        # Until Salesforce has done its job nobody else is to write to these Cases.
        _keep(WriteBack.objects.filter(pk__in=sent))
        cases.filter(write_back__in=sent).update(outcome=Outcome.SENDING)
        settled = settle(cases.exclude(write_back__in=sent))
        backfill.note(done=backfill.done + settled)
        cases.exclude(write_back__in=sent).update(writing=None)
    return noted


def _claimed(cases: QuerySet[BackfillCase]) -> list[WriteBack]:
    """Claim rows that wait for their backfill; a claim of a run that was cut short is ours."""
    held = WriteBack.objects.held(WriteBack.Hold.BACKFILL).filter(
        pk__in=list(cases.values_list("write_back", flat=True)), decision__superseded_at=None
    )
    held.update(lease_token=None, leased_until=None)
    return leases.take(held, limit=IDS_PER_QUERY, seconds=HELD_FOR)


def _keep(rows: QuerySet[WriteBack]) -> None:
    until = leases.now() + timedelta(seconds=HELD_FOR)
    rows.filter(lease_token__isnull=False).update(leased_until=until)


def _record(
    backfill: Backfill,
    writing: BulkWriting,
    results: Mapping[str, UpdateResult],
    is_late: Callable[[], bool],
) -> bool:
    """Write down what became of the rows, portion by portion; return whether all is done.

    A row that is settled stays so; where it ``is_late``, the rest is left to the next step.
    """
    sent = writing.cases.filter(outcome=Outcome.SENDING).order_by("id")
    told = [pk for pk, case_id in sent.values_list("pk", "case_id") if case_id in results]
    for ids in _portions(told, RECORDED_AT_ONCE):
        if is_late():
            return False
        with transaction.atomic():
            cases = backfill.cases.filter(pk__in=ids)
            _record_portion(backfill, cases, results, _gap(writing))
            backfill.note(done=backfill.done + settle(cases))
    _put_back(backfill, writing, BulkWriting.State.RECORDED)
    return True


def _gap(writing: BulkWriting) -> timedelta | None:
    """Return the longest time that a person's edit may have gone unseen; None: the guard sees it."""
    return None if writing.looked_at is None else leases.now() - writing.looked_at


def _record_portion(
    backfill: Backfill,
    cases: QuerySet[BackfillCase],
    results: Mapping[str, UpdateResult],
    gap: timedelta | None,
) -> None:
    terms = _terms(backfill)
    rows = list(
        WriteBack.objects.filter(pk__in=list(cases.values_list("write_back", flat=True)))
        .exclude(sent_fields={})
        .select_related("case_link")
        .prefetch_related(*WITH_DECISION)
    )
    ids = [row.pk for row in rows]
    # From here on they are rows like any: one that is refused for now is tried again as usual.
    WriteBack.objects.unended().filter(pk__in=ids).update(held_because="", due_at=leases.now())
    batch = Batch(terms, NOTHING_DESCRIBED, _delay)
    batch.protection = Protection.LOOK
    candidates = [
        Candidate(
            row,
            to_decided(row.decision, terms.book),
            full=row.fields,
            wanted=row.sent_fields,
            send=row.sent_fields,
        )
        for row in rows
    ]
    told = [results[row.case_link.case_id] for row in rows]
    # What the guard refused is somebody else's: the next job looks, and cedes the Case.
    again = [candidate.row for candidate in batch.record(candidates, told, gap)]
    WriteBack.objects.filter(pk__in=[row.pk for row in again]).hold_for_backfill()
    leases.release(again)


def _give_up_unsent(backfill: Backfill, writing: BulkWriting) -> None:
    """End a job that Salesforce never began with: nothing of it was written."""
    with transaction.atomic():
        sent = writing.cases.filter(outcome=Outcome.SENDING).values_list(
            "write_back", flat=True
        )
        for ids in _portions(sent):
            unended = WriteBack.objects.unended().filter(pk__in=ids)
            unended.update(sent_fields={}, lease_token=None, leased_until=None)
        _put_back(backfill, writing, BulkWriting.State.DROPPED)


def _put_back(backfill: Backfill, writing: BulkWriting, state: BulkWriting.State) -> None:
    """End a job; rows of which nobody said what became of them are looked at again.

    What was noted as sent stays noted: where it arrived after all it is found on the Case.
    """
    with transaction.atomic():
        backfill.note(said="")
        BulkWriting.objects.filter(pk=writing.pk).update(state=state)
        left = writing.cases.filter(outcome__in=["", Outcome.SENDING])
        left.update(outcome="", writing=None)


def _left(backfill: Backfill) -> QuerySet[BackfillCase]:
    return backfill.cases.filter(verdict=BackfillCase.Verdict.CHANGE, outcome="").order_by("id")


def _terms(backfill: Backfill) -> Terms:
    return replace(Terms.now(), approved=backfill.pk)


def _delay(_attempts: int) -> timedelta:
    return LATER


def _portions(rows: Iterable[Any], size: int = IDS_PER_QUERY) -> Iterator[list[Any]]:
    """Yield lists short enough for one statement and one query."""
    every = list(rows)
    return (every[start : start + size] for start in range(0, len(every), size))
