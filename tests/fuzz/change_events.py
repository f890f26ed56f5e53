"""Change events as bytes: an Avro payload under the schema of the local org's Case."""

import random
from datetime import UTC, datetime
from functools import cache
from itertools import count

from sfsync.cases import CASE_PREFIX
from sfsync.local_org.event_bus import CHANGE_TYPES, GAPS, EventBus
from sfsync.local_org.ids import new_id
from sfsync.local_org.org import LocalOrg
from sfsync.pubsub.change_event import ChangeEvent, EventSchema, Undecodable, case_ids
from tests.fuzz import inputs

FULL_ID = 18
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@cache
def _bus() -> EventBus:
    return EventBus(LocalOrg(lambda: NOON))


def _emptied() -> EventBus:
    """Return a bus that knows of nothing, so that a seed makes the same bytes again."""
    bus = _bus()
    bus._events.clear()
    bus._places.clear()
    bus._numbers = count(1)
    return bus


@cache
def _schema() -> EventSchema:
    schema_id = _bus().schema_id("Case")
    return EventSchema(_bus().schemas[schema_id])


def _read(raw: bytes) -> ChangeEvent | Undecodable:
    try:
        return _schema().decoded(raw)
    except Undecodable as error:
        return error


def change_event(raw: bytes) -> None:
    told = _read(raw)
    if isinstance(told, Undecodable):
        assert str(told).isascii(), "a refusal repeats nothing of what came"
        return
    found = list(case_ids(told))
    assert len(set(found)) == len(found), "no Case twice"
    for case_id in found:
        assert len(case_id) == FULL_ID, "a Case's id is whole"
        assert case_id[:3] == CASE_PREFIX, "a Case's id is one"


def told_event(chance: random.Random) -> bytes:
    """Return a payload, mostly damaged."""
    ids = [new_id("500", chance.randrange(10**9)) for _ in range(chance.randrange(1, 4))]
    kind = chance.choice((*CHANGE_TYPES, *GAPS))
    subject = inputs.text(chance).encode("utf-8", "replace").decode()
    raw = _emptied().publish("Case", kind, ids, {"Subject": subject, "Priority": None}).payload
    for _ in range(chance.randrange(4)):
        raw = inputs.damaged(raw, chance)
    return raw
