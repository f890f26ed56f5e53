"""The org's own sender of Outbound Messages."""

import threading
from datetime import timedelta
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from sfsync.doors.soap import ACK
from sfsync.local_org.http_door import HttpDoor
from sfsync.local_org.outbound import (
    OutboundSender,
    OutboundThread,
    over_http,
)

NOTIFICATION = "{http://soap.sforce.com/2005/09/outbound}Notification"
HEARD = (200, ACK.encode())


class Door:
    """Takes in what is sent, and answers as it is told to."""

    def __init__(self):
        self.bodies = []
        self.answer = HEARD

    def __call__(self, body):
        self.bodies.append(body)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    @property
    def sizes(self):
        return [
            len(list(ElementTree.fromstring(body).iter(NOTIFICATION))) for body in self.bodies
        ]

    @property
    def ids(self):
        return [
            [one[0].text for one in ElementTree.fromstring(body).iter(NOTIFICATION)]
            for body in self.bodies
        ]


@pytest.fixture
def door():
    return Door()


@pytest.fixture
def sender(org, door):
    return OutboundSender(org, door)


def test_a_new_case_and_each_change_of_it_is_told_once(sender, door, org, open_case):
    case_id = open_case()
    sender.run_due()
    org.people.edit_case(case_id, {"Priority": "High"})
    sender.run_due()
    sender.run_due()

    assert len(door.bodies) == 2
    assert all(case_id.encode() in body for body in door.bodies)
    assert sender.waiting == 0


def test_at_most_a_hundred_go_into_one_envelope(sender, door, org, open_case):
    case_id = open_case()
    for number in range(249):
        org.people.edit_case(case_id, {"Subject": f"{number}"})

    sender.run_due()

    assert sum(door.sizes) == sender.sent.acknowledged
    assert max(door.sizes) == 100
    assert len(door.sizes) == 3


@pytest.mark.parametrize(
    "answer",
    [
        (500, ACK.encode()),
        (200, ACK.replace("true", "false").encode()),
        (200, ACK.replace("notificationsResponse", "notifications").encode()),
        (200, b"not xml"),
        ConnectionRefusedError(),
    ],
    ids=str,
)
def test_what_is_not_acknowledged_comes_again_after_growing_waits(
    sender, door, clock, open_case, answer
):
    open_case()
    door.answer = answer
    waits, begun = [], clock.now
    while clock.now - begun < timedelta(hours=23):
        before = len(door.bodies)
        sender.run_due()
        if len(door.bodies) > before:
            waits.append(clock.now)
        clock.go_on(seconds=15)

    spans = [later - earlier for earlier, later in pairwise(waits)]
    assert spans == sorted(spans)
    assert spans[0] == timedelta(seconds=15)
    assert max(spans) == timedelta(hours=2)
    assert len({tuple(ids) for ids in door.ids}) == 1  # the same notification each time


def test_after_24_hours_it_is_dropped(sender, door, clock, open_case):
    door.answer = (503, b"")
    open_case()
    sender.run_due()

    clock.go_on(hours=24)
    sender.run_due()

    assert (sender.waiting, len(door.bodies)) == (0, 1)
    assert sender.sent.dropped == sum(door.sizes)


def test_duplicates_disorder_and_a_session_id_are_switches(sender, door, org, open_case):
    for _ in range(20):
        open_case()
    sender.faults.duplicates = True
    sender.faults.reordered = True
    sender.faults.session_id = "canary"

    sender.run_due()

    first, second = door.ids
    assert first == second
    assert first != sorted(first)
    assert all(b"<SessionId>canary</SessionId>" in body for body in door.bodies)


def test_by_default_no_session_id_is_sent(sender, door, open_case):
    open_case()

    sender.run_due()

    assert b'<SessionId xsi:nil="true"/>' in door.bodies[0]


def test_a_notification_can_be_lost(sender, door, open_case):
    sender.faults.loses = 100

    open_case()
    sender.run_due()

    assert door.bodies == []


def test_a_served_org_sends_from_a_thread_of_its_own(org, open_case):
    with HttpDoor(org) as nobody:  # it answers, but never with an Ack
        http, was_sent = over_http(f"{nobody.origin}/services/nowhere"), threading.Event()

        def post(body):
            answer = http(body)
            was_sent.set()
            return answer

        sender = OutboundSender(org, post)
        with OutboundThread(sender, seconds=0.01):
            open_case()
            assert was_sent.wait(timeout=30)

    assert sender.waiting > 0
