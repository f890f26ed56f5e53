"""Bulk API 2.0: jobs that the org does in its own time.

Deviates from the real thing: an ingest job writes all its rows at the moment it completes, not
little by little; there are no internal batches of 10,000; queries see the moment of completion.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from sfsync.local_org import soql
from sfsync.local_org.bulk_csv import (
    DELIMITERS,
    LINE_ENDINGS,
    JobBroken,
    cell_of,
    error_cell,
    handed_out,
    taken_in,
    to_values,
)
from sfsync.local_org.errors import Refusal, no_such_type, not_found
from sfsync.local_org.ids import new_id
from sfsync.local_org.moments import stamp
from sfsync.local_org.schema import SObject
from sfsync.local_org.selecting import select
from sfsync.local_org.soql_tree import Path, Query
from sfsync.local_org.state import OrgState
from sfsync.local_org.writing import Transaction, Writer

INGEST, QUERY = "ingest", "query"
OPEN, UPLOADED, RUNNING = "Open", "UploadComplete", "InProgress"
DONE, FAILED, ABORTED = "JobComplete", "Failed", "Aborted"
OVER = frozenset({DONE, FAILED, ABORTED})
OPEN_FOR = timedelta(days=7)
"""An open job is aborted by its age."""
RESULTS_KEPT = timedelta(days=7)
MOST_QUERY_JOBS = 10_000
MOST_INGEST_JOBS = 15_000
"""In 24 hours. Salesforce counts batches of ingest jobs; a job is one batch at least."""
MOST_BYTES = 150_000_000
PAGE_ROWS = 50_000
OPERATIONS = {INGEST: ("insert", "update", "delete"), QUERY: ("query", "queryAll")}
Json = dict[str, object]


@dataclass(slots=True)
class Job:
    """One job, with what was uploaded and what came of it."""

    id: str
    kind: str
    operation: str
    user_id: str
    version: int
    created_at: datetime
    sobject: SObject
    query: Query | None = None
    line_ending: str = "LF"
    delimiter: str = "COMMA"
    rule_id: str = ""
    """``assignmentRuleId``: the assignment rule runs only where it is given."""
    state: str = OPEN
    changed_at: datetime | None = None
    content: bytes | None = None
    error: str = ""
    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    """Rows of a query's result, or of an upload as they came."""
    succeeded: list[list[str]] = field(default_factory=list)
    failed: list[list[str]] = field(default_factory=list)
    unprocessed: list[list[str]] = field(default_factory=list)

    @property
    def processed(self) -> int:
        if self.kind == QUERY:
            return len(self.rows) if self.state == DONE else 0
        return len(self.succeeded) + len(self.failed)


@dataclass(slots=True)
class BulkJobs:
    """All Bulk jobs of an org."""

    org: OrgState
    dice: Random = field(default_factory=lambda: Random(0))
    _jobs: dict[str, Job] = field(default_factory=dict)

    def create(self, kind: str, body: Mapping[str, object], user_id: str, version: int) -> Json:
        """Make a job; return what is told of it.

        Raises:
            Refusal: a job that makes no sense, or too many of them today.
        """
        self._refuse_too_many(kind)
        operation = str(body.get("operation"))
        if operation not in OPERATIONS[kind]:
            raise _invalid(f"not an operation of this resource: {operation}")
        line_ending = str(body.get("lineEnding", "LF"))
        delimiter = str(body.get("columnDelimiter", "COMMA"))
        if line_ending not in LINE_ENDINGS or delimiter not in DELIMITERS:
            raise _invalid("no such lineEnding or columnDelimiter")
        query = self._query(body, user_id) if kind == QUERY else None
        name = query.source if query else str(body.get("object"))
        sobject = self.org.schema.find(name)
        if sobject is None:
            raise no_such_type(name)
        job = Job(
            id=new_id("750", len(self._jobs) + 1),
            kind=kind,
            operation=operation,
            user_id=user_id,
            version=version,
            created_at=self.org.now(),
            sobject=sobject,
            query=query,
            line_ending=line_ending,
            delimiter=delimiter,
            rule_id=str(body.get("assignmentRuleId") or ""),
        )
        self._jobs[job.id] = job
        # A query job has nothing to upload: it waits for its turn at once.
        self._go(job, UPLOADED if kind == QUERY else OPEN)
        return self.told(job)

    def upload(self, job_id: str, user_id: str, content: bytes) -> None:
        """Take the rows of an open job, once.

        Raises:
            Refusal: the job is not open, has rows already, or gets too many.
        """
        job = self.find(INGEST, job_id, user_id)
        if job.state != OPEN:
            raise _wrong_state(job)
        if job.content is not None:
            message = f"Found multiple contents for job: <{job.id}>"
            raise Refusal(400, "CLIENT_INPUT_ERROR", message)
        if len(content) > MOST_BYTES:
            raise Refusal(413, "REQUEST_ENTITY_TOO_LARGE", "the upload is larger than 150 MB")
        job.content = content

    def change(self, kind: str, job_id: str, user_id: str, state: str) -> Json:
        """Complete the upload, or abort the job; return what is told of it.

        Raises:
            Refusal: the job is not in a state for it.
        """
        job = self.find(kind, job_id, user_id)
        may_complete = kind == INGEST and job.state == OPEN
        if state == ABORTED and job.state not in OVER:
            self._unprocess(job, ABORTED)
        elif state == UPLOADED and may_complete:
            self._go(job, UPLOADED)
        else:
            raise _wrong_state(job)
        return self.told(job)

    def delete(self, kind: str, job_id: str, user_id: str) -> None:
        """Forget a job that is over.

        Raises:
            Refusal: it is not over.
        """
        job = self.find(kind, job_id, user_id)
        if job.state not in OVER:
            raise _wrong_state(job)
        del self._jobs[job.id]

    def find(self, kind: str, job_id: str, user_id: str) -> Job:
        """Return a job as it stands by now; others' jobs are not there.

        Raises:
            Refusal: 404, also where it is too old.
        """
        job = self._jobs.get(job_id)
        if job is None or job.kind != kind or job.user_id != user_id:
            raise not_found()
        self._go_on(job)
        return job

    def listed(self, kind: str, user_id: str) -> list[Json]:
        """Return what is told of every job of this user, newest first."""
        mine = [
            job for job in self._jobs.values() if (job.kind, job.user_id) == (kind, user_id)
        ]
        for job in mine:
            self._go_on(job)
        return [self.told(job) for job in reversed(mine)]

    def queried(
        self, job_id: str, user_id: str, *, locator: str, most: int, version: int
    ) -> tuple[bytes, int, str]:
        """Return a page of a query's rows as CSV, their number, and the next locator.

        Raises:
            Refusal: not done, no longer kept, or no such locator.
        """
        job = self._with_results(QUERY, job_id, user_id)
        if version != job.version:  # the vendor's word: the same version for job and results
            raise Refusal(409, "API_VERSION_MISMATCH", "results of another API version")
        start = _place(locator)
        if not 0 <= start <= len(job.rows):
            raise Refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        most = min(most, self.org.faults.bulk_page_rows or most)
        page = job.rows[start : start + most]
        end = start + len(page)
        after = urlsafe_b64encode(str(end).encode()).decode() if end < len(job.rows) else "null"
        return self._file(job, job.header, page), len(page), after

    def results(self, job_id: str, user_id: str, which: str) -> bytes:
        """Return rows of an ingest job as CSV, in no particular order.

        ``which``: ``successfulresults``, ``failedresults`` or ``unprocessedrecords``.

        Raises:
            Refusal: not over, or no longer kept.
        """
        job = self._with_results(INGEST, job_id, user_id)
        if which == "unprocessedrecords":
            return self._file(job, job.header, job.unprocessed)
        if which == "successfulresults":
            return self._file(job, ["sf__Id", "sf__Created", *job.header], job.succeeded)
        return self._file(job, ["sf__Id", "sf__Error", *job.header], job.failed)

    def left_today(self, kind: str) -> int:
        """Return how many jobs may still be made in these 24 hours."""
        most = MOST_QUERY_JOBS if kind == QUERY else MOST_INGEST_JOBS
        since = self.org.now() - timedelta(days=1)
        made = sum(job.kind == kind and job.created_at > since for job in self._jobs.values())
        return most - made

    def told(self, job: Job) -> Json:
        """Return a job as JSON."""
        body: Json = {
            "id": job.id,
            "operation": job.operation,
            "object": job.sobject.name,
            "createdById": job.user_id,
            "createdDate": stamp(job.created_at),
            "systemModstamp": stamp(job.changed_at or job.created_at),
            "state": job.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(job.version),
            "jobType": "V2Query" if job.kind == QUERY else "V2Ingest",
            "lineEnding": job.line_ending,
            "columnDelimiter": job.delimiter,
        }
        if job.kind == INGEST:
            base = f"services/data/v{job.version}.0/jobs/ingest/{job.id}"
            body["contentUrl"] = f"{base}/batches"
            if job.rule_id:
                body["assignmentRuleId"] = job.rule_id
        if job.state not in {OPEN, UPLOADED}:
            body |= {
                "numberRecordsProcessed": job.processed,
                "retries": 0,
                "totalProcessingTime": 1000 if job.processed else 0,
            }
            if job.kind == INGEST:
                body["numberRecordsFailed"] = len(job.failed)
        if job.error:
            body["errorMessage"] = job.error
        return body

    # In its own time

    def _go_on(self, job: Job) -> None:
        """Let the job be as far as it must be by now."""
        faults, now = self.org.faults, self.org.now()
        since = job.changed_at or job.created_at
        if job.state == OPEN and now - since > OPEN_FOR:
            self._unprocess(job, ABORTED)
        if job.state == UPLOADED and now - since >= faults.bulk_queued_for:
            self._go(job, RUNNING, since + faults.bulk_queued_for)
        if job.state != RUNNING or faults.bulk_stuck:
            return
        if now - (job.changed_at or since) >= faults.bulk_running_for:
            self._finish(job)

    def _finish(self, job: Job) -> None:
        if self.org.faults.fails_bulk_job():
            self._unprocess(job, FAILED, "InternalServerError : Unable to process the job")
            return
        try:
            if job.kind == QUERY:
                self._run_query(job)
            else:
                self._write(job)
        except JobBroken as broken:
            self._unprocess(job, FAILED, str(broken))
        else:
            self._go(job, DONE)

    def _run_query(self, job: Job) -> None:
        if job.query is None:
            raise TypeError("a query job without a query")
        all_rows = job.operation == "queryAll"
        try:
            found = select(self.org, job.user_id, job.query, with_deleted=all_rows)
        except Refusal as refusal:  # a field went away since the job was made
            raise JobBroken(f"{refusal.code} : {refusal.message}") from refusal
        job.header = [str(column) for column in job.query.columns]
        shaped = map(found.shape, found.rows)
        job.rows = [[cell_of(record, name) for name in job.header] for record in shaped]

    def _write(self, job: Job) -> None:
        header, rows = taken_in(
            job.content or b"", line_ending=job.line_ending, delimiter=job.delimiter
        )
        job.header, job.rows = header, rows
        for name in header:
            if job.sobject.find(name) is None:
                raise JobBroken(f"InvalidBatch : Field name not found : {name}")
        writer = Writer(
            job.user_id,
            by_api=True,
            runs_assignment_rule=bool(job.rule_id),
            headers={"bulk-job": job.id},
        )
        for row in rows:
            self._write_row(job, writer, row)
        self.dice.shuffle(job.succeeded)
        self.dice.shuffle(job.failed)

    def _write_row(self, job: Job, writer: Writer, row: list[str]) -> None:
        transaction = Transaction(self.org, writer)
        record_id = ""
        try:
            values = to_values(job.sobject, job.header, row)
            record_id = str(values.pop(_id_column(job.header), "") or "")
            if job.operation == "insert":
                record_id = transaction.insert(job.sobject, values)
            elif not record_id:
                code, message = (
                    "MISSING_ARGUMENT",
                    f"Id not specified in an {job.operation} call",
                )
                raise Refusal(400, code, message)
            elif job.operation == "update":
                transaction.update(job.sobject, record_id, values)
            else:
                transaction.delete(job.sobject, record_id)
        except Refusal as refusal:
            if refusal.code == "JSON_PARSER_ERROR":  # what a wrong type is called in JSON
                refusal.code = "INVALID_TYPE_ON_FIELD_IN_RECORD"
            job.failed.append([record_id, error_cell(refusal), *row])
            return
        transaction.commit()
        is_new = "true" if job.operation == "insert" else "false"
        job.succeeded.append([record_id, is_new, *row])

    def _unprocess(self, job: Job, state: str, error: str = "") -> None:
        """End a job that looked at no row: all of them come back unprocessed."""
        if job.content and not job.rows:
            lines = job.content.decode("utf-8", "replace").splitlines()
            job.header = lines[0].split(DELIMITERS[job.delimiter]) if lines else []
            job.rows = [line.split(DELIMITERS[job.delimiter]) for line in lines[1:]]
        job.unprocessed = list(job.rows) if job.kind == INGEST else []
        job.error = error
        self._go(job, state)

    def _go(self, job: Job, state: str, at: datetime | None = None) -> None:
        job.state, job.changed_at = state, at or self.org.now()

    # Refusing

    def _with_results(self, kind: str, job_id: str, user_id: str) -> Job:
        job = self.find(kind, job_id, user_id)
        since = job.changed_at or job.created_at
        if self.org.faults.bulk_results_expired or self.org.now() - since > RESULTS_KEPT:
            raise not_found()
        if job.state not in OVER or (kind == QUERY and job.state != DONE):
            raise _wrong_state(job)
        return job

    def _query(self, body: Mapping[str, object], user_id: str) -> Query:
        query = soql.parse(str(body.get("query") or ""))
        is_plain = all(isinstance(column, Path) for column in query.columns)
        if not is_plain or query.is_aggregate or query.offset:
            raise _invalid("GROUP BY, OFFSET, aggregates and subqueries are not supported")
        select(self.org, user_id, query, with_deleted=False)  # refuses what it cannot ask
        return query

    def _refuse_too_many(self, kind: str) -> None:
        if self.left_today(kind) <= 0:
            message = "The number of jobs of the last 24 hours exceeds its limit."
            raise Refusal(400, "LIMIT_EXCEEDED", message)

    def _file(self, job: Job, header: list[str], rows: list[list[str]]) -> bytes:
        return handed_out(header, rows, line_ending=job.line_ending, delimiter=job.delimiter)


def _id_column(header: list[str]) -> str:
    return next(_named(header, "id"), "Id")


def _named(header: list[str], wanted: str) -> Iterator[str]:
    return (name for name in header if name.lower() == wanted)


def _place(locator: str) -> int:
    if not locator:
        return 0
    try:
        return int(urlsafe_b64decode(locator.encode()))
    except ValueError:
        return -1


def _invalid(message: str) -> Refusal:
    return Refusal(400, "API_ERROR", message)


def _wrong_state(job: Job) -> Refusal:
    message = f"Job state {job.state} does not allow this: {job.id}"
    return Refusal(400, "INVALIDJOBSTATE", message)
