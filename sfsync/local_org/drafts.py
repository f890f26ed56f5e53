"""A Case being put together, before its rows are committed."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from sfsync.local_org.founding import CUSTOMERS
from sfsync.local_org.moments import Value, to_second
from sfsync.local_org.spoken_objects import CALL_NOTE
from sfsync.local_org.state import OrgState
from sfsync.local_org.tables import Row

POINTERS = {
    "EmailMessage": "ParentId",
    "CaseComment": "ParentId",
    "MessagingSession": "CaseId",
    "LiveChatTranscript": "CaseId",
    "VoiceCall": "RelatedRecordId",
    "Task": "WhatId",
    "ContentDocumentLink": "LinkedEntityId",
    "SocialPost": "ParentId",
    CALL_NOTE: "Case__c",
}
"""The field by which each sObject points to its Case."""


@dataclass(slots=True)
class Draft:
    """A Case being put together: its own text, and the rows that will hang on it."""

    org: OrgState
    dice: Random
    started_at: datetime
    gap: timedelta
    """Between one turn and the next."""
    case_id: str
    stamp: datetime | None
    """When the rows were made; None: each at the time of its turn."""
    who: int
    """Which of the customers writes."""
    answered_by: int
    """Which of the representatives answers."""
    language: str = ""
    """Of the record, such as ``en``; empty: not known."""
    description: str | None = None
    of_case: Row = field(default_factory=dict)
    """Further fields of the Case itself."""
    children: list[tuple[str, Row]] = field(default_factory=list)
    """Rows that point to the Case, by sObject; ``Id`` is in them where it is known already."""
    others: list[tuple[str, Row]] = field(default_factory=list)
    """Rows that do not point to the Case."""
    _turns: int = 0

    @property
    def address(self) -> str:
        return CUSTOMERS[self.who].lower().replace(" ", ".") + "@mail.example"

    @property
    def is_past(self) -> bool:
        """Whether it all happened before anybody looked."""
        return self.stamp is None

    @property
    def phone(self) -> str:
        return f"+44 7700 9000{self.who:02d}"

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

    def make_room(self, turns: int) -> None:
        """See to it that so many turns fit between the beginning and now."""
        self.gap = min(self.gap, (self.org.now() - self.started_at) / (turns + 1))

    def writer_of(self, speaker: str) -> str:
        """Return the id of the user behind a speaker."""
        founders = self.org.founders
        if speaker == "customer":
            return founders.portal_users[self.who]
        if speaker == "bot":
            return founders.automation
        return founders.representatives[self.answered_by]

    def add(self, sobject: str, at: datetime, user_id: str, **values: Value) -> None:
        """Hang a row on the Case, made at that time by that user."""
        pointer: Row = {POINTERS[sobject]: self.case_id}
        row = stamped(self.stamp or at, user_id) | pointer | values
        self.children.append((sobject, row))

    def add_aside(self, sobject: str, at: datetime, user_id: str, **values: Value) -> str:
        """Make a row that does not point to the Case; return its id."""
        record_id = str(values.get("Id") or self.org.table(sobject).reserve_id())
        row = stamped(self.stamp or at, user_id) | values | {"Id": record_id}
        self.others.append((sobject, row))
        return record_id

    def uuid(self) -> str:
        """Return an identifier of the kind the Connect API uses, by the draft's own dice."""
        return str(uuid.UUID(int=self.dice.getrandbits(128), version=4))


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


def pieces(text: str, length: int) -> list[str]:
    """Return the text cut into pieces that fit; one empty piece for an empty text."""
    return [text[at : at + length] for at in range(0, len(text), length)] or [""]
