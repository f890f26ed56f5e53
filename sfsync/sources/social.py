"""Posts and direct messages of social networks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from classifier.engine.text import Speaker, Turn
from sfsync.case_rows import moment, text
from sfsync.cases import CaseSnapshot, SourcedTurn
from sfsync.gateway import SalesforceGateway
from sfsync.sources import html_text
from sfsync.sources.source import SOCIAL, Fetched, Row, Watched, rows_of

FIELDS = ("Id", "ParentId", "Content", "IsOutbound", "Posted", "CreatedDate")
WATCHED = Watched("SocialPost", "ParentId")


@dataclass(frozen=True, slots=True)
class SocialSource:
    """SocialPost: what goes out is the representative's, all else the customer's."""

    code: str = SOCIAL
    name: str = "Social posts"
    watched: Watched = WATCHED
    is_common: bool = False
    text_fields: tuple[str, ...] = ("Content",)

    @property
    def needed(self) -> Mapping[str, tuple[str, ...]]:
        return {self.watched.sobject: FIELDS}

    def fetch(self, gateway: SalesforceGateway, cases: Sequence[CaseSnapshot]) -> Fetched:
        return rows_of(gateway, self.watched, FIELDS, cases)

    def turns(self, rows: Iterable[Row]) -> list[SourcedTurn]:
        return [
            SourcedTurn(
                Turn(_speaker(row), words, moment(row["Posted"] or row["CreatedDate"])),
                self.code,
                row["Id"],
            )
            for row in rows
            if (words := html_text.if_marked_up(text(row["Content"])).strip())
        ]


def _speaker(row: Row) -> Speaker:
    return Speaker.REPRESENTATIVE if row["IsOutbound"] else Speaker.CUSTOMER
