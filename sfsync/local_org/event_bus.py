"""Change events of the org: what changed, in Avro, kept for 72 hours of the org's time."""

import base64
import hashlib
import json
import secrets
import threading
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from itertools import count
from typing import Any

import fastavro

from sfsync.local_org.moments import Value
from sfsync.local_org.schema import NUMBERS, Kind, SObject
from sfsync.local_org.state import Change, OrgState

RETENTION = timedelta(hours=72)
ALL = "ChangeEvents"
CHANGE_TYPES = ("CREATE", "UPDATE", "DELETE", "UNDELETE")
GAPS = (*(f"GAP_{one}" for one in CHANGE_TYPES), "GAP_OVERFLOW")
BY_API = "com/salesforce/api/rest/66.0;client=contact-reason"
BY_PEOPLE = "com/salesforce/api/soap/66.0;client=SfdcInternalAPI/"
_NOT_TOLD = {"Id", "SystemModstamp", "IsDeleted"}


class BadReplayId(Exception):
    """A replay id that nobody was given, or whose event is no longer kept; ``code`` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = f"sfdc.platform.eventbus.grpc.subscription.fetch.replayid.{code}"


@dataclass(frozen=True, slots=True)
class Event:
    """One event on the bus."""

    number: int
    at: datetime
    entity: str
    id: str
    schema_id: str
    payload: bytes
    replay_id: bytes


@dataclass(slots=True)
class EventFaults:
    """Switches that make the bus behave as the real one may."""

    is_silent: bool = False
    """Nothing is sent any more, no keepalive either; the connection stays."""
    refused_tokens: int = 0
    """So many calls are told that they are not logged in."""
    duplicates: bool = False
    """Every event is delivered twice."""
    damaged: int = 0
    """So many events have a payload that does not fit their schema."""


@dataclass(slots=True)
class EventBus:
    """Keeps the changes of the selected sObjects, in order.

    Deviates: a transaction's changes are told one by one, never merged by themselves
    (``publish`` tells what one wants); large texts are sent whole, not as differences.
    """

    org: OrgState
    selected: set[str] = field(default_factory=lambda: {"Case"})
    """sObjects for which Change Data Capture is on."""
    faults: EventFaults = field(default_factory=EventFaults)
    changed: threading.Condition = field(default_factory=threading.Condition)
    """Notified of every event and switch."""
    keepalives: int = 0
    """Goes up by one to let every subscriber hear an empty answer at once."""
    drops: int = 0
    """Goes up by one to end every stream."""
    schemas: dict[str, str] = field(default_factory=dict)
    """Schema id → Avro schema in JSON."""
    _events: list[Event] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _places: dict[bytes, tuple[int, datetime]] = field(default_factory=dict)
    _last: int = 0

    def __post_init__(self) -> None:
        self.org.listeners.append(self._note)

    def publish(
        self,
        entity: str,
        change_type: str,
        record_ids: Sequence[str],
        values: Mapping[str, Value] | None = None,
        *,
        user_id: str = "",
    ) -> Event:
        """Put an event on the bus, with the header that one wants; a gap tells no values."""
        sobject, told = self.org.sobject(entity), dict(values or {})
        number, now = next(self._numbers), self.org.now()
        by_us = user_id == self.org.founders.integration
        names = [name for name, _ in _columns(sobject)]
        own = {name: value for name, value in told.items() if name in names}
        changed = list(own) if change_type == "UPDATE" else []
        header = {
            "entityName": entity,
            "recordIds": list(record_ids),
            "changeType": change_type,
            "changeOrigin": BY_API if by_us else BY_PEOPLE,
            "transactionKey": str(
                uuid.uuid5(uuid.NAMESPACE_OID, f"{self.org.org_id}/{number}")
            ),
            "sequenceNumber": 1,
            "commitTimestamp": int(now.timestamp() * 1000),
            "commitNumber": 10_000_000 + number,
            "commitUser": user_id,
            "nulledFields": _bits(names, [n for n in changed if own[n] is None]),
            "diffFields": [],
            "changedFields": _bits(names, changed),
        }
        schema_id = self.schema_id(entity)
        row = {"ChangeEventHeader": header, **{n: _value(v) for n, v in own.items()}}
        body = BytesIO()
        fastavro.schemaless_writer(body, json.loads(self.schemas[schema_id]), row)
        payload = body.getvalue()
        with self.changed:
            if self.faults.damaged:
                self.faults.damaged -= 1
                payload = b"\x7f" + payload[: len(payload) // 2]
            event = Event(
                number, now, entity, str(uuid.uuid4()), schema_id, payload, self._place(number)
            )
            self._events.append(event)
            self._last = number
            self.changed.notify_all()
        return event

    def schema_id(self, entity: str) -> str:
        """Return the id of an sObject's present schema: another one after a field was added."""
        text = json.dumps(_schema(self.org.sobject(entity)))
        digest = hashlib.sha256(text.encode()).digest()[:16]
        schema_id = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        self.schemas[schema_id] = text
        return schema_id

    def after(self, number: int, entity: str) -> list[Event]:
        """Return what is kept of an sObject (empty: of all) after an event, in order."""
        since = self.org.now() - RETENTION
        self._events = [one for one in self._events if one.at >= since]
        return [
            one for one in self._events if one.number > number and entity in {"", one.entity}
        ]

    def place_of(self, replay_id: bytes) -> int:
        """Return the number of the event with that replay id.

        Raises:
            BadReplayId: none has it, or it is no longer kept.
        """
        number, given_at = self._places.get(replay_id, (0, None))
        if given_at is None:
            raise BadReplayId("corrupted")
        if given_at < self.org.now() - RETENTION:
            raise BadReplayId("validation.failed")
        return number

    @property
    def last(self) -> int:
        return self._last

    def latest_replay_id(self) -> bytes:
        """Return what a keepalive names: everything so far was heard."""
        return self._place(self._last)

    # What goes wrong

    def forget_replay_ids(self) -> None:
        """Make every replay id invalid, as the move to another instance does."""
        with self.changed:
            self._places.clear()

    def keep_alive(self) -> None:
        """Let every subscriber hear an empty answer now."""
        with self.changed:
            self.keepalives += 1
            self.changed.notify_all()

    def drop_streams(self) -> None:
        """End every stream, as a restart of the service does."""
        with self.changed:
            self.drops += 1
            self.changed.notify_all()

    def _place(self, number: int) -> bytes:
        """Return a replay id for an event: opaque, never the same twice."""
        replay_id = secrets.token_bytes(10)
        self._places[replay_id] = number, self.org.now()
        return replay_id

    def _note(self, change: Change) -> None:
        """Tell of what was just committed."""
        if change.sobject not in self.selected:
            return
        user = str(change.values.get("LastModifiedById") or "")
        self.publish(
            change.sobject,
            _change_type(change),
            [change.record_id],
            change.values,
            user_id=user,
        )


def _change_type(change: Change) -> str:
    if change.values.get("IsDeleted"):
        return "DELETE"
    if "CreatedDate" in change.values:
        return "CREATE"
    return "UNDELETE" if "IsDeleted" in change.values else "UPDATE"


def _schema(sobject: SObject) -> dict[str, Any]:
    listed = [
        {"name": name, "type": ["null", kind], "default": None}
        for name, kind in _columns(sobject)[1:]
    ]
    header = {"name": "ChangeEventHeader", "type": _header_type()}
    return {
        "type": "record",
        "name": f"{sobject.name}ChangeEvent",
        "namespace": "com.sforce.eventbus",
        "fields": [header, *listed],
    }


def _columns(sobject: SObject) -> list[tuple[str, str]]:
    """Return name and Avro type of every field of the event, the header first."""
    told = [one for one in sobject.fields if one.name not in _NOT_TOLD]
    return [("ChangeEventHeader", "record"), *((one.name, _avro(one.kind)) for one in told)]


def _header_type() -> dict[str, Any]:
    def array(name: str) -> dict[str, Any]:
        return {"name": name, "type": {"type": "array", "items": "string"}}

    kind = {"type": "enum", "name": "ChangeType", "symbols": [*CHANGE_TYPES, *GAPS, "SNAPSHOT"]}
    return {
        "type": "record",
        "name": "ChangeEventHeader",
        "fields": [
            {"name": "entityName", "type": "string"},
            array("recordIds"),
            {"name": "changeType", "type": kind},
            {"name": "changeOrigin", "type": "string"},
            {"name": "transactionKey", "type": "string"},
            {"name": "sequenceNumber", "type": "int"},
            {"name": "commitTimestamp", "type": "long"},
            {"name": "commitNumber", "type": "long"},
            {"name": "commitUser", "type": "string"},
            array("nulledFields"),
            array("diffFields"),
            array("changedFields"),
        ],
    }


def _avro(kind: Kind) -> str:
    if kind is Kind.BOOLEAN:
        return "boolean"
    if kind is Kind.DATETIME:
        return "long"
    return "double" if kind in NUMBERS else "string"


def _value(value: Value) -> Any:
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    if isinstance(value, bool) or value is None:
        return value
    return float(value) if isinstance(value, int | float) else str(value)


def _bits(names: Sequence[str], chosen: Iterable[str]) -> list[str]:
    """Return the bitmap that names the chosen fields; none where none is chosen."""
    bits = sum(1 << names.index(name) for name in chosen)
    return [f"0x{bits:X}"] if bits else []
