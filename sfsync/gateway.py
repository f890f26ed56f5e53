"""The one place that talks to Salesforce: questions and writes, typed errors, counted calls."""

import json
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from django.conf import settings
from simple_salesforce.api import Salesforce, SFType

from sfsync import case_rows, case_writes, soql
from sfsync.calls import Gate, Purpose, under
from sfsync.case_writes import (
    COLLECTION_LIMIT,
    COMPOSITE_LIMIT,
    QUERIES_AT_ONCE,
    RETRIEVE_LIMIT,
)
from sfsync.cases import (
    ApiUse,
    CaseSnapshot,
    CaseUpdate,
    Changes,
    EventAccess,
    FieldChange,
    FieldValue,
    Looked,
    OrgIdentity,
    SObjectDescription,
    Stamp,
    UpdateResult,
    User,
)
from sfsync.credentials import Credentials, connect
from sfsync.errors import (
    BudgetSpent,
    LimitExceeded,
    ObjectMissing,
    RecordGone,
    SalesforceDenied,
    SalesforceError,
    SalesforceUnavailable,
    answer_error,
)
from sfsync.gate import SharedGate
from sfsync.transport import SalesforceSession, open_session, typed_errors

LONGEST_WINDOW = timedelta(days=30)
"""getUpdated refuses more (REST API guide)."""
SHORTEST_WINDOW = timedelta(minutes=1)
ENTRIES_PER_PAGE = 1000
ROLES_SECONDS = 600.0
"""How long it is believed whether our user may read roles."""
DESCRIPTION_SECONDS = 60.0
"""How long an answer to describe is believed, so that a new field or value is soon seen."""
HISTORY_FIELDS = ("Id", "CaseId", "Field", "OldValue", "NewValue", "CreatedById", "CreatedDate")
CSV = "text/csv; charset=UTF-8"
CONVERSATION_ID = re.compile(r"[A-Za-z0-9-]{1,80}")
LOST_LOCATOR = {"INVALID_QUERY_LOCATOR", "INVALID_SESSION_ID"}
"""A page's locator dies with its token: the query is asked again from the last Id."""

_LAST_CALL: ContextVar[int | None] = ContextVar("last_call", default=None)
"""The number of calls at which this thread must stop."""
Answer = TypeVar("Answer")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sheet:
    """An answer in CSV, and the headers beside it."""

    text: str
    headers: Mapping[str, str]


class SalesforceGateway:
    """Salesforce as this app needs it. One per process, made after the fork, not at import.

    Every method raises an error of ``sfsync.errors``:
        SalesforceUnavailable: no usable answer; repeat later, writes are safe to repeat.
        SalesforceDenied: login or permission; an operator must act.
        SalesforceRejected: the request itself is wrong for this org.
    """

    def __init__(
        self,
        credentials: Credentials,
        session: SalesforceSession,
        gate: Gate | None = None,
    ) -> None:
        """``gate`` lets each call pass; the one that all processes share unless told otherwise."""
        self._credentials = credentials
        self._session = session
        self._session.adapter.gate = gate or SharedGate()
        self._client: Salesforce | None = None
        self._identity: OrgIdentity | None = None
        self._descriptions: dict[str, tuple[float, SObjectDescription]] = {}
        self._roles: tuple[float, bool] | None = None
        # The client's token renewal is not made for threads (eight threads made eight logins).
        self._lock = threading.RLock()

    @property
    def calls(self) -> int:
        """API calls sent by this gateway so far."""
        return self._session.adapter.calls

    def seconds(self) -> float:
        """Return this machine's seconds since some moment; they never go back."""
        return self._session.adapter.clock()

    @contextmanager
    def at_most(self, calls: int) -> Iterator[None]:
        """Let what is done inside, in this thread, make no more than so many API calls.

        Raises:
            LimitExceeded: with the code CALLS_USED_UP, in place of the first call too many.
        """
        token = _LAST_CALL.set(self.calls + calls)
        try:
            yield
        finally:
            _LAST_CALL.reset(token)

    def api_use(self) -> ApiUse | None:
        """Return the whole org's calls of 24 hours as the last answer told; None before it."""
        usage = self._client.api_usage.get("api-usage") if self._client else None
        return ApiUse(used=usage.used, allowed=usage.total) if usage else None

    def identity(self) -> OrgIdentity:
        """Return which org this is and as whom we are there; asked once."""
        if self._identity is None:
            fields = ("Id", "Name", "IsSandbox")
            (row,) = self._query(
                soql.select(fields, "Organization", limit=1), "reading the organisation"
            )["records"]
            known = self._session.adapter.identity
            self._identity = OrgIdentity(
                org_id=row["Id"],
                org_name=row["Name"] or "",
                user_id=known[1] if known else "",
                instance_host=self._ready().sf_instance,
                is_sandbox=bool(row["IsSandbox"]),
            )
        return self._identity

    def event_access(self, *, anew: bool = False) -> EventAccess:
        """Return what the Pub/Sub API asks for; ``anew``: with a token of a new login."""
        if anew:
            self._client = None
        identity, client = self.identity(), self._ready()
        return EventAccess(client.session_id, f"https://{client.sf_instance}", identity.org_id)

    def now(self) -> datetime:
        """Return the org's time: the last answer's ``Date`` and what has passed since.

        Costs a call only before the first answer. Never this machine's clock; where that was
        asleep in between, it lags until the next answer.
        """
        if self._session.adapter.server_time is None:
            self._json("reading the org's limits", "limits")
        known = self._session.adapter.server_time
        if known is None:
            raise SalesforceUnavailable("Salesforce's answer carries no date.", code="NO_DATE")
        date, received = known
        return date + timedelta(seconds=self.seconds() - received)

    def describe(self, sobject: str) -> SObjectDescription:
        """Return what ``sobject`` looks like to our user, at most a minute old.

        Raises:
            ObjectMissing: the org has no such object, or our user may not see it.
        """
        known = self._descriptions.get(sobject)
        if known and self.seconds() - known[0] < DESCRIPTION_SECONDS:
            return known[1]
        path = f"sobjects/{soql.checked_name(sobject)}/describe"
        try:
            answer = self._json(f"describing {sobject}", path)
        except RecordGone as error:  # what Salesforce answers for an object it does not have
            raise ObjectMissing(
                f"The org does not have the object {sobject}, or our user may not see it.",
                code="NOT_FOUND",
            ) from error
        with typed_errors(f"describing {sobject}"):
            description = case_rows.to_description(sobject, answer)
        self._descriptions[sobject] = (self.seconds(), description)
        return description

    def changed(self, sobject: str, since: datetime, until: datetime) -> Changes:
        """Return the ids of records made or changed in [since, until), deleted ones left out.

        Salesforce cuts both ends down to the minute. ``covered_until`` is its own word
        (``latestDateCovered``), which stays behind where a transaction is still under way.
        """
        return self._replicated(sobject, "updated", since, until)

    def deleted(self, sobject: str, since: datetime, until: datetime) -> Changes:
        """Return the ids of records deleted in [since, until); at most 15 days back."""
        return self._replicated(sobject, "deleted", since, until)

    def stamps(
        self, sobject: str, ids: Iterable[str], case_field: str, only: str = ""
    ) -> list[Stamp]:
        """Return when each record last changed and its Case; what is gone is left out."""
        fields = tuple(dict.fromkeys(("Id", case_field, "SystemModstamp")))
        rows = self.rows(sobject, fields, "Id", ids, only)
        with typed_errors(f"reading {sobject}"):
            return [case_rows.to_stamp(row, case_field) for row in rows if row[case_field]]

    def stamps_between(
        self,
        sobject: str,
        case_field: str,
        since: datetime,
        until: datetime | None,
        *,
        only: str = "",
        at_most: int | None = None,
    ) -> list[Stamp]:
        """Return the stamps of all records changed in [since, until), by key-paged query.

        For the first pull, for long gaps, and for objects whose changes Salesforce does not
        list. ``until`` None: no end.

        Raises:
            LimitExceeded: there are more than ``at_most``; asked again with less.
        """
        fields = tuple(dict.fromkeys(("Id", case_field, "SystemModstamp")))
        conditions = (
            soql.is_since("SystemModstamp", since),
            soql.is_before("SystemModstamp", until) if until else "",
            only,
        )
        rows = self._all_rows(sobject, fields, *conditions, at_most=at_most)
        with typed_errors(f"reading {sobject}"):
            return [case_rows.to_stamp(row, case_field) for row in rows if row[case_field]]

    def cases(self, ids: Iterable[str], extra_fields: Sequence[str] = ()) -> list[CaseSnapshot]:
        """Return the Cases, ordered by id; one that is gone or not shared is left out.

        A field of ``extra_fields`` that the org lacks or our user may not read is left out.
        """
        present = self.describe("Case").fields
        extra = [name for name in extra_fields if name in present]
        selectable = {*present, case_rows.ROLES} if self._tells_roles() else present
        rows = self.rows("Case", case_rows.case_fields(selectable, extra), "Id", ids)
        with typed_errors("reading Cases"):
            return [case_rows.to_snapshot(row, extra) for row in rows]

    def _tells_roles(self) -> bool:
        """Return whether our user may read roles, for which not every org gives the right."""
        if self._roles is None or self.seconds() - self._roles[0] > ROLES_SECONDS:
            try:
                may_read = "Name" in self.describe("UserRole").fields
            except ObjectMissing:
                may_read = False
            self._roles = self.seconds(), may_read
        return self._roles[1]

    def in_the_bin(self, case_ids: Iterable[str]) -> dict[str, str]:
        """Return the deleted ones of these Cases → the Case that each was merged into.

        Empty: it was deleted, not merged. Absent: it is deleted for good, or not shared with
        our user. A ``queryAll``, which alone shows what is in the recycle bin.
        """
        names = ("Id", "IsDeleted", "MasterRecordId")
        fields = [name for name in names if name in self.describe("Case").fields]
        found: dict[str, str] = {}
        for portion in soql.in_portions(case_ids):
            question = soql.select(fields, "Case", soql.is_one_of("Id", portion))
            page = self._page(
                "reading deleted Cases",
                partial(Salesforce.query, query=question, include_deleted=True),
            )
            rows = page["records"]
            while not page["done"]:
                page = self._next_page(page["nextRecordsUrl"], "reading deleted Cases")
                rows += page["records"]
            found |= {
                row["Id"]: case_rows.text(row.get("MasterRecordId"))
                for row in rows
                if row["IsDeleted"]
            }
        return found

    def field_values(
        self, case_ids: Iterable[str], fields: Sequence[str]
    ) -> dict[str, dict[str, FieldValue]]:
        """Return Case id → field → present value, read now; a Case that is gone is absent."""
        rows = self._retrieved(case_ids, fields)
        return {row["Id"]: {name: row[name] for name in fields} for row in rows}

    def look(self, case_ids: Iterable[str], fields: Sequence[str]) -> Looked:
        """Return what stands in ``fields`` of the Cases now, and when each last changed."""
        began = self.seconds()
        rows = self._retrieved(case_ids, (*fields, case_rows.LAST_MODIFIED))
        with typed_errors("reading Cases"):
            return Looked(
                {row["Id"]: {name: row[name] for name in fields} for row in rows},
                {row["Id"]: case_rows.moment(row[case_rows.LAST_MODIFIED]) for row in rows},
                # Counted back from the answer's own time, which is cut to the second.
                self.now() - timedelta(seconds=self.seconds() - began),
                began,
            )

    def _retrieved(self, case_ids: Iterable[str], fields: Sequence[str]) -> list[Row]:
        """Return the Cases that there are, up to 2,000 in a call."""
        found: list[Row] = []
        names = list(dict.fromkeys(("Id", *fields)))
        for portion in soql.in_portions(case_ids, RETRIEVE_LIMIT):
            body = {"ids": portion, "fields": names}
            rows = self._post("reading Cases", "composite/sobjects/Case", body)
            with typed_errors("reading Cases"):
                found += [dict(row) for row in rows if row is not None]
        return found

    def field_changes(
        self,
        fields: Iterable[str],
        since: datetime,
        until: datetime | None = None,
        *,
        at_most: int | None = None,
    ) -> list[FieldChange]:
        """Return who changed these fields of Cases in [since, until), in no particular order.

        ``until`` None: no end. A field whose history the org does not track has none.

        Raises:
            LimitExceeded: there are more than ``at_most``; asked again with less.
        """
        conditions = (
            soql.is_since("CreatedDate", since),
            soql.is_before("CreatedDate", until) if until else "",
            soql.is_named("Field", fields),
        )
        rows = self._all_rows("CaseHistory", HISTORY_FIELDS, *conditions, at_most=at_most)
        with typed_errors("reading CaseHistory"):
            return [case_rows.to_field_change(row) for row in rows]

    def users(self, ids: Iterable[str]) -> dict[str, User]:
        """Return the users by id; one that we may not see is absent."""
        rows = self.rows("User", ("Id", "Name", "Username", "UserType"), "Id", ids)
        with typed_errors("reading users"):
            return {row["Id"]: case_rows.to_user(row) for row in rows}

    def rows(
        self,
        sobject: str,
        fields: Sequence[str],
        parent_field: str,
        parent_ids: Iterable[str],
        only: str = "",
    ) -> list[Row]:
        """Return all rows whose ``parent_field`` is one of ``parent_ids``, and ``only`` holds.

        ``fields`` must contain Id: rows come ordered by it, and a list whose page locator died
        goes on after the last one.
        """
        conditions = [
            (soql.is_one_of(parent_field, portion), only)
            for portion in soql.in_portions(parent_ids)
        ]
        found: list[Row] = []
        for start in range(0, len(conditions), QUERIES_AT_ONCE):
            together = conditions[start : start + QUERIES_AT_ONCE]
            pages = self._together(sobject, fields, together)
            for each, page in zip(together, pages, strict=True):
                found.extend(self._all_rows(sobject, fields, *each) if page is None else page)
        return found

    def _together(
        self, sobject: str, fields: Sequence[str], conditions: Sequence[tuple[str, str]]
    ) -> list[list[Row] | None]:
        """Ask several lists in one call; None for one that must be asked for alone."""
        if len(conditions) < 2:  # noqa: PLR2004 -- one question needs no envelope
            return [None] * len(conditions)
        questions = [soql.select(fields, sobject, *one, order_by="Id") for one in conditions]
        body = case_writes.questions(questions, settings.SALESFORCE_API_VERSION)
        answer = self._post(f"reading {sobject}", "composite", body)
        with typed_errors(f"reading {sobject}"):
            return case_writes.whole_pages(answer["compositeResponse"], len(questions))

    def newest(
        self, sobject: str, fields: Sequence[str], *conditions: str, limit: int
    ) -> list[Row]:
        """Return up to ``limit`` rows, changed last first, in one call."""
        question = soql.select(
            fields, sobject, *conditions, order_by="-SystemModstamp", limit=limit
        )
        return list(self._query(question, f"reading {sobject}")["records"])

    def newest_pages(
        self,
        sobject: str,
        fields: Sequence[str],
        *conditions: str,
        limit: int,
        after: str = "",
    ) -> Iterator[list[Row]]:
        """Yield up to ``limit`` rows, made last first, in pages as large as Salesforce gives.

        ``fields`` must contain Id, and ``after`` is the last one of an earlier reading that
        broke off: it goes on there. A page whose locator died is asked for by key.

        Raises:
            SalesforceError: no further page; what was yielded stands.
        """
        last_id, left, is_resumed = after, limit, False
        while left > 0:
            question = soql.select(
                fields,
                sobject,
                *conditions,
                soql.comes_before(last_id),
                order_by="-Id",
                limit=left,
            )
            page = self._query(question, f"reading {sobject}")
            try:
                while True:
                    if page["records"]:
                        last_id, left = page["records"][-1]["Id"], left - len(page["records"])
                        yield page["records"]
                    if page["done"] or left <= 0:
                        return
                    page = self._next_page(page["nextRecordsUrl"], f"reading {sobject}")
                    is_resumed = False
            except SalesforceError as error:
                if error.code not in LOST_LOCATOR or is_resumed:
                    raise
                is_resumed = True

    def content(self, version_id: str) -> bytes:
        """Return the bytes of a file, by the id of its ContentVersion.

        Raises:
            RecordGone: it is gone, or not shared with our user.
        """
        checked = soql.checked_id(version_id)
        return self._ask(
            "reading an attached file",
            lambda client: cast("SFType", client.ContentVersion).get_base64(
                checked, "VersionData"
            ),
        )

    def conversation_entries(self, identifier: str) -> list[Row]:
        """Return all entries of one conversation, in no particular order.

        ``identifier`` is ``Conversation.ConversationIdentifier``. Salesforce allows 1,000 such
        calls per hour.

        Raises:
            RecordGone: there is no such conversation for us.
        """
        if not CONVERSATION_ID.fullmatch(identifier):
            raise ValueError("not a conversation identifier")
        entries: list[Row] = []
        path = (
            f"connect/conversation/{identifier}/entries"
            f"?recordLimit={ENTRIES_PER_PAGE}&queryDirection=FromStart"
        )
        seen: set[str] = set()
        while path and path not in seen:
            seen.add(path)
            page = self._entries_page(path)
            entries.extend(page.get("conversationEntries") or ())
            path = self._relative(page.get("nextPageUrl")) if page.get("hasMore") else ""
        return entries

    def update_cases(self, updates: Sequence[CaseUpdate]) -> list[UpdateResult]:
        """Write fields to up to ``COLLECTION_LIMIT`` Cases in one call.

        Each record succeeds or fails alone: a locked or deleted Case is a failed *result*, in
        the order given. An exception means the whole call got no answer we can rely on:
        SalesforceUnavailable leaves the outcome unknown, and repeating is harmless.
        """
        if len(updates) > COLLECTION_LIMIT:
            raise ValueError(f"{len(updates)} updates, {COLLECTION_LIMIT} fit one call")
        if not updates:
            return []
        body = case_writes.collection(updates)
        rows = self._ask(
            "writing to Cases",
            lambda client: client.restful("composite/sobjects", method="PATCH", json=body),
        )
        with typed_errors("writing to Cases"):  # a short answer is an unknown outcome
            return case_writes.collection_results(updates, rows or [])

    def update_unmodified(self, updates: Sequence[CaseUpdate]) -> list[UpdateResult]:
        """Write to up to ``COMPOSITE_LIMIT`` Cases in one call, each under its own condition.

        As ``update_cases``. Where an org heeds conditions inside Composite, a Case that changed
        after its ``unmodified_since`` is a failed result with the code MODIFIED.
        """
        if len(updates) > COMPOSITE_LIMIT:
            raise ValueError(f"{len(updates)} updates, {COMPOSITE_LIMIT} fit one call")
        if not updates:
            return []
        parts = self._composite(updates)
        with typed_errors("writing to Cases"):
            return case_writes.composite_results(updates, parts)

    def update_and_read_back(
        self, update: CaseUpdate, field: str
    ) -> tuple[UpdateResult, FieldValue]:
        """Write to one Case under its condition; return the outcome and ``field`` afterwards.

        ``field`` empty: nothing is read, and None returned.
        """
        parts = self._composite([update], read_back=field)
        with typed_errors("writing to Cases"):
            (result,) = case_writes.composite_results([update], parts)
            return result, case_writes.value_read_back(parts, field)

    def _composite(
        self, updates: Sequence[CaseUpdate], read_back: str = ""
    ) -> list[Mapping[str, Any]]:
        version = settings.SALESFORCE_API_VERSION
        body = case_writes.composite(updates, version, read_back=read_back)
        answer = self._post("writing to Cases", "composite", body)
        with typed_errors("writing to Cases"):
            return list(answer["compositeResponse"])

    def _post(self, deed: str, path: str, body: Mapping[str, Any]) -> Any:
        return self._ask(deed, lambda client: client.restful(path, method="POST", json=body))

    def told(
        self, deed: str, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> Mapping[str, Any]:
        """Return the JSON object that a resource answers; for resources without a method here."""
        answer = self._ask(
            deed,
            lambda client: client.restful(
                path, method=method, json=None if body is None else dict(body)
            ),
        )
        with typed_errors(deed):
            return dict(answer or {})

    def sheet(
        self,
        deed: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: str | None = None,
    ) -> Sheet:
        """Send or ask for CSV, which the client does only by waiting for whole jobs.

        A token that has run out is renewed once, and all headers go along again.
        """

        def ask(client: Salesforce) -> Sheet:
            return self._sheet(client, deed, method, path, params, content)

        try:
            return self._ask(deed, ask)
        except SalesforceDenied as error:
            if error.code != "INVALID_SESSION_ID":
                raise
            self._client = None
            return self._ask(deed, ask)

    def _sheet(
        self,
        client: Salesforce,
        deed: str,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        content: str | None,
    ) -> Sheet:
        kind = "application/json" if content is None else CSV
        answer = self._session.request(
            method,
            client.base_url + path,
            params=params,
            data=None if content is None else content.encode(),
            headers={
                "Authorization": f"Bearer {client.session_id}",
                "Content-Type": kind,
                "Accept": CSV if content is None else "application/json",
            },
        )
        if answer.status_code >= HTTPStatus.MULTIPLE_CHOICES:
            raise answer_error(answer.status_code, _error_list(answer.content), deed)
        if used := answer.headers.get("Sforce-Limit-Info"):
            client.api_usage = client.parse_api_usage(used)
        return Sheet(answer.content.decode(), answer.headers)

    def _replicated(self, sobject: str, kind: str, since: datetime, until: datetime) -> Changes:
        """Ask window after window, halving one that holds more ids than Salesforce lists."""
        ids: dict[str, None] = {}
        windows = list(reversed(list(_windows(since, until))))
        covered = since
        while windows:
            begin, end = windows.pop()
            try:
                found = self._window(sobject, kind, begin, end)
            except LimitExceeded:
                middle = begin + (end - begin) / 2
                if middle - begin < SHORTEST_WINDOW:
                    raise
                windows.extend([(middle, end), (begin, middle)])
                continue
            ids.update(dict.fromkeys(found.ids))
            covered = found.covered_until
            if covered < _minute(end):
                break  # Salesforce has not got further yet: a later window would leave a gap
        return Changes(tuple(ids), covered)

    def _window(self, sobject: str, kind: str, begin: datetime, end: datetime) -> Changes:
        params = {"start": soql.literal(begin), "end": soql.literal(end)}
        path = f"sobjects/{soql.checked_name(sobject)}/{kind}/"
        deed = f"asking for {kind} {sobject} records"
        answer = self._json(deed, path, params)
        with typed_errors(deed):
            return case_rows.to_changes(answer, kind)

    def _all_rows(
        self, sobject: str, fields: Sequence[str], *conditions: str, at_most: int | None = None
    ) -> list[Row]:
        deed = f"reading {sobject}"
        found: list[Row] = []
        is_resumed = False
        while True:
            last_id = found[-1]["Id"] if found else ""
            question = soql.select(
                fields, sobject, *conditions, soql.comes_after(last_id), order_by="Id"
            )
            page = self._query(question, deed)
            if at_most is not None and page["totalSize"] > at_most:
                raise LimitExceeded(f"More than {at_most} rows at once when {deed}.")
            found.extend(page["records"])
            try:
                while not page["done"]:
                    page = self._next_page(page["nextRecordsUrl"], deed)
                    found.extend(page["records"])
                    is_resumed = False
                return found
            except SalesforceError as error:
                # Twice in a row without a page between: not the locator's fault.
                if error.code not in LOST_LOCATOR or is_resumed:
                    raise
                is_resumed = True

    def _query(self, question: str, deed: str) -> Row:
        return self._page(deed, lambda client: client.query(question))

    def _next_page(self, url: str, deed: str) -> Row:
        return self._page(deed, lambda client: client.query_more(url, identifier_is_url=True))

    def _page(self, deed: str, ask: Callable[[Salesforce], Any]) -> Row:
        page = self._ask(deed, ask)
        with typed_errors(deed):
            return {
                "records": list(page["records"]),
                "done": bool(page["done"]),
                "totalSize": int(page["totalSize"]),
                "nextRecordsUrl": page.get("nextRecordsUrl", ""),
            }

    def _entries_page(self, path: str) -> Mapping[str, Any]:
        return self._json("reading a conversation", path)

    def _relative(self, url: str | None) -> str:
        """Return an address within the API as the client wants it: without host and version."""
        parts = urlsplit(url or "")
        _, version, path = parts.path.partition(f"/v{settings.SALESFORCE_API_VERSION}/")
        return f"{path}?{parts.query}" if version and parts.query else path

    def _json(
        self, deed: str, path: str, params: dict[str, str] | None = None
    ) -> Mapping[str, Any]:
        """Return the JSON object at ``path``, which is relative to the API's version."""
        answer = self._ask(deed, lambda client: client.restful(path, params=params))
        with typed_errors(deed):
            return dict(answer or {})

    def _ask(self, deed: str, ask: Callable[[Salesforce], Answer]) -> Answer:
        last = _LAST_CALL.get()
        if last is not None and self.calls >= last:
            raise LimitExceeded(
                f"This takes more API calls than it may, and ended when {deed}.",
                code="CALLS_USED_UP",
            )
        with self._lock, typed_errors(deed):
            try:
                return ask(self._ready())
            except BudgetSpent as spent:
                if not spent.is_look_due:
                    raise
                with under(Purpose.LOOK):
                    self._ready().restful("limits")
                return ask(self._ready())

    def _ready(self) -> Salesforce:
        """Return the client, logged in; made anew when the org has moved to another host."""
        client = self._client
        if client is None or client.sf_instance not in client.base_url:
            with self._lock, typed_errors("logging in"):
                self._client = client = connect(self._credentials, self._session)
        return client


_opened: dict[int, SalesforceGateway] = {}
_opening = threading.Lock()


def open() -> SalesforceGateway:  # noqa: A001 -- read as gateway.open()
    """Return this process's gateway, made at the first call; nothing is sent yet.

    Raises:
        NotConfigured: the Salesforce settings are missing or wrong.
    """
    with _opening:
        gateway = _opened.get(os.getpid())
        if gateway is None:
            credentials = Credentials.from_settings()
            gateway = SalesforceGateway(credentials, open_session())
            _opened.clear()  # a fork's parent keeps its own connection
            _opened[os.getpid()] = gateway
        return gateway


def close() -> None:
    """Forget this process's gateway: the next ``open`` reads the settings again."""
    with _opening:
        _opened.clear()


def _error_list(content: bytes) -> Any:
    """Return the list of errors in an answer, or nothing: an edge server's page."""
    try:
        return json.loads(content)
    except ValueError:
        return []


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _windows(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield consecutive windows that Salesforce accepts; the last one may be pulled back."""
    begin = since
    while until - begin > LONGEST_WINDOW:
        yield begin, begin + LONGEST_WINDOW
        begin += LONGEST_WINDOW
    yield min(begin, until - SHORTEST_WINDOW), until
