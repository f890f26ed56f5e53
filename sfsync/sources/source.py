"""What every source of turns offers, and how the turns of all become one story."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from classifier.engine.text import Speaker, Turn
from sfsync.cases import CASE_PREFIX, CaseSnapshot, SourcedTurn, Stamp
from sfsync.errors import SalesforceError
from sfsync.gateway import SalesforceGateway

Row = Mapping[str, Any]
"""One record as Salesforce's JSON gives it."""
DESCRIPTION = "description"
EMAIL = "email"
SOCIAL = "social"
SAME_MESSAGE = timedelta(minutes=15)
"""The e-mail that a Case was made from was sent before it, clocks being roughly right."""
OPENERS = {EMAIL, SOCIAL}
"""Sources whose first message a Case is made from: its Description holds the same words."""
TELLING_BYTES = 24
"""Shorter words (in UTF-8, so that eight Chinese characters suffice) are said twice by chance."""


@dataclass(slots=True)
class Fetched:
    """What a source found: Case id → rows, and the Cases whose words could not be had now."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    failed: dict[str, SalesforceError] = field(default_factory=dict)

    def add(self, case_id: str, row: Row) -> None:
        self.rows.setdefault(case_id, []).append(row)


@dataclass(frozen=True, slots=True)
class Watched:
    """The object whose changes make a Case be read again."""

    sobject: str
    case_field: str
    """Its field that holds the Case's id."""
    only: str = ""
    """SOQL condition: which of its rows matter; empty: all."""
    is_listed: bool = True
    """Whether Salesforce lists its changes (getUpdated); a query finds them else."""
    cases_of: "Callable[[SalesforceGateway, Sequence[Stamp]], list[Stamp]] | None" = None
    """How stamps whose ``case_id`` is another record's lead to Cases, where one more step is
    needed."""

    def stamps_of_cases(
        self, gateway: SalesforceGateway, stamps: Sequence[Stamp]
    ) -> list[Stamp]:
        """Return only stamps that belong to Cases: a call may be about an account as well."""
        if self.cases_of is not None:
            return self.cases_of(gateway, stamps) if stamps else []
        return [stamp for stamp in stamps if stamp.case_id.startswith(CASE_PREFIX)]

    def along_with(self, other: "Watched") -> "Watched":
        """Return what finds the changes of both, which watch the same object."""
        only = self.only if self.only == other.only else ""
        return Watched(
            self.sobject,
            self.case_field,
            only,
            self.is_listed and other.is_listed,
            self.cases_of,
        )


class SourceReader(Protocol):
    """A place in Salesforce where words live."""

    @property
    def code(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def watched(self) -> Watched:
        """The object whose changes make a Case be read again."""

    @property
    def is_common(self) -> bool:
        """Whether an org without it misses something: else it is quietly off."""

    @property
    def needed(self) -> Mapping[str, tuple[str, ...]]:
        """Object → fields that our user must be able to read."""

    @property
    def text_fields(self) -> tuple[str, ...]:
        """The fields that hold the words, where they stand in the watched object itself."""

    def fetch(self, gateway: SalesforceGateway, cases: Sequence[CaseSnapshot]) -> Fetched:
        """Return the rows of these Cases; the network's part.

        Raises:
            ObjectMissing, FieldMissing: the org lacks what this source reads.
        """

    def turns(self, rows: Iterable[Row]) -> list[SourcedTurn]:
        """Return the turns of one Case's rows; pure.

        Raises:
            ValueError, KeyError, TypeError: a row that nobody can read.
        """


def ids_of(cases: Iterable[CaseSnapshot]) -> list[str]:
    return [case.case_id for case in cases]


def rows_of(
    gateway: SalesforceGateway,
    watched: Watched,
    fields: Sequence[str],
    cases: Iterable[CaseSnapshot],
) -> Fetched:
    """Return the rows of one object that hang on these Cases."""
    found = Fetched()
    for row in gateway.rows(
        watched.sobject, fields, watched.case_field, ids_of(cases), watched.only
    ):
        found.add(row[watched.case_field], row)
    return found


def merged(turns: Iterable[SourcedTurn]) -> tuple[Turn, ...]:
    """Return one story: subject and description first, then all turns by time, each said once.

    Two sources often hold the same words: the mail that a Case was made from, the file and
    the field with the same call. What one source says twice was said twice.
    """
    story = sorted(turns, key=_place)
    opening = next((one for one in story if one.source == DESCRIPTION), None)
    repeated = (_repetition(opening, story) or _restated(opening, story)) if opening else None
    kept = _once([one for one in story if one is not repeated])
    return tuple(turn for one in kept for turn in one.told)


def _once(story: Sequence[SourcedTurn]) -> Iterator[SourcedTurn]:
    """Yield the turns without those that another source has told already, word for word.

    A short one (“Yes.”) is a repetition only within a copy: where all longer ones of the same
    record, or of the same source's rows of one turn each, are told already.
    """
    told: dict[tuple[Speaker, str], str] = {}
    repeated = []
    for one in story:
        known = (one.turn.speaker, _letters(one.turn.text))
        repeated.append(told.setdefault(known, one.source) != one.source)
    records = Counter((one.source, one.record_id) for one in story)

    def group(one: SourcedTurn) -> tuple[str, str]:
        is_single = records[one.source, one.record_id] == 1
        return one.source, "" if is_single else one.record_id

    long = [
        (one, again) for one, again in zip(story, repeated, strict=True) if _is_telling(one)
    ]
    copies = {group(one) for one, _ in long} - {group(one) for one, again in long if not again}
    for one, again in zip(story, repeated, strict=True):
        if not again or not (_is_telling(one) or group(one) in copies):
            yield one


def _is_telling(one: SourcedTurn) -> bool:
    return len(_letters(one.turn.text).encode()) >= TELLING_BYTES


def _place(sourced: SourcedTurn) -> tuple[bool, datetime]:
    at = sourced.turn.at or datetime.min.replace(tzinfo=UTC)
    return sourced.source != DESCRIPTION, at


def _repetition(opening: SourcedTurn, story: list[SourcedTurn]) -> SourcedTurn | None:
    """Return the message that the Case was made from: its words are the description's."""
    first = next(
        (
            one
            for one in story
            if one.source in OPENERS and one.turn.speaker is Speaker.CUSTOMER
        ),
        None,
    )
    if first is None or first.turn.at is None or opening.turn.at is None:
        return None
    is_near = first.turn.at <= opening.turn.at + SAME_MESSAGE
    letters = _letters(first.turn.text)
    is_same = bool(letters) and letters in _letters(opening.turn.text)
    return first if is_near and is_same else None


def _restated(opening: SourcedTurn, story: list[SourcedTurn]) -> SourcedTurn | None:
    """Return the opening where a later turn of the customer begins with all of it.

    A chat's Case often has the first words of the chat as its subject, and no description.
    """
    letters = _letters(opening.turn.text)
    says_it = any(
        one is not opening
        and one.turn.speaker is Speaker.CUSTOMER
        and _letters(one.turn.text).startswith(letters)
        for one in story
    )
    return opening if letters and says_it else None


def _letters(text: str) -> str:
    """Return only letters and digits: mail and description differ in blanks and line breaks."""
    return "".join(filter(str.isalnum, text)).casefold()
