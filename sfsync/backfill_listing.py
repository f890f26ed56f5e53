"""First steps of a backfill: Salesforce lists the Cases in one Bulk query, we take the list over.

The query's id is noted before anything else is done with it. Where the answer to its making was
lost, the job is looked for among ours; it is never made again without a look.
"""

from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction

from classifier import leases
from sfsync import soql
from sfsync.bulk import BulkJobs, Job, Kind, State
from sfsync.case_rows import moment
from sfsync.errors import RecordGone, SalesforceRejected
from sfsync.field_map import MATERIAL_SLOTS
from sfsync.gateway import SalesforceGateway
from sfsync.models import Backfill, BackfillCase, CaseLink
from sfsync.terms import Terms

PAGE_ROWS = 10_000
"""Rows of one call and one transaction: a second of writing."""
FIRST_POLL, LONGEST_POLL = 5.0, 600.0
LONG = timedelta(hours=2)
"""A query that runs for longer is told as slow."""
INSERTS = 1_000
COLUMNS = ("Id", "CaseNumber", "CreatedDate")
Stage = Backfill.Stage


class JobFailed(SalesforceRejected):
    """Salesforce gave up a job; the message says which, and what to do."""


def list_cases(gateway: SalesforceGateway, backfill: Backfill) -> float:
    """Begin the query, or look how far it is; return the seconds until the next step.

    Raises:
        JobFailed: Salesforce gave it up; going on makes a new one.
        SalesforceError, StepTakenOver: nothing was lost.
    """
    jobs = BulkJobs(gateway)
    if not backfill.job_id:
        backfill.note(job_id=_begun(gateway, jobs, backfill).job_id, polls=0)
        return FIRST_POLL
    try:
        job = jobs.find(Kind.QUERY, backfill.job_id)
    except RecordGone:  # kept for 7 days only
        _begin_anew(backfill)
        return 0
    if job.state in {State.FAILED, State.ABORTED}:
        _begin_anew(backfill)
        code = job.error.partition(":")[0].strip()[:80] or job.state
        raise JobFailed(
            f"Salesforce gave up the list of Cases ({code}). Go on to let it begin anew; if that"
            " fails too, ask for a shorter span.",
            code="BULK_JOB_FAILED",
        )
    if job.is_over:
        backfill.enter(Stage.TAKE, leases.now(), total=job.processed)
        return 0
    backfill.note(polls=backfill.polls + 1, said=_waiting(backfill))
    return wait_of(backfill.polls)


def take_list(gateway: SalesforceGateway, backfill: Backfill) -> float:
    """Take one page of the list over; return the seconds until the next step.

    A page stands with its locator in one transaction, so a page is taken once.

    Raises:
        SalesforceError, StepTakenOver: nothing was lost.
    """
    try:
        page = BulkJobs(gateway).page(backfill.job_id, backfill.locator, PAGE_ROWS)
    except RecordGone:
        _begin_anew(backfill)
        return 0
    if not all(_is_asked_for(backfill, row) for row in page.rows):
        _begin_anew(backfill)  # the result of another query, found in place of a lost one
        return 0
    with transaction.atomic():
        _keep(backfill, page.rows)
        backfill.note(locator=page.locator, done=backfill.done + len(page.rows))
        if not page.locator:
            waiting = CaseLink.objects.filter(backfill=backfill.pk, read_at=None).count()
            backfill.enter(Stage.READ, leases.now(), total=waiting)
    return 0


def wait_of(polls: int) -> float:
    """Return the seconds until a job is looked at again, having been so often: 5, 7, 11 …"""
    return min(LONGEST_POLL, FIRST_POLL * 1.5 ** min(polls, 20))


def _begun(gateway: SalesforceGateway, jobs: BulkJobs, backfill: Backfill) -> Job:
    if backfill.job_asked_at is not None:
        known = set(Backfill.objects.exclude(job_id="").values_list("job_id", flat=True))
        for job in jobs.mine_since(Kind.QUERY, backfill.job_asked_at):
            if job.sobject in {"", "Case"} and job.job_id not in known:
                return job
    question = _question(gateway, backfill)
    # Stamps of jobs are whole seconds.
    backfill.note(job_asked_at=gateway.now().replace(microsecond=0) - timedelta(seconds=1))
    return jobs.start_query(question)


def _begin_anew(backfill: Backfill) -> None:
    """Let the list be made again: what was taken over stays, and is taken once."""
    backfill.note(job_id="", job_asked_at=None, locator="", polls=0)
    backfill.enter(Stage.LIST, leases.now())


def _question(gateway: SalesforceGateway, backfill: Backfill) -> str:
    present = gateway.describe("Case").fields
    slots = Terms.now().slots
    reasons = [name for name, slot in slots.items() if slot in MATERIAL_SLOTS]
    columns = [*COLUMNS, *(name for name in reasons if name in present)]
    return soql.select(
        columns,
        "Case",
        soql.is_since("CreatedDate", backfill.created_from),
        soql.is_before("CreatedDate", backfill.created_to),
        soql.is_text_of("RecordType.DeveloperName", backfill.record_types),
        soql.is_text_of("Origin", backfill.origins),
    )


def _is_asked_for(backfill: Backfill, row: Mapping[str, str]) -> bool:
    made_at = row.get("CreatedDate")
    return bool(made_at) and (
        backfill.created_from.replace(microsecond=0)
        <= moment(str(made_at))
        < backfill.created_to
    )


def _keep(backfill: Backfill, rows: list[dict[str, str]]) -> None:
    """Make rows of the Cases, and let those that nobody knows yet wait for this backfill."""
    ids = [row["Id"] for row in rows]
    CaseLink.objects.bulk_create(
        [
            CaseLink(case_id=row["Id"], case_number=row["CaseNumber"][:30], backfill=backfill)
            for row in rows
        ],
        ignore_conflicts=True,
        batch_size=INSERTS,
    )
    ours = CaseLink.objects.adopt_for(backfill, ids)
    BackfillCase.objects.bulk_create(
        [
            BackfillCase(
                backfill=backfill,
                case_id=row["Id"],
                case_number=row["CaseNumber"][:30],
                present={
                    name: value or None for name, value in row.items() if name not in COLUMNS
                },
                verdict="" if row["Id"] in ours else BackfillCase.Verdict.KNOWN,
            )
            for row in rows
        ],
        ignore_conflicts=True,
        batch_size=INSERTS,
    )


def _waiting(backfill: Backfill) -> str:
    since = backfill.stage_at
    if since is not None and leases.now() - since > LONG:
        return (
            "Salesforce has been listing the Cases for more than two hours. It may be busy; you"
            " can wait, or cancel and ask for a shorter span."
        )
    return "Salesforce is listing the Cases."
