"""What messaging and calls share: their words live behind the Connect API, entry by entry."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from classifier.engine.text import Speaker, Turn
from sfsync.case_rows import moment, text
from sfsync.cases import SourcedTurn
from sfsync.errors import BreakerOpen, RecordGone, SalesforceUnavailable
from sfsync.gateway import SalesforceGateway
from sfsync.sources.source import Fetched, Row

CONVERSATION_FIELDS = ("Id", "ConversationIdentifier")
SPEAKERS = {
    "enduser": Speaker.CUSTOMER,
    "agent": Speaker.REPRESENTATIVE,
    "supervisor": Speaker.REPRESENTATIVE,
    "bot": Speaker.BOT,
    "chatbot": Speaker.BOT,
}
"""Roles seen in real answers; what the system says ("Ann joined") is nobody's word."""
EPOCH = datetime.fromtimestamp(0, UTC)
ONE_SECOND = timedelta(seconds=1)
"""Sessions are stamped to the second, entries to the millisecond."""
TOO_MANY_CALLS = {"HTTP_503", "SERVER_UNAVAILABLE"}
"""How Salesforce says that the 1,000 conversations of this hour are used up."""


@dataclass(frozen=True, slots=True)
class Talk:
    """How one object speaks of a conversation: the names of its fields, and its ids' prefix."""

    sobject: str
    case: str
    starts: str
    ends: str
    prefix: str
    further: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        return ("Id", self.case, "ConversationId", self.starts, self.ends, *self.further)

    @property
    def needed(self) -> dict[str, tuple[str, ...]]:
        return {self.sobject: self.fields, "Conversation": CONVERSATION_FIELDS}


def fetch(gateway: SalesforceGateway, talk: Talk, sessions: Sequence[Row]) -> Fetched:
    """Return one row per session: the session's fields and ``entries``.

    Raises:
        SalesforceUnavailable: nothing answers at all. Where only the hour's allowance of
            conversations is used up, the Cases left over are ``failed``.
    """
    found = Fetched()
    identifiers = _identifiers(gateway, sessions)
    entries: dict[str, list[Row]] = {}
    used_up: SalesforceUnavailable | None = None
    for session in sessions:
        identifier = identifiers.get(session["ConversationId"])
        if identifier and identifier not in entries and not used_up:
            try:
                entries[identifier] = list(gateway.conversation_entries(identifier))
            except RecordGone:
                entries[identifier] = []
            except SalesforceUnavailable as error:
                if error.code not in TOO_MANY_CALLS and not isinstance(error, BreakerOpen):
                    raise
                used_up = error
        if identifier and identifier not in entries and used_up:
            found.failed[session[talk.case]] = used_up
        elif identifier:
            found.add(session[talk.case], {**session, "entries": entries[identifier]})
    return found


def turns(talk: Talk, code: str, rows: Iterable[Row]) -> list[SourcedTurn]:
    """Return the turns in time order: entries come in none, and twice where sessions meet."""
    said: dict[str, SourcedTurn] = {}
    for session in rows:
        for number, entry in enumerate(session["entries"]):
            key = text(entry.get("identifier")) or f"{session['Id']}-{number}"
            if turn := _turn(entry, session, talk):
                said.setdefault(key, SourcedTurn(turn, code, session["Id"]))
    return sorted(said.values(), key=lambda one: one.turn.at or EPOCH)


def _identifiers(gateway: SalesforceGateway, sessions: Iterable[Row]) -> dict[str, str]:
    ids = [row["ConversationId"] for row in sessions if row["ConversationId"]]
    rows = gateway.rows("Conversation", CONVERSATION_FIELDS, "Id", ids)
    return {row["Id"]: text(row["ConversationIdentifier"]) for row in rows}


def _turn(entry: Row, session: Row, talk: Talk) -> Turn | None:
    words = text(entry.get("messageText")).strip()
    role = text((entry.get("sender") or {}).get("role")).casefold()
    speaker = SPEAKERS.get(role)
    at = _said_at(entry)
    if not words or speaker is None or at is None or not _is_of(entry, at, session, talk):
        return None
    return Turn(speaker, words, at)


def _said_at(entry: Row) -> datetime | None:
    milliseconds = entry.get("serverReceivedTimestamp") or entry.get("clientTimestamp")
    if not milliseconds:
        return None
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def _is_of(entry: Row, at: datetime, session: Row, talk: Talk) -> bool:
    """Return whether this session heard it: one conversation can go on in another Case.

    The entry itself says so where it names one session; else the session's own time decides.
    """
    related = entry.get("relatedRecords") or ()
    named = {one for one in related if str(one).startswith(talk.prefix)}
    if len(named) == 1:
        return session["Id"] in named
    starts, ends = session[talk.starts], session[talk.ends]
    return (not starts or at >= moment(starts)) and (not ends or at < moment(ends) + ONE_SECOND)
