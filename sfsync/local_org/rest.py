"""The routes of the REST API, from a request to an answer."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random

from sfsync.local_org import (
    composite,
    conversations,
    describe,
    replication,
    row_collections,
    rows,
)
from sfsync.local_org.bulk import INGEST, MOST_INGEST_JOBS, MOST_QUERY_JOBS, QUERY, BulkJobs
from sfsync.local_org.bulk_routes import BULK_ROUTES
from sfsync.local_org.errors import Refusal, no_such_type, not_found
from sfsync.local_org.moments import http_date, parsed
from sfsync.local_org.oauth import TokenOffice
from sfsync.local_org.paging import FEWEST_ROWS, MOST_ROWS, Pages
from sfsync.local_org.schema import SObject
from sfsync.local_org.state import OrgState
from sfsync.local_org.wire import Answer, Request, json_answer
from sfsync.local_org.writing import Transaction, Writer, existing

API_PATH = re.compile(r"/services/data/v(\d+)\.0(/.*)?\Z")
OLDEST_VERSION, NEWEST_VERSION = 31, 67
_BATCH = re.compile(r"batchSize\s*=\s*(\d+)", re.IGNORECASE)
_HEADERS_KEPT = ("sforce-auto-assign", "sforce-call-options", "if-unmodified-since")
_OPEN_PATHS = frozenset({"/services/data", "/services/data/"})


@dataclass(frozen=True, slots=True)
class Call:
    """An authenticated REST call, its path below the version taken apart."""

    request: Request
    token: str
    user_id: str
    parts: tuple[str, ...]
    version: int

    @property
    def writer(self) -> Writer:
        headers = self.request.headers
        return Writer(
            self.user_id,
            by_api=True,
            # TRUE unless said otherwise: leaving it out costs people their Cases.
            runs_assignment_rule=headers.get("sforce-auto-assign", "").upper() != "FALSE",
            headers={name: headers[name] for name in _HEADERS_KEPT if name in headers},
        )


Handler = Callable[["RestApi", Call], Answer]


class RestApi:
    """Everything below ``/services/data``."""

    def __init__(self, org: OrgState, tokens: TokenOffice, pages: Pages) -> None:
        self.org = org
        self.tokens = tokens
        self.pages = pages
        self.bulk = BulkJobs(org, Random(org.seed))

    def answer(self, request: Request) -> Answer:
        """Return the answer to a REST request.

        Raises:
            Refusal: turned into an error page by the caller.
            AnswerLost: the call is done, its answer goes nowhere.
        """
        if request.path in _OPEN_PATHS:
            return json_answer(_versions())
        match = API_PATH.match(request.path)
        if match is None:
            raise not_found()
        _refuse_version(int(match[1]))
        self.org.faults.before_call()
        parts = tuple(part for part in (match[2] or "").split("/") if part)
        token = _token(request)
        if self.org.faults.expires_token():
            self.tokens.revoke(token)
        call = Call(request, token, self.tokens.user_of(token), parts, int(match[1]))
        handler, kind = _route(call)
        kind = f"{request.method} {kind}"
        self.org.ledger.count_call(kind, self.org.now())
        if self.org.calls_used() > self.org.api_allowance:
            raise Refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        answer = handler(self, call)
        if request.method != "GET" and handler is not RestApi.read_rows:
            self.org.faults.after_write(kind)
        return answer

    def limit_info(self) -> str:
        """Return the header that every REST answer carries."""
        used = min(self.org.calls_used(), self.org.api_allowance)
        return f"api-usage={used}/{self.org.api_allowance}"

    def sobject(self, name: str) -> SObject:
        """Return the sObject of a path.

        Raises:
            Refusal: 404 if the org has none of that name.
        """
        found = self.org.schema.find(name)
        if found is None:
            raise no_such_type(name)
        return found

    # Queries

    def query(self, call: Call) -> Answer:
        text = call.request.asked.get("q")
        if text is None:
            raise Refusal(400, "MALFORMED_QUERY", "a query is required: q")
        page = self.pages.first(
            text,
            token=call.token,
            user_id=call.user_id,
            batch=_batch(call.request),
            with_deleted=call.parts[0].lower() == "queryall",
        )
        return json_answer(page)

    def more(self, call: Call) -> Answer:
        return json_answer(self.pages.more(call.parts[1], token=call.token))

    # Descriptions

    def resources(self, call: Call) -> Answer:
        base = call.request.path.rstrip("/")
        names = ("sobjects", "query", "queryAll", "limits", "composite", "connect", "jobs")
        return json_answer({name: f"{base}/{name}" for name in names})

    def describe_all(self, _: Call) -> Answer:
        return json_answer(describe.describe_all(self.org))

    def describe_one(self, call: Call) -> Answer:
        sobject = self.sobject(call.parts[1])
        changed = self.org.schema_changed_at
        body = describe.describe_one(self.org, call.user_id, sobject)
        if rows.is_unmodified(call.request, {"Id": "", "LastModifiedDate": changed}):
            return Answer(rows.NOT_MODIFIED)
        return json_answer(body, headers={"Last-Modified": http_date(changed)})

    def summarise(self, call: Call) -> Answer:
        sobject = self.sobject(call.parts[1])
        summary = describe.describe_one(self.org, call.user_id, sobject)
        short = {k: v for k, v in summary.items() if not isinstance(v, list)}
        return json_answer({"objectDescribe": short, "recentItems": []})

    def limits(self, _: Call) -> Answer:
        allowance = self.org.api_allowance
        left = max(0, allowance - self.org.calls_used())
        return json_answer(
            {
                "DailyApiRequests": {"Max": allowance, "Remaining": left},
                "DailyBulkApiBatches": _limit(MOST_INGEST_JOBS, self.bulk.left_today(INGEST)),
                "DailyBulkV2QueryJobs": _limit(MOST_QUERY_JOBS, self.bulk.left_today(QUERY)),
                "ConcurrentAsyncGetReportInstances": {"Max": 200, "Remaining": 200},
            }
        )

    def record_count(self, call: Call) -> Answer:
        names = call.request.asked.get("sObjects", "Case").split(",")
        known = [found for name in names if (found := self.org.schema.find(name))]
        counts = [{"count": self._count(one), "name": one.name} for one in known]
        return json_answer({"sObjects": counts})

    def _count(self, sobject: SObject) -> int:
        return sum(not row.get("IsDeleted") for row in self.org.table(sobject.name))

    # Replication

    def updated(self, call: Call) -> Answer:
        start, end = _window(call.request)
        sobject = self.sobject(call.parts[1])
        return json_answer(replication.updated(self.org, sobject, start, end))

    def deleted(self, call: Call) -> Answer:
        start, end = _window(call.request)
        sobject = self.sobject(call.parts[1])
        return json_answer(replication.deleted(self.org, sobject, start, end))

    # Rows

    def read(self, call: Call) -> Answer:
        sobject = self.sobject(call.parts[1])
        row = existing(self.org, sobject, call.parts[2])
        if rows.is_unmodified(call.request, row):
            return Answer(rows.NOT_MODIFIED)
        names = _listed(call.request.asked.get("fields", ""))
        return json_answer(rows.shaped(self.org, call.user_id, sobject, row, names))

    def content(self, call: Call) -> Answer:
        """Answer with the bytes of a file, as they were attached."""
        row = existing(self.org, self.sobject(call.parts[1]), call.parts[2])
        kind = {"Content-Type": "application/octet-stream"}
        return Answer(200, self.org.contents[str(row["Id"])], kind)

    def create(self, call: Call) -> Answer:
        transaction = Transaction(self.org, call.writer)
        sobject = self.sobject(call.parts[1])
        record_id = transaction.insert(sobject, _values(call.request))
        transaction.commit()
        return json_answer({"id": record_id, "success": True, "errors": []}, 201)

    def update(self, call: Call) -> Answer:
        sobject = self.sobject(call.parts[1])
        row = existing(self.org, sobject, call.parts[2])
        rows.refuse_if_modified(call.request, row)
        transaction = Transaction(self.org, call.writer)
        transaction.update(sobject, call.parts[2], _values(call.request))
        transaction.commit()
        return Answer(204)

    def delete(self, call: Call) -> Answer:
        transaction = Transaction(self.org, call.writer)
        transaction.delete(self.sobject(call.parts[1]), call.parts[2])
        transaction.commit()
        return Answer(204)

    # Collections

    def create_rows(self, call: Call) -> Answer:
        body = call.request.json_object()
        return json_answer(
            row_collections.write_rows(self.org, call.writer, body, creating=True)
        )

    def update_rows(self, call: Call) -> Answer:
        body = call.request.json_object()
        return json_answer(
            row_collections.write_rows(self.org, call.writer, body, creating=False)
        )

    def delete_rows(self, call: Call) -> Answer:
        asked = call.request.asked
        ids = _listed(asked.get("ids", ""))
        all_or_none = asked.get("allOrNone", "false").lower() == "true"
        return json_answer(
            row_collections.delete_rows(self.org, call.writer, ids, all_or_none=all_or_none)
        )

    def read_rows(self, call: Call) -> Answer:
        if call.request.method == "POST":
            body = call.request.json_object()
            ids, names = _strings(body.get("ids")), _strings(body.get("fields"))
        else:
            asked = call.request.asked
            ids, names = _listed(asked.get("ids", "")), _listed(asked.get("fields", ""))
        sobject = self.sobject(call.parts[2])
        found = row_collections.read_rows(self.org, call.user_id, sobject, ids, names)
        return json_answer(found)

    # Composite

    def composite(self, call: Call) -> Answer:
        return json_answer(
            composite.answer(self.org, call.request, lambda part: self._part(call, part))
        )

    def _part(self, call: Call, request: Request) -> Answer:
        """Answer one subrequest of a Composite; it counts no further call."""
        match = API_PATH.match(request.path)
        parts = tuple(part for part in (match[2] or "").split("/") if part) if match else ()
        inner = Call(request, call.token, call.user_id, parts, call.version)
        try:
            handler, _ = _route(inner)
            return handler(self, inner)
        except Refusal as refusal:
            return json_answer(refusal.as_body(), refusal.status)

    # Connect

    def conversation(self, call: Call) -> Answer:
        asked = call.request.asked
        return json_answer(conversations.entries(self.org, call.parts[2], asked))


_ROUTES: tuple[tuple[str, dict[str, Handler]], ...] = (
    ("", {"GET": RestApi.resources}),
    ("query", {"GET": RestApi.query}),
    ("queryall", {"GET": RestApi.query}),
    ("query/*", {"GET": RestApi.more}),
    ("queryall/*", {"GET": RestApi.more}),
    ("limits", {"GET": RestApi.limits}),
    ("limits/recordcount", {"GET": RestApi.record_count}),
    ("sobjects", {"GET": RestApi.describe_all}),
    ("sobjects/*/describe", {"GET": RestApi.describe_one}),
    ("sobjects/*/updated", {"GET": RestApi.updated}),
    ("sobjects/*/deleted", {"GET": RestApi.deleted}),
    ("sobjects/*", {"GET": RestApi.summarise, "POST": RestApi.create}),
    (
        "sobjects/*/*",
        {"GET": RestApi.read, "PATCH": RestApi.update, "DELETE": RestApi.delete},
    ),
    ("sobjects/contentversion/*/versiondata", {"GET": RestApi.content}),
    (
        "composite/sobjects",
        {
            "POST": RestApi.create_rows,
            "PATCH": RestApi.update_rows,
            "DELETE": RestApi.delete_rows,
        },
    ),
    ("composite", {"POST": RestApi.composite}),
    ("composite/sobjects/*", {"GET": RestApi.read_rows, "POST": RestApi.read_rows}),
    ("connect/conversation/*/entries", {"GET": RestApi.conversation}),
)


def _route(call: Call) -> tuple[Handler, str]:
    for pattern, handlers in (*_ROUTES, *BULK_ROUTES):
        if not _fits(pattern, call.parts):
            continue
        handler = handlers.get(call.request.method)
        if handler is None:
            allowed = ",".join(handlers)
            message = f"HTTP Method '{call.request.method}' not allowed. Allowed are {allowed}"
            raise Refusal(405, "METHOD_NOT_ALLOWED", message)
        return handler, pattern
    raise not_found()


def _fits(pattern: str, parts: tuple[str, ...]) -> bool:
    wanted = pattern.split("/") if pattern else []
    return len(wanted) == len(parts) and all(
        name in {"*", part.lower()} for name, part in zip(wanted, parts, strict=True)
    )


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in {"bearer", "oauth"} else ""


def _batch(request: Request) -> int:
    match = _BATCH.search(request.headers.get("sforce-query-options", ""))
    return max(FEWEST_ROWS, min(MOST_ROWS, int(match[1]))) if match else MOST_ROWS


def _limit(most: int, left: int) -> dict[str, int]:
    return {"Max": most, "Remaining": left}


def _window(request: Request) -> tuple[datetime, datetime]:
    asked = request.asked
    try:
        return parsed(asked["start"]), parsed(asked["end"])
    except (KeyError, ValueError) as broken:
        message = f"start and end must be dates with a time and a zone: {broken}"
        raise Refusal(400, "INVALID_REPLICATION_DATE", message) from broken


def _values(request: Request) -> dict[str, object]:
    values = request.json_object()
    values.pop("attributes", None)
    return values


def _listed(text: str) -> list[str]:
    return [one for one in text.split(",") if one]


def _strings(given: object) -> list[str]:
    return [str(one) for one in given] if isinstance(given, list) else []


def _refuse_version(version: int) -> None:
    if version < OLDEST_VERSION:
        raise Refusal(410, "GONE", f"API version {version}.0 has been retired")
    if version > NEWEST_VERSION:
        raise not_found()


def _versions() -> list[dict[str, str]]:
    return [
        {"label": f"v{one}", "url": f"/services/data/v{one}.0", "version": f"{one}.0"}
        for one in range(OLDEST_VERSION, NEWEST_VERSION + 1)
    ]
