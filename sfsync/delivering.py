"""Delivering one batch: judged, looked at, noted, recorded, row by row. No network in here."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from django.db.models import prefetch_related_objects

from classifier import leases
from sfsync import guard, missing_values
from sfsync.cases import FieldValue, Looked, SObjectDescription, UpdateResult
from sfsync.decided import to_decided
from sfsync.endings import Candidate, Endings
from sfsync.errors import MODIFIED
from sfsync.field_map import (
    MATERIAL_SLOTS,
    NAMING_SLOTS,
    REASON_SLOTS,
    Slot,
    change_key,
    fit,
    missing_value,
    to_fields,
    writable,
)
from sfsync.models import WriteBack
from sfsync.protection import Protection, can_mark, protection
from sfsync.terms import Terms
from sfsync.write_plan import Footprint, Step, planned

Hold = WriteBack.Hold
Outcome = WriteBack.Outcome

LOOKED_AT = REASON_SLOTS | {Slot.SOURCE, Slot.CHANGE}
"""Fields that may show a person's word, or our last change, besides those that we would write."""
SECOND = timedelta(seconds=1)
LOADED_AT_ONCE = 200
"""SQLite understands no list of a thousand and more."""
WITH_DECISION = (
    "case_link",
    "decision__category",
    "decision__model_version",
    "decision__transcript",
    "decision__reasons__category",
)


class Batch:
    """Claimed rows on their way. ``counts`` says what became of those that are settled.

    The keys of ``counts`` are the fields of ``pushing.Delivery``. Each method writes to the
    database alone, each row's outcome only while we hold the row.
    """

    def __init__(
        self,
        terms: Terms,
        description: SObjectDescription,
        delay: Callable[[int], timedelta],
    ) -> None:
        """Make a batch. ``delay`` returns the wait after so many attempts."""
        self.terms = terms
        self._description = description
        self._endings = Endings(terms, delay)
        self._mapping = writable(terms.mapping)
        self.can_mark = can_mark(description)
        self.protection = protection(terms, description, leases.now())
        """None: it must be tried out with the first write."""

    @property
    def counts(self) -> Mapping[str, int]:
        return self._endings.counts

    def sort(self, rows: Sequence[WriteBack]) -> list[Candidate]:
        """Return what may be written under the terms; the rest is held or ended."""
        for start in range(0, len(rows), LOADED_AT_ONCE):
            portion = list(rows[start : start + LOADED_AT_ONCE])
            prefetch_related_objects(portion, *WITH_DECISION)
        found = [self._candidate(row) for row in rows]
        self._tell_missing_values()
        return [candidate for candidate in found if candidate is not None]

    def fields_to_read(self, candidates: Iterable[Candidate]) -> list[str]:
        """Return the fields to look at: all we would write, every reason field, the source."""
        names = {name for candidate in candidates for name in candidate.wanted}
        names.update(name for name, slot in self.terms.slots.items() if slot in LOOKED_AT)
        return sorted(name for name in names if name in self._description.fields)

    def look(self, candidates: Sequence[Candidate], looked: Looked) -> list[Candidate]:
        """Return what is to be sent, given the Cases as just seen.

        A condition tells seconds apart, no less. A Case that changed within the second in which
        we looked may change once more in it, unseen: it is written a moment later.
        """
        attempts = _attempts(candidates)
        to_send = []
        for candidate in candidates:
            link = candidate.row.case_link
            current = looked.values.get(link.case_id)
            if current is None:
                self._endings.end_gone(candidate.row)
                continue
            footprint = Footprint(link.delivered, attempts[link.pk])
            plan = planned(candidate.wanted, current, footprint, self.terms.slots)
            if plan.step is Step.WRITE:
                modified = looked.modified[link.case_id]
                if self._needs_condition and looked.since < modified + SECOND:
                    self._endings.wait(candidate.row, modified + SECOND - looked.since)
                    continue
                send = {**plan.send, **self._change(link.case_id, plan.send, current)}
                to_send.append(replace(candidate, send=send, modified=modified))
            elif plan.step is Step.CEDE:
                self._endings.cede(candidate, plan, current)
            else:
                self._endings.end_unwritten(candidate, plan.step, current)
        return to_send

    def note(self, to_send: Sequence[Candidate]) -> list[Candidate]:
        """Return what we still hold, after noting what is about to be sent.

        Noted before the call, so that a value found on the Case later is known as ours even
        if the answer is lost. The claims are renewed.
        """
        until = leases.now() + timedelta(seconds=leases.SECONDS)
        noted = []
        for candidate in to_send:
            row = candidate.row
            mine = WriteBack.objects.unended().filter(
                pk=row.pk, epoch=row.epoch, lease_token=row.lease_token
            )
            if mine.update(sent_fields=dict(candidate.send), leased_until=until):
                noted.append(candidate)
            else:
                WriteBack.objects.settle(row)
        return noted

    def forget_attempts(self, noted: Iterable[Candidate]) -> None:
        """Take the notes back: Salesforce refused the call as a whole, nothing was written."""
        for candidate in noted:
            row = candidate.row
            WriteBack.objects.filter(pk=row.pk, epoch=row.epoch).update(sent_fields={})

    def fit_for_trial(self, to_send: Iterable[Candidate]) -> Candidate | None:
        """Return what can show how the org protects people's words, None where nothing can.

        The guard's flow runs where a field changes that names reasons.
        """
        for candidate in to_send:
            names_reasons = any(
                self.terms.slots[name] in NAMING_SLOTS for name in candidate.send
            )
            if names_reasons or not self.can_mark:
                return candidate
        return None

    def record(
        self,
        noted: Sequence[Candidate],
        results: Sequence[UpdateResult],
        gap: timedelta | None = None,
    ) -> list[Candidate]:
        """Write down what became of each row; return those to be looked at again.

        ``results`` in the order of ``noted``; ``gap`` is the time since we looked, kept where
        nothing else stood between our write and a person's.
        """
        again = []
        kept_gap = gap if self.protection is Protection.LOOK else None
        for candidate, result in zip(noted, results, strict=True):
            if result.success:
                self._endings.end_written(candidate, kept_gap)
            elif self._is_somebody_elses(result):
                self.forget_attempts([candidate])
                again.append(candidate)
            else:
                self._endings.end_failed(candidate, result)
        self._tell_missing_values()
        return again

    def put_off(self, candidates: Iterable[Candidate]) -> None:
        """Let Cases that others kept changing wait."""
        for candidate in candidates:
            case_id = candidate.row.case_link.case_id
            text = "Somebody changed the Case each time that we looked."
            result = UpdateResult(case_id, success=False, error_code=MODIFIED, error_text=text)
            self._endings.put_off(candidate.row, result)

    def _change(
        self,
        case_id: str,
        send: Mapping[str, FieldValue],
        current: Mapping[str, FieldValue],
    ) -> dict[str, FieldValue]:
        """Return the field that names a change of reason; it travels with the reason itself."""
        fields = [row.field for row in self._mapping if Slot(row.slot) is Slot.CHANGE]
        key = change_key(case_id, send, current, self.terms.slots) if fields else ""
        return dict.fromkeys(fields, key) if key else {}

    @property
    def _needs_condition(self) -> bool:
        return self.protection in {None, Protection.CONDITION}

    def _is_somebody_elses(self, result: UpdateResult) -> bool:
        """Return whether a row failed because somebody was quicker than we."""
        return result.error_code == MODIFIED or guard.is_refusal(
            result.error_code, result.error_text, result.error_fields, self.terms.slots
        )

    def _candidate(self, row: WriteBack) -> Candidate | None:
        """Return what to do with a row, None where it was held or ended instead."""
        if outcome := _ended_meanwhile(row):
            self._endings.end(row, "ceded" if outcome is Outcome.CEDED else "gone", outcome)
            return None
        decided = to_decided(row.decision, self.terms.book)
        full = self.terms.would_write(decided)
        if hold := self.terms.hold_of(decided, row.case_link):
            self._endings.hold(row, hold, full)
            return None
        mode = self.terms.mode_of(decided)
        fields = to_fields(decided, self._mapping, self.terms.book, mode)
        wanted = fit(fields, self._description)
        if self._weighs(full) and not self._weighs(wanted):
            self._endings.hold(row, Hold.FIELD, full)
            return None
        if missing := missing_value(wanted, self.terms.slots, self._description):
            self._endings.hold(row, Hold.PICKLIST, full, missing_values.detail_of(*missing))
            return None
        return Candidate(row, decided, full, wanted, {})

    def _weighs(self, values: Mapping[str, FieldValue]) -> bool:
        return any(self.terms.slots[name] in MATERIAL_SLOTS for name in values)

    def _tell_missing_values(self) -> None:
        if self.counts["held"]:
            missing_values.tell()


def _attempts(candidates: Iterable[Candidate]) -> Mapping[int, list[Mapping[str, FieldValue]]]:
    """Return link id → what was sent to that Case without an answer."""
    links = [candidate.row.case_link_id for candidate in candidates]
    found: dict[int, list[Mapping[str, FieldValue]]] = defaultdict(list)
    for link, sent in WriteBack.objects.unanswered(links).values_list(
        "case_link_id", "sent_fields"
    ):
        found[link].append(sent)
    return found


def _ended_meanwhile(row: WriteBack) -> WriteBack.Outcome | None:
    """Return how a row ended while it waited, None where it is still wanted."""
    if row.case_link.ceded_at is not None:
        return Outcome.CEDED
    if row.case_link.gone_at is not None:
        return Outcome.GONE
    # Its successor is about to be staged.
    return Outcome.SUPERSEDED if row.decision.superseded_at is not None else None
