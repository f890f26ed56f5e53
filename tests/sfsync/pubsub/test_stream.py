"""A subscription over a real gRPC connection: order, flow, places, faults."""

from dataclasses import replace

import pytest

from sfsync.pubsub.change_event import Undecodable
from sfsync.pubsub.stream import CallFailed
from tests.sfsync.pubsub.conftest import SECONDS

CASE = "500Hu0000000001AAA"


def entity(number: int) -> str:
    return f"500Hu{number:010d}AAA"


def test_what_people_do_comes_as_events_in_order(
    org, api, access, subscribe, next_delivery, open_case
):
    subscribe()

    case_id = open_case("Where is my parcel?")
    org.people.close_case(case_id)

    told = []
    while len(told) < 2:
        for one in next_delivery().events:
            schema = api.schema(access, one.event.schema_id)
            told.append(schema.decoded(one.event.payload))
    assert {one.record_ids for one in told} == {(case_id,)}
    assert told[0].change_type == "CREATE"
    assert told[-1].change_type == "UPDATE"
    assert "Status" in told[-1].changed_fields


def test_more_is_asked_for_when_few_are_outstanding_and_never_beyond_the_limit(
    bus, served, subscribe, next_delivery
):
    stream = subscribe()
    for number in range(350):
        bus.publish("Case", "UPDATE", [entity(number)])

    seen = 0
    while seen < 350:
        delivery = next_delivery()
        assert delivery.ending is None
        seen += len(delivery.events)
        stream.took(delivery)

    assert seen == 350
    assert served.streams[0].asked_in_all >= 350


def test_what_is_still_outstanding_is_not_asked_for_again(
    bus, served, subscribe, next_delivery
):
    stream = subscribe()
    for number in range(90):
        bus.publish("Case", "UPDATE", [entity(number)])

    seen = 0
    while seen < 90:
        delivery = next_delivery()
        seen += len(delivery.events)
        stream.took(delivery)
    with bus.changed:
        (told,) = served.streams
        bus.changed.wait_for(lambda: told.asked_in_all > 100, SECONDS)
    bus.keep_alive()

    assert next_delivery().ending is None
    assert 100 < told.asked_in_all <= 190


def test_who_does_not_say_that_it_is_done_gets_no_more(bus, subscribe, next_delivery, inbox):
    stream = subscribe()
    for number in range(101):
        bus.publish("Case", "UPDATE", [entity(number)])
    deliveries, seen = [], 0
    while seen < 100:
        deliveries.append(next_delivery())
        seen += len(deliveries[-1].events)
    bus.keep_alive()

    waiting = next_delivery()
    for delivery in deliveries:
        stream.took(delivery)
    last = next_delivery()

    assert (waiting.events, waiting.pending) == ((), 0)
    assert len(last.events) == 1


def test_who_asks_for_too_much_is_refused(served, subscribe, next_delivery):
    stream = subscribe()
    stream.outstanding = 0

    stream._ask()

    ending = next_delivery().ending
    assert (ending.status, ending.code.rpartition("fetch.")[2]) == (
        "INVALID_ARGUMENT",
        "requested.events.invalid",
    )


def test_a_subscription_goes_on_after_the_place_that_it_names(bus, subscribe, next_delivery):
    first = bus.publish("Case", "UPDATE", [entity(1)])
    second = bus.publish("Case", "UPDATE", [entity(2)])

    subscribe(first.replay_id)

    assert [one.event.id for one in next_delivery().events] == [second.id]


def test_without_a_place_it_begins_with_what_comes(bus, subscribe, next_delivery):
    bus.publish("Case", "UPDATE", [entity(1)])

    subscribe()
    later = bus.publish("Case", "UPDATE", [entity(2)])

    assert [one.event.id for one in next_delivery().events] == [later.id]


def test_a_keepalive_is_empty_and_names_a_place(bus, subscribe, next_delivery):
    subscribe()

    bus.keep_alive()

    delivery = next_delivery()
    assert delivery.events == ()
    assert delivery.pending == 100
    assert bus.place_of(delivery.latest_replay_id) == bus.last


def test_a_place_that_the_org_has_forgotten_is_lost(bus, subscribe, api, access, inbox):
    event = bus.publish("Case", "UPDATE", [CASE])
    bus.forget_replay_ids()

    api.subscribe(access, "/data/CaseChangeEvent", event.replay_id, inbox)

    ending = inbox.get(timeout=SECONDS).ending
    assert ending.has_lost_its_place
    assert ending.code.endswith("replayid.corrupted")


def test_a_place_older_than_three_days_is_lost(bus, clock, api, access, inbox):
    event = bus.publish("Case", "UPDATE", [CASE])
    clock.go_on(hours=72, seconds=1)

    api.subscribe(access, "/data/CaseChangeEvent", event.replay_id, inbox)

    ending = inbox.get(timeout=SECONDS).ending
    assert ending.has_lost_its_place
    assert ending.code.endswith("validation.failed")


def test_within_three_days_nothing_is_lost(bus, clock, subscribe, next_delivery):
    first = bus.publish("Case", "UPDATE", [entity(1)])
    second = bus.publish("Case", "UPDATE", [entity(2)])
    clock.go_on(hours=72)

    subscribe(first.replay_id)

    assert [one.event.id for one in next_delivery().events] == [second.id]


def test_a_token_that_does_not_count_ends_it(api, access, inbox, served):
    api.subscribe(replace(access, access_token="old"), "/data/CaseChangeEvent", b"", inbox)

    assert inbox.get(timeout=SECONDS).ending.is_auth_error


def test_another_orgs_id_ends_it(api, access, inbox, served):
    api.subscribe(replace(access, org_id="00Dother"), "/data/CaseChangeEvent", b"", inbox)

    assert inbox.get(timeout=SECONDS).ending.is_auth_error


def test_a_topic_that_is_not_there_ends_it(api, access, inbox, served):
    api.subscribe(access, "/data/NothingChangeEvent", b"", inbox)

    assert inbox.get(timeout=SECONDS).ending.status == "NOT_FOUND"


def test_a_dropped_stream_tells_so(bus, subscribe, next_delivery):
    subscribe()

    bus.drop_streams()

    ending = next_delivery().ending
    assert (ending.status, ending.is_auth_error, ending.has_lost_its_place) == (
        "UNAVAILABLE",
        False,
        False,
    )


def test_a_schema_is_asked_for_once_and_again_when_a_field_was_added(
    org, bus, served, api, access, subscribe, next_delivery
):
    before = bus.publish("Case", "UPDATE", [CASE], {"Subject": "A"})
    org.deploy_contact_reason(["billing"])
    after = bus.publish("Case", "UPDATE", [CASE], {"Subject": "B"})

    for event in (before, after, before, after):
        told = api.schema(access, event.schema_id).decoded(event.payload)
        assert told.changed_fields == {"Subject"}

    assert before.schema_id != after.schema_id
    assert served.schema_calls == 2


def test_a_schema_that_is_not_there_is_told(api, access, served):
    with pytest.raises(CallFailed, match="schema"):
        api.schema(access, "no-such-schema")


def test_a_damaged_event_is_refused(bus, api, access, served):
    bus.faults.damaged = 1
    event = bus.publish("Case", "UPDATE", [CASE], {"Subject": "A"})

    with pytest.raises(Undecodable):
        api.schema(access, event.schema_id).decoded(event.payload)


def test_the_token_is_not_shown(access):
    assert access.access_token not in repr(access)
