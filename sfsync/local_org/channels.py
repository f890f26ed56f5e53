"""Where the turns of a conversation live, by the channel it came in through."""

import html
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from sfsync.local_org.founding import CUSTOMERS, REPRESENTATIVES
from sfsync.local_org.moments import to_second
from sfsync.local_org.records import Said
from sfsync.local_org.state import ConversationEntry, OrgState
from sfsync.local_org.tables import Row

LONGEST_DESCRIPTION = 32_000
LONGEST_COMMENT = 4_000
LONGEST_BODY = 131_072
_SHARE_QUOTING = 0.5
_SHARE_HTML_ONLY = 0.25
_SUPPORT = "support@acme.example"
_ROLES = {"customer": "EndUser", "representative": "Agent", "bot": "Bot"}
_INCOMING_STATUS, _SENT_STATUS = "0", "3"


@dataclass(slots=True)
class Draft:
    """A Case being put together: its own text, and the rows that will hang on it."""

    org: OrgState
    dice: Random
    started_at: datetime
    gap: timedelta
    """Between one turn and the next."""
    stamp: datetime | None
    """When the rows were made; None: each at the time of its turn."""
    who: int
    """Which of the customers writes."""
    answered_by: int
    """Which of the representatives answers."""
    description: str | None = None
    children: list[tuple[str, Row]] = field(default_factory=list)
    """Rows that point to the Case, by sObject; ``Id`` is in them where it is known already."""
    others: list[tuple[str, Row]] = field(default_factory=list)
    """Rows that do not point to the Case."""
    _turns: int = 0

    @property
    def address(self) -> str:
        return CUSTOMERS[self.who].lower().replace(" ", ".") + "@mail.example"

    @property
    def customer(self) -> str:
        return CUSTOMERS[self.who]

    @property
    def ended_at(self) -> datetime:
        return to_second(self.started_at + self.gap * max(0, self._turns - 1))

    def at(self, turn: int) -> datetime:
        """Return when the turn of that number was said."""
        self._turns = max(self._turns, turn + 1)
        return to_second(self.started_at + self.gap * turn)

    def writer_of(self, speaker: str) -> str:
        """Return the id of the user behind a speaker."""
        founders = self.org.founders
        if speaker == "customer":
            return founders.portal_users[self.who]
        if speaker == "bot":
            return founders.automation
        return founders.representatives[self.answered_by]

    def add(self, sobject: str, at: datetime, user_id: str, **values: object) -> None:
        """Hang a row on the Case, made at that time by that user."""
        self.children.append((sobject, stamped(self.stamp or at, user_id) | dict(values)))  # type: ignore[arg-type]  # values are Values


def stamped(at: datetime, user_id: str) -> Row:
    """Return the audit fields of a row made at that time and untouched since."""
    return {
        "IsDeleted": False,
        "CreatedDate": at,
        "CreatedById": user_id,
        "LastModifiedDate": at,
        "LastModifiedById": user_id,
        "SystemModstamp": at,
    }


def place(draft: Draft, turns: Sequence[Said], channel: str) -> None:
    """Put every turn where its channel keeps it."""
    match channel:
        case "email":
            _as_emails(draft, turns)
        case "web":
            _as_web_form(draft, turns)
        case "comments":
            _as_comments(draft, turns)
        case "messaging":
            _as_messages(draft, turns)
        case _:
            _as_emails(draft, turns)


def pieces(text: str, length: int) -> list[str]:
    """Return the text cut into pieces that fit; one empty piece for an empty text."""
    return [text[at : at + length] for at in range(0, len(text), length)] or [""]


def _as_emails(draft: Draft, turns: Sequence[Said]) -> None:
    """Email-to-Case copies the first mail's text into the Description as well."""
    if turns and turns[0].speaker == "customer":
        draft.description = turns[0].text[:LONGEST_DESCRIPTION]
    earlier: Said | None = None
    for number, turn in enumerate(turns):
        for piece in pieces(turn.text, LONGEST_BODY // 2):
            quoted = earlier if draft.dice.random() < _SHARE_QUOTING else None
            is_html = draft.dice.random() < _SHARE_HTML_ONLY
            add_email(draft, Said(turn.speaker, piece), number, quoted, is_html_only=is_html)
        earlier = turn


def add_email(
    draft: Draft, turn: Said, number: int, quoted: Said | None, *, is_html_only: bool
) -> None:
    """Hang one e-mail on the Case, its history quoted below where there is one."""
    at = draft.at(number)
    is_incoming = turn.speaker == "customer"
    writer = draft.org.founders.automation if is_incoming else draft.writer_of(turn.speaker)
    sender, receiver = (draft.address, _SUPPORT) if is_incoming else (_SUPPORT, draft.address)
    name = draft.customer if is_incoming else REPRESENTATIVES[draft.answered_by]
    head = f"On {at:%a, %d %b %Y at %H:%M}, {_named(draft, quoted)} wrote:" if quoted else ""
    draft.add(
        "EmailMessage",
        at,
        writer,
        Incoming=is_incoming,
        Status=_INCOMING_STATUS if is_incoming else _SENT_STATUS,
        FromAddress=sender,
        FromName=name,
        ToAddress=receiver,
        Subject="Re: your request" if number else "Your request",
        MessageDate=at,
        HasAttachment=False,
        TextBody=None if is_html_only else _plain(turn.text, head, quoted),
        HtmlBody=_page(turn.text, head, quoted) if is_html_only else None,
    )


def _named(draft: Draft, quoted: Said) -> str:
    if quoted.speaker == "customer":
        return f"{draft.customer} <{draft.address}>"
    return f"{REPRESENTATIVES[draft.answered_by]} <{_SUPPORT}>"


def _plain(text: str, head: str, quoted: Said | None) -> str:
    if quoted is None:
        return text
    lines = "\n".join(f"> {line}" for line in quoted.text.splitlines())
    return f"{text}\n\n{head}\n{lines}\n"


def _page(text: str, head: str, quoted: Said | None) -> str:
    below = ""
    if quoted is not None:
        below = (
            f'<div class="gmail_quote"><div>{html.escape(head)}</div>'
            f"<blockquote>{_marked_up(quoted.text)}</blockquote></div>"
        )
    return f"<html><body><div>{_marked_up(text)}</div>{below}</body></html>"


def _marked_up(text: str) -> str:
    return html.escape(text).replace("\n", "<br>")


def _as_web_form(draft: Draft, turns: Sequence[Said]) -> None:
    """The form is the Description; what is said later comes by e-mail, without history."""
    first = 0
    while first < len(turns) and turns[first].speaker == "customer":
        first += 1
    form = pieces("\n".join(turn.text for turn in turns[:first]), LONGEST_DESCRIPTION)
    draft.description = form[0] or None
    for piece in form[1:]:
        _comment(draft, Said("customer", piece), 0)
    for number, turn in enumerate(turns[first:], first):
        for piece in pieces(turn.text, LONGEST_BODY):
            add_email(draft, Said(turn.speaker, piece), number, None, is_html_only=False)


def _as_comments(draft: Draft, turns: Sequence[Said]) -> None:
    """In the customer portal the first words are the Description, the rest are comments."""
    rest = list(enumerate(turns))
    if turns and turns[0].speaker == "customer":
        form = pieces(turns[0].text, LONGEST_DESCRIPTION)
        draft.description = form[0] or None
        rest = [(0, Said("customer", piece)) for piece in form[1:]] + rest[1:]
    for number, turn in rest:
        _comment(draft, turn, number)


def _comment(draft: Draft, turn: Said, number: int) -> None:
    at = draft.at(number)
    for piece in pieces(turn.text, LONGEST_COMMENT):
        writer = draft.writer_of(turn.speaker)
        draft.add("CaseComment", at, writer, CommentBody=piece, IsPublished=True)


def _as_messages(draft: Draft, turns: Sequence[Said]) -> None:
    """The Case itself says nothing; the words are behind the Connect API."""
    org = draft.org
    identifier = str(uuid.UUID(int=draft.dice.getrandbits(128), version=4))
    user = draft.writer_of("representative")
    last = draft.at(max(0, len(turns) - 1))
    made = stamped(draft.stamp or draft.started_at, user)
    span: Row = {"StartTime": draft.at(0), "EndTime": last}
    conversation_id = org.table("Conversation").reserve_id()
    session_id = org.table("MessagingSession").reserve_id()
    end_user = org.table("MessagingEndUser").reserve_id()
    key: Row = {"Id": conversation_id, "ConversationIdentifier": identifier}
    whom: Row = {"Id": end_user, "Name": draft.customer, "MessageType": "EmbeddedMessaging"}
    draft.others += [
        ("Conversation", {**made, **span, **key}),
        ("MessagingEndUser", made | whom),
    ]
    draft.add(
        "MessagingSession",
        last,
        user,
        Id=session_id,
        Name=f"MS-{session_id[-9:-3]}",
        ConversationId=conversation_id,
        MessagingEndUserId=end_user,
        OwnerId=user,
        ChannelType="EmbeddedMessaging",
        AgentType="BotToAgent" if any(t.speaker == "bot" for t in turns) else "Agent",
        Status="Ended",
        **span,
    )
    org.entries[identifier] = [
        _entry(draft, turn, number, session_id) for number, turn in enumerate(turns)
    ]
    org.entries[identifier].append(joined(draft, session_id))


def _entry(draft: Draft, turn: Said, number: int, session_id: str) -> ConversationEntry:
    return ConversationEntry(
        str(uuid.UUID(int=draft.dice.getrandbits(128), version=4)),
        _ROLES.get(turn.speaker, "System"),
        turn.text,
        # Messages follow each other quickly; two never share a millisecond.
        draft.at(number) + timedelta(milliseconds=number),
        session_id,
        draft.writer_of(turn.speaker),
    )


def joined(draft: Draft, session_id: str) -> ConversationEntry:
    """Return an entry without words: somebody came in."""
    identifier = str(uuid.UUID(int=draft.dice.getrandbits(128), version=4))
    return ConversationEntry(identifier, "System", None, draft.started_at, session_id)
