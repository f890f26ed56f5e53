"""Sources that an admin named: an object of the org, or a long text field of Case."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from classifier.engine.text import Speaker, Turn
from sfsync import soql
from sfsync.case_rows import moment, text
from sfsync.cases import CaseSnapshot, SourcedTurn
from sfsync.gateway import SalesforceGateway
from sfsync.models import Source
from sfsync.sources import html_text, speakers, written
from sfsync.sources.source import Fetched, Row, SourceReader, Watched, rows_of

Kind, Rule = Source.Kind, Source.SpeakerRule
A_USER, A_CONTACT = re.compile(r"005\w{12}(\w{3})?"), re.compile(r"003\w{12}(\w{3})?")
"""A lookup that names the speaker: users are inside, contacts are customers."""


@dataclass(frozen=True, slots=True)
class OwnSource:
    """Rows of one object, each with words, of one or of several speakers."""

    code: str
    name: str
    watched: Watched
    text_field: str
    time_field: str
    rule: Source.SpeakerRule
    speaker_field: str = ""
    customer_names: tuple[str, ...] = ()
    is_common: bool = True

    @property
    def text_fields(self) -> tuple[str, ...]:
        return (self.text_field,)

    @property
    def fields(self) -> tuple[str, ...]:
        named = ("Id", self.watched.case_field, self.text_field, self.time_field)
        speaker = (self.speaker_field,) if self.rule == Rule.FIELD else ()
        return tuple(dict.fromkeys((*named, "CreatedDate", *speaker)))

    @property
    def needed(self) -> Mapping[str, tuple[str, ...]]:
        return {self.watched.sobject: self.fields}

    def fetch(self, gateway: SalesforceGateway, cases: Sequence[CaseSnapshot]) -> Fetched:
        return rows_of(gateway, self.watched, self.fields, cases)

    def turns(self, rows: Iterable[Row]) -> list[SourcedTurn]:
        return [
            SourcedTurn(Turn(one.speaker, one.text, one.at or at), self.code, row["Id"])
            for row in rows
            if (at := _at(row, self.time_field))
            for one in self._said(row)
        ]

    def _said(self, row: Row) -> list[written.Said]:
        words = html_text.if_marked_up(text(row[self.text_field])).strip()
        if not words:
            return []
        match self.rule:
            case Rule.CUSTOMER:
                return [written.Said(Speaker.CUSTOMER, words)]
            case Rule.REPRESENTATIVE:
                return [written.Said(Speaker.REPRESENTATIVE, words)]
            case Rule.FIELD:
                speaker = self._named(text(row[self.speaker_field]))
                return [written.Said(speaker, words)] if speaker else []
        # No line says who speaks: better the customer's than nobody's, for it is decided then.
        said = written.read(words, self.customer_names)
        return said or [written.Said(Speaker.CUSTOMER, words)]

    def _named(self, value: str) -> Speaker | None:
        """Return whom the field names: a customer's word or name, a bot's, else a colleague."""
        if value.strip() and speakers.is_nobody(value):
            return None
        if A_CONTACT.fullmatch(value):
            return Speaker.CUSTOMER
        if A_USER.fullmatch(value) or not value.strip():
            return Speaker.REPRESENTATIVE
        return speakers.cast([value], self.customer_names).get(value, Speaker.REPRESENTATIVE)


def reader_of(source: Source) -> SourceReader:
    """Return the reader that a row of an admin's own describes.

    Raises:
        ValueError: the row is a built-in source, or a name in it is no API name.
    """
    if source.kind == Kind.BUILT_IN:
        raise ValueError(f"{source.code} is built in")
    on_case = source.kind == Kind.CASE_FIELD
    names = [source.text_field, source.time_field or "CreatedDate"]
    names += [] if on_case else [source.sobject, source.case_field]
    names += [source.speaker_field] if source.speaker_rule == Rule.FIELD else []
    for name in names:
        soql.checked_name(name)
    return OwnSource(
        code=source.code,
        name=source.name,
        watched=Watched("Case", "Id")
        if on_case
        else Watched(source.sobject, source.case_field),
        text_field=source.text_field,
        time_field=source.time_field or "CreatedDate",
        rule=Rule(source.speaker_rule or Rule.LINES),
        speaker_field=source.speaker_field,
        customer_names=tuple(str(name) for name in source.customer_names),
    )


def _at(row: Row, time_field: str) -> datetime:
    """Return when it was said; a date alone is its beginning, in UTC."""
    value = row[time_field] or row["CreatedDate"]
    if len(value) == len("2026-05-05"):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return moment(value)
