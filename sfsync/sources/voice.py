"""Voice calls, whose transcripts live behind the Connect API once the call has ended."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sfsync.cases import CaseSnapshot, SourcedTurn
from sfsync.gateway import SalesforceGateway
from sfsync.sources import connect
from sfsync.sources.source import Fetched, Row, Watched, ids_of

CALL = connect.Talk(
    "VoiceCall", "RelatedRecordId", "CallStartDateTime", "CallEndDateTime", "0LQ"
)
WATCHED = Watched(CALL.sobject, CALL.case)


@dataclass(frozen=True, slots=True)
class VoiceSource:
    """VoiceCall → Conversation → Connect entries.

    A call that still runs is left alone: Salesforce gives its words after it has ended, and
    the end changes the VoiceCall, so that its Case is read again.
    """

    code: str = "voice"
    name: str = "Voice calls"
    watched: Watched = WATCHED
    is_common: bool = False
    text_fields: tuple[str, ...] = ()

    @property
    def needed(self) -> Mapping[str, tuple[str, ...]]:
        return CALL.needed

    def fetch(self, gateway: SalesforceGateway, cases: Sequence[CaseSnapshot]) -> Fetched:
        """Return one row per ended call: its fields and ``entries``.

        Raises:
            SalesforceUnavailable: as ``connect.fetch``.
        """
        calls = gateway.rows(CALL.sobject, CALL.fields, CALL.case, ids_of(cases))
        return connect.fetch(gateway, CALL, [call for call in calls if call[CALL.ends]])

    def turns(self, rows: Iterable[Row]) -> list[SourcedTurn]:
        return connect.turns(CALL, self.code, rows)
