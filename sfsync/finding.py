"""Finding what changed: window after window, up to where Salesforce says it is complete."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from classifier import leases
from sfsync.budget import Limits
from sfsync.cases import Changes, Stamp
from sfsync.errors import LimitExceeded, RecordGone, SalesforceRejected
from sfsync.gateway import SalesforceGateway
from sfsync.models import CaseLink, Connection, Watermark
from sfsync.parting import note_gone
from sfsync.sources import SourceReader, Watched

CASE = "Case"
OVERLAP = timedelta(minutes=10)
"""Asked for again at each pull: a transaction stamps its rows before it commits them. As long
as Airbyte's default, on top of what ``latestDateCovered`` already holds back."""
RECENT = timedelta(days=1)
"""So far back we let Salesforce list what changed; it would list 30 days."""
ROWS_AT_ONCE = 20_000
"""A part that is found, marked and committed within seconds: ten pages of a query."""
DELETIONS_LISTED = timedelta(days=14)
MINUTE = timedelta(minutes=1)
NO_PAUSE = timedelta(0)
PULL = timedelta(seconds=30)
"""How often the timetable pulls; a longer pause only is one."""
LONGEST_REST = timedelta(minutes=5)
"""Of what has been quiet for long, while all is."""
LONGEST_REST_AWAKE = timedelta(minutes=2)
"""Of what has been quiet for long, while Cases change."""
ASKED_ALWAYS = 4
"""Cases, e-mails, comments and messaging, where nobody changed the sources' intervals."""
LONGEST_STRETCH = timedelta(minutes=30)
HOUR = timedelta(hours=1)
HOURLY_SHARE = 0.5
"""Of an hour's budget of calls the questions what is new take so much at most."""
SETTLED = timedelta(seconds=5)
"""Stamps are whole seconds: a record may change again within the one that we saw."""
BAD_WINDOW = "INVALID_REPLICATION_DATE"


class NotListed(Exception):
    """Salesforce does not list what changed: not of this object, or not so far back."""


def find_changes(
    gateway: SalesforceGateway,
    readers: Iterable[SourceReader],
    *,
    pauses: Mapping[str, timedelta] | None = None,
    at_most: int = ROWS_AT_ONCE,
) -> int:
    """Mark every Case that changed, or whose e-mails, comments … did; return how many.

    Each object has its own watermark, since a new e-mail need not touch its Case. One that
    another worker is pulling right now is left to it. Long spans are gone through in parts of
    ``at_most`` rows, the watermark moving on after each, so that a first pull that is
    interrupted goes on where it was. ``pauses``: source code → how long after one question
    its object rests before the next.
    """
    changed: set[str] = set()
    for watched in _awake(gateway, list(readers), pauses or {}):
        with _claimed(watched.sobject) as watermark:
            if watermark is not None:
                for part in _parts(gateway, watermark, watched, at_most):
                    changed |= _note(watermark, part, gateway.now())
    return len(changed)


def _awake(
    gateway: SalesforceGateway, readers: Sequence[SourceReader], pauses: Mapping[str, timedelta]
) -> list[Watched]:
    """Return what is asked for now: each object after its pause, which grows while it is quiet.

    Several sources may watch one object; the most eager sets its pace. A Case that waits to be
    read (a door rang) wakes all.
    """
    objects = {CASE: Watched(CASE, "Id")}
    pause = {CASE: NO_PAUSE}
    for reader in readers:
        watched, wanted = reader.watched, pauses.get(reader.code, NO_PAUSE)
        known = objects.get(watched.sobject)
        objects[watched.sobject] = known.along_with(watched) if known else watched
        pause[watched.sobject] = min(pause.get(watched.sobject, wanted), wanted)
    asked = {mark.sobject: mark for mark in Watermark.objects.filter(sobject__in=objects)}
    now = gateway.now()
    least = _least_pause(pause.values())
    longest = _longest_rest(asked.get(CASE), now)

    def rests(mark: Watermark) -> bool:
        wanted = max(pause[mark.sobject], least)
        return mark.is_resting(mark.rest(wanted, longest, now), now)

    return [
        watched
        for sobject, watched in objects.items()
        if sobject not in asked or not rests(asked[sobject])
    ]


def _longest_rest(cases: Watermark | None, now: datetime) -> timedelta:
    if CaseLink.objects.due(leases.now()).exists():
        return NO_PAUSE
    is_awake = cases is None or cases.rest(NO_PAUSE, LONGEST_REST, now) == NO_PAUSE
    return LONGEST_REST_AWAKE if is_awake else LONGEST_REST


def _least_pause(pauses: Iterable[timedelta]) -> timedelta:
    """Return the pause with which these questions, and that for deletions, fit the budget."""
    hour = HOURLY_SHARE * Limits.of(Connection.current()).hour
    wanted = [max(pause, PULL) for pause in (*pauses, NO_PAUSE)]
    least = PULL
    while least < LONGEST_STRETCH and sum(HOUR / max(one, least) for one in wanted) > hour:
        least += PULL
    return least if least > PULL else NO_PAUSE


def find_deleted(gateway: SalesforceGateway) -> int:
    """Note which known Cases were deleted since we last asked; return how many."""
    with _claimed(CASE) as watermark:
        if watermark is None or _deletions_rest(watermark, gateway.now()):
            return 0
        return _find_deleted(gateway, watermark)


def _deletions_rest(watermark: Watermark, now: datetime) -> bool:
    """Return whether deletions were asked for a short while ago, as quiet as the Cases are."""
    least = _least_pause([NO_PAUSE] * ASKED_ALWAYS)
    rest = watermark.rest(least, _longest_rest(watermark, now), now)
    known = watermark.deletions_asked_at
    return known is not None and now - rest < known <= now


@contextmanager
def _claimed(sobject: str) -> Iterator[Watermark | None]:
    watermark = Watermark.claim(sobject)
    if watermark is None:
        yield None
        return
    try:
        with leases.kept([watermark]):  # a first pull of 30 days may take minutes
            yield watermark
    finally:
        watermark.release()


@dataclass(frozen=True, slots=True)
class Part:
    """What changed in one span of time, and up to when that is complete."""

    stamps: list[Stamp]
    covered_until: datetime


def _note(watermark: Watermark, part: Part, now: datetime) -> set[str]:
    """Mark the Cases of a part, then move the watermark; return their ids."""
    known = watermark.seen
    fresh = {one.case_id for one in part.stamps if known.get(one.record_id) != _key(one)}
    CaseLink.objects.mark_due(fresh, leases.now())
    again_from = part.covered_until - OVERLAP - MINUTE
    seen = {
        one.record_id: _key(one)
        for one in part.stamps
        if again_from <= one.modstamp < now - SETTLED
    }
    watermark.advance(part.covered_until, seen=seen, at=now, has_news=bool(fresh))
    return fresh


def _parts(
    gateway: SalesforceGateway, watermark: Watermark, watched: Watched, at_most: int
) -> Iterator[Part]:
    """Yield what changed since the watermark: a recent change as Salesforce lists it.

    What lies further back, or is not listed, is queried: a query gives 2,000 rows a call,
    ids that were listed 400.
    """
    sobject, field, only = watched.sobject, watched.case_field, watched.only
    now = gateway.now()
    start = _start(watermark, now)
    if watched.is_listed and watermark.covered_until is not None and now - start < RECENT:
        with suppress(NotListed):
            changes = _listed(gateway, sobject, lambda _: start)
            stamps = gateway.stamps(sobject, changes.ids, field, only)
            yield Part(watched.stamps_of_cases(gateway, stamps), changes.covered_until)
            return
    covered_until = now
    if watched.is_listed:
        with suppress(NotListed):
            # Asked before the rows: what commits in between is asked for again next time.
            covered_until = _listed(gateway, sobject, lambda now: now - OVERLAP).covered_until
    ask = partial(gateway.stamps_between, sobject, field, only=only)
    for part in _queried(ask, start, now, at_most, covered_until):
        yield Part(watched.stamps_of_cases(gateway, part.stamps), part.covered_until)


def _queried(
    ask: Callable[..., list[Stamp]],
    start: datetime,
    now: datetime,
    at_most: int,
    covered_until: datetime,
) -> Iterator[Part]:
    """Yield spans of at most ``at_most`` rows from ``start`` on, the last one open-ended."""
    spans: list[tuple[datetime, datetime | None]] = [(start, None)]
    while spans:
        begin, end = spans.pop()
        middle = begin + ((end or now) - begin) / 2
        is_divisible = middle - begin > MINUTE
        try:
            stamps = ask(begin, end, at_most=at_most if is_divisible else None)
        except LimitExceeded:
            spans.extend([(middle, end), (begin, middle)])
            continue
        yield Part(stamps, min(end or covered_until, covered_until))


def _start(watermark: Watermark, now: datetime) -> datetime:
    if watermark.covered_until is None:
        return now - timedelta(days=Connection.current().first_pull_days)
    return watermark.covered_until - OVERLAP


def _listed(
    gateway: SalesforceGateway, sobject: str, start_at: Callable[[datetime], datetime]
) -> Changes:
    """Return the ids that Salesforce lists up to now.

    Raises:
        NotListed: it does not list this object, or not so far back.
    """
    try:
        return _up_to_now(gateway, start_at, partial(gateway.changed, sobject))
    except SalesforceRejected as error:
        if error.code == BAD_WINDOW or isinstance(error, RecordGone):
            raise NotListed from error
        raise


def _find_deleted(gateway: SalesforceGateway, watermark: Watermark) -> int:
    known = watermark.deleted_until

    def start_at(now: datetime) -> datetime:
        return max((known or now) - OVERLAP, now - DELETIONS_LISTED)

    changes = _up_to_now(gateway, start_at, partial(gateway.deleted, CASE))
    news = CaseLink.objects.still_thought_there(changes.ids)
    in_the_bin = gateway.in_the_bin(news) if news else {}
    with transaction.atomic():
        gone = note_gone(news, in_the_bin, leases.now())
    watermark.advance_deleted(changes.covered_until, at=gateway.now())
    return gone


def _up_to_now(
    gateway: SalesforceGateway,
    start_at: Callable[[datetime], datetime],
    ask: Callable[[datetime, datetime], Changes],
) -> Changes:
    """Ask up to and with the present minute, whose seconds Salesforce cuts off.

    The window ends a little in the future, or a Case would come up to a minute late; the
    watermark never does. Every answer, a refusal too, tells the org's time anew: where our
    notion of it proves old, or the org wants no window into the future, ask once more.
    """
    end = _end(gateway.now())
    try:
        changes = ask(start_at(gateway.now()), end)
        if gateway.now() >= end:
            changes = ask(start_at(gateway.now()), _end(gateway.now()))
    except SalesforceRejected as error:
        if error.code != BAD_WINDOW:
            raise
        changes = ask(start_at(gateway.now()), gateway.now())
    return Changes(changes.ids, min(changes.covered_until, gateway.now()))


def _end(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0) + 2 * MINUTE


def _key(stamp: Stamp) -> str:
    return stamp.modstamp.isoformat()
