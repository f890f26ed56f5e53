"""Events ring for their Cases, over a real gRPC connection; what they miss the pull finds."""

import time
from datetime import timedelta

import pytest

from classifier.models import Transcript
from sfsync.cases import CaseUpdate
from sfsync.listening import DEAF, PLACE_LOST, Listener
from sfsync.local_org.ids import new_id
from sfsync.models import (
    CaseLink,
    Doorbell,
    EventSubscription,
    FieldMapping,
    Notice,
    Watermark,
)
from sfsync.pubsub.stream import PubSub
from sfsync.pulling import pull_changed, read_due
from sfsync.ringing import heed_rings
from tests.sfsync.backfilling.killing import Killed, killed_after_write
from tests.sfsync.pubsub.conftest import SECONDS, TOPIC

pytestmark = pytest.mark.django_db


class Ear:
    """A listener that the test leads step by step."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener

    def until(self, is_so) -> None:
        end = time.monotonic() + SECONDS
        while not is_so():
            assert time.monotonic() < end, "it never came to that"
            self.listener.step(0.05)

    def open(self, door, bus) -> None:
        """Listen until the org knows of it and has said a first word."""
        heard = len(door.streams)
        self.until(lambda: len(door.streams) > heard)
        self.keep_place(bus)

    def keep_place(self, bus) -> None:
        bus.keep_alive()
        before = bytes(EventSubscription.of(TOPIC).replay_id)
        self.until(lambda: bytes(EventSubscription.of(TOPIC).replay_id) != before)


@pytest.fixture
def listen(gateway, served):
    """Start a listener, as a new process would."""
    started = []

    def listening(topics=(TOPIC,), **options):
        api = PubSub(served.origin)
        listener = Listener(gateway, api, topics, **{"first_wait_seconds": 0.0, **options})
        started.append((listener, api))
        return Ear(listener)

    yield listening
    for listener, api in started:
        listener.close()
        api.close()


@pytest.fixture
def ear(listen, served, bus):
    ear = listen()
    ear.open(served, bus)
    return ear


def rung():
    return set(Doorbell.objects.values_list("case_id", flat=True))


def place():
    return EventSubscription.objects.get(topic=TOPIC)


def open_notices(key):
    return list(Notice.objects.filter(key=key + TOPIC, cleared_at=None))


def case_id(number: int) -> str:
    return new_id("500", number)


def test_a_case_is_read_because_an_event_told_of_it(ear, gateway, open_case):
    opened = open_case("Where is my parcel?")

    ear.until(lambda: opened in rung())
    heed_rings()
    read_due(gateway)

    words = Transcript.objects.current().get(thread=opened).turns[-1]["text"]
    assert words == "Where is my parcel?"
    assert set(Doorbell.objects.values_list("source", "heard")) == {("event", "hint")}


def test_one_event_about_many_cases_rings_for_each(ear, bus):
    ids = [case_id(number) for number in range(1, 6)]

    bus.publish("Case", "UPDATE", [*ids, ids[0], ids[1][:15], "nonsense"], {"Status": "New"})
    ear.until(lambda: rung() == set(ids))

    assert Doorbell.objects.count() == 5


@pytest.mark.parametrize("change", ["CREATE", "UPDATE", "DELETE", "UNDELETE"])
@pytest.mark.parametrize("gap", ["", "GAP_"])
def test_every_kind_of_change_rings_gaps_too(ear, bus, gap, change):
    bus.publish("Case", gap + change, [case_id(1)], user_id="005")

    ear.until(lambda: rung() == {case_id(1)})


@pytest.mark.parametrize(
    ("change", "ids"),
    [("GAP_OVERFLOW", ["000000000000000AAA"]), ("UPDATE", ["500*"])],
)
def test_what_is_too_much_to_be_told_is_asked_for(ear, bus, gateway, open_case, change, ids):
    open_case()
    pull_changed(gateway)
    before = Watermark.objects.get(sobject="Case")

    bus.publish("Case", change, ids)
    ear.until(lambda: Watermark.objects.get(sobject="Case").pulled_at is None)

    assert before.pulled_at is not None
    assert Watermark.objects.get(sobject="Case").covered_until == before.covered_until


def test_a_damaged_event_stops_nothing_and_is_asked_for(ear, bus, gateway, open_case):
    pull_changed(gateway)
    bus.faults.damaged = 1

    bus.publish("Case", "UPDATE", [case_id(1)], {"Subject": "A"})
    bus.publish("Case", "UPDATE", [case_id(2)], {"Subject": "B"})
    ear.until(lambda: rung() == {case_id(2)})

    assert Watermark.objects.get(sobject="Case").pulled_at is None


def test_what_we_write_ourselves_does_not_ring_but_what_a_flow_adds_does(org, ear, bus):
    ours = org.founders.integration
    (field, *_) = FieldMapping.objects.active()
    org.deploy_contact_reason(["billing"])

    own = {field.field: "x", "LastModifiedById": ours}
    bus.publish("Case", "UPDATE", [case_id(1)], own, user_id=ours)
    bus.publish("Case", "UPDATE", [case_id(2)], {**own, "Priority": "High"}, user_id=ours)
    bus.publish("Case", "UPDATE", [case_id(3)], own, user_id=case_id(9))
    ear.until(lambda: case_id(3) in rung())

    assert rung() == {case_id(2), case_id(3)}


def test_our_own_write_through_the_api_does_not_ring(ear, org, bus, gateway, open_case):
    org.deploy_contact_reason(["billing"])
    (field, *_) = FieldMapping.objects.active()
    opened = open_case()
    ear.until(lambda: opened in rung())
    rings = Doorbell.objects.count()

    gateway.update_cases([CaseUpdate(opened, {field.field: "billing"})])
    bus.publish("Case", "UPDATE", [case_id(77)], user_id="005")
    ear.until(lambda: case_id(77) in rung())

    assert Doorbell.objects.count() == rings + 1


def test_an_event_of_another_object_rings_for_the_case_that_it_names(
    listen, served, bus, open_case, org
):
    bus.selected.add("EmailMessage")
    ear = listen(["/data/EmailMessageChangeEvent"])
    ear.until(lambda: bool(served.streams))
    opened = open_case()

    org.people.customer_emails(opened, "Still broken.")

    ear.until(lambda: rung() == {opened})


def test_duplicates_make_no_difference(ear, bus):
    bus.faults.duplicates = True

    bus.publish("Case", "UPDATE", [case_id(1)])
    bus.publish("Case", "UPDATE", [case_id(2)])
    ear.until(lambda: case_id(2) in rung())

    assert Doorbell.objects.count() == 2


def test_the_place_is_kept_and_the_next_process_goes_on_there(ear, bus, listen, served):
    bus.publish("Case", "UPDATE", [case_id(1)])
    ear.until(lambda: case_id(1) in rung())
    ear.listener.close()

    bus.publish("Case", "UPDATE", [case_id(2)])
    listen().until(lambda: case_id(2) in rung())

    assert Doorbell.objects.count() == 2


@pytest.mark.parametrize("deaths", range(1, 6))
def test_who_dies_at_a_write_is_followed_by_one_who_hears_it_again(
    ear, bus, listen, served, deaths
):
    ear.listener.close()
    for number in range(1, 4):
        bus.publish("Case", "UPDATE", [case_id(number)])
    doomed = listen()

    try:
        with killed_after_write(deaths):
            doomed.until(
                lambda: len(rung()) == 3 and bus.place_of(bytes(place().replay_id)) > 2
            )
    except Killed:
        kept = bus.place_of(bytes(place().replay_id))
        assert kept == 0 or rung() == {case_id(1), case_id(2), case_id(3)}
    doomed.listener.close()
    listen().until(lambda: bus.place_of(bytes(place().replay_id)) == 3)

    assert rung() == {case_id(1), case_id(2), case_id(3)}
    assert Doorbell.objects.count() == 3


def test_a_keepalive_moves_the_place_on(ear, bus):
    before = place()

    ear.keep_place(bus)

    assert place().heard_at >= before.heard_at


def test_hundreds_of_events_come_through_a_hundred_at_a_time(ear, bus, served):
    for number in range(1, 351):
        bus.publish("Case", "UPDATE", [case_id(number)])

    ear.until(lambda: len(rung()) == 350)

    assert served.streams[0].refused == ""


def test_a_new_schema_in_mid_stream_is_asked_for(ear, bus, org, served):
    bus.publish("Case", "UPDATE", [case_id(1)])
    ear.until(lambda: case_id(1) in rung())

    org.deploy_contact_reason(["billing"])
    bus.publish("Case", "UPDATE", [case_id(2)])
    bus.publish("Case", "UPDATE", [case_id(3)])
    ear.until(lambda: len(rung()) == 3)

    assert served.schema_calls == 2


def test_a_dropped_stream_is_opened_again_where_it_was(ear, bus, served):
    bus.drop_streams()
    ear.until(lambda: ear.listener.lines[0].stream is None or len(served.streams) > 1)
    bus.publish("Case", "UPDATE", [case_id(1)])

    ear.until(lambda: case_id(1) in rung())

    assert len(served.streams) == 2


def test_a_silent_stream_is_dead_and_opened_again(listen, served, bus):
    ear = listen(silence_seconds=0.2)
    ear.open(served, bus)
    streams = len(served.streams)

    bus.faults.is_silent = True
    ear.until(lambda: len(served.streams) > streams)
    bus.faults.is_silent = False
    bus.publish("Case", "UPDATE", [case_id(1)])

    ear.until(lambda: case_id(1) in rung())


def test_waits_grow_and_people_are_told_until_it_is_heard_again(listen, served, bus, org):
    ear = listen(first_wait_seconds=40.0)
    ear.open(served, bus)
    line = ear.listener.lines[0]

    bus.drop_streams()
    ear.until(lambda: line.stream is None)
    first = line.opens_at
    line.opens_at = 0.0
    org.tokens.revoke_all()
    bus.faults.refused_tokens = 3
    ear.until(lambda: line.waits == 2)

    assert line.opens_at - first > 40.0
    assert len(open_notices(DEAF)) == 1

    bus.faults.refused_tokens = 0
    line.opens_at = 0.0
    ear.open(served, bus)
    assert open_notices(DEAF) == []
    assert line.waits == 0


def test_a_token_that_ran_out_is_renewed_at_once(listen, gateway, org, bus, served):
    gateway.identity()
    logins = org.ledger.logins
    org.tokens.revoke_all()

    ear = listen(first_wait_seconds=3600.0)
    ear.until(lambda: bool(served.streams))
    bus.publish("Case", "UPDATE", [case_id(1)])
    ear.until(lambda: case_id(1) in rung())

    assert org.ledger.logins == logins + 1


def test_a_login_that_does_not_help_is_not_repeated_at_once(listen, gateway, org, bus, served):
    gateway.identity()
    logins = org.ledger.logins
    bus.faults.refused_tokens = 100
    ear = listen(first_wait_seconds=3600.0)

    ear.until(lambda: ear.listener.lines[0].waits == 1)

    assert org.ledger.logins == logins + 1
    assert len(open_notices(DEAF)) == 1


def test_a_place_that_salesforce_forgot_is_left_to_the_pull(
    ear, bus, gateway, clock, listen, served, open_case
):
    pull_changed(gateway)
    ear.listener.close()
    missed = open_case("Nobody heard this.")
    bus.forget_replay_ids()

    again = listen()
    again.open(served, bus)

    assert missed not in rung()
    assert len(open_notices(PLACE_LOST)) == 1
    assert Watermark.objects.get(sobject="Case").pulled_at is None

    clock.go_on(minutes=5)
    pull_changed(gateway)
    again.keep_place(bus)
    assert Transcript.objects.filter(thread=missed).exists()
    assert open_notices(PLACE_LOST) == []


def test_after_three_days_nobody_asks_for_the_old_place(ear, bus, listen, served):
    ear.listener.close()
    EventSubscription.objects.update(heard_at=place().heard_at - timedelta(hours=72, minutes=1))

    listen().open(served, bus)

    assert len(open_notices(PLACE_LOST)) == 1
    assert [one.refused for one in served.streams] == ["", ""]


def test_two_listeners_at_once_ring_once(ear, listen, bus, served):
    other = listen()
    other.open(served, bus)

    bus.publish("Case", "UPDATE", [case_id(1)])
    ear.until(lambda: case_id(1) in rung())
    other.until(lambda: other.listener.lines[0].stream.outstanding < 100)

    assert Doorbell.objects.count() == 1
    assert CaseLink.objects.count() == 0  # they are made due by the station
