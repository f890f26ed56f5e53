"""From records to Cases with everything around them.

Every customer word ends up somewhere in the API, unchanged and uncut. Which place depends on
the record's channel; owner, queue, record type, status and dates are drawn from the org's
seed and the record's key, so the same file makes the same org.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from sfsync.local_org.channels import SOBJECTS, place
from sfsync.local_org.drafts import Draft, stamped
from sfsync.local_org.founding import CUSTOMERS, REPRESENTATIVES
from sfsync.local_org.moments import Value
from sfsync.local_org.records import CHANNELS, Record, Said
from sfsync.local_org.state import Change, OrgState
from sfsync.local_org.tables import Row
from sfsync.local_org.writing import CLOSED_STATUS

SPREAD = timedelta(days=25)
"""Cases of a file are created over this span before the org's now."""
LONGEST_SUBJECT = 255
WORDS_OF_SUBJECT = 8
_SHARE_CLOSED = 0.3
_SHARE_WITHOUT_SUBJECT = 0.15
_SHARE_IN_QUEUE = 0.4
_ORIGINS = {
    "email": "Email",
    "web": "Web",
    "comments": "Portal",
    "messaging": "Messaging",
    "chat": "Chat",
    "voice": "Phone",
    "call_log": "Phone",
    "attachment": "Phone",
    "custom_object": "Phone",
    "case_field": "Phone",
    "social": "Social",
}
_LANGUAGES = {"en": "en_US", "nl": "nl_NL"}
_GAPS = {
    "comments": timedelta(hours=2),
    "messaging": timedelta(seconds=40),
    "chat": timedelta(seconds=40),
    "social": timedelta(minutes=50),
} | dict.fromkeys(
    ("voice", "call_log", "attachment", "custom_object", "case_field"), timedelta(seconds=12)
)
_GAP = timedelta(hours=5)


def load(org: OrgState, records: Iterable[Record]) -> list[str]:
    """Make a Case of each record, spread over the days before now; return their ids.

    These rows are the org's past: they are in no ledger and no history.
    """
    with org.lock:
        return [_open(org, one, SPREAD * _dice(org, one, "age").random()) for one in records]


def open_case(org: OrgState, record: Record) -> str:
    """Make a Case of a record as if it all came in just now; return its id."""
    with org.lock:
        return _open(org, record, timedelta(0))


def _dice(org: OrgState, record: Record, purpose: str) -> Random:
    return Random(f"{org.seed}/{record.key}/{purpose}")


def _open(org: OrgState, record: Record, age: timedelta) -> str:
    dice = _dice(org, record, "case")
    channel = record.channel or dice.choice(_open_channels(org))
    case_id = org.table("Case").reserve_id()
    draft = _draft(org, record, channel, dice, age, case_id)
    place(draft, record.turns, channel)
    org.ledger.cases_by_channel[channel] += 1
    case = _case(draft, record, channel)
    if age and dice.random() < _SHARE_CLOSED:
        case |= _closed(draft)
    changes = [Change("Case", case_id, case), *attached(draft)]
    if age:
        org.commit(changes, ())
    else:
        org.commit_later(changes, ())
    return case_id


def attached(draft: Draft) -> Iterator[Change]:
    """Yield the rows around a Case as changes."""
    for sobject, row in draft.others:
        yield Change(sobject, str(row["Id"]), row)
    for sobject, row in draft.children:
        record_id = row.get("Id") or draft.org.table(sobject).reserve_id()
        yield Change(sobject, str(record_id), row)


def add_words(  # all that words begin with
    org: OrgState,
    case_id: str,
    turns: Sequence[Said],
    channel: str,
    dice: Random,
    **other: Value,
) -> str:
    """Hang words of a channel on a Case that is there, as said now; return the last row's id.

    The Case itself stays as it is, as where a second call or chat is about the same matter.
    ``other`` are fields that the channel's own rows get instead of what they would have.

    Raises:
        KeyError: the channel's words stand in the Case itself.
    """
    sobject = SOBJECTS[channel]
    draft = draft_now(org, case_id, channel, dice, tuple(turns))
    place(draft, turns, channel)
    changes = [
        replace(one, values=one.values | other) if one.sobject == sobject else one
        for one in attached(draft)
    ]
    org.commit_later(changes, ())
    return next(one.record_id for one in reversed(changes) if one.sobject == sobject)


def draft_now(
    org: OrgState, case_id: str, channel: str, dice: Random, turns: tuple[Said, ...] = ()
) -> Draft:
    """Return a draft of rows that are made now around a Case that is there."""
    return _draft(org, Record("", turns), channel, dice, timedelta(0), case_id)


def _open_channels(org: OrgState) -> list[str]:
    """Return the channels by which words can come in: those whose feature the org has."""
    return [one for one in CHANNELS if one not in SOBJECTS or org.schema.find(SOBJECTS[one])]


def _draft(  # all that a draft begins with
    org: OrgState, record: Record, channel: str, dice: Random, age: timedelta, case_id: str
) -> Draft:
    turns = max(1, len(record.turns))
    gap = _GAPS.get(channel, _GAP)
    if age:
        gap = min(gap, age / (turns + 1))
    return Draft(
        org,
        dice,
        org.now() - (age or gap * turns),
        gap,
        case_id,
        None if age else org.now(),
        who=dice.randrange(len(CUSTOMERS)),
        answered_by=dice.randrange(len(REPRESENTATIVES)),
        language=record.language,
    )


def _case(draft: Draft, record: Record, channel: str) -> Row:
    dice, org = draft.dice, draft.org
    founders = org.founders
    owners = founders.queues if dice.random() < _SHARE_IN_QUEUE else founders.representatives
    created = draft.stamp or draft.at(0)
    return stamped(created, founders.automation) | {
        "CaseNumber": org.next_case_number(),
        "Subject": _subject(record, dice),
        "Description": draft.description,
        "Status": "New" if len(record.turns) == 1 else "Working",
        "IsClosed": False,
        "IsEscalated": False,
        "ClosedDate": None,
        "Origin": _ORIGINS[channel],
        "Priority": dice.choice(("High", "Medium", "Medium", "Low")),
        "OwnerId": dice.choice(owners),
        "RecordTypeId": dice.choice(founders.record_types),
        "ProductId": dice.choice((None, *founders.products)),
        "SuppliedName": draft.customer,
        "SuppliedEmail": draft.address,
        "Language": _LANGUAGES.get(record.language, record.language or None),
        **draft.of_case,
    }


def _subject(record: Record, dice: Random) -> Value:
    if record.subject is not None:
        return record.subject[:LONGEST_SUBJECT] or None
    if dice.random() < _SHARE_WITHOUT_SUBJECT:
        return None
    first = next((turn.text for turn in record.turns if turn.speaker == "customer"), "")
    return " ".join(first.split()[:WORDS_OF_SUBJECT])[:LONGEST_SUBJECT] or None


def _closed(draft: Draft) -> Row:
    closed_at: datetime = draft.ended_at
    closer = draft.writer_of("representative")
    return {
        "Status": CLOSED_STATUS,
        "IsClosed": True,
        "ClosedDate": closed_at,
        "LastModifiedDate": closed_at,
        "LastModifiedById": closer,
        "SystemModstamp": closed_at,
    }
