"""Messaging and telephone calls: rows that say nothing, and words behind the Connect API."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from sfsync.local_org.drafts import Draft
from sfsync.local_org.records import Said
from sfsync.local_org.speech import as_recognised, lengthened
from sfsync.local_org.state import ConversationEntry

ROLES = {"customer": "EndUser", "representative": "Agent", "bot": "Bot"}
DESK_NUMBER = "+44 20 7946 0000"
SHARE_OF_LONG_CALLS = 0.125
_ENGLISH = frozenset({"", "en"})


def as_messages(draft: Draft, turns: Sequence[Said]) -> None:
    """The Case itself says nothing; the words are behind the Connect API."""
    org = draft.org
    user = draft.writer_of("representative")
    last = draft.at(max(0, len(turns) - 1))
    session_id = org.table("MessagingSession").reserve_id()
    conversation_id, identifier = _conversation(draft, last)
    whom = draft.add_aside(
        "MessagingEndUser",
        draft.started_at,
        user,
        Name=draft.customer,
        MessageType="EmbeddedMessaging",
    )
    draft.add(
        "MessagingSession",
        last,
        user,
        Id=session_id,
        Name=f"MS-{session_id[-9:-3]}",
        ConversationId=conversation_id,
        MessagingEndUserId=whom,
        OwnerId=user,
        ChannelType="EmbeddedMessaging",
        AgentType="BotToAgent" if any(t.speaker == "bot" for t in turns) else "Agent",
        Status="Ended",
        StartTime=draft.at(0),
        EndTime=last,
    )
    org.entries[identifier] = [*_entries(draft, turns, session_id), joined(draft, session_id)]


def as_call(draft: Draft, turns: Sequence[Said]) -> None:
    """A call that has ended; its words are what a machine made of them."""
    if draft.is_past and turns and draft.language in _ENGLISH:
        # One call in eight is a very long one.
        is_long = draft.dice.random() < SHARE_OF_LONG_CALLS
        turns = lengthened(turns, draft.dice) if is_long else turns
        draft.make_room(len(turns))
    turns = [Said(turn.speaker, as_recognised(turn.text, draft.dice)) for turn in turns]
    org = draft.org
    user = draft.writer_of("representative")
    last = draft.at(max(0, len(turns) - 1))
    call_id = org.table("VoiceCall").reserve_id()
    conversation_id, identifier = _conversation(draft, last)
    draft.add(
        "VoiceCall",
        last,
        user,
        Id=call_id,
        ConversationId=conversation_id,
        OwnerId=user,
        UserId=user,
        CallType="Inbound",
        CallDisposition="completed",
        CallStartDateTime=draft.at(0),
        CallEndDateTime=last,
        CallDurationInSeconds=int((last - draft.at(0)).total_seconds()),
        FromPhoneNumber=draft.phone,
        ToPhoneNumber=DESK_NUMBER,
        VendorCallKey=draft.uuid(),
        VendorType="ContactCenter",
    )
    org.entries[identifier] = [*_entries(draft, turns, call_id), joined(draft, call_id)]


def entry(
    dice: Random, role: str, text: str | None, at: datetime, record_id: str, subject: str = ""
) -> ConversationEntry:
    """Return one entry of a conversation; ``record_id`` is its session's or its call's."""
    identifier = str(uuid.UUID(int=dice.getrandbits(128), version=4))
    return ConversationEntry(identifier, role, text, at, record_id, subject)


def joined(draft: Draft, record_id: str) -> ConversationEntry:
    """Return an entry without words: somebody came in."""
    return entry(draft.dice, "System", None, draft.started_at, record_id)


def _conversation(draft: Draft, ended: datetime) -> tuple[str, str]:
    """Return id and identifier of a new Conversation."""
    identifier = draft.uuid()
    conversation_id = draft.add_aside(
        "Conversation",
        draft.started_at,
        draft.writer_of("representative"),
        ConversationIdentifier=identifier,
        StartTime=draft.at(0),
        EndTime=ended,
    )
    return conversation_id, identifier


def _entries(draft: Draft, turns: Sequence[Said], record_id: str) -> list[ConversationEntry]:
    return [
        entry(
            draft.dice,
            ROLES.get(turn.speaker, "System"),
            turn.text,
            # Messages follow each other quickly; two never share a millisecond.
            draft.at(number) + timedelta(milliseconds=number),
            record_id,
            draft.writer_of(turn.speaker),
        )
        for number, turn in enumerate(turns)
    ]
