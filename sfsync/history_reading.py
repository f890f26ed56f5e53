"""Reading an org's past: closed Cases with their representatives' tags, in few calls."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from classifier.engine.errors import TranscriptTooLarge
from classifier.engine.intake import admitted
from classifier.engine.text import Transcript, Turn
from sfsync import case_rows, soql
from sfsync.cases import CaseSnapshot
from sfsync.errors import FieldMissing, ObjectMissing
from sfsync.gateway import SalesforceGateway
from sfsync.sources import Fetched, SourceReader, merged

CASE = "Case"
WITH_SOURCES_AT_ONCE = 200
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True)
class PastCase:
    """A closed Case as its people left it."""

    case: CaseSnapshot
    path: tuple[str, ...]
    """Values of the picklists, top level first, down to the first that is empty."""
    turns: tuple[Turn, ...]
    """Cleaned and redacted; none: it has no words, or nobody can read them."""


def past_cases(
    gateway: SalesforceGateway,
    fields: Sequence[str],
    readers: Sequence[SourceReader],
    *,
    most: int,
    after: str = "",
) -> Iterator[list[PastCase]]:
    """Yield up to ``most`` closed Cases that have a tag, newest first, page by page.

    A page is one call, and holds up to 2,000 Cases; each reader may need calls of its own.
    ``after`` is the id at which an earlier reading broke off. Writes nothing, here or there.

    Raises:
        SalesforceError: no further page; what was yielded stands.
    """
    present = gateway.describe(CASE).fields
    columns = case_rows.case_fields(present, fields)
    conditions = (soql.is_true("IsClosed"), soql.is_there(fields[0]))
    for rows in gateway.newest_pages(CASE, columns, *conditions, limit=most, after=after):
        cases = [case_rows.to_snapshot(row, fields) for row in rows]
        yield [
            past
            for start in range(0, len(cases), WITH_SOURCES_AT_ONCE)
            for past in _read(
                gateway, fields, readers, cases[start : start + WITH_SOURCES_AT_ONCE]
            )
        ]


def _read(
    gateway: SalesforceGateway,
    fields: Sequence[str],
    readers: Sequence[SourceReader],
    cases: Sequence[CaseSnapshot],
) -> Iterator[PastCase]:
    fetched = {}
    for reader in readers:
        try:
            fetched[reader.code] = reader.fetch(gateway, cases)
        except (FieldMissing, ObjectMissing):
            continue  # the org lacks it: pulling says so where it matters
    for case in cases:
        yield PastCase(case, _path(case, fields), _turns(case, readers, fetched))


def _path(case: CaseSnapshot, fields: Sequence[str]) -> tuple[str, ...]:
    values = [case.extra[name] for name in fields]
    filled = next((n for n, value in enumerate(values) if not value), len(values))
    return tuple(values[:filled])


def _turns(
    case: CaseSnapshot, readers: Sequence[SourceReader], fetched: Mapping[str, Fetched]
) -> tuple[Turn, ...]:
    """Return the words; none where they are too many, or an answer is not as expected."""
    try:
        story = merged(
            turn
            for reader in readers
            if reader.code in fetched
            for turn in reader.turns(fetched[reader.code].rows.get(case.case_id, ()))
        )
        return admitted(Transcript(story)).turns
    except (TranscriptTooLarge, *UNREADABLE):
        return ()
