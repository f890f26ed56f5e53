"""Writes to Cases as Salesforce takes them, and what came of each; pure functions."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote_plus

from sfsync.cases import CaseUpdate, FieldValue, UpdateResult
from sfsync.errors import MODIFIED, UNAVAILABLE_CODE, row_code, row_words

COLLECTION_LIMIT = 200
"""Rows of one sObject Collections call (REST API guide)."""
COMPOSITE_LIMIT = 25
"""Subrequests of one Composite call (REST API guide)."""
QUERIES_AT_ONCE = 5
"""Queries among the subrequests of one Composite call (REST API guide)."""
RETRIEVE_LIMIT = 2_000
"""Rows that one call reads by their ids (sObject Collections by POST, REST API guide)."""
HEADERS = {"Sforce-Auto-Assign": "FALSE"}
"""Of every subrequest: it inherits none, and without it an assignment rule takes the Case."""
MARK_REFERENCE = "mark"
Json = dict[str, Any]


def collection(updates: Iterable[CaseUpdate]) -> Json:
    """Return the body of one Collections call; each row fails or succeeds alone."""
    head = {"attributes": {"type": "Case"}}
    records = [{**head, "id": update.case_id, **update.fields} for update in updates]
    return {"allOrNone": False, "records": records}


def collection_results(
    updates: Sequence[CaseUpdate], rows: Sequence[Mapping[str, Any]]
) -> list[UpdateResult]:
    """Return the outcomes in order. Rows are matched by place: a failed one may lack its id.

    Raises:
        ValueError: there are more or fewer rows than updates.
    """
    return [
        UpdateResult(update.case_id, success=True)
        if row["success"]
        else _result(update, (row.get("errors") or [{}])[0])
        for update, row in zip(updates, rows, strict=True)
    ]


def composite(updates: Iterable[CaseUpdate], api_version: str, *, read_back: str = "") -> Json:
    """Return the body of one Composite call: each update under a condition of its own.

    ``read_back`` names a field to read of the first Case afterwards.
    """
    base = f"/services/data/v{api_version}/sobjects/Case"
    parts = [
        {
            "method": "PATCH",
            "url": f"{base}/{update.case_id}",
            "referenceId": f"case{number}",
            "httpHeaders": _headers(update.unmodified_since),
            "body": dict(update.fields),
        }
        for number, update in enumerate(updates)
    ]
    if read_back:
        url = f"{parts[0]['url']}?fields={read_back}"
        parts.append({"method": "GET", "url": url, "referenceId": MARK_REFERENCE})
    # Collated subrequests may run out of order, and together: each is to stand for itself.
    return {"allOrNone": False, "collateSubrequests": False, "compositeRequest": parts}


def composite_results(
    updates: Sequence[CaseUpdate], parts: Sequence[Mapping[str, Any]]
) -> list[UpdateResult]:
    """Return the outcomes in the order of ``updates``; one that changed meanwhile is MODIFIED.

    Raises:
        KeyError: an update has no answer.
    """
    told = {part["referenceId"]: part for part in parts}
    return [
        _part_result(update, told[f"case{number}"]) for number, update in enumerate(updates)
    ]


def questions(soql: Iterable[str], api_version: str) -> Json:
    """Return the body of one Composite call that asks several queries."""
    base = f"/services/data/v{api_version}/query/?q="
    parts = [
        {"method": "GET", "url": base + quote_plus(one), "referenceId": f"list{number}"}
        for number, one in enumerate(soql)
    ]
    return {"allOrNone": False, "compositeRequest": parts}


def whole_pages(
    parts: Sequence[Mapping[str, Any]], count: int
) -> list[list[dict[str, Any]] | None]:
    """Return the rows of each query, None where it failed or has further pages."""
    told = {part["referenceId"]: part for part in parts}
    pages = [told[f"list{number}"] for number in range(count)]
    return [
        list(page["body"]["records"])
        if page["httpStatusCode"] == HTTPStatus.OK and page["body"]["done"]
        else None
        for page in pages
    ]


def value_read_back(parts: Sequence[Mapping[str, Any]], field: str) -> FieldValue:
    """Return the field that a Composite read last, None where it could not be read."""
    for part in parts:
        if part["referenceId"] == MARK_REFERENCE and isinstance(part["body"], Mapping):
            value: FieldValue = part["body"].get(field)
            return value
    return None


def _headers(unmodified_since: datetime | None) -> dict[str, str]:
    if unmodified_since is None:
        return HEADERS
    moment = unmodified_since.astimezone(UTC).replace(microsecond=0)
    return {**HEADERS, "If-Unmodified-Since": format_datetime(moment, usegmt=True)}


def _part_result(update: CaseUpdate, part: Mapping[str, Any]) -> UpdateResult:
    status = int(part["httpStatusCode"])
    if status < HTTPStatus.BAD_REQUEST and status != HTTPStatus.NOT_MODIFIED:
        return UpdateResult(update.case_id, success=True)
    if status == HTTPStatus.PRECONDITION_FAILED:
        return UpdateResult(update.case_id, success=False, error_code=MODIFIED)
    body = part.get("body")
    error = body[0] if isinstance(body, list) and body else {}
    if not error and status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        error = {"errorCode": UNAVAILABLE_CODE}
    return _result(update, error or {"errorCode": f"HTTP_{status}"})


def _result(update: CaseUpdate, error: Mapping[str, Any]) -> UpdateResult:
    words = str(error.get("message") or "")
    code = row_code(str(error.get("statusCode") or error.get("errorCode") or "UNKNOWN"), words)
    fields = tuple(str(name) for name in error.get("fields") or ())
    return UpdateResult(
        update.case_id,
        success=False,
        error_code=code,
        error_text=row_words(code, words, fields),
        error_fields=fields,
    )
