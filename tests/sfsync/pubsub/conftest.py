"""A local org with a bus of change events, served over gRPC on loopback."""

from queue import SimpleQueue

import pytest

from sfsync.cases import EventAccess
from sfsync.local_org.event_bus import EventBus
from sfsync.local_org.pubsub import PubSubDoor
from sfsync.pubsub.stream import PubSub

TOPIC = "/data/CaseChangeEvent"
SECONDS = 20.0
"""So long a test waits for what must come; it comes in milliseconds."""


@pytest.fixture
def bus(org):
    return EventBus(org)


@pytest.fixture
def served(org, bus):
    with PubSubDoor(org, bus) as door:
        yield door


@pytest.fixture
def access(org, gateway):
    gateway.identity()
    (token,) = org.tokens._tokens
    return EventAccess(token, org.instance_url, org.org_id)


@pytest.fixture
def api(served):
    api = PubSub(served.origin)
    yield api
    api.close()


@pytest.fixture
def inbox():
    return SimpleQueue()


@pytest.fixture
def subscribe(api, access, inbox, served):
    """Subscribe, and return the stream once the org knows of it."""
    opened = []

    def subscribed(replay_id=b"", topic=TOPIC, access=access):
        before = len(served.streams)
        stream = api.subscribe(access, topic, replay_id, inbox)
        opened.append(stream)
        with served.bus.changed:
            served.bus.changed.wait_for(lambda: len(served.streams) > before, SECONDS)
        return stream

    yield subscribed
    for stream in opened:
        stream.close()


@pytest.fixture
def next_delivery(inbox):
    return lambda: inbox.get(timeout=SECONDS)
