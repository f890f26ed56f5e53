"""Answering rings: what reading some Cases means for the notifications about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sfsync.models import CaseLink, Doorbell

LOOKS_AFTER = tuple(timedelta(seconds=after) for after in (5, 30, 120, 360, 840))
"""When a Case whose change is not visible yet is read again, counted from the ring: five times
within a quarter of an hour, then it is left to the poll (reliability-security, F18)."""
SOONEST = timedelta(seconds=2)
SAME_CHANGE = timedelta(minutes=1)
"""A ring that does not say when the Case changed may speak of what we saw so shortly before."""
ONE_STORY = timedelta(minutes=15)
"""So far apart a ring and a change that the poll found may be and still belong together."""
FOUND_LATER = timedelta(days=1)

Heard = Doorbell.Heard


@dataclass(frozen=True, slots=True)
class Seen:
    """What one read of a Case showed."""

    modstamp: datetime | None
    """None: there was no such Case."""
    is_changed: bool
    """Whether anything of it was news to us."""
    has_news: bool = False
    """Whether its conversation was: not just a field, or our own write."""


def answer_rings(seen: Mapping[str, Seen], at: datetime) -> None:
    """Settle the rings about Cases that were just read; ``seen``: Case id → what was read.

    Costs one small query where no door is in use. Safe to repeat.
    """
    in_use_since = Doorbell.objects.first_at()
    if in_use_since is None:
        return
    _note_unrung(seen, at, in_use_since)
    open_rings = Doorbell.objects.of_cases(seen.keys(), since=at - FOUND_LATER).filter(
        heard__in=["", Heard.MISSED]
    )
    rings = list(open_rings)
    before = _seen_before({ring.case_id for ring in rings})
    changed = [case_id for case_id, one in seen.items() if one.is_changed]
    if changed:
        CaseLink.objects.filter(case_id__in=changed).update(news_at=at)
    for ring in rings:
        _answer(ring, seen[ring.case_id], before.get(ring.case_id), at)


def _seen_before(case_ids: set[str]) -> dict[str, datetime | None]:
    links = CaseLink.objects.filter(case_id__in=case_ids)
    return dict(links.values_list("case_id", "news_at"))


def _answer(ring: Doorbell, seen: Seen, known_at: datetime | None, at: datetime) -> None:
    mine = Doorbell.objects.filter(pk=ring.pk, heard=ring.heard)
    if ring.heard == Heard.MISSED:
        if seen.is_changed:
            mine.update(heard=Heard.LATER, heard_at=at)
        return
    if _is_about(ring, seen, known_at):
        how = Heard.HINT if seen.is_changed else Heard.EARLIER
        mine.update(heard=how, heard_at=at, due_at=None)
        return
    tries = ring.tries + 1
    if tries > len(LOOKS_AFTER):
        mine.update(heard=Heard.MISSED, heard_at=at, due_at=None, tries=tries)
        _forget_invented(ring.case_id)
        return
    due_at = max(at + SOONEST, ring.received_at + LOOKS_AFTER[tries - 1])
    mine.update(due_at=due_at, tries=tries)


def _is_about(ring: Doorbell, seen: Seen, known_at: datetime | None) -> bool:
    """Return whether what the ring spoke of is what we have seen by now."""
    if ring.changed_at is not None:
        return seen.modstamp is not None and seen.modstamp >= ring.changed_at
    if seen.is_changed:
        return True
    return known_at is not None and known_at >= ring.received_at - SAME_CHANGE


def _forget_invented(case_id: str) -> None:
    """Forget a Case that only rings spoke of, and that Salesforce never showed."""
    CaseLink.objects.filter(
        case_id=case_id, read_at=None, read_due_at=None, gone_at__isnull=False, write_backs=None
    ).delete()


def _note_unrung(seen: Mapping[str, Seen], at: datetime, in_use_since: datetime) -> None:
    """Remember what the poll alone found while doors were in use."""
    found = {
        case_id
        for case_id, one in seen.items()
        if one.has_news and one.modstamp is not None and one.modstamp >= in_use_since
    }
    if not found:
        return
    rung = Doorbell.objects.of_cases(found, since=at - ONE_STORY)
    found.difference_update(rung.values_list("case_id", flat=True))
    if found:
        CaseLink.objects.filter(case_id__in=found).update(found_unrung_at=at)
