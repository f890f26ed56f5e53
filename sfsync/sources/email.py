"""E-mails of a Case, without quoted history and signatures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from classifier.engine.text import Speaker, Turn
from sfsync.case_rows import moment, text
from sfsync.cases import CaseSnapshot, SourcedTurn
from sfsync.gateway import SalesforceGateway
from sfsync.sources import html_text, quoted
from sfsync.sources.source import EMAIL, Fetched, Row, Watched, rows_of

DRAFT = "5"
"""EmailMessage.Status of a message not sent yet (object reference)."""
FIELDS = (
    "Id",
    "ParentId",
    "Incoming",
    "TextBody",
    "HtmlBody",
    "MessageDate",
    "CreatedDate",
    "Status",
)
WATCHED = Watched("EmailMessage", "ParentId")


@dataclass(frozen=True, slots=True)
class EmailSource:
    """EmailMessage: what came in is the customer's, what went out the representative's."""

    code: str = EMAIL
    name: str = "E-mails"
    watched: Watched = WATCHED
    is_common: bool = True
    text_fields: tuple[str, ...] = ("TextBody", "HtmlBody")

    @property
    def needed(self) -> Mapping[str, tuple[str, ...]]:
        return {self.watched.sobject: FIELDS}

    def fetch(self, gateway: SalesforceGateway, cases: Sequence[CaseSnapshot]) -> Fetched:
        return rows_of(gateway, self.watched, FIELDS, cases)

    def turns(self, rows: Iterable[Row]) -> list[SourcedTurn]:
        return [
            SourcedTurn(Turn(_speaker(row), words, _sent_at(row)), self.code, row["Id"])
            for row in rows
            if text(row["Status"]) != DRAFT and (words := _words(row))
        ]


def _speaker(row: Row) -> Speaker:
    return Speaker.CUSTOMER if row["Incoming"] else Speaker.REPRESENTATIVE


def _sent_at(row: Row) -> datetime:
    return moment(row["MessageDate"] or row["CreatedDate"])


def _words(row: Row) -> str:
    """Return the sender's own words, from the text part, or from the HTML where it is alone."""
    body = text(row["TextBody"])
    if not body.strip():
        body = html_text.own_words(text(row["HtmlBody"]))
    return quoted.own_words(body)
