"""Hearing: what people changed in the reason fields of Cases becomes feedback."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from classifier import leases
from classifier.models import Category, Decision, Feedback, Transcript
from sfsync import tracking
from sfsync.calls import Purpose, under
from sfsync.cases import FieldChange, FieldValue, User
from sfsync.changed_fields import Change, Spoken, changes_of, is_automation, spoken
from sfsync.endings import reference_of
from sfsync.errors import LimitExceeded, SalesforceRejected
from sfsync.field_map import REASON_SLOTS
from sfsync.finding import CASE
from sfsync.gate import closed_until
from sfsync.gateway import SalesforceGateway
from sfsync.handed_over import HandedOver
from sfsync.models import CaseEvent, CaseLink, Connection, Notice, Watermark
from sfsync.terms import Terms

logger = logging.getLogger(__name__)

HISTORY = "CaseHistory"
OVERLAP = timedelta(minutes=10)
"""Asked for again each time, as when pulling: rows are stamped before they are committed."""
WAITS_FOR_CASE = timedelta(hours=1)
"""So long a change of a Case that is not pulled yet is asked for again."""
ROWS_AT_ONCE = 20_000
CASES_AT_ONCE = 200
NO_PAUSE, LONGEST_REST = timedelta(0), timedelta(minutes=5)
"""A quiet night costs few questions; who changes a reason then is heard five minutes later."""
SHORTEST_SPAN = timedelta(minutes=1)
UNREADABLE = "history-unreadable"

SALESFORCE = Feedback.Source.SALESFORCE
Verdict = Feedback.Verdict


def hear_changes(gateway: SalesforceGateway, *, at_most: int = ROWS_AT_ONCE) -> int:
    """Read the field history of Cases since the last time; return how many words were heard.

    A person's change of a mapped reason field is their word: kept once, standing as a
    decision, and the Case is theirs from then on. What we wrote ourselves is none; what an
    automation wrote is none either, but it is left alone as well. Nothing is asked while our
    budget of API calls has nothing left for it, or while another worker hears.

    Raises:
        SalesforceError: nothing was lost; the next time asks again. A notice tells of what an
            operator must mend.
    """
    if closed_until(Purpose.SCAN, leases.now()):
        return 0
    watermark = Watermark.claim(HISTORY)
    if watermark is None:
        return 0
    if _rests(watermark):
        watermark.release()
        return 0
    try:
        with leases.kept([watermark]), under(Purpose.SCAN), _told():
            ear = _Ear(gateway, Connection.pin(gateway.identity()), Terms.now())
            return ear.hear(watermark, at_most)
    finally:
        watermark.release()


def _rests(watermark: Watermark) -> bool:
    """Return whether nothing was heard for long, and the org was asked a short while ago."""
    moment = leases.now()
    return watermark.is_resting(watermark.rest(NO_PAUSE, LONGEST_REST, moment), moment)


@dataclass(frozen=True)
class _Batch:
    """What was looked up, before anything is written, for some Cases' changes."""

    links: Mapping[str, CaseLink]
    users: Mapping[str, User]
    present: Mapping[str, Mapping[str, FieldValue]]
    """Case id → its reason fields now."""


class _Ear:
    """One run: whom we listen to, and under which mapping."""

    def __init__(
        self, gateway: SalesforceGateway, connection: Connection, terms: Terms
    ) -> None:
        self._gateway = gateway
        self._connection = connection
        self._book = terms.book
        self._ours: set[tuple[str, str]] = set()
        """Case and field whose last change in the history is our own."""
        self._slots = {name: slot for name, slot in terms.slots.items() if slot in REASON_SLOTS}

    def hear(self, watermark: Watermark, at_most: int) -> int:
        """Hear what was said since ``watermark``, moving it on part by part."""
        if not self._slots:
            return 0
        heard, now = 0, self._gateway.now()
        start = _start(watermark, self._connection, now)
        for rows, covered_until in self._parts(start, now, at_most):
            tracking.tell(self._slots, rows, since=start, until=covered_until)
            changes = changes_of(rows)
            theirs = [one for one in changes if one.by != self._connection.user_id]
            self._ours = {
                (one.case_id, name)
                for one in changes
                if one.by == self._connection.user_id
                for name in one.final
            }
            for portion in _portions(theirs):
                heard += self._hear_portion(portion)
            unknown = [change.at for change in self._unknown(theirs)]
            waits = [at for at in unknown if at > now - WAITS_FOR_CASE]
            covered = min([covered_until, *waits, *_complete_until()])
            watermark.advance(covered, seen={}, at=leases.now(), has_news=bool(changes))
        if heard:
            logger.info("heard=%d", heard)
        return heard

    def _parts(
        self, start: datetime, now: datetime, at_most: int
    ) -> Iterator[tuple[list[FieldChange], datetime]]:
        """Yield the history in spans of at most ``at_most`` rows, each with its end."""
        spans: list[tuple[datetime, datetime | None]] = [(start, None)]
        while spans:
            begin, end = spans.pop()
            middle = begin + ((end or now) - begin) / 2
            is_divisible = middle - begin > SHORTEST_SPAN
            try:
                rows = self._gateway.field_changes(
                    self._slots, begin, end, at_most=at_most if is_divisible else None
                )
            except LimitExceeded:
                spans.extend([(middle, end), (begin, middle)])
                continue
            yield rows, end or now

    def _unknown(self, changes: Sequence[Change]) -> Iterator[Change]:
        """Yield the changes of Cases whose words we have not read."""
        ids = {change.case_id for change in changes}
        for portion in _listed(sorted(ids), CASES_AT_ONCE):
            ids -= _readable(portion).keys()
        return (change for change in changes if change.case_id in ids)

    def _hear_portion(self, changes: Sequence[Change]) -> int:
        """Hear what was said of some Cases; the network first, then one transaction each."""
        links = _readable({change.case_id for change in changes})
        known = Feedback.objects.filter(
            source=SALESFORCE, reference__in=[change.reference for change in changes]
        )
        references = set(known.values_list("reference", flat=True))
        fresh = [
            change
            for change in changes
            if change.case_id in links and change.reference not in references
        ]
        handed = HandedOver.to_flows(links.values())
        fresh = [change for change in fresh if not handed.wrote(change, self._slots)]
        if not fresh:
            return 0
        batch = _Batch(
            links,
            self._gateway.users({change.by for change in fresh}),
            self._gateway.field_values(
                {change.case_id for change in fresh}, self._readable_fields()
            ),
        )
        return sum(self._hear_change(change, batch) for change in fresh)

    def _readable_fields(self) -> list[str]:
        described = self._gateway.describe("Case").fields
        return [name for name in self._slots if name in described]

    def _hear_change(self, change: Change, batch: _Batch) -> bool:
        """Return whether a change was a new word of a person; what follows from it is written."""
        link, user = batch.links[change.case_id], batch.users.get(change.by)
        word = spoken(change, batch.present.get(change.case_id, {}), self._slots, self._book)
        with transaction.atomic():
            if is_automation(user, change.by, self._connection.automation_users):
                _leave_to_automation(link, change, word)
                return False
            is_overwritten = any((change.case_id, name) in self._ours for name in change.fields)
            if not (is_overwritten and word and word.codes):
                _cede(link, change)
            # Else we wrote in the moment after they saved. Their word stands as a decision, and
            # is delivered like one: so it comes back.
            if word is None:
                return False
            _keep(link, change, word, user)
        return True


def _keep(link: CaseLink, change: Change, word: Spoken, user: User | None) -> None:
    """Keep a person's word as feedback; where it names a reason of ours, it stands."""
    found = {one.code: one for one in Category.objects.filter(code__in=word.codes)}
    categories = [found[code] for code in word.codes if code in found]
    Feedback.objects.hear_named(
        nameless=_references(change, word),
        thread=link.case_id,
        verdict=_verdict(link.case_id, change.at, categories, word),
        source=SALESFORCE,
        said_at=change.at,
        categories=categories,
        said_value=word.value,
        person=change.by,
        person_name=user.name if user else "",
        reference=change.reference,
    )
    standing = Decision.objects.standing().filter(thread=link.case_id).first()
    is_newer_word = (
        standing is not None
        and standing.source == Decision.Source.PERSON
        and standing.decided_at > change.at
    )
    if categories and not is_newer_word and not _was_handed_back_since(link, change):
        Decision.objects.stand_by_person(link.case_id, categories, at=change.at)


def _verdict(
    thread: str, at: datetime, categories: Sequence[Category], word: Spoken
) -> Feedback.Verdict:
    """Return whether a word names what we had decided."""
    decided = Decision.objects.as_of(thread, at)
    if decided is None or not categories or decided.category_id != categories[0].pk:
        return Verdict.CORRECTED
    is_same = not word.names_all or set(categories) == set(decided.named)
    return Verdict.CONFIRMED if is_same else Verdict.CORRECTED


def _cede(link: CaseLink, change: Change) -> None:
    """Let the Case be theirs, unless a person has given it back to automation since."""
    given_back_before = Q(handed_back_at=None) | Q(handed_back_at__lt=change.at)
    CaseLink.objects.filter(given_back_before, pk=link.pk, ceded_at=None).update(
        ceded_at=leases.now()
    )


def _leave_to_automation(link: CaseLink, change: Change, word: Spoken | None) -> None:
    """Leave alone what another automation wrote; it is nobody's word, nothing is learnt."""
    if word is None:
        return
    if word.value:
        _cede(link, change)
        CaseEvent.objects.note(link.pk, CaseEvent.Kind.AUTOMATION, change.at)
    taken_for_a_word = Feedback.objects.filter(
        source=SALESFORCE, person="", reference__in=_references(change, word)
    )
    taken_for_a_word.withdraw(leases.now())


def _references(change: Change, word: Spoken) -> list[str]:
    """Return under which references the same word may have been found when about to write."""
    return [
        reference_of(change.case_id, field, str(value or ""))
        for field, value in word.values.items()
    ]


def _was_handed_back_since(link: CaseLink, change: Change) -> bool:
    return link.handed_back_at is not None and link.handed_back_at >= change.at


def _readable(case_ids: Sequence[str] | set[str]) -> dict[str, CaseLink]:
    """Return those of the Cases whose words we have."""
    links = CaseLink.objects.filter(case_id__in=case_ids)
    threads = Transcript.objects.current().filter(thread__in=case_ids)
    known = set(threads.values_list("thread", flat=True))
    return {link.case_id: link for link in links if link.case_id in known}


def _portions(changes: Sequence[Change]) -> Iterator[list[Change]]:
    """Yield the changes by Cases, those of one Case together and in order."""
    cases = list(dict.fromkeys(change.case_id for change in changes))
    for portion in _listed(cases, CASES_AT_ONCE):
        chosen = set(portion)
        yield [change for change in changes if change.case_id in chosen]


def _listed(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _start(watermark: Watermark, connection: Connection, now: datetime) -> datetime:
    if watermark.covered_until is None:
        return now - timedelta(days=connection.first_pull_days)
    return watermark.covered_until - OVERLAP


def _complete_until() -> Iterator[datetime]:
    """Yield up to when all changes of Cases are committed, as Salesforce told the last pull.

    A change and its history are committed together, and may be stamped long before.
    """
    pulled = Watermark.objects.filter(sobject=CASE).first()
    if pulled is not None and pulled.covered_until is not None:
        yield pulled.covered_until


@contextmanager
def _told() -> Iterator[None]:
    """Tell people where the field history cannot be read; all other trouble, pulling tells."""
    try:
        yield
    except SalesforceRejected as error:
        text = (
            f"What people change in Salesforce cannot be heard: {error} Let the integration"
            " user read Cases and their history, then run `python manage.py check_salesforce`."
        )
        Notice.raise_for(UNREADABLE, Notice.Level.WARNING, text, leases.now())
        raise
    Notice.clear(UNREADABLE, leases.now())
