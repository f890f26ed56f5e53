"""Reading due Cases: their words from all sources become one transcript each."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from classifier import leases
from classifier.engine.text import Speaker, Turn
from classifier.models import Transcript
from classifier.receiving import Arrival, Receipt, receive_transcript
from sfsync.answering import Seen, answer_rings
from sfsync.cases import CaseSnapshot
from sfsync.errors import (
    FieldMissing,
    ObjectMissing,
    Postponed,
    SalesforceError,
    SalesforceRejected,
)
from sfsync.field_map import NAMING_SLOTS, Slot, is_same
from sfsync.gateway import SalesforceGateway
from sfsync.models import CaseLink, Connection, FieldMapping, Notice, WriteBack
from sfsync.parting import note_changes, note_gone
from sfsync.source_switch import switch_off
from sfsync.sources import Fetched, SourceReader, merged

logger = logging.getLogger(__name__)

BATCH = 200
LARGE_BATCH = 1_000
"""Where all words stand on the Case itself, and one call reads so many."""
LONGEST_WAIT = timedelta(hours=1)
CONTEXT_MISSING = "context-fields-missing"
Moment = Transcript.Moment
MOVES = {Receipt.NEW, Receipt.CHANGED, Receipt.MOVED}
"""What makes a Case of the past one of today: the customer spoke, or it was answered or closed."""


@dataclass(slots=True)
class Read:
    """What reading came to: numbers of Cases."""

    cases: int = 0
    transcripts_new: int = 0
    """Stored because of new words, or because the conversation has moved on."""
    gone: int = 0
    unreadable: int = 0


class CaseReader:
    """Reads due Cases in batches. ``read`` counts what came of it."""

    def __init__(self, gateway: SalesforceGateway, readers: Sequence[SourceReader]) -> None:
        self.read = Read()
        self._gateway = gateway
        self._readers = list(readers)
        self._extra_fields = [str(name) for name in Connection.current().extra_case_fields]
        self._shown = {
            row.field: Slot(row.slot)
            for row in FieldMapping.objects.active()
            if row.slot in NAMING_SLOTS
        }
        """Fields that we write: read along, so that each write is seen to stand."""
        self._unfinished: dict[int, CaseLink] = {}
        on_case = all(reader.watched.sobject == "Case" for reader in self._readers)
        self._batch = LARGE_BATCH if on_case else BATCH

    def read_due(self, limit: int, *, until: float) -> bool:
        """Read up to ``limit`` due Cases, longest waiting first; return whether more may wait.

        No batch is begun after ``until`` (by ``gateway.seconds``), so that a run ends before
        its worker is stopped.

        Raises:
            SalesforceError: nothing more can be read for now; claimed Cases are free again.
        """
        while (left := limit - self.read.cases - self.read.unreadable) > 0:
            if self._gateway.seconds() > until:
                return True
            links = leases.take(
                CaseLink.objects.due(leases.now()), limit=min(self._batch, left)
            )
            if not links:
                return False
            self.read_claimed(links)
        return CaseLink.objects.due(leases.now()).exists()

    def read_claimed(self, links: Sequence[CaseLink]) -> None:
        """Read Cases that the caller leased.

        Raises:
            SalesforceError: as ``read_due``.
        """
        self._unfinished = {link.pk: link for link in links}
        try:
            with leases.kept(links):  # a batch may hold 200 conversations, each a call
                self._read_batch(links)
        except SalesforceError:
            leases.release(self._unfinished.values())
            raise

    def _read_batch(self, links: Sequence[CaseLink]) -> None:
        """Read all in a few calls; where one Case spoils them, find it by halving."""
        try:
            snapshots = self._snapshots(links)
            missing = [link.case_id for link in links if link.case_id not in snapshots]
            in_the_bin = self._gateway.in_the_bin(missing) if missing else {}
            fetched = self._fetch(list(snapshots.values()))
        except (FieldMissing, ObjectMissing):
            raise  # no Case's fault: all of them would fail
        except SalesforceRejected as error:
            if len(links) == 1:
                self._put_off(links[0], str(error))
                return
            middle = len(links) // 2
            self._read_batch(links[:middle])
            self._read_batch(links[middle:])
            return
        self._note_gone(missing, links, in_the_bin)
        self._store_all(links, snapshots, fetched)

    def _snapshots(self, links: Sequence[CaseLink]) -> dict[str, CaseSnapshot]:
        self._tell_missing_fields()
        ids = [link.case_id for link in links]
        fields = [*self._extra_fields, *self._shown]
        return {case.case_id: case for case in self._gateway.cases(ids, fields)}

    def _tell_missing_fields(self) -> None:
        """Keep the one notice about fields that an admin named and we cannot read."""
        present = self._gateway.describe("Case").fields
        missing = [name for name in self._extra_fields if name not in present]
        if not missing:
            Notice.clear(CONTEXT_MISSING, leases.now())
            return
        text = (
            f"Case has no field {', '.join(missing)}, or our user may not read it: it does not"
            " come along. Correct its API name under Connection, or let the user read it."
        )
        Notice.raise_for(CONTEXT_MISSING, Notice.Level.WARNING, text, leases.now())

    def _fetch(self, cases: Sequence[CaseSnapshot]) -> dict[str, Fetched]:
        """Return source code → what it found; a source that the org lacks goes off."""
        fetched = {}
        for reader in tuple(self._readers):
            try:
                fetched[reader.code] = reader.fetch(self._gateway, cases)
            except (FieldMissing, ObjectMissing) as error:
                switch_off(reader, str(error), leases.now())
                self._readers.remove(reader)
        return fetched

    def _note_gone(
        self,
        missing: Sequence[str],
        links: Sequence[CaseLink],
        in_the_bin: Mapping[str, str],
    ) -> None:
        with transaction.atomic():
            self.read.gone += note_gone(missing, in_the_bin, leases.now())
        for link in links:
            if link.case_id in set(missing):
                self._unfinished.pop(link.pk, None)

    def _store_all(
        self,
        links: Sequence[CaseLink],
        snapshots: Mapping[str, CaseSnapshot],
        fetched: Mapping[str, Fetched],
    ) -> None:
        at = leases.now()
        seen = {
            link.case_id: Seen(None, is_changed=False)
            for link in links
            if link.case_id not in snapshots
        }
        for link in links:
            if case := snapshots.get(link.case_id):
                known = link.modstamp
                receipt = self._store(link, case, fetched)
                if receipt is not None:
                    has_news = receipt is not Receipt.UNCHANGED
                    is_changed = has_news or known is None or case.modstamp > known
                    seen[link.case_id] = Seen(case.modstamp, is_changed, has_news)
        answer_rings(seen, at)

    def _store(
        self, link: CaseLink, case: CaseSnapshot, fetched: Mapping[str, Fetched]
    ) -> Receipt | None:
        """Store what is new of one Case and return what it meant; None: not stored now."""
        failures = [
            one.failed[case.case_id] for one in fetched.values() if case.case_id in one.failed
        ]
        if failures:  # half of a conversation would look like a change of it
            if isinstance(failures[0], Postponed):
                link.postpone_reading(failures[0].until)
                self._unfinished.pop(link.pk, None)
            else:
                self._put_off(link, str(failures[0]))
            return None
        try:
            turns = self._turns(case, fetched)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            logger.warning("case=%s unreadable=%s", case.case_id, type(error).__name__)
            self._put_off(
                link, f"An answer of Salesforce is not as expected ({type(error).__name__})."
            )
            return None
        at = leases.now()
        receipt = None
        with transaction.atomic():
            if link.finish_reading(at, case):
                note_changes(link, case, at)
                receipt = receive_transcript(self._arrival(case, turns), at=at)
                self.read.cases += 1
                if receipt is not Receipt.UNCHANGED:
                    self.read.transcripts_new += 1
                    CaseLink.objects.filter(pk=link.pk).update(noticed_at=link.read_due_at)
                self._confirm(link, case, at)
                if link.backfill_id and not link.is_backfilled and receipt in MOVES:
                    link.go_live(at)
        self._unfinished.pop(link.pk, None)
        return receipt

    def _confirm(self, link: CaseLink, case: CaseSnapshot, at: datetime) -> None:
        """Note that the Case shows what we wrote: our own write came back (no word of anybody)."""
        ours = [name for name in self._shown if name in link.delivered and name in case.extra]
        if not ours or not all(
            is_same(self._shown[name], link.delivered[name], case.extra[name]) for name in ours
        ):
            return
        written = [WriteBack.Outcome.DELIVERED, WriteBack.Outcome.UNCHANGED]
        WriteBack.objects.filter(
            case_link=link,
            outcome__in=written,
            confirmed_at=None,
            decision__superseded_at=None,
        ).update(confirmed_at=at)

    def _arrival(self, case: CaseSnapshot, turns: tuple[Turn, ...]) -> Arrival:
        """Return the words with their context; what stands in our own fields is none of it."""
        extra = {name: case.extra[name] for name in self._extra_fields if name in case.extra}
        return _arrival(case, turns, extra)

    def _turns(self, case: CaseSnapshot, fetched: Mapping[str, Fetched]) -> tuple[Turn, ...]:
        return merged(
            turn
            for reader in self._readers
            for turn in reader.turns(fetched[reader.code].rows.get(case.case_id, ()))
        )

    def _put_off(self, link: CaseLink, because: str) -> None:
        """Skip this Case, say why where people see it, and try again later."""
        wait = min(LONGEST_WAIT, timedelta(seconds=30 * 2 ** min(link.attempts, 10)))
        link.put_off_reading(because, leases.now() + wait)
        self._unfinished.pop(link.pk, None)
        self.read.unreadable += 1


def _arrival(case: CaseSnapshot, turns: tuple[Turn, ...], extra: Mapping[str, str]) -> Arrival:
    context = {
        "record_type": case.record_type,
        "origin": case.origin,
        "status": case.status,
        "priority": case.priority,
        "queue": case.queue,
        "team": case.team,
        "owner": "" if case.queue else case.owner_name,
        "product": case.product,
        "language": case.language,
        **extra,
    }
    return Arrival(
        thread=case.case_id,
        turns=turns,
        moment=_moment(case, turns),
        channel=case.origin,
        language=case.language,
        product=case.product,
        queue=case.queue,
        team=case.team,
        contacted_at=case.created_at,
        context={name: value for name, value in context.items() if value},
    )


def _moment(case: CaseSnapshot, turns: Sequence[Turn]) -> Moment:
    """Return how far the conversation has come."""
    if case.is_closed:
        return Moment.CLOSED
    has_reply = any(turn.speaker is Speaker.REPRESENTATIVE for turn in turns)
    return Moment.REPLIED if has_reply else Moment.OPENED
