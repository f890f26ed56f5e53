"""Receiving: a conversation's words arrive, are redacted, and wait for a decision."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.db import IntegrityError, transaction

from classifier.engine.errors import TranscriptTooLarge
from classifier.engine.intake import admitted, cleaned
from classifier.engine.redaction import redact
from classifier.engine.text import Speaker, Turn
from classifier.engine.text import Transcript as Words
from classifier.models import Decision, Transcript
from classifier.models.transcript import (
    FACET_CHARACTERS,
    THREAD_CHARACTERS,
    digest,
    to_rows,
)

CHANNEL_CHARACTERS = 40
LANGUAGE_CHARACTERS = 16
MOMENTS = list(Transcript.Moment.values)
"""In the order in which a conversation goes through them."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One conversation as its system tells it, not yet cleaned or redacted.

    ``thread`` (1 to 64 characters) names it there; ``moment`` is a ``Transcript.Moment``;
    ``contacted_at`` is when the customer first wrote or called; ``context`` is whatever else is
    known, name → value.
    """

    thread: str
    turns: tuple[Turn, ...]
    moment: str = Transcript.Moment.OPENED
    channel: str = ""
    language: str = ""
    product: str = ""
    queue: str = ""
    team: str = ""
    contacted_at: datetime | None = None
    context: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 < len(self.thread) <= THREAD_CHARACTERS:
            raise ValueError(f"a thread is named by 1 to {THREAD_CHARACTERS} characters")
        if self.moment not in MOMENTS:
            raise ValueError(f"{self.moment!r} is not a moment: write one of {MOMENTS}")


class Receipt(StrEnum):
    """What an arrival meant to us."""

    NEW = "new"
    """A thread we did not know; waits for a decision."""
    CHANGED = "changed"
    """The customer said something new; waits for a decision."""
    MOVED = "moved"
    """No new word of the customer, but first reply or closing came; waits for a decision."""
    WORDS_ONLY = "words_only"
    """Others said something: kept as a new version, no reason to decide again."""
    UNCHANGED = "unchanged"
    """We know all of it; nothing was stored."""
    REFUSED = "refused"
    """Words that nobody can classify (far too many): kept as a row without words, and decided
    by an abstention, so that a person looks."""


def receive_transcript(arrival: Arrival, *, at: datetime) -> Receipt:
    """Store what is new in ``arrival``, redacted, and return what it meant.

    ``at`` is the time of receipt. The older version of the thread is superseded in the same
    transaction (the caller's, where there is one). Receiving the same twice, also at the same
    time in two processes, stores it once.
    """
    version = _version(arrival, at)
    try:
        with transaction.atomic():
            return _supersede(version, at)
    except IntegrityError:
        # Another process stored this thread's first version between our look and our insert.
        with transaction.atomic():
            return _supersede(version, at)


def _version(arrival: Arrival, at: datetime) -> Transcript:
    """Return the row that the arrival would become, not saved."""
    turns, refused = arrival.turns, ""
    try:
        turns = admitted(Words(turns)).turns
    except TranscriptTooLarge as error:
        refused = error.code
    return Transcript(
        thread=arrival.thread,
        moment=arrival.moment,
        turns=[] if refused else to_rows(turns),  # what is not redacted is not stored
        digest=digest(turns),
        customer_digest=digest([turn for turn in turns if turn.speaker is Speaker.CUSTOMER]),
        channel=cleaned(arrival.channel)[:CHANNEL_CHARACTERS],
        language=cleaned(arrival.language)[:LANGUAGE_CHARACTERS],
        product=cleaned(arrival.product)[:FACET_CHARACTERS],
        queue=cleaned(arrival.queue)[:FACET_CHARACTERS],
        team=cleaned(arrival.team)[:FACET_CHARACTERS],
        contacted_at=arrival.contacted_at,
        context={name: redact(cleaned(value)).text for name, value in arrival.context.items()},
        received_at=at,
        refused=refused,
    )


def _supersede(version: Transcript, at: datetime) -> Receipt:
    known = (
        Transcript.objects.current()
        .select_for_update()
        .filter(thread=version.thread)
        .defer("turns", "context")
        .first()
    )
    receipt = _receipt(known, version)
    if receipt is Receipt.UNCHANGED:
        return receipt
    if known is not None:
        Transcript.objects.filter(pk=known.pk).update(superseded_at=at)
    # A version that still waits hands its waiting on to the next.
    is_settled = receipt is Receipt.WORDS_ONLY and known is not None and not known.is_waiting
    version.decided_at = at if is_settled else None
    version.save(force_insert=True)
    if version.refused:
        _abstain(version, at)
        return Receipt.REFUSED
    return receipt


def _receipt(known: Transcript | None, version: Transcript) -> Receipt:
    if known is None:
        return Receipt.NEW
    if version.customer_digest != known.customer_digest:
        return Receipt.CHANGED
    if MOMENTS.index(version.moment) > MOMENTS.index(known.moment):
        return Receipt.MOVED
    return Receipt.UNCHANGED if version.digest == known.digest else Receipt.WORDS_ONLY


def _abstain(version: Transcript, at: datetime) -> None:
    Transcript.objects.filter(pk=version.pk).update(decided_at=at)
    Decision.objects.abstain(version, doubt=version.refused, at=at)
