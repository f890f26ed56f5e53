"""The Case's own subject and description: what a customer wrote to open it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from classifier.engine.text import Speaker, Turn
from sfsync.cases import CaseSnapshot, SourcedTurn
from sfsync.gateway import SalesforceGateway
from sfsync.sources.quoted import own_words
from sfsync.sources.source import DESCRIPTION, Fetched, Row, Watched

EMAIL_ORIGIN = "email"
WATCHED = Watched("Case", "Id")


@dataclass(frozen=True, slots=True)
class DescriptionSource:
    """Needs no question of its own: the Case has been read already."""

    code: str = DESCRIPTION
    name: str = "Case subject and description"
    watched: Watched = WATCHED
    is_common: bool = True
    text_fields: tuple[str, ...] = ("Subject", "Description")

    @property
    def needed(self) -> Mapping[str, tuple[str, ...]]:
        return {"Case": ("Subject", "Description")}

    def fetch(self, gateway: SalesforceGateway, cases: Sequence[CaseSnapshot]) -> Fetched:
        found = Fetched()
        for case in cases:
            row = {
                "id": case.case_id,
                "subject": case.subject,
                "description": case.description,
                "origin": case.origin,
                "at": case.created_at,
            }
            found.add(case.case_id, row)
        return found

    def turns(self, rows: Iterable[Row]) -> list[SourcedTurn]:
        return [
            SourcedTurn(Turn(Speaker.CUSTOMER, text, row["at"]), self.code, row["id"], subject)
            for row in rows
            for subject, text in [_opening(row["subject"], row["description"], row["origin"])]
            if text
        ]


def _opening(subject: str, description: str, origin: str) -> tuple[str, str]:
    """Return the subject line, and subject and description as one text that begins with it.

    A subject that the description repeats is told once. Where the description goes on in the same
    line ("Refund" and "Refund please"), there is no line to tell apart, so no subject.
    """
    subject, words = subject.strip(), description.strip()
    if origin.casefold() == EMAIL_ORIGIN:  # then it is the whole e-mail, signature and all
        words = own_words(words) or words
    if not words.casefold().startswith(subject.casefold()):
        return subject, f"{subject}\n\n{words}" if words else subject
    begun, rest = words[: len(subject)], words[len(subject) :]
    is_line = begun.casefold() == subject.casefold() and rest[:1] in {"", "\n", "\r"}
    return (begun if is_line else ""), words
