"""The local desk: addresses under ``/local/`` that a real Salesforce does not have.

They need no token, because the org listens on loopback only. Bodies and answers are JSON.

===============================  =========================================================
GET  /local/ledger               what the org counted: calls, Cases, writes per Case
GET  /local/ledger/writes        every accepted write with fields, user and headers
POST /local/cases                a Case comes in: a record of the feed, or ``{}`` for any;
                                 ``{"count": 20}``: so many of the feed at once
POST /local/people/edit          ``case_id``, ``fields``, ``by`` (a representative's name)
POST /local/people/reason        ``case_id``, ``reason``, ``by``; empty takes it away
POST /local/people/confirm       ``case_id``, ``by``; takes the suggested reason
POST /local/people/automation    ``case_id``, ``fields``; a Flow of the org changes them
POST /local/people/close         ``case_id``, ``by``
POST /local/people/delete        ``case_id``, ``by``
POST /local/people/undelete      ``case_id``, ``by``; out of the recycle bin
POST /local/people/merge         ``case_id`` (it is kept), ``merged`` (a list of ids), ``by``
POST /local/people/reopen        ``case_id``, ``by``
POST /local/people/owner         ``case_id``, ``owner`` (name of a queue or person), ``by``
POST /local/people/reply         ``case_id``, ``text``, ``by``; e-mail of a representative
POST /local/people/comment       ``case_id``, ``text``, ``by``
POST /local/people/email         ``case_id``, ``text``; e-mail of the customer
POST /local/people/portal        ``case_id``, ``text``; comment of the customer
POST /local/people/message       ``case_id``, ``text``; message of the customer
POST /local/people/messages      ``case_id``, ``turns`` (``speaker``, ``text``); both sides
POST /local/people/chat          ``case_id``, ``turns``; both go on in the Case's last chat
POST /local/people/hear          ``case_id``, ``turns``, ``channel``; another call, post …
POST /local/people/attach        ``case_id``, ``title``, ``extension``, ``text``; a file
POST /local/people/replace       ``document_id``, ``text``, ``by``; its new version
POST /local/people/take_call     ``case_id``, ``turns``; a call begins
POST /local/people/hang_up       ``call_id``; and ends, its words can be read
POST /local/people/act           somebody does something, by the org's seed
POST /local/deploy               ``directory``: SFDX source is deployed, assigned to nobody
POST /local/tokens/revoke        every access token dies
POST /local/faults               switches of ``Faults`` by name: counters, ``page_size``,
                                 ``commit_delay_seconds``, ``locked`` (a list of ids), and
                                 ``bulk_stuck``, ``bulk_results_expired``,
                                 ``forgets_in_flight`` (true or false)
===============================  =========================================================
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from sfsync.local_org.deploying import DeployFailed, Deployment
from sfsync.local_org.errors import Refusal
from sfsync.local_org.oauth import TokenOffice
from sfsync.local_org.people import People
from sfsync.local_org.records import Record, Said
from sfsync.local_org.state import OrgState
from sfsync.local_org.wire import Answer, Request, json_answer

COUNTERS = frozenset(
    {
        "outages",
        "outages_of_login",
        "allowance_spent",
        "bulk_failures",
        "too_many_at_once",
        "lost_answers",
        "slow_answers",
    }
)
FLAGS = frozenset({"bulk_stuck", "bulk_results_expired", "forgets_in_flight"})
_NOTHING_FED = Record("nothing-fed", (Said("customer", "Hello, I need some help."),))


class LocalDesk:
    """Answers below ``/local/``."""

    def __init__(
        self,
        org: OrgState,
        tokens: TokenOffice,
        people: People,
        next_record: Callable[[], Record | None],
        deploy: Callable[[Path], Deployment],
    ) -> None:
        """``next_record`` gives a record for a Case that nobody described."""
        self._org = org
        self._tokens = tokens
        self._people = people
        self._next_record = next_record
        self._deploy_source = deploy

    def answer(self, request: Request) -> Answer:
        """Return the answer; 400 with a sentence for anything that makes no sense."""
        handlers = {
            ("GET", "/local/ledger"): self._ledger,
            ("GET", "/local/ledger/writes"): self._writes,
            ("POST", "/local/cases"): self._open_case,
            ("POST", "/local/deploy"): self._deploy,
            ("POST", "/local/tokens/revoke"): self._revoke,
            ("POST", "/local/faults"): self._set_faults,
        }
        handler = handlers.get((request.method, request.path))
        try:
            if handler is not None:
                return json_answer(handler(request))
            if request.method == "POST" and request.path.startswith("/local/people/"):
                deed = request.path.removeprefix("/local/people/")
                return json_answer(self._deed(deed, _body(request)))
        except (Refusal, DeployFailed) as refusal:
            return json_answer({"error": str(refusal)}, 400)
        except (KeyError, ValueError, TypeError) as wrong:
            return json_answer({"error": f"{type(wrong).__name__}: {wrong}"}, 400)
        return json_answer({"error": "no such address"}, 404)

    def _ledger(self, _: Request) -> object:
        return self._org.ledger.as_json(
            sum(not row["IsDeleted"] for row in self._org.table("Case"))
        )

    def _writes(self, _: Request) -> object:
        return self._org.ledger.writes_as_json()

    def _open_case(self, request: Request) -> object:
        body = _body(request)
        if "count" in body:
            return {"ids": [self._open_next() for _ in range(_whole(body["count"]))]}
        return {"id": self._people.open_case(Record.parse(body)) if body else self._open_next()}

    def _open_next(self) -> str:
        return self._people.open_case(self._next_record() or _NOTHING_FED)

    def _deploy(self, request: Request) -> object:
        deployed = self._deploy_source(Path(str(_body(request)["directory"])))
        return {"fields": deployed.fields}

    def _revoke(self, _: Request) -> object:
        self._tokens.revoke_all()
        return {}

    def _set_faults(self, request: Request) -> object:
        faults, body = self._org.faults, _body(request)
        for name, value in body.items():
            if name in COUNTERS:
                setattr(faults, name, _whole(value))
            elif name == "page_size":
                faults.page_size = None if value is None else _whole(value)
            elif name == "commit_delay_seconds":
                faults.commit_delay = timedelta(seconds=_whole(value))
            elif name in FLAGS:
                setattr(faults, name, value is True)
            elif name == "locked" and isinstance(value, list):
                faults.locked = {str(one) for one in value}
            else:
                raise ValueError(f"no such switch: {name}")
        return {}

    def _deed(self, deed: str, body: Mapping[str, object]) -> object:
        people = self._people
        if deed == "act":
            name, case_id = people.act()
            return {"deed": name, "case_id": case_id}
        if deed == "replace":
            text, by = str(body["text"]), str(body.get("by", ""))
            people.replace_file(str(body["document_id"]), text.encode(), by)
            return {}
        if deed == "hang_up":
            people.hang_up(str(body["call_id"]))
            return {}
        case_id, by = str(body["case_id"]), str(body.get("by", ""))
        if deed in _ON_CASES:
            _ON_CASES[deed](people, case_id, body, by)
            return {}
        if deed in _TALKS:
            return {"id": _TALKS[deed](people, case_id, _turns(body), body)}
        if deed == "attach":
            title, extension = str(body["title"]), str(body["extension"])
            content = str(body["text"]).encode()
            return {"id": people.attach(case_id, title, extension, content)}
        return {"id": self._words(deed, case_id, str(body["text"]), by)}

    def _words(self, deed: str, case_id: str, text: str, by: str) -> str:
        people = self._people
        match deed:
            case "reply":
                return people.reply(case_id, text, by)
            case "comment":
                return people.comment(case_id, text, by)
            case "email":
                return people.customer_emails(case_id, text)
            case "portal":
                return people.customer_comments(case_id, text)
            case "message":
                return people.customer_messages(case_id, text)
        raise ValueError(f"nobody knows how to {deed}")


_ON_CASES: dict[str, Callable[[People, str, Mapping[str, object], str], None]] = {
    "edit": lambda people, case_id, body, by: people.edit_case(case_id, _fields(body), by),
    "reason": lambda people, case_id, body, by: people.change_reason(
        case_id, str(body["reason"]), by
    ),
    "confirm": lambda people, case_id, _, by: people.confirm_reason(case_id, by),
    "automation": lambda people, case_id, body, _: people.automation_edits(
        case_id, _fields(body)
    ),
    "close": lambda people, case_id, _, by: people.close_case(case_id, by),
    "delete": lambda people, case_id, _, by: people.delete_case(case_id, by),
    "undelete": lambda people, case_id, _, by: people.undelete_case(case_id, by),
    "merge": lambda people, case_id, body, by: people.merge_cases(
        case_id, *_ids(body["merged"]), by=by
    ),
    "reopen": lambda people, case_id, _, by: people.reopen_case(case_id, by),
    "owner": lambda people, case_id, body, by: people.change_owner(
        case_id, str(body["owner"]), by
    ),
}
_TALKS: dict[str, Callable[[People, str, list[Said], Mapping[str, object]], str]] = {
    "messages": lambda people, case_id, turns, _: people.exchange_messages(case_id, turns),
    "chat": lambda people, case_id, turns, _: people.chat_on(case_id, turns),
    "hear": lambda people, case_id, turns, body: people.hear_more(
        case_id, turns, str(body["channel"])
    ),
    "take_call": lambda people, case_id, turns, _: people.take_call(case_id, turns),
}


def _fields(body: Mapping[str, object]) -> dict[str, object]:
    fields = body["fields"]
    if not isinstance(fields, dict):
        raise TypeError("fields must be an object")
    return fields


def _ids(listed: object) -> list[str]:
    if not isinstance(listed, list):
        raise TypeError("merged must be a list of ids")
    return [str(one) for one in listed]


def _turns(body: Mapping[str, object]) -> list[Said]:
    """Return ``turns`` of a body, which look as they do in a record."""
    return list(Record.parse({"turns": body["turns"]}).turns)


def _body(request: Request) -> dict[str, object]:
    return request.json_object() if request.body.strip() else {}


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"not a whole number: {value}")
    return value
