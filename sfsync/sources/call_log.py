"""Notes of telephone calls: what a representative typed into the call's Task."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from classifier.engine.text import Speaker, Turn
from sfsync import soql
from sfsync.case_rows import moment, text
from sfsync.cases import CaseSnapshot, SourcedTurn
from sfsync.gateway import SalesforceGateway
from sfsync.sources import labelled
from sfsync.sources.source import Fetched, Row, Watched, rows_of

FIELDS = ("Id", "WhatId", "Description", "CompletedDateTime", "CreatedDate")
WATCHED = Watched("Task", "WhatId", soql.is_one_word_of("TaskSubtype", ("Call",)))


@dataclass(frozen=True, slots=True)
class CallLogSource:
    """Task of a call: the representative's words, whoever called, unless lines say who speaks."""

    code: str = "call_log"
    name: str = "Call logs"
    watched: Watched = WATCHED
    is_common: bool = True
    text_fields: tuple[str, ...] = ("Description",)

    @property
    def needed(self) -> Mapping[str, tuple[str, ...]]:
        return {self.watched.sobject: (*FIELDS, "TaskSubtype")}

    def fetch(self, gateway: SalesforceGateway, cases: Sequence[CaseSnapshot]) -> Fetched:
        return rows_of(gateway, self.watched, FIELDS, cases)

    def turns(self, rows: Iterable[Row]) -> list[SourcedTurn]:
        return [
            SourcedTurn(Turn(line.speaker, line.text, _at(row)), self.code, row["Id"])
            for row in rows
            for line in _lines(text(row["Description"]).strip())
        ]


def _at(row: Row) -> datetime:
    return moment(row["CompletedDateTime"] or row["CreatedDate"])


def _lines(notes: str) -> list[labelled.Line]:
    spoken = labelled.read(notes, preamble=Speaker.REPRESENTATIVE)
    if spoken or not notes:
        return spoken
    return [labelled.Line(Speaker.REPRESENTATIVE, notes)]
