"""Messaging conversations (web chat, WhatsApp, SMS), whose words live behind the Connect API."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sfsync.cases import CaseSnapshot, SourcedTurn
from sfsync.gateway import SalesforceGateway
from sfsync.sources import connect
from sfsync.sources.source import Fetched, Row, Watched, ids_of

SESSION = connect.Talk("MessagingSession", "CaseId", "StartTime", "EndTime", "0Mw")
WATCHED = Watched(SESSION.sobject, SESSION.case)


@dataclass(frozen=True, slots=True)
class MessagingSource:
    """MessagingSession → Conversation → Connect entries, cut to the session's own time."""

    code: str = "messaging"
    name: str = "Messaging conversations"
    watched: Watched = WATCHED
    is_common: bool = True
    text_fields: tuple[str, ...] = ()

    @property
    def needed(self) -> Mapping[str, tuple[str, ...]]:
        return SESSION.needed

    def fetch(self, gateway: SalesforceGateway, cases: Sequence[CaseSnapshot]) -> Fetched:
        """Return one row per session: the session's fields and ``entries``.

        Raises:
            SalesforceUnavailable: as ``connect.fetch``.
        """
        sessions = gateway.rows(SESSION.sobject, SESSION.fields, SESSION.case, ids_of(cases))
        return connect.fetch(gateway, SESSION, sessions)

    def turns(self, rows: Iterable[Row]) -> list[SourcedTurn]:
        return connect.turns(SESSION, self.code, rows)
