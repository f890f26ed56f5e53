"""Bytes on the wire, by the numbers of pubsub_api.proto, worked out by hand."""

from sfsync.pubsub import messages


def test_a_first_request_names_topic_preset_place_and_how_many():
    request = messages.FetchRequest(
        topic_name="/data/A",
        replay_preset=messages.CUSTOM,
        replay_id=b"\x01\x02",
        num_requested=100,
    )

    assert request.SerializeToString() == (b"\x0a\x07/data/A\x10\x02\x1a\x02\x01\x02\x20\x64")


def test_a_response_is_read_with_its_events_and_fields_that_are_new_to_us():
    event = b"\x0a\x03e-1\x12\x02s1\x1a\x02\xff\x00\x22\x03\x0a\x01k"
    consumed = b"\x0a" + bytes([len(event)]) + event + b"\x12\x01r"
    sent = (
        b"\x0a" + bytes([len(consumed)]) + consumed + b"\x12\x01z" + b"\x20\x07" + b"\x28\x01"
    )

    response = messages.FetchResponse.FromString(sent)

    (told,) = response.events
    assert (told.event.id, told.event.schema_id, told.event.payload) == (
        "e-1",
        "s1",
        b"\xff\x00",
    )
    assert told.replay_id == b"r"
    assert (response.latest_replay_id, response.pending_num_requested) == (b"z", 7)


def test_calls_have_the_names_of_the_service():
    assert messages.SUBSCRIBE == "/eventbus.v1.PubSub/Subscribe"
    assert messages.GET_SCHEMA == "/eventbus.v1.PubSub/GetSchema"
