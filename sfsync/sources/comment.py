"""Comments on a Case."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from classifier.engine.text import Speaker, Turn
from sfsync.case_rows import moment, related, text
from sfsync.cases import CaseSnapshot, SourcedTurn
from sfsync.gateway import SalesforceGateway
from sfsync.sources.source import Fetched, Row, Watched, rows_of

FIELDS = ("Id", "ParentId", "CommentBody", "CreatedDate", "CreatedBy.UserType")
SPEAKERS = {
    "": Speaker.REPRESENTATIVE,  # the writer is hidden from us, as only colleagues are
    "Standard": Speaker.REPRESENTATIVE,
    "AutomatedProcess": Speaker.BOT,
}
"""User.UserType of people inside; all other kinds are portal users, that is customers."""
WATCHED = Watched("CaseComment", "ParentId")


@dataclass(frozen=True, slots=True)
class CommentSource:
    """CaseComment: an internal user's is the representative's, a portal user's the customer's."""

    code: str = "comment"
    name: str = "Case comments"
    watched: Watched = WATCHED
    is_common: bool = True
    text_fields: tuple[str, ...] = ("CommentBody",)

    @property
    def needed(self) -> Mapping[str, tuple[str, ...]]:
        own = tuple(name for name in FIELDS if "." not in name)
        return {self.watched.sobject: (*own, "CreatedById")}

    def fetch(self, gateway: SalesforceGateway, cases: Sequence[CaseSnapshot]) -> Fetched:
        return rows_of(gateway, self.watched, FIELDS, cases)

    def turns(self, rows: Iterable[Row]) -> list[SourcedTurn]:
        return [
            SourcedTurn(
                Turn(_speaker(row), words, moment(row["CreatedDate"])), self.code, row["Id"]
            )
            for row in rows
            if (words := text(row["CommentBody"]).strip())
        ]


def _speaker(row: Row) -> Speaker:
    user_type = text(related(row, "CreatedBy", "UserType"))
    return SPEAKERS.get(user_type, Speaker.CUSTOMER)
