"""How each row of a batch ends, or waits on: written down, counted, remembered. No network."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db.models import F

from classifier import leases
from classifier.models import Category, Feedback
from sfsync.cases import CaseUpdate, FieldValue, UpdateResult
from sfsync.errors import BUSY, FIELD, GONE, PASSING
from sfsync.field_map import (
    MATERIAL_SLOTS,
    REASON_SLOTS,
    Decided,
    Mode,
    Slot,
    is_blank,
    is_same,
    said,
    to_fields,
)
from sfsync.models import CaseLink, FieldMapping, WriteBack
from sfsync.models.field_mapping import BELIEF
from sfsync.terms import Terms
from sfsync.write_plan import Plan, Step

Outcome = WriteBack.Outcome

PATIENCE = timedelta(hours=24)
"""A failure that will pass never gives a row up before this (issue 2, "Push, by mode")."""
MOMENT = timedelta(milliseconds=100)
NEVER = datetime.min.replace(tzinfo=UTC)
RESTRICTED = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A claimed row that may be written under the present terms."""

    row: WriteBack
    decided: Decided
    full: Mapping[str, FieldValue]
    """All fields as decided."""
    wanted: Mapping[str, FieldValue]
    """Fields we may write now, cut to length."""
    send: Mapping[str, FieldValue]
    """What of it the Case lacks; empty until the Case was looked at."""
    modified: datetime = NEVER
    """The Case's LastModifiedDate when it was looked at."""

    @property
    def update(self) -> CaseUpdate:
        return CaseUpdate(self.row.case_link.case_id, self.send)

    @property
    def conditional_update(self) -> CaseUpdate:
        return replace(self.update, unmodified_since=self.modified)


class Endings:
    """Settles rows, each only while we hold it. ``counts`` says what became of them.

    The keys of ``counts`` are the fields of ``pushing.Delivery``.
    """

    def __init__(self, terms: Terms, delay: Callable[[int], timedelta]) -> None:
        """``delay`` returns the wait after so many attempts."""
        self.counts: Counter[str] = Counter()
        self._terms = terms
        self._delay = delay

    def hold(
        self,
        row: WriteBack,
        because: WriteBack.Hold,
        full: Mapping[str, FieldValue],
        detail: str = "",
    ) -> None:
        """Let a row wait for a person to change something."""
        self.counts["held"] += WriteBack.objects.settle(
            row,
            due_at=None,
            held_because=because,
            hold_detail=detail,
            fields=dict(full),
            attempts=0,
        )

    def end(self, row: WriteBack, count: str, outcome: WriteBack.Outcome, **more: Any) -> bool:
        """End a row, counted as ``count``; return False where it is no longer ours."""
        is_ended = WriteBack.objects.settle(
            row, ended_at=leases.now(), due_at=None, outcome=outcome, **more
        )
        self.counts[count] += is_ended
        return is_ended

    def end_gone(self, row: WriteBack) -> None:
        if self.end(row, "gone", Outcome.GONE):
            CaseLink.objects.mark_gone([row.case_link.case_id], leases.now())

    def end_unwritten(
        self, candidate: Candidate, step: Step, current: Mapping[str, FieldValue]
    ) -> None:
        """End a row that needs no write; what stands in the reason fields is ours."""
        if step is Step.LANDED:
            self.end_written(candidate)
            return
        row = candidate.row
        if self.end(
            row, "unchanged", Outcome.UNCHANGED, fields=dict(candidate.full), sent_fields={}
        ):
            ours = {
                name: value
                for name, value in current.items()
                if self._terms.slots[name] in REASON_SLOTS and not is_blank(value)
            }
            self._remember(row, ours)

    def wait(self, row: WriteBack, span: timedelta) -> None:
        """Let a row that nothing is wrong with wait a moment, as if it had not been claimed."""
        self.counts["retried"] += WriteBack.objects.settle(
            row, due_at=leases.now() + span + MOMENT, attempts=F("attempts") - 1
        )

    def end_written(self, candidate: Candidate, gap: timedelta | None = None) -> None:
        """End a row that arrived. ``gap``: since we looked, where nothing else protected."""
        row = candidate.row
        fields: dict[str, Any] = {"fields": dict(candidate.full)}
        if gap is not None:
            fields["gap_ms"] = round(gap.total_seconds() * 1000)
        if candidate.send:
            fields["sent_fields"] = dict(candidate.send)
        if WriteBack.objects.settle_written(row, leases.now(), **fields):
            self.counts["written"] += 1
            material = {
                name: value
                for name, value in candidate.wanted.items()
                if self._terms.slots[name] in MATERIAL_SLOTS
            }
            self._remember(row, material)

    def cede(self, candidate: Candidate, plan: Plan, current: Mapping[str, FieldValue]) -> None:
        """Leave the Case to the person whose word stands there, and remember that word."""
        row, link = candidate.row, candidate.row.case_link
        if not self.end(row, "ceded", Outcome.CEDED, fields=dict(candidate.full)):
            return
        CaseLink.objects.filter(pk=link.pk, ceded_at=None).update(ceded_at=leases.now())
        _forget_unanswered(row)
        self._hear(link, candidate, plan, current)

    def end_failed(self, candidate: Candidate, result: UpdateResult) -> None:
        """Settle a row that Salesforce refused: later again, or given up."""
        row, code = candidate.row, result.error_code
        if code in GONE:
            self.end_gone(row)
        elif code in BUSY | PASSING:
            self.put_off(row, result)
        elif code in FIELD and result.error_fields:
            FieldMapping.objects.refuse(result.error_fields, code, leases.now())
            self.put_off(row, result)
        elif code == RESTRICTED and not _is_believed(row):
            self.put_off(row, result)  # a newer description will show what is missing
        else:
            self._give_up(row, result)

    def _hear(
        self,
        link: CaseLink,
        candidate: Candidate,
        plan: Plan,
        current: Mapping[str, FieldValue],
    ) -> None:
        terms = self._terms
        slots: dict[str, Slot] = {name: terms.slots[name] for name in plan.foreign}
        word = said(current, slots, terms.book)
        ours = to_fields(candidate.decided, terms.mapping, terms.book, Mode.AUTOMATIC)
        heard = Feedback.objects.filter(thread=link.case_id, source=Feedback.Source.SALESFORCE)
        if heard.exclude(person="").filter(said_value=word.value).exists():
            return  # by name already: from the field history, a moment ago
        agrees = bool(word.value) and is_same(
            slots[word.field], ours.get(word.field), current[word.field]
        )
        Feedback.objects.hear(
            thread=link.case_id,
            verdict=Feedback.Verdict.CONFIRMED if agrees else Feedback.Verdict.CORRECTED,
            source=Feedback.Source.SALESFORCE,
            said_at=leases.now(),
            categories=list(Category.objects.filter(code=word.code)) if word.code else [],
            said_value=word.value,
            reference=reference_of(link.case_id, word.field, word.value),
        )

    def put_off(self, row: WriteBack, result: UpdateResult) -> None:
        """Let a row wait for what will pass; after a day it is given up."""
        moment = leases.now()
        is_old = row.error_code == result.error_code  # a day of outages is no day of locks
        first_failed_at = (row.first_failed_at if is_old else None) or moment
        if moment - first_failed_at >= PATIENCE:
            self._give_up(row, result)
            return
        self.counts["retried"] += WriteBack.objects.settle(
            row,
            due_at=moment + self._delay(row.attempts),
            first_failed_at=first_failed_at,
            sent_fields={},
            **_error(result),
        )

    def _give_up(self, row: WriteBack, result: UpdateResult) -> None:
        self.end(row, "failed", Outcome.DEAD, sent_fields={}, **_error(result))

    def _remember(self, row: WriteBack, ours: Mapping[str, FieldValue]) -> None:
        """Keep what the Case now shows of us; attempts without an answer no longer matter."""
        link = row.case_link
        link.delivered = {**link.delivered, **ours}
        CaseLink.objects.filter(pk=link.pk).update(delivered=link.delivered)
        _forget_unanswered(row)


def _forget_unanswered(row: WriteBack) -> None:
    others = WriteBack.objects.unanswered([row.case_link_id]).exclude(pk=row.pk)
    others.update(sent_fields={})


def _is_believed(row: WriteBack) -> bool:
    """Return whether a description newer than the row's first failure still has the value.

    Then it is the Case's record type that refuses it, and waiting will not help.
    """
    failed_at = row.first_failed_at
    return failed_at is not None and leases.now() - failed_at > 2 * BELIEF


def _error(result: UpdateResult) -> dict[str, str]:
    """Return what is kept of a refusal; its words carry no value (``errors.row_words``)."""
    return {"error_code": result.error_code[:80], "error_text": result.error_text[:1000]}


def reference_of(case_id: str, field: str, value: str) -> str:
    """Return what makes the same word on the same Case count once, where nobody knows whose."""
    return f"{case_id}:{field}:{sha256(value.encode()).hexdigest()[:16]}"
