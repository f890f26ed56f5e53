"""The org's Pub/Sub API: gRPC on loopback, without TLS. Needs requirements-events.txt."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, NoReturn

import grpc

from sfsync.local_org.errors import Refusal
from sfsync.local_org.event_bus import ALL, BadReplayId, Event, EventBus
from sfsync.local_org.org import LocalOrg
from sfsync.pubsub import messages

LOOPBACK = "127.0.0.1"
KEEPALIVE_SECONDS = 60.0
"""In practice; at most 270 seconds."""
STREAMS = 16
CODES = "sfdc.platform.eventbus.grpc."
AUTH_ERROR = f"{CODES}service.auth.error"
UNAVAILABLE = f"{CODES}service.unavailable"
NO_TOPIC = f"{CODES}topic.not.found"
TOO_MANY = f"{CODES}subscription.fetch.requested.events.invalid"


@dataclass(slots=True)
class Subscriber:
    """One stream: what it asked for, and what it was sent."""

    entity: str
    place: int
    asked: int = 0
    """Events that it may still be sent."""
    asked_in_all: int = 0
    is_over: bool = False
    refused: str = ""
    keepalives: int = 0
    drops: int = 0


@dataclass(slots=True)
class PubSubDoor:
    """A gRPC server for one org's bus. Bound to loopback: it has no other protection."""

    org: LocalOrg
    bus: EventBus
    port: int = 0
    """0 picks a free one."""
    keepalive_seconds: float = KEEPALIVE_SECONDS
    streams: list[Subscriber] = field(default_factory=list)
    """Every stream so far."""
    schema_calls: int = 0
    _server: Any = None
    _is_closed: bool = False

    @property
    def origin(self) -> str:
        """Address of the door, such as ``http://127.0.0.1:7443``."""
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Answer in threads of its own until ``close``.

        Raises:
            RuntimeError: the port cannot be opened.
        """
        options = (("grpc.so_reuseport", 0),)
        self._server = grpc.server(ThreadPoolExecutor(STREAMS), options=options)
        self._server.add_generic_rpc_handlers((_routes(self),))
        self.port = self._server.add_insecure_port(f"{LOOPBACK}:{self.port}")
        self._server.start()

    def close(self) -> None:
        """End every stream and free the port."""
        with self.bus.changed:
            self._is_closed = True
            self.bus.changed.notify_all()
        self._server.stop(grace=None).wait()

    def __enter__(self) -> "PubSubDoor":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # What can be asked

    def get_topic(self, request: Any, context: Any) -> Any:
        self._admit(context)
        entity = self._entity(request.topic_name, context)
        return messages.TopicInfo(
            topic_name=request.topic_name,
            tenant_guid=self.org.org_id,
            can_subscribe=True,
            schema_id=self.bus.schema_id(entity) if entity else "",
        )

    def get_schema(self, request: Any, context: Any) -> Any:
        self._admit(context)
        self.schema_calls += 1
        text = self.bus.schemas.get(request.schema_id)
        if text is None:
            _refuse(context, grpc.StatusCode.NOT_FOUND, f"{CODES}schema.not.found")
        return messages.SchemaInfo(schema_json=text, schema_id=request.schema_id)

    def subscribe(self, requests: Iterator[Any], context: Any) -> Iterator[Any]:
        self._admit(context)
        first = next(requests)
        entity = self._entity(first.topic_name, context)
        try:
            place = self._beginning(first)
        except BadReplayId as bad:
            _refuse(context, grpc.StatusCode.INVALID_ARGUMENT, bad.code)
        stream = Subscriber(entity, place, keepalives=self.bus.keepalives, drops=self.bus.drops)
        self._ask(stream, first)
        with self.bus.changed:
            self.streams.append(stream)
            self.bus.changed.notify_all()
        context.add_callback(lambda: self._end(stream))
        threading.Thread(target=self._hear, args=(stream, requests), daemon=True).start()
        yield from self._told(stream, context)

    def _told(self, stream: Subscriber, context: Any) -> Iterator[Any]:
        while True:
            with self.bus.changed:
                self.bus.changed.wait_for(
                    lambda: self._has_something(stream), self.keepalive_seconds
                )
                is_over, is_dropped = self._is_over(stream), stream.drops < self.bus.drops
                is_silent = self.bus.faults.is_silent
                events = [] if is_silent else self._due(stream)
                stream.keepalives = self.bus.keepalives
                if events:
                    stream.place = events[-1].number
                    stream.asked -= len(events)
            if stream.refused:
                _refuse(context, grpc.StatusCode.INVALID_ARGUMENT, stream.refused)
            if is_dropped:
                _refuse(context, grpc.StatusCode.UNAVAILABLE, UNAVAILABLE)
            if is_over:
                return
            if not is_silent:
                yield self._response(stream, events)

    def _response(self, stream: Subscriber, events: list[Event]) -> Any:
        latest = events[-1].replay_id if events else self.bus.latest_replay_id()
        return messages.FetchResponse(
            events=[_consumed(one) for one in events],
            latest_replay_id=latest,
            rpc_id="local",
            pending_num_requested=stream.asked,
        )

    def _has_something(self, stream: Subscriber) -> bool:
        if self._is_over(stream) or stream.refused or stream.drops < self.bus.drops:
            return True
        if self.bus.faults.is_silent:
            return False
        return stream.keepalives < self.bus.keepalives or bool(self._due(stream))

    def _is_over(self, stream: Subscriber) -> bool:
        return stream.is_over or self._is_closed

    def _due(self, stream: Subscriber) -> list[Event]:
        """Return what to send, at most what was asked for; twice where so switched."""
        waiting = self.bus.after(stream.place, stream.entity)
        if self.bus.faults.duplicates:
            waiting = [one for one in waiting for _ in range(2)]
        return waiting[: stream.asked]

    def _hear(self, stream: Subscriber, requests: Iterator[Any]) -> None:
        """Add up what the subscriber asks for, until it says no more."""
        try:
            for request in requests:
                with self.bus.changed:
                    self._ask(stream, request)
                    self.bus.changed.notify_all()
        except grpc.RpcError:
            pass  # it hung up
        self._end(stream)

    def _ask(self, stream: Subscriber, request: Any) -> None:
        stream.asked += request.num_requested
        stream.asked_in_all += request.num_requested
        if request.num_requested < 1 or stream.asked > messages.MOST_REQUESTED:
            stream.refused = TOO_MANY

    def _end(self, stream: Subscriber) -> None:
        with self.bus.changed:
            stream.is_over = True
            self.bus.changed.notify_all()

    def _beginning(self, request: Any) -> int:
        if request.replay_preset == messages.CUSTOM:
            return self.bus.place_of(request.replay_id)
        return self.bus.last if request.replay_preset == messages.LATEST else 0

    def _admit(self, context: Any) -> None:
        """Refuse a call that is not logged in, as the switch or the metadata says."""
        told = dict(context.invocation_metadata())
        try:
            self.org.tokens.user_of(str(told.get("accesstoken", "")))
        except Refusal:
            _refuse(context, grpc.StatusCode.UNAUTHENTICATED, AUTH_ERROR)
        is_ours = (self.org.instance_url, self.org.org_id)
        if self.bus.faults.refused_tokens or is_ours != (
            told.get("instanceurl"),
            told.get("tenantid"),
        ):
            self.bus.faults.refused_tokens = max(0, self.bus.faults.refused_tokens - 1)
            _refuse(context, grpc.StatusCode.UNAUTHENTICATED, AUTH_ERROR)

    def _entity(self, topic: str, context: Any) -> str:
        """Return the sObject of a topic; empty for the channel of all."""
        name = topic.removeprefix("/data/")
        entity = name.removesuffix("ChangeEvent")
        if name == ALL:
            return ""
        if name in {topic, entity} or self.org.schema.find(entity) is None:
            _refuse(context, grpc.StatusCode.NOT_FOUND, NO_TOPIC)
        return entity


def _refuse(context: Any, status: grpc.StatusCode, code: str) -> NoReturn:
    context.set_trailing_metadata((("error-code", code),))
    context.abort(status, code)
    raise AssertionError  # abort has raised


def _consumed(event: Event) -> Any:
    told = messages.ProducerEvent(id=event.id, schema_id=event.schema_id, payload=event.payload)
    return messages.ConsumerEvent(event=told, replay_id=event.replay_id)


def _routes(door: PubSubDoor) -> Any:
    def unary(answer: Callable[[Any, Any], Any], request: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(answer, request.FromString, _serialised)

    handlers = {
        "Subscribe": grpc.stream_stream_rpc_method_handler(
            door.subscribe, messages.FetchRequest.FromString, _serialised
        ),
        "GetSchema": unary(door.get_schema, messages.SchemaRequest),
        "GetTopic": unary(door.get_topic, messages.TopicRequest),
    }
    return grpc.method_handlers_generic_handler(f"{messages.PACKAGE}.PubSub", handlers)


def _serialised(message: Any) -> bytes:
    return bytes(message.SerializeToString())
