"""Transcripts attached to a Case: ContentDocumentLink, ContentDocument, ContentVersion, bytes."""

import hashlib
import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sfsync.local_org.drafts import Draft
from sfsync.local_org.notes import lines, speaker
from sfsync.local_org.records import Said
from sfsync.local_org.state import Change, OrgState
from sfsync.local_org.tables import Row

FILE_TYPES = {"txt": "TEXT", "vtt": "UNKNOWN", "json": "JSON", "png": "PNG"}
TRANSCRIPTS = ("txt", "vtt", "json")
_SHARE_WITH_PICTURE = 0.4
_BLANK_LINES = re.compile(r"\n\s*\n")
_PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@dataclass(frozen=True, slots=True)
class File:
    """A file before it is attached."""

    title: str
    extension: str
    content: bytes


def as_attachment(draft: Draft, turns: Sequence[Said]) -> None:
    """Attach the transcript, as text, WebVTT and JSON in turn; at times a picture as well."""
    at = draft.at(max(0, len(turns) - 1))
    extension = TRANSCRIPTS[draft.org.transcripts_attached % len(TRANSCRIPTS)]
    draft.org.transcripts_attached += 1
    attach(draft, at, File("Call transcript", extension, content_of(turns, extension)))
    if draft.dice.random() < _SHARE_WITH_PICTURE:
        attach(draft, at, File("Screenshot", "png", _PICTURE))


def content_of(turns: Sequence[Said], extension: str) -> bytes:
    """Return a transcript in one of the three shapes."""
    writers = {"txt": lines, "vtt": _captions, "json": _segments}
    return writers[extension](turns).encode()


def new_version(org: OrgState, document: Row, file: File, user_id: str) -> list[Change]:
    """Return what changes when a document gets a new version."""
    now, document_id = org.now(), str(document["Id"])
    versions = org.table("ContentVersion").find("ContentDocumentId", [document_id])
    stamps: Row = {
        "LastModifiedDate": now,
        "LastModifiedById": user_id,
        "SystemModstamp": now,
    }
    fresh = _version(org, document_id, file, len(versions) + 1, now)
    fresh |= stamps | {"IsDeleted": False, "CreatedDate": now, "CreatedById": user_id}
    fresh["OwnerId"] = document["OwnerId"]
    old = [
        Change("ContentVersion", str(row["Id"]), {"IsLatest": False, **stamps})
        for row in versions
        if row["IsLatest"]
    ]
    changed = _of_document(file, now) | {"LatestPublishedVersionId": fresh["Id"], **stamps}
    return [
        *old,
        Change("ContentVersion", str(fresh["Id"]), fresh),
        Change("ContentDocument", document_id, changed),
    ]


def attach(draft: Draft, at: datetime, file: File) -> str:
    """Hang a new document on the Case; return its id."""
    org, user = draft.org, draft.writer_of("representative")
    document_id = org.table("ContentDocument").reserve_id()
    version = _version(org, document_id, file, 1, at)
    version |= {"OwnerId": user, "FirstPublishLocationId": draft.case_id}
    draft.add_aside("ContentVersion", at, user, **version)
    draft.add_aside(
        "ContentDocument",
        at,
        user,
        **_of_document(file, at),
        Id=document_id,
        OwnerId=user,
        LatestPublishedVersionId=version["Id"],
    )
    draft.add(
        "ContentDocumentLink",
        at,
        user,
        ContentDocumentId=document_id,
        ShareType="V",
        Visibility="AllUsers",
    )
    return document_id


def _version(org: OrgState, document_id: str, file: File, number: int, at: datetime) -> Row:
    version_id = org.table("ContentVersion").reserve_id()
    org.contents[version_id] = file.content
    return {
        **_of_document(file, at),
        "Id": version_id,
        "ContentDocumentId": document_id,
        "IsLatest": True,
        "VersionNumber": str(number),
        "PathOnClient": f"{file.title}.{file.extension}",
        "Checksum": hashlib.md5(file.content, usedforsecurity=False).hexdigest(),
        "VersionData": f"/services/data/v66.0/sobjects/ContentVersion/{version_id}/VersionData",
    }


def _of_document(file: File, at: datetime) -> Row:
    """Return the fields that document and version have in common."""
    return {
        "Title": file.title,
        "FileExtension": file.extension,
        "FileType": FILE_TYPES.get(file.extension, "UNKNOWN"),
        "ContentSize": len(file.content),
        "ContentModifiedDate": at,
    }


def _captions(turns: Sequence[Said]) -> str:
    """WebVTT: a cue must not hold an empty line, and marks its speaker with ``<v>``."""
    cues = ["WEBVTT"]
    for number, turn in enumerate(turns):
        start, end = (timedelta(seconds=12 * place) for place in (number, number + 1))
        words = html.escape(_BLANK_LINES.sub("\n", turn.text), quote=False)
        span = f"{_clock(start)} --> {_clock(end)}"
        cues.append(f"{number + 1}\n{span}\n<v {speaker(turn)}>{words}</v>")
    return "\n\n".join(cues) + "\n"


def _clock(offset: timedelta) -> str:
    minutes, seconds = divmod(int(offset.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}.000"


def _segments(turns: Sequence[Said]) -> str:
    segments = [
        {
            "speaker": speaker(turn),
            "start": 12.0 * number,
            "end": 12.0 * number + 11.5,
            "text": turn.text,
        }
        for number, turn in enumerate(turns)
    ]
    return json.dumps({"language": "en", "segments": segments}, ensure_ascii=False, indent=1)
