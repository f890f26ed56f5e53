"""The routes of Bulk API 2.0, below ``/services/data/vXX.0/jobs``."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sfsync.local_org.bulk import INGEST, PAGE_ROWS, QUERY
from sfsync.local_org.errors import Refusal
from sfsync.local_org.wire import Answer, json_answer

if TYPE_CHECKING:
    from sfsync.local_org.rest import Call, RestApi

CSV = "text/csv; charset=UTF-8"


def _kind(call: "Call") -> str:
    return call.parts[1].lower()


def create(api: "RestApi", call: "Call") -> Answer:
    body = call.request.json_object()
    return json_answer(api.bulk.create(_kind(call), body, call.user_id, call.version))


def every(api: "RestApi", call: "Call") -> Answer:
    jobs = api.bulk.listed(_kind(call), call.user_id)
    return json_answer({"done": True, "records": jobs, "nextRecordsUrl": None})


def show(api: "RestApi", call: "Call") -> Answer:
    job = api.bulk.find(_kind(call), call.parts[2], call.user_id)
    return json_answer(api.bulk.told(job))


def change(api: "RestApi", call: "Call") -> Answer:
    state = str(call.request.json_object().get("state"))
    return json_answer(api.bulk.change(_kind(call), call.parts[2], call.user_id, state))


def forget(api: "RestApi", call: "Call") -> Answer:
    api.bulk.delete(_kind(call), call.parts[2], call.user_id)
    return Answer(204)


def upload(api: "RestApi", call: "Call") -> Answer:
    if not call.request.headers.get("content-type", "").lower().startswith("text/csv"):
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "the rows of a job are text/csv")
    api.bulk.upload(call.parts[2], call.user_id, call.request.body)
    return Answer(201)


def queried(api: "RestApi", call: "Call") -> Answer:
    asked = call.request.asked
    most = asked.get("maxRecords", str(PAGE_ROWS))
    if not most.isdigit() or not int(most):
        raise Refusal(400, "INVALID_ARGUMENT", "maxRecords must be a positive number")
    locator = asked.get("locator", "")
    page, rows, after = api.bulk.queried(
        call.parts[2], call.user_id, locator=locator, most=int(most), version=call.version
    )
    head = {"Sforce-NumberOfRecords": str(rows), "Sforce-Locator": after, "Content-Type": CSV}
    return Answer(200, page, head)


def results(api: "RestApi", call: "Call") -> Answer:
    rows = api.bulk.results(call.parts[2], call.user_id, call.parts[3].lower())
    return Answer(200, rows, {"Content-Type": CSV})


_Handlers = dict[str, Callable[["RestApi", "Call"], Answer]]
_ALL: _Handlers = {"GET": every, "POST": create}
_ONE: _Handlers = {"GET": show, "PATCH": change, "DELETE": forget}
BULK_ROUTES: tuple[tuple[str, _Handlers], ...] = (
    (f"jobs/{INGEST}", _ALL),
    (f"jobs/{QUERY}", _ALL),
    (f"jobs/{INGEST}/*", _ONE),
    (f"jobs/{QUERY}/*", _ONE),
    (f"jobs/{INGEST}/*/batches", {"PUT": upload}),
    (f"jobs/{INGEST}/*/successfulresults", {"GET": results}),
    (f"jobs/{INGEST}/*/failedresults", {"GET": results}),
    (f"jobs/{INGEST}/*/unprocessedrecords", {"GET": results}),
    (f"jobs/{QUERY}/*/results", {"GET": queried}),
)
