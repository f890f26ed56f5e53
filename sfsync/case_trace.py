"""The time of a Case in each tray: what was done when, how long it waited, where it waits now."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from classifier.models import Decision, Transcript
from sfsync.models import CaseLink, WriteBack


@dataclass(frozen=True, slots=True)
class Step:
    """One station of a Case's way."""

    name: str
    """For programs: noticed, read, decided, staged, sent, confirmed."""
    words: str
    at: datetime | None
    """None: it waits for this; or it never came to it."""
    waited: timedelta | None = None
    """Since the station before; up to now where it waits here."""
    waits_here: bool = False


WORDS = {
    "noticed": "Change noticed",
    "read": "Words read",
    "decided": "Decided",
    "staged": "Taken over for writing",
    "sent": "Written to Salesforce",
    "confirmed": "Seen in Salesforce",
}


def trace_of(
    link: CaseLink,
    transcript: Transcript | None,
    decision: Decision | None,
    write_back: WriteBack | None,
    moment: datetime,
) -> list[Step]:
    """Return the way of ``transcript``, in order, up to ``moment``.

    A step that came before the one it follows (a person decided before the words were read
    again) waited for nothing. After an end that is none of writing, no later step waits.
    """
    stamps: list[tuple[str, datetime | None]] = [
        ("noticed", _noticed_at(link, transcript)),
        ("read", transcript.received_at if transcript else None),
        ("decided", decision.decided_at if decision else None),
        ("staged", write_back.staged_at if write_back else None),
        ("sent", _sent_at(write_back)),
        ("confirmed", write_back.confirmed_at if write_back else None),
    ]
    is_over = _is_over(link, write_back)
    return list(_steps(stamps, moment, is_over=is_over))


def load_trace(link: CaseLink, moment: datetime) -> list[Step]:
    """Return the trace of one Case, in two queries."""
    words = Transcript.objects.current().filter(thread=link.case_id)
    newest = words.defer("turns", "context").first()
    if newest is not None and newest.is_waiting:
        return trace_of(link, newest, None, None, moment)
    standing = Decision.objects.standing().filter(thread=link.case_id)
    decision = (
        standing.select_related("write_back", "transcript")
        .defer("transcript__turns", "transcript__context")
        .first()
    )
    decided_on = decision.transcript if decision else newest
    write_back = getattr(decision, "write_back", None)
    return trace_of(link, decided_on, decision, write_back, moment)


def _steps(
    stamps: Iterable[tuple[str, datetime | None]], moment: datetime, *, is_over: bool
) -> Iterable[Step]:
    last: datetime | None = None
    has_waited = is_over
    for name, at in stamps:
        if at is None and last is not None and not has_waited:
            has_waited = True
            yield Step(name, WORDS[name], None, moment - last, waits_here=True)
            continue
        waited = max(at - last, timedelta(0)) if at and last else None
        yield Step(name, WORDS[name], at, waited)
        last = max(filter(None, (at, last)), default=None)


def _noticed_at(link: CaseLink, transcript: Transcript | None) -> datetime | None:
    """Return since when these words waited to be read; None where later ones came since."""
    if transcript is None:
        return link.read_due_at
    noticed_at = link.noticed_at
    return noticed_at if noticed_at and noticed_at <= transcript.received_at else None


def _sent_at(row: WriteBack | None) -> datetime | None:
    return row.ended_at if row and row.outcome == WriteBack.Outcome.DELIVERED else None


def _is_over(link: CaseLink, row: WriteBack | None) -> bool:
    if link.gone_at is not None or link.ceded_at is not None:
        return True
    return row is not None and row.outcome not in {"", WriteBack.Outcome.DELIVERED}
