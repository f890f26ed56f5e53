"""Payloads and bitmaps, decoded; damaged ones refused without a word of theirs."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfsync.local_org.event_bus import EventBus
from sfsync.local_org.org import LocalOrg
from sfsync.pubsub.change_event import EventSchema, Undecodable, named

NAME = {
    "type": "record",
    "name": "PersonName",
    "fields": [{"name": name, "type": "string"} for name in ("Salutation", "First", "Last")],
}
FIELDS = [
    {"name": "ChangeEventHeader", "type": "string"},
    {"name": "Subject", "type": ["null", "string"]},
    {"name": "Status", "type": ["null", "string"]},
    {"name": "Priority", "type": ["null", "string"]},
    {"name": "Name", "type": ["null", NAME]},
]


@pytest.mark.parametrize(
    ("bitmaps", "fields"),
    [
        (["0x0C"], ["Status", "Priority"]),
        (["0x0A", "4-0x06"], ["Subject", "Priority", "Name.First", "Name.Last"]),
        (["0xFFFFFFE0"], []),
        (["9-0x1"], []),
        ([], []),
    ],
)
def test_bits_name_fields_the_lowest_bit_first(bitmaps, fields):
    assert list(named(bitmaps, FIELDS)) == fields


@pytest.mark.parametrize("bitmap", ["", "C", "0xZZ", "x-0x1", "0x" + "F" * 5000])
def test_what_is_no_bitmap_is_refused(bitmap):
    with pytest.raises(ValueError, match=r"bitmap|invalid literal"):
        list(named([bitmap], FIELDS))


def test_an_update_names_what_changed_and_by_whom(org, bus):
    case_id = "500Hu0000000001AAA"
    event = bus.publish(
        "Case", "UPDATE", [case_id], {"Subject": "New", "Priority": None}, user_id="005Hu1"
    )

    told = EventSchema(bus.schemas[event.schema_id]).decoded(event.payload)

    assert (told.entity, told.change_type, told.record_ids) == ("Case", "UPDATE", (case_id,))
    assert told.changed_fields == {"Subject", "Priority"}
    assert told.commit_user == "005Hu1"
    assert not told.is_gap
    assert not told.is_overflow


@pytest.mark.parametrize("schema", ["", "[]", "{}", '{"type":"record"}', "null", "[" * 5000])
def test_what_is_no_schema_is_refused(schema):
    with pytest.raises(Undecodable):
        EventSchema(schema)


def test_a_schema_without_a_header_is_refused():
    with pytest.raises(Undecodable, match="no schema of a change event"):
        EventSchema(json.dumps({"type": "record", "name": "X", "fields": FIELDS[1:4]}))


ORG = LocalOrg()
BUS = EventBus(ORG)
EVENT = BUS.publish("Case", "UPDATE", ["500Hu0000000001AAA"], {"Subject": "Secret words"})
SCHEMA = EventSchema(BUS.schemas[EVENT.schema_id])


@given(st.binary(max_size=400), st.integers(0, len(EVENT.payload) - 1))
def test_a_damaged_payload_breaks_nothing_but_itself(noise, cut):
    with suppress(Undecodable):
        SCHEMA.decoded(EVENT.payload[:cut] + noise)


def test_a_payload_that_is_cut_off_is_refused_without_its_words():
    with pytest.raises(Undecodable) as refused:
        SCHEMA.decoded(EVENT.payload[:-1])

    assert "Secret" not in str(refused.value)
    assert refused.value.__cause__ is None
