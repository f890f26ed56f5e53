"""Composite: up to 25 calls in one, each with headers and an outcome of its own.

It counts as one API call. A subrequest has the headers that it names itself and no other:
what the outer call says about assignment rules or conditions does not reach it. The words of
errors are our guess where the vendor documents the status alone.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sfsync.local_org.errors import Refusal
from sfsync.local_org.state import OrgState
from sfsync.local_org.wire import Answer, Request

MOST_CALLS = 25
MOST_QUERIES = 5
"""Queries and sObject Collections among them."""
FAILED = 400
_INHERITED = frozenset({"accept", "authorization", "content-type"})
"""Headers that a subrequest has from the outer call and must not name."""
_CONDITION = "if-unmodified-since"
_METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})
_RESOURCE = re.compile(r"/services/data/v\d+\.0/(sobjects|query|queryall|composite/sobjects)\b")
_COUNTED = re.compile(r"/services/data/v\d+\.0/(query|queryall|composite/sobjects)\b")
_NAME = re.compile(r"[A-Za-z]\w*\Z")
_REFERENCE = re.compile(r"@\{(\w+)\.([^}]+)\}")
_HALTED = (
    "The transaction was rolled back since another operation in the same transaction failed."
)
Json = dict[str, Any]
Perform = Callable[[Request], Answer]


@dataclass(frozen=True, slots=True)
class Subrequest:
    """One call of a Composite, as its body has it."""

    reference: str
    method: str
    url: str
    body: object
    headers: Mapping[str, str]

    @classmethod
    def parse(cls, given: object) -> "Subrequest":
        """Return the subrequest of a JSON object.

        Raises:
            Refusal: it is none; the whole call fails.
        """
        if not isinstance(given, dict):
            raise _malformed("a subrequest must be an object")
        reference, method = given.get("referenceId"), str(given.get("method", "")).upper()
        url, headers = str(given.get("url", "")), given.get("httpHeaders") or {}
        if not isinstance(reference, str) or not _NAME.match(reference):
            raise _malformed(f"Invalid referenceId: {reference}")
        if method not in _METHODS:
            raise _malformed(f"Invalid method: {method}")
        if not _RESOURCE.match(url.lower()):
            raise _malformed(f"Invalid url: {url}")
        if not isinstance(headers, dict):
            raise _malformed("httpHeaders must be an object")
        named = {str(name).lower(): str(value) for name, value in headers.items()}
        if wrong := _INHERITED & named.keys():
            raise _malformed(f"httpHeaders must not name {', '.join(sorted(wrong))}")
        return cls(reference, method, url, given.get("body"), named)

    @property
    def is_counted(self) -> bool:
        return _COUNTED.match(self.url.lower()) is not None


def answer(org: OrgState, request: Request, perform: Perform) -> Json:
    """Carry out the subrequests in order; return the body of the answer.

    ``perform`` answers one request, its errors included, and counts nothing.

    Raises:
        Refusal: the call as a whole is wrong; nothing was carried out.
    """
    body = request.json_object()
    subrequests = _subrequests(body.get("compositeRequest"))
    outcomes: dict[str, Json] = {}
    with org.undoable() as roll_back:
        for one in subrequests:
            outcomes[one.reference] = _outcome(org, request, one, outcomes, perform)
        has_failed = any(one["httpStatusCode"] >= FAILED for one in outcomes.values())
        if body.get("allOrNone") is True and has_failed:
            roll_back()
            outcomes = {name: _halted(one) for name, one in outcomes.items()}
    return {"compositeResponse": list(outcomes.values())}


def _subrequests(given: object) -> list[Subrequest]:
    if not isinstance(given, list) or not given:
        raise _malformed("compositeRequest must be a list of subrequests")
    if len(given) > MOST_CALLS:
        raise _malformed(f"{len(given)} subrequests; at most {MOST_CALLS} are allowed")
    found = [Subrequest.parse(one) for one in given]
    if len({one.reference for one in found}) < len(found):
        raise _malformed("Duplicate referenceId provided")
    if sum(one.is_counted for one in found) > MOST_QUERIES:
        raise _malformed(f"at most {MOST_QUERIES} queries and sObject Collections are allowed")
    return found


def _outcome(
    org: OrgState,
    outer: Request,
    one: Subrequest,
    outcomes: Mapping[str, Json],
    perform: Perform,
) -> Json:
    headers = dict(one.headers)
    if not org.honours_conditions_in_composite:
        headers.pop(_CONDITION, None)
    headers |= {name: outer.headers[name] for name in _INHERITED & outer.headers.keys()}
    try:
        url = _resolved(one.url, outcomes)
        body = b"" if one.body is None else json.dumps(_resolved(one.body, outcomes)).encode()
    except LookupError as missing:
        refusal = Refusal(400, "PROCESSING_HALTED", f"Invalid reference specified. {missing}")
        return _told(one.reference, refusal.status, refusal.as_body())
    done = perform(Request(one.method, outer.host, url, headers, body))
    return _told(one.reference, done.status, json.loads(done.body) if done.body else None)


def _told(reference: str, status: int, body: object) -> Json:
    return {
        "body": body,
        "httpHeaders": {},
        "httpStatusCode": status,
        "referenceId": reference,
    }


def _halted(outcome: Json) -> Json:
    if outcome["httpStatusCode"] >= FAILED:
        return outcome
    halted = Refusal(400, "PROCESSING_HALTED", _HALTED)
    return _told(outcome["referenceId"], halted.status, halted.as_body())


def _resolved(given: Any, outcomes: Mapping[str, Json]) -> Any:
    """Return a body or address with ``@{reference.path}`` replaced by what came of it.

    Raises:
        LookupError: nothing of that name came of an earlier subrequest.
    """
    if isinstance(given, dict):
        return {name: _resolved(value, outcomes) for name, value in given.items()}
    if isinstance(given, list):
        return [_resolved(value, outcomes) for value in given]
    if not isinstance(given, str):
        return given
    return _REFERENCE.sub(lambda match: _looked_up(match[1], match[2], outcomes), given)


def _looked_up(reference: str, path: str, outcomes: Mapping[str, Json]) -> str:
    found: Any = outcomes.get(reference, {}).get("body")
    for step in _steps(path):
        try:
            found = found[int(step)] if isinstance(found, list) else found[step]
        except (KeyError, IndexError, TypeError, ValueError):
            message = f"No value for {reference}.{path} found in {reference}"
            raise LookupError(message) from None
    return str(found)


def _steps(path: str) -> Sequence[str]:
    return [step for step in re.split(r"[.\[\]]", path) if step]


def _malformed(message: str) -> Refusal:
    return Refusal(400, "INVALID_INPUT", message)
