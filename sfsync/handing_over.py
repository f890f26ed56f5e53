"""Handing over: a Flow asks why a customer wrote, and writes the answer into the Case itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Prefetch

from classifier import deciding, leases
from classifier.engine.text import Turn
from classifier.models import Decision, DecisionReason, Transcript
from classifier.models.model_version import LARGE_OF_MODEL
from classifier.receiving import Arrival, receive_transcript
from sfsync.cases import FieldValue
from sfsync.decided import to_decided
from sfsync.field_map import Decided, to_fields, writable
from sfsync.models import CaseLink, WriteBack
from sfsync.terms import Terms

VERIFIED_AFTER = timedelta(minutes=5)
"""A callout may take two minutes, and the Flow's transaction must be over."""
TOGETHER = timedelta(minutes=5)
"""All that was handed over in so long is looked at in one call."""


WITH_CATEGORIES = DecisionReason.objects.select_related("category__parent__parent__parent")


@dataclass(frozen=True, slots=True)
class ToldCase:
    """What a Flow tells of a Case; not yet cleaned or redacted."""

    case_id: str
    """18 characters."""
    turns: tuple[Turn, ...]
    origin: str = ""
    record_type: str = ""


@dataclass(frozen=True, slots=True)
class HandedOut:
    """What a Flow is to write."""

    decision: Decision | None
    """None: another worker decides it at this moment."""
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    """Case field → value; empty: write nothing."""
    slots: Mapping[str, FieldValue] = field(default_factory=dict)
    """The same by what it is (``Slot``)."""
    why_not: str = ""
    """Why there is nothing to write, as a sentence."""


def hand_over(told: ToldCase) -> HandedOut:
    """Decide about a Case that a Flow tells of, and return what the Flow may write itself.

    The words are stored under the Case's thread, so that the pull knows them; of a Case whose
    words we have, they are not: pulled ones are complete. The write-back is kept as an attempt
    whose outcome nobody knows: some minutes later the Case is looked at, and written where the
    Flow failed to. What a person set is never handed over.
    """
    at = leases.now()
    with transaction.atomic():  # one commit for what is one step
        link = _link(told)
        _receive(told, at)
        waiting = Transcript.objects.waiting().filter(thread=told.case_id)
        mine = leases.take(waiting, limit=1)
    if mine:
        deciding.decide_claimed(mine)
    decision = _standing(told.case_id)
    if decision is None:
        return HandedOut(None, why_not="The Case is being decided; it will be written by us.")
    terms = Terms.now()
    decided = to_decided(decision, terms.book)
    if why_not := _obstacle(decision, decided, link, terms):
        return HandedOut(decision, why_not=why_not)
    mapping = writable(terms.mapping)
    fields = to_fields(decided, mapping, terms.book, terms.mode_of(decided))
    if not fields:
        return HandedOut(decision, why_not="There is nothing to write about it.")
    full = terms.would_write(decided)
    if why_not := _keep_attempt(decision, link, fields, full, at):
        return HandedOut(decision, why_not=why_not)
    slots = {row.slot: fields[row.field] for row in mapping if row.field in fields}
    return HandedOut(decision, fields, slots)


def _link(told: ToldCase) -> CaseLink:
    known = {"origin": told.origin[:80], "record_type": told.record_type[:80]}
    fresh = CaseLink(case_id=told.case_id, **known)
    CaseLink.objects.bulk_create([fresh], ignore_conflicts=True)  # known already: as it is
    return CaseLink.objects.get(case_id=told.case_id)


def _receive(told: ToldCase, at: datetime) -> None:
    if Transcript.objects.current().filter(thread=told.case_id).exists():
        return
    context = {"record_type": told.record_type, "origin": told.origin}
    arrival = Arrival(
        thread=told.case_id,
        turns=told.turns,
        channel=told.origin,
        contacted_at=at,
        context={name: value for name, value in context.items() if value},
    )
    receive_transcript(arrival, at=at)


def _standing(case_id: str) -> Decision | None:
    return (
        Decision.objects.standing()
        .filter(thread=case_id)
        .select_related("category__parent__parent__parent", "transcript", "model_version")
        .defer(*(f"model_version__{name}" for name in LARGE_OF_MODEL))
        .prefetch_related(Prefetch("reasons", WITH_CATEGORIES))
        .first()
    )


def _obstacle(decision: Decision, decided: Decided, link: CaseLink, terms: Terms) -> str:
    """Return why nothing may be written, empty where it may."""
    if link.ceded_at is not None or decision.source == Decision.Source.PERSON:
        return "A person has said what this Case is about."
    if link.gone_at is not None:
        return "This Case is deleted in Salesforce."
    if terms.connection.paused_at is not None:
        return "All writing is paused."
    hold = terms.hold_of(decided, link)
    return f"Held back: {hold.label}." if hold else ""


def _keep_attempt(
    decision: Decision,
    link: CaseLink,
    fields: Mapping[str, FieldValue],
    full: Mapping[str, FieldValue],
    at: datetime,
) -> str:
    """Note, before the Flow has it, what it is given; else return why it must not write."""
    noted = {
        "sent_fields": dict(fields),
        "fields": dict(full),
        "due_at": _looked_at(at),
        "handed_at": at,
    }
    with transaction.atomic():
        # Whoever stamps the decision stages it: we, or the station.
        unstaged = Decision.objects.filter(pk=decision.pk, staged_at=None)
        row = None
        if not unstaged.update(staged_at=at):
            row = WriteBack.objects.select_for_update().filter(decision=decision).first()
        if row is None:
            WriteBack.objects.filter(case_link=link).supersede(at)
            WriteBack.objects.create(case_link=link, decision=decision, staged_at=at, **noted)
            return ""
        if why_not := _under_way(row, at):
            return why_not
        WriteBack.objects.filter(pk=row.pk).update(held_because="", hold_detail="", **noted)
        return ""


def _under_way(row: WriteBack, at: datetime) -> str:
    """Return why a write-back that exists cannot be left to a Flow, empty where it can."""
    if row.ended_at is not None:
        # Not a second time: a person may have changed it since, and we have not heard yet.
        return "It was written before."
    if row.leased_until is not None and row.leased_until >= at:
        return "It is being written by us at this moment."
    if row.held_because in {WriteBack.Hold.PICKLIST, WriteBack.Hold.FIELD}:
        return f"Held back: {row.get_held_because_display()}."
    return ""


def _looked_at(at: datetime) -> datetime:
    """Return when the Case is looked at: together with others, so that it costs one call."""
    earliest = at + VERIFIED_AFTER
    begun = earliest.replace(minute=0, second=0, microsecond=0)
    steps = -((earliest - begun) // -TOGETHER)
    return begun + steps * TOGETHER
