"""Transcripts attached to a Case as files: text, WebVTT or JSON."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from classifier.engine.intake import decoded
from classifier.engine.text import Turn
from sfsync import soql
from sfsync.case_rows import moment
from sfsync.cases import CASE_PREFIX, CaseSnapshot, SourcedTurn, Stamp
from sfsync.errors import RecordGone
from sfsync.gateway import SalesforceGateway
from sfsync.sources import written
from sfsync.sources.source import Fetched, Row, Watched, ids_of

VERSION = "ContentVersion"
LINK = "ContentDocumentLink"
LINK_FIELDS = ("Id", "LinkedEntityId", "ContentDocumentId")
VERSION_FIELDS = (
    "Id",
    "ContentDocumentId",
    "FileExtension",
    "ContentSize",
    "IsLatest",
    "CreatedDate",
)
EXTENSIONS = ("txt", "vtt", "json", "srt")
MOST_BYTES = 5_000_000
"""A larger file is no transcript: a day of talking is 1 MB."""
MOST_FILES = 10
"""Of one Case, the newest: each costs a call."""
READABLE = soql.is_one_word_of("FileExtension", EXTENSIONS)
LATEST = soql.is_true("IsLatest")


@dataclass(frozen=True, slots=True)
class AttachmentSource:
    """ContentDocumentLink → latest ContentVersion → its bytes; what is no transcript is left.

    Salesforce answers no question like “which links are new”, so a changed file leads to its
    Cases: the new version is found by its stamp, and then the links of its document.
    """

    code: str = "attachment"
    name: str = "Transcripts in attached files"
    is_common: bool = True
    text_fields: tuple[str, ...] = ()

    @property
    def watched(self) -> Watched:
        return Watched(
            VERSION,
            "ContentDocumentId",
            only=f"{READABLE} AND {LATEST}",
            is_listed=False,
            cases_of=cases_of_documents,
        )

    @property
    def needed(self) -> Mapping[str, tuple[str, ...]]:
        return {LINK: LINK_FIELDS, VERSION: (*VERSION_FIELDS, "VersionData")}

    def fetch(self, gateway: SalesforceGateway, cases: Sequence[CaseSnapshot]) -> Fetched:
        """Return one row per file: the version's fields and ``content``, its bytes."""
        found = Fetched()
        links = gateway.rows(LINK, LINK_FIELDS, "LinkedEntityId", ids_of(cases))
        newest = _newest(gateway, [link["ContentDocumentId"] for link in links])
        chosen = _chosen(links, newest)
        contents: dict[str, bytes] = {}
        for case_id, versions in chosen.items():
            for version in versions:
                content = contents.get(version["Id"])
                if content is None:
                    try:
                        content = gateway.content(version["Id"])
                    except RecordGone:
                        content = b""
                    contents[version["Id"]] = content
                found.add(case_id, {**version, "content": content})
        return found

    def turns(self, rows: Iterable[Row]) -> list[SourcedTurn]:
        """Return what was said, in the file's order; the file's own time where it tells none."""
        return [
            SourcedTurn(
                Turn(one.speaker, one.text, one.at or moment(row["CreatedDate"])),
                self.code,
                row["Id"],
            )
            for row in rows
            for one in _said(row)
        ]


def cases_of_documents(gateway: SalesforceGateway, stamps: Sequence[Stamp]) -> list[Stamp]:
    """Return a stamp per link of the stamped versions' documents to a Case.

    It bears the link's id, so that a file that is linked a little later is news again.
    """
    changed = {stamp.case_id: stamp.modstamp for stamp in stamps}
    links = gateway.rows(LINK, LINK_FIELDS, "ContentDocumentId", changed)
    return [
        Stamp(link["Id"], link["LinkedEntityId"], changed[link["ContentDocumentId"]])
        for link in links
        if link["LinkedEntityId"].startswith(CASE_PREFIX)
    ]


def _newest(gateway: SalesforceGateway, documents: Sequence[str]) -> dict[str, Row]:
    """Return document → its latest version, of those that may be transcripts."""
    rows = gateway.rows(
        VERSION, VERSION_FIELDS, "ContentDocumentId", documents, f"{READABLE} AND {LATEST}"
    )
    return {
        row["ContentDocumentId"]: row
        for row in rows
        if 0 < (row["ContentSize"] or 0) <= MOST_BYTES
    }


def _chosen(links: Sequence[Row], newest: Mapping[str, Row]) -> dict[str, list[Row]]:
    chosen: dict[str, list[Row]] = {}
    for link in links:
        if version := newest.get(link["ContentDocumentId"]):
            chosen.setdefault(link["LinkedEntityId"], []).append(version)
    return {
        case_id: sorted(versions, key=_made)[-MOST_FILES:]
        for case_id, versions in chosen.items()
    }


def _made(version: Row) -> tuple[str, str]:
    return version["CreatedDate"], version["Id"]


def _said(row: Row) -> list[written.Said]:
    return written.of_file(decoded(row["content"]))
