"""Listening: change events of Salesforce ring for their Cases, stream by stream, place by place.

Events are hints. What they say of words and fields is dropped; the Case is read as ever, and
what no event told of, or what was told while nobody listened, the pull finds.
"""

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from django.db import DatabaseError, close_old_connections

from classifier import leases
from sfsync.calls import Purpose, under
from sfsync.cases import EventAccess
from sfsync.errors import SalesforceError
from sfsync.gateway import SalesforceGateway
from sfsync.models import (
    Connection,
    Doorbell,
    EventSubscription,
    FieldMapping,
    Notice,
    Watermark,
)
from sfsync.models.doorbell import NOTIFICATION_CHARACTERS
from sfsync.pubsub.change_event import ChangeEvent, Undecodable, case_ids
from sfsync.pubsub.stream import CallFailed, Delivery, Ending, EventStream, Inbox, PubSub
from sfsync.reconciling import begin as begin_reconciliation
from sfsync.ringing import Ring, note_rings, ring_pull

logger = logging.getLogger(__name__)

SILENCE_SECONDS = 120.0
"""A stream that said nothing for so long is dead: keepalives come every minute or so."""
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 300.0
TOLD_FROM_SECONDS = 30.0
"""A wait that people are told of: what passes sooner is nobody's concern."""
LOOK_SECONDS = 1.0
SHORT_ID = 15
BOOKKEEPING = frozenset({"LastModifiedDate", "LastModifiedById", "SystemModstamp"})
DEAF, PLACE_LOST = "events-deaf:", "events-lost:"  # keys of notices begin so


@dataclass(slots=True)
class Line:
    """One topic as it is heard at the moment."""

    topic: str
    stream: EventStream | None = None
    access: EventAccess | None = None
    opens_at: float = 0.0
    """Not before this second of the gateway's clock."""
    heard_at: float = 0.0
    waits: int = 0
    """Openings in a row that came to nothing."""
    needs_login: bool = False
    has_logged_in_again: bool = False

    begins_anew: bool = False
    """Whether its present stream began without a place."""
    is_heard: bool = False
    """Whether its present stream has delivered something."""

    @property
    def sobject(self) -> str:
        """Whose events these are; empty for a channel of several."""
        name = self.topic.removeprefix("/data/")
        return name.removesuffix("ChangeEvent") if name.endswith("ChangeEvent") else ""


class Listener:
    """Hears the topics, and reconnects where a line breaks. Used from one thread."""

    def __init__(
        self,
        gateway: SalesforceGateway,
        pubsub: PubSub,
        topics: Iterable[str],
        *,
        silence_seconds: float = SILENCE_SECONDS,
        first_wait_seconds: float = FIRST_WAIT_SECONDS,
    ) -> None:
        self._gateway = gateway
        self._pubsub = pubsub
        self._silence_seconds = silence_seconds
        self._first_wait_seconds = first_wait_seconds
        self._inbox: Inbox = SimpleQueue()
        self.lines = [Line(topic) for topic in topics]

    def listen(self, is_over: threading.Event) -> None:
        """Listen until ``is_over`` is set; a failure of one line or of the database passes."""
        try:
            while not is_over.is_set():
                self.step(LOOK_SECONDS)
                close_old_connections()
        finally:
            self.close()

    def step(self, seconds: float) -> int:
        """Open what is due, heed one delivery within ``seconds``; return how many rings were new."""
        for line in self.lines:
            if line.stream is None and self._gateway.seconds() >= line.opens_at:
                self._open(line)
        try:
            return self._heed(self._inbox.get(timeout=seconds))
        except Empty:
            return 0
        finally:
            self._hang_up_silent()

    def close(self) -> None:
        """Hang up."""
        for line in self.lines:
            self._hang_up(line)

    def _open(self, line: Line) -> None:
        try:
            with under(Purpose.SCAN):
                line.access = self._gateway.event_access(anew=line.needs_login)
                Connection.pin(self._gateway.identity())
            place = EventSubscription.of(line.topic)
            if place.replay_id and place.is_too_old(leases.now()):
                self._lose_place(line)
                place.refresh_from_db()
        except SalesforceError as error:
            self._wait(line, str(error))
            return
        except DatabaseError as error:
            self._wait_untold(line, type(error).__name__)
            return
        line.needs_login = line.is_heard = False
        line.heard_at = self._gateway.seconds()
        line.begins_anew = not place.replay_id
        line.stream = self._pubsub.subscribe(
            line.access, line.topic, bytes(place.replay_id), self._inbox
        )

    def _heed(self, delivery: Delivery) -> int:
        line = next((one for one in self.lines if one.stream is delivery.stream), None)
        if line is None:
            return 0  # of a stream that we hung up
        if delivery.ending is not None:
            self._end(line, delivery.ending)
            return 0
        try:
            return self._take(line, delivery)
        except CallFailed as failed:
            self._end(line, failed.ending)
        except DatabaseError as error:
            # Nothing more of this stream: a later place would skip what was not kept.
            self._wait_untold(line, type(error).__name__)
        return 0

    def _take(self, line: Line, delivery: Delivery) -> int:
        """Keep the rings, then the place; what dies in between is heard again, harmlessly."""
        assert line.access is not None  # noqa: S101 -- it has a stream
        rings: list[Ring] = []
        lost: set[str] = set()
        for consumed in delivery.events:
            try:
                schema = self._pubsub.schema(line.access, consumed.event.schema_id)
                event = schema.decoded(consumed.event.payload)
            except Undecodable as error:
                logger.warning("events=undecodable topic=%s cause=%s", line.topic, error)
                lost.add(line.sobject)
                continue
            if event.is_overflow:
                lost.add(event.entity)
            elif not self._is_echo(event):
                name = consumed.event.id or consumed.replay_id.hex()
                rings += [Ring(name[:NOTIFICATION_CHARACTERS], one) for one in case_ids(event)]
        new = note_rings(Doorbell.Source.EVENT, line.access.org_id, rings) if rings else 0
        for sobject in lost:
            self._look_everywhere(sobject)
        self._keep_place(line, delivery)
        if delivery.events:
            logger.info(
                "events=heard topic=%s events=%d rings=%d new=%d",
                *(line.topic, len(delivery.events), len(rings), new),
            )
        return new

    def _keep_place(self, line: Line, delivery: Delivery) -> None:
        at = leases.now()
        place = EventSubscription.of(line.topic)
        last = delivery.events[-1].replay_id if delivery.events else delivery.latest_replay_id
        place.heard(last or bytes(place.replay_id), at)
        if place.lost_at is not None and self._is_covered(line, place):
            place.catch_up()
            Notice.clear(PLACE_LOST + line.topic, at)
        if not line.is_heard:
            line.is_heard = True
            Notice.clear(DEAF + line.topic, at)
        line.waits, line.has_logged_in_again = 0, False
        line.heard_at = self._gateway.seconds()
        delivery.stream.took(delivery)

    def _is_covered(self, line: Line, place: EventSubscription) -> bool:
        sobject = line.sobject or "Case"
        covered = Watermark.objects.filter(sobject=sobject, covered_until__gt=place.lost_at)
        return covered.exists()

    def _is_echo(self, event: ChangeEvent) -> bool:
        """Return whether we wrote this ourselves, and nothing but what we write.

        A Flow that runs in our transaction writes as we do: then other fields changed as well.
        """
        ours = self._gateway.identity().user_id[:SHORT_ID]
        if event.change_type != "UPDATE" or event.commit_user[:SHORT_ID] != ours or not ours:
            return False
        written = {row.field for row in FieldMapping.objects.active()}
        return event.changed_fields <= written | BOOKKEEPING

    def _look_everywhere(self, sobject: str) -> None:
        """Let the poll find what events did not tell one by one."""
        logger.warning("events=overflow sobject=%s", sobject)
        begin_reconciliation()
        ring_pull(sobject)

    def _end(self, line: Line, ending: Ending) -> None:
        """Decide what becomes of a line that ended."""
        self._hang_up(line)
        logger.info("events=ended topic=%s cause=%s", line.topic, ending)
        if ending.has_lost_its_place and not line.begins_anew:
            try:
                self._lose_place(line)
            except (SalesforceError, DatabaseError) as error:
                self._wait_untold(line, type(error).__name__)
            return
        if ending.is_auth_error:
            line.needs_login = True
            if not line.has_logged_in_again:
                line.has_logged_in_again = True
                return  # at once, with a new token
        self._wait(line, f"Salesforce ended it ({ending}).")

    def _lose_place(self, line: Line) -> None:
        EventSubscription.of(line.topic).lose_place(self._gateway.now())
        ring_pull(line.sobject)
        Notice.raise_for(
            PLACE_LOST + line.topic,
            Notice.Level.INFO,
            f"Salesforce no longer knows up to where we had heard the events of {line.topic}, so"
            " some were not heard. There is nothing to do: the next pull finds what they told,"
            " and this notice closes by itself then.",
            leases.now(),
        )

    def _wait(self, line: Line, why: str) -> None:
        """Try again after a wait that grows; tell people where it is long."""
        seconds = self._wait_untold(line, why)
        if seconds < TOLD_FROM_SECONDS:
            return
        try:
            Notice.raise_for(
                DEAF + line.topic,
                Notice.Level.WARNING,
                f"Change events of {line.topic} are not heard: {why} It is tried again by itself."
                " Cases are still found, by asking, only later. Check that Change Data Capture is"
                " on for the object and that our user may use the API.",
                leases.now(),
            )
        except DatabaseError as error:
            logger.warning("events=untold cause=%s", type(error).__name__)

    def _wait_untold(self, line: Line, why: str) -> float:
        self._hang_up(line)
        seconds = min(
            LONGEST_WAIT_SECONDS, self._first_wait_seconds * 2.0 ** min(line.waits, 20)
        )
        line.waits += 1
        line.opens_at = self._gateway.seconds() + seconds
        logger.warning("events=waits topic=%s seconds=%.0f cause=%s", line.topic, seconds, why)
        return seconds

    def _hang_up_silent(self) -> None:
        now = self._gateway.seconds()
        for line in self.lines:
            if line.stream is not None and now - line.heard_at > self._silence_seconds:
                self._wait(line, "Nothing came for too long.")

    def _hang_up(self, line: Line) -> None:
        if line.stream is not None:
            line.stream.close()
            line.stream = None
