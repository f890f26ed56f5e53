"""Conversations in a file: JSON lines, plain or gzip'd."""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, cast

GZIP_MAGIC = b"\x1f\x8b"
CHANNELS = (
    "email",
    "web",
    "comments",
    "messaging",
    "chat",
    "voice",
    "call_log",
    "attachment",
    "custom_object",
    "case_field",
    "social",
)
"""Ways a conversation can come in; each puts the words in other places."""


@dataclass(frozen=True, slots=True)
class Said:
    """One turn of a record."""

    speaker: str
    """``customer``, ``representative`` or ``bot``."""
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """One conversation of a feed. Its labels stay in the file: the org must not know them."""

    key: str
    turns: tuple[Said, ...]
    channel: str = ""
    """One of ``CHANNELS``; empty, as for channels we do not know: drawn from the key."""
    subject: str | None = None
    """None: made from the first words, or left out."""
    split: str = ""
    language: str = ""

    @classmethod
    def parse(cls, given: Mapping[str, object]) -> "Record":
        """Return the record of one JSON object.

        Raises:
            ValueError: it has neither text nor turns.
        """
        key, channel = str(given.get("id", "")), str(given.get("channel") or "")
        turns = given.get("turns")
        if turns is None:
            turns = [{"speaker": "customer", "text": given.get("text")}]
        if not isinstance(turns, list) or any(one.get("text") is None for one in turns):
            raise ValueError(f"record {key}: neither text nor turns")
        subject = given.get("subject")
        return cls(
            key,
            tuple(Said(str(one.get("speaker", "customer")), str(one["text"])) for one in turns),
            channel if channel in CHANNELS else "",
            None if subject is None else str(subject),
            str(given.get("split") or ""),
            str(given.get("language") or ""),
        )


def read_records(path: Path, split: str = "") -> Iterator[Record]:
    """Yield the records of a file, of one split or (empty) of all.

    Raises:
        ValueError: a line is no record; names the line.
    """
    with _opened(path) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                record = Record.parse(json.loads(line))
            except (ValueError, AttributeError) as broken:
                raise ValueError(f"{path}, line {number}: {broken}") from broken
            if not split or record.split == split:
                yield record


def _opened(path: Path) -> TextIO:
    """Open by content, not by name: downloads lose their ending."""
    with path.open("rb") as stream:
        is_compressed = stream.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    opener = gzip.open if is_compressed else open
    return cast("TextIO", opener(path, "rt", encoding="utf-8"))
