"""Streams of events from the Pub/Sub API: what is asked for, what comes, and why it ends."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any
from urllib.parse import urlsplit

import grpc

from sfsync.cases import EventAccess
from sfsync.pubsub import messages
from sfsync.pubsub.change_event import EventSchema
from sfsync.pubsub.messages import MOST_REQUESTED

HOST = "api.pubsub.salesforce.com:7443"
CALL_SECONDS = 30.0
SCHEMAS_KEPT = 100
ASKS_AGAIN_AT = 20
"""Events still outstanding when more are asked for."""
LOST_PLACE = ("replayid.corrupted", "replayid.validation.failed")
"""Ends of the codes that tell that a replay id leads nowhere (Pub/Sub API guide, error codes)."""
AUTH_ERROR = "service.auth.error"


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a stream or call ended; neither carries a word of an event."""

    status: str
    """Name of the gRPC status, such as ``UNAVAILABLE``; ``OK`` where it was simply closed."""
    code: str = ""
    """Salesforce's own, from the trailer ``error-code``."""

    @property
    def is_auth_error(self) -> bool:
        return self.status == "UNAUTHENTICATED" or self.code.endswith(AUTH_ERROR)

    @property
    def has_lost_its_place(self) -> bool:
        return self.code.endswith(LOST_PLACE)

    def __str__(self) -> str:
        return self.code or self.status


class CallFailed(Exception):
    """A call of the Pub/Sub API failed; ``ending`` says why."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(str(ending))
        self.ending = ending


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came from a stream: a response, or its ending."""

    stream: "EventStream"
    events: tuple[Any, ...] = ()
    """``ConsumerEvent``, in order; empty in a keepalive."""
    latest_replay_id: bytes = b""
    pending: int = 0
    ending: Ending | None = None


Inbox = SimpleQueue[Delivery]


@dataclass(slots=True)
class EventStream:
    """One subscription, open until ``close`` or until its ending is delivered.

    At most ``MOST_REQUESTED`` events are outstanding; who reads says with ``took`` what is done,
    so that no more come than are kept up with.
    """

    topic: str
    inbox: "Inbox"
    outstanding: int = 0
    _call: Any = None
    _requests: "SimpleQueue[Any]" = field(default_factory=SimpleQueue)
    _has_asked_since: bool = False

    def open(self, channel: Any, metadata: Iterable[tuple[str, str]], replay_id: bytes) -> None:
        """Subscribe after ``replay_id``; empty: to what comes from now on. Returns at once."""
        preset = messages.CUSTOM if replay_id else messages.LATEST
        self._ask(topic_name=self.topic, replay_preset=preset, replay_id=replay_id)
        subscribe = channel.stream_stream(
            messages.SUBSCRIBE, _serialised, messages.FetchResponse.FromString
        )
        self._call = subscribe(iter(self._requests.get, None), metadata=tuple(metadata))
        threading.Thread(target=self._read, name="events", daemon=True).start()

    def took(self, delivery: Delivery) -> None:
        """Note that a delivery is done with, and ask for more where few are outstanding."""
        self.outstanding = max(0, self.outstanding - len(delivery.events))
        if not delivery.events and not self._has_asked_since:
            # Nothing of ours is under way, so Salesforce's own count is the right one.
            self.outstanding = min(self.outstanding, delivery.pending)
        self._has_asked_since = False
        if self.outstanding <= ASKS_AGAIN_AT:
            self._ask()

    def close(self) -> None:
        """Hang up."""
        self._requests.put(None)
        self._call.cancel()

    def _ask(self, **first: Any) -> None:
        more = MOST_REQUESTED - self.outstanding
        self.outstanding = MOST_REQUESTED
        self._has_asked_since = True
        self._requests.put(messages.FetchRequest(num_requested=more, **first))

    def _read(self) -> None:
        try:
            for answer in self._call:
                self.inbox.put(
                    Delivery(
                        self,
                        tuple(answer.events),
                        answer.latest_replay_id,
                        answer.pending_num_requested,
                    )
                )
            ending = Ending("OK")
        except grpc.RpcError as error:
            ending = _ending(error)
        self._requests.put(None)  # else the thread that sends them waits for ever
        self.inbox.put(Delivery(self, ending=ending))


class PubSub:
    """The Pub/Sub API, over one channel."""

    def __init__(self, local_origin: str = "") -> None:
        """Open a channel to Salesforce, or to a local org in plain text; nothing is sent yet.

        ``local_origin``: ``http://127.0.0.1:PORT``, checked where settings are read.
        """
        if local_origin:
            options = (("grpc.enable_http_proxy", 0),)
            self._channel = grpc.insecure_channel(urlsplit(local_origin).netloc, options)
        else:
            self._channel = grpc.secure_channel(HOST, grpc.ssl_channel_credentials())
        self._schemas: dict[str, EventSchema] = {}

    def subscribe(
        self, access: EventAccess, topic: str, replay_id: bytes, inbox: Inbox
    ) -> EventStream:
        """Return a stream whose deliveries come into ``inbox``, from a thread of its own."""
        stream = EventStream(topic, inbox)
        stream.open(self._channel, metadata_of(access), replay_id)
        return stream

    def schema(self, access: EventAccess, schema_id: str) -> EventSchema:
        """Return a schema, asked for once.

        Raises:
            CallFailed: Salesforce did not give it.
            Undecodable: it gave something else.
        """
        known = self._schemas.get(schema_id)
        if known is not None:
            return known
        ask = self._channel.unary_unary(
            messages.GET_SCHEMA, _serialised, messages.SchemaInfo.FromString
        )
        request = messages.SchemaRequest(schema_id=schema_id)
        try:
            told = ask(request, metadata=tuple(metadata_of(access)), timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            raise CallFailed(_ending(error)) from None
        if len(self._schemas) >= SCHEMAS_KEPT:
            self._schemas.clear()
        self._schemas[schema_id] = EventSchema(told.schema_json)
        return self._schemas[schema_id]

    def close(self) -> None:
        """Hang up altogether."""
        self._channel.close()


def metadata_of(access: EventAccess) -> Iterator[tuple[str, str]]:
    """Yield what every call carries, in small letters, as Salesforce wants it."""
    yield "accesstoken", access.access_token
    yield "instanceurl", access.instance_url
    yield "tenantid", access.org_id


def _ending(error: grpc.RpcError) -> Ending:
    """Return why a call failed, without its text."""
    status = getattr(error, "code", lambda: None)()
    trailers = getattr(error, "trailing_metadata", lambda: None)() or ()
    codes = [value for key, value in trailers if key == "error-code"]
    code = str(codes[0]) if codes else ""
    return Ending(status.name if status else "UNKNOWN", code)


def _serialised(message: Any) -> bytes:
    return bytes(message.SerializeToString())
