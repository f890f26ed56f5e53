"""What every source of turns offers, and how the turns of all become one story."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from classifier.engine.text import Speaker, Turn
from sfsync.cases import CaseSnapshot, SourcedTurn
from sfsync.errors import SalesforceError
from sfsync.gateway import SalesforceGateway

Row = Mapping[str, Any]
"""One record as Salesforce's JSON gives it."""
DESCRIPTION = "description"
EMAIL = "email"
SAME_MESSAGE = timedelta(minutes=15)
"""The e-mail that a Case was made from was sent before it, clocks being roughly right."""


@dataclass(slots=True)
class Fetched:
    """What a source found: Case id → rows, and the Cases whose words could not be had now."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    failed: dict[str, SalesforceError] = field(default_factory=dict)

    def add(self, case_id: str, row: Row) -> None:
        self.rows.setdefault(case_id, []).append(row)


class SourceReader(Protocol):
    """A place in Salesforce where words live."""

    @property
    def code(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def sobject(self) -> str:
        """The object whose changes make a Case be read again."""

    @property
    def case_field(self) -> str:
        """The field of ``sobject`` that holds the Case's id."""

    @property
    def needed(self) -> Mapping[str, tuple[str, ...]]:
        """Object → fields that our user must be able to read."""

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


def merged(turns: Iterable[SourcedTurn]) -> tuple[Turn, ...]:
    """Return one story: the description first, then all turns by time, each said once."""
    story = sorted(turns, key=_place)
    opening = next((one for one in story if one.source == DESCRIPTION), None)
    repeated = (_repetition(opening, story) or _restated(opening, story)) if opening else None
    return tuple(one.turn for one in story if one is not repeated)


def _place(sourced: SourcedTurn) -> tuple[bool, datetime]:
    at = sourced.turn.at or datetime.min.replace(tzinfo=UTC)
    return sourced.source != DESCRIPTION, at


def _repetition(opening: SourcedTurn, story: list[SourcedTurn]) -> SourcedTurn | None:
    """Return the e-mail that the Case was made from: its words are the description's."""
    first = next(
        (one for one in story if one.source == EMAIL and one.turn.speaker is Speaker.CUSTOMER),
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
