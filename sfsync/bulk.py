"""Bulk API 2.0: jobs that Salesforce does in its own time, each call of them typed and counted."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sfsync import soql
from sfsync.case_rows import moment
from sfsync.cases import CaseUpdate, FieldValue, UpdateResult
from sfsync.errors import LimitExceeded, row_code, row_words
from sfsync.gateway import SalesforceGateway
from sfsync.transport import typed_errors

NULL = "#N/A"
"""Empties a field; an empty cell would leave it as it is (Bulk API 2.0 guide)."""
MOST_BYTES = 80_000_000
"""Of one upload: Salesforce takes 150 MB after base64, which is 100 MB of ours."""
LAST_PAGE = "null"
"""``Sforce-Locator`` on the last page, literally."""
ERROR_END = "--"


class Kind(StrEnum):
    QUERY = "query"
    INGEST = "ingest"


class State(StrEnum):
    """What Salesforce says of a job."""

    OPEN = "Open"
    UPLOADED = "UploadComplete"
    RUNNING = "InProgress"
    DONE = "JobComplete"
    FAILED = "Failed"
    ABORTED = "Aborted"


@dataclass(frozen=True, slots=True)
class Job:
    """One job as Salesforce tells it."""

    job_id: str
    kind: Kind
    operation: str
    sobject: str
    state: State
    created_by: str
    created_at: datetime
    processed: int = 0
    failed: int = 0
    error: str = ""

    @property
    def is_over(self) -> bool:
        return self.state in {State.DONE, State.FAILED, State.ABORTED}


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a query's result, column → cell; an empty cell is an empty field."""

    rows: list[dict[str, str]]
    locator: str
    """Where the next page begins; empty: this is the last one."""


class BulkJobs:
    """The Bulk jobs of our user. Every method raises errors of ``sfsync.errors``."""

    def __init__(self, gateway: SalesforceGateway) -> None:
        self._gateway = gateway

    def start_query(self, question: str) -> Job:
        """Let Salesforce begin a query; its answer may be lost, see ``mine_since``."""
        body = {"operation": "query", "query": question}
        return self._job(Kind.QUERY, "starting a Bulk query", "POST", "", body)

    def start_update(self, sobject: str) -> Job:
        """Open a job that will update records: rows are uploaded next.

        No assignment rule is named, so none runs and no owner changes.
        """
        body = {
            "operation": "update",
            "object": sobject,
            "contentType": "CSV",
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
        }
        return self._job(Kind.INGEST, "opening a Bulk job", "POST", "", body)

    def upload(self, job_id: str, updates: Sequence[CaseUpdate]) -> None:
        """Send the rows of an open job; a field that a row leaves out stays as it is.

        Raises:
            LimitExceeded: more than Salesforce takes at once; nothing was sent.
        """
        content = to_csv(updates)
        if len(content.encode()) > MOST_BYTES:
            raise LimitExceeded("The rows of this Bulk job are more than Salesforce takes.")
        path = f"jobs/ingest/{soql.checked_id(job_id)}/batches"
        self._gateway.sheet("uploading rows", "PUT", path, content=content)

    def complete(self, job_id: str) -> Job:
        """Let Salesforce begin with what was uploaded."""
        body = {"state": State.UPLOADED}
        return self._job(Kind.INGEST, "completing a Bulk job", "PATCH", job_id, body)

    def abort(self, kind: Kind, job_id: str) -> Job:
        """End a job that is not over; rows that it has not come to stay as they are."""
        return self._job(kind, "aborting a Bulk job", "PATCH", job_id, {"state": State.ABORTED})

    def find(self, kind: Kind, job_id: str) -> Job:
        """Return how far a job is.

        Raises:
            RecordGone: Salesforce keeps it no longer (7 days), or it is another user's.
        """
        return self._job(kind, "looking after a Bulk job", "GET", job_id)

    def mine_since(self, kind: Kind, since: datetime) -> list[Job]:
        """Return the jobs that our user made at or after ``since``, the org's time, newest first.

        For a job whose id was lost with the answer. Salesforce tells no query in here.
        """
        deed = "listing Bulk jobs"
        told = self._gateway.told(deed, "GET", f"jobs/{kind}")
        with typed_errors(deed):
            jobs = [_to_job(kind, row) for row in told["records"]]
        us = self._gateway.identity().user_id
        recent = [job for job in jobs if job.created_at >= since and us in {"", job.created_by}]
        return sorted(recent, key=lambda job: job.created_at, reverse=True)

    def page(self, job_id: str, locator: str, most: int) -> Page:
        """Return up to ``most`` rows of a query that is done, from ``locator`` on; empty: the first.

        Raises:
            RecordGone: the results are kept no longer.
        """
        params = {"maxRecords": str(most)} | ({"locator": locator} if locator else {})
        deed = "reading the result of a Bulk query"
        path = f"jobs/query/{soql.checked_id(job_id)}/results"
        sheet = self._gateway.sheet(deed, "GET", path, params=params)
        with typed_errors(deed):
            after = sheet.headers["Sforce-Locator"]
            rows = list(_rows(sheet.text))
        return Page(rows, "" if after == LAST_PAGE else after)

    def results(self, job_id: str) -> dict[str, UpdateResult]:
        """Return Case id → what became of its row; a row that was not come to is absent.

        Rows are matched by their Id column: their order is not promised.

        Raises:
            RecordGone: the results are kept no longer.
        """
        return {
            one.case_id: one
            for one in (*self._succeeded(job_id), *self._failed(job_id))
            if one.case_id
        }

    def _succeeded(self, job_id: str) -> Iterator[UpdateResult]:
        for row in self._result_rows(job_id, "successfulResults"):
            yield UpdateResult(row["sf__Id"], success=True)

    def _failed(self, job_id: str) -> Iterator[UpdateResult]:
        for row in self._result_rows(job_id, "failedResults"):
            yield to_failure(row["Id"] or row["sf__Id"], row["sf__Error"])

    def _result_rows(self, job_id: str, which: str) -> list[dict[str, str]]:
        deed = "reading what became of a Bulk job"
        path = f"jobs/ingest/{soql.checked_id(job_id)}/{which}"
        sheet = self._gateway.sheet(deed, "GET", path)
        with typed_errors(deed):
            return list(_rows(sheet.text))

    def _job(
        self,
        kind: Kind,
        deed: str,
        method: str,
        job_id: str,
        body: Mapping[str, object] | None = None,
    ) -> Job:
        path = f"jobs/{kind}" + (f"/{soql.checked_id(job_id)}" if job_id else "")
        told = self._gateway.told(deed, method, path, body)
        with typed_errors(deed):
            return _to_job(kind, told)


def to_csv(updates: Sequence[CaseUpdate]) -> str:
    """Return the rows as Salesforce takes them: RFC 4180, LF, ``#N/A`` for a field to empty."""
    names = sorted({name for update in updates for name in update.fields})
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["Id", *names])
    for update in updates:
        cells = (_cell(update.fields[name]) if name in update.fields else "" for name in names)
        writer.writerow([update.case_id, *cells])
    return file.getvalue()


def to_failure(case_id: str, text: str) -> UpdateResult:
    """Return a refused row from ``CODE:message:fields --``; the message may hold colons."""
    code, _, rest = text.strip().partition(":")
    words, _, named = rest.removesuffix(ERROR_END).rstrip().rpartition(":")
    fields = tuple(name.strip() for name in named.split(",") if name.strip())
    code = row_code(code or "UNKNOWN", words)
    return UpdateResult(
        case_id,
        success=False,
        error_code=code,
        error_text=row_words(code, words, fields),
        error_fields=fields,
    )


def _cell(value: FieldValue) -> str:
    return NULL if value is None or value == "" else str(value)


def _rows(text: str) -> Iterator[dict[str, str]]:
    return iter(csv.DictReader(io.StringIO(text, newline="")))


def _to_job(kind: Kind, told: Mapping[str, Any]) -> Job:
    return Job(
        job_id=told["id"],
        kind=kind,
        operation=told["operation"],
        sobject=str(told.get("object") or ""),
        state=State(told["state"]),
        created_by=str(told.get("createdById") or ""),
        created_at=moment(told["createdDate"]),
        processed=int(told.get("numberRecordsProcessed") or 0),
        failed=int(told.get("numberRecordsFailed") or 0),
        error=str(told.get("errorMessage") or ""),
    )
