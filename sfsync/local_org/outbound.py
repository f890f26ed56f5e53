"""Outbound Messages: the org tells a door of every change, again and again until it is heard."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from types import TracebackType
from xml.etree import ElementTree

import requests

from sfsync.local_org.envelope import Told, to_envelope
from sfsync.local_org.ids import new_id
from sfsync.local_org.moments import Value
from sfsync.local_org.state import Change, OrgState

MOST = 100
"""Notifications of one envelope."""
FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(hours=2)
DROPPED_AFTER = timedelta(hours=24)
TIMEOUT_SECONDS = 60
"""Salesforce waits so long for an answer."""
OBJECTS = ("Case", "EmailMessage", "CaseComment")
"""What an outbound message is defined for here."""
FIELDS = {"Case": ("Status", "SystemModstamp"), "EmailMessage": ("ParentId",)}
FIELDS["CaseComment"] = FIELDS["EmailMessage"]
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
OUTBOUND = "{http://soap.sforce.com/2005/09/outbound}"

Post = Callable[[bytes], tuple[int, bytes]]
"""Sends a body; returns status and body of the answer. Raises OSError where there is none."""


@dataclass(slots=True)
class OutboundFaults:
    """Switches that make the sender behave as badly as the real one may."""

    session_id: str = ""
    """Sent along, as before February 2026; empty: none."""
    duplicates: bool = False
    """Every envelope is sent a second time."""
    reordered: bool = False
    """What waits is sent in any order."""
    loses: int = 0
    """So many notifications are never sent."""


@dataclass(slots=True)
class Pending:
    """A notification on its way. Its values are those of the moment of sending."""

    id: str
    sobject: str
    record_id: str
    queued_at: datetime
    due_at: datetime
    attempts: int = 0


@dataclass(slots=True)
class Sent:
    """What the sender came to so far."""

    envelopes: int = 0
    acknowledged: int = 0
    dropped: int = 0


@dataclass(slots=True)
class OutboundSender:
    """Tells one address of changes to Cases and what hangs on them.

    Nothing is sent by itself: call ``run_due``, in the org's time. What the integration user
    writes is not told, for its profile lacks “Send Outbound Messages”.
    """

    org: OrgState
    post: Post
    faults: OutboundFaults = field(default_factory=OutboundFaults)
    sent: Sent = field(default_factory=Sent)
    _waiting: deque[Pending] = field(default_factory=deque)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.org.listeners.append(self._note)

    @property
    def waiting(self) -> int:
        """Notifications that were not acknowledged yet."""
        return len(self._waiting)

    @property
    def action_id(self) -> str:
        return new_id("04k", 1)

    def run_due(self) -> int:
        """Send what is due, at most 100 in an envelope; return how many were acknowledged."""
        acknowledged = 0
        tried: set[str] = set()
        while batch := self._take(tried):
            tried.update(one.id for one in batch)
            is_heard = self._send(batch)
            if self.faults.duplicates:
                self._send(batch)
            with self.org.lock:
                acknowledged += self._settle(batch, is_heard=is_heard)
        return acknowledged

    def _note(self, change: Change) -> None:
        """Queue a notification of what was just committed."""
        if change.sobject not in OBJECTS or change.values.get("IsDeleted"):
            return
        if change.values.get("LastModifiedById") in {None, self.org.founders.integration}:
            return
        if self.faults.loses:
            self.faults.loses -= 1
            return
        now = self.org.now()
        notification = new_id("04l", next(self._numbers))
        self._waiting.append(Pending(notification, change.sobject, change.record_id, now, now))

    def _take(self, tried: set[str]) -> list[Pending]:
        """Return up to ``MOST`` that are due and were not tried in this run; drop the old."""
        with self.org.lock:
            self.org.settle()
            now = self.org.now()
            kept = [one for one in self._waiting if now - one.queued_at < DROPPED_AFTER]
            self.sent.dropped += len(self._waiting) - len(kept)
            self._waiting = deque(kept)
            due = [one for one in kept if one.due_at <= now and one.id not in tried]
            if self.faults.reordered:
                Random(self.org.seed).shuffle(due)
            return due[:MOST]

    def _send(self, batch: Sequence[Pending]) -> bool:
        """Send one envelope; return whether it was acknowledged, strictly as the WSDL has it."""
        with self.org.lock:
            told = [self._told(one) for one in batch]
        body = to_envelope(
            self.org.org_id, self.action_id, told, session_id=self.faults.session_id
        )
        self.sent.envelopes += 1
        try:
            status, answer = self.post(body)
            root = ElementTree.fromstring(answer)  # noqa: S314 - the answer of our own door
        except (OSError, ElementTree.ParseError):
            return False
        ack = root.find(f"{SOAP}Body/{OUTBOUND}notificationsResponse/{OUTBOUND}Ack")
        is_ok = status == 200  # noqa: PLR2004
        return is_ok and ack is not None and (ack.text or "").strip() == "true"

    def _told(self, one: Pending) -> Told:
        row = self.org.tables[one.sobject].get(one.record_id) or {}
        values = {name: _text(row.get(name)) for name in FIELDS[one.sobject]}
        fields = {name: text for name, text in values.items() if text}
        return Told(one.id, one.record_id, fields, one.sobject)

    def _settle(self, batch: Sequence[Pending], *, is_heard: bool) -> int:
        if is_heard:
            ids = {one.id for one in batch}
            self._waiting = deque(one for one in self._waiting if one.id not in ids)
            self.sent.acknowledged += len(batch)
            return len(batch)
        now = self.org.now()
        for one in batch:
            one.attempts += 1
            one.due_at = now + min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(one.attempts - 1, 12))
        return 0


class OutboundThread:
    """Lets a sender of a served org run beside it, until the block ends."""

    def __init__(self, sender: OutboundSender, seconds: float = 0.1) -> None:
        """Look every ``seconds`` whether something is due."""
        self._sender = sender
        self._seconds = seconds
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outbound", daemon=True)

    def __enter__(self) -> "OutboundThread":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_over.wait(self._seconds):
            self._sender.run_due()


def over_http(url: str) -> Post:
    """Return what posts to a URL, as Salesforce does."""
    session = requests.Session()

    def post(body: bytes) -> tuple[int, bytes]:
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
        answer = session.post(
            url, data=body, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
        return answer.status_code, answer.content

    return post


def _text(value: Value) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return "" if value is None else str(value)
