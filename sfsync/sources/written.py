"""Transcripts as files hold them: WebVTT, JSON in its common shapes, or lines of text; pure."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from typing import Any

from classifier.engine.text import Speaker
from sfsync.sources import labelled, speakers

LONGEST_LABEL = 200
DEEPEST = 6
"""Levels of JSON that are looked into for the list of what was said."""
HOLDING = (
    "turns", "messages", "entries", "conversationentries", "utterances", "segments", "dialogue",
    "transcript", "transcription", "results", "conversation", "call", "monologues",
)  # fmt: skip
SPEAKER = (
    "speaker", "role", "participantrole", "participant", "participantid", "sender", "speaker_label",
    "speakername", "author", "from", "name",
)  # fmt: skip
WORDS = (
    "text",
    "content",
    "message",
    "messagetext",
    "transcript",
    "utterance",
    "body",
    "words",
)
TIME = (
    "time", "timestamp", "at", "start", "starttime", "start_time", "date", "datetime", "createdat",
    "created_at", "serverreceivedtimestamp", "clienttimestamp",
)  # fmt: skip
OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
"""A number that would be an earlier date is an offset from the beginning of the call."""
MILLISECONDS_FROM = 1e11
"""Epoch numbers from here on count milliseconds: seconds of so many are the year 5138."""
LATEST_EPOCH = 4_102_444_800.0

CUE_TIME = re.compile(
    r"\s{0,9}(?:\d{1,4}:)?\d{1,2}:\d{2}[.,]\d{1,3}\s{1,9}-->\s{1,9}(?:\d{1,4}:)?\d{1,2}:\d{2}[.,]\d"
)
VOICE = re.compile(r"<v(?:\.[^\s>]{0,80})?\s([^>]{1,200})>")
CUE_TAG = re.compile(r"</?[a-zA-Z0-9:.][^<>]{0,200}>|</?>")
NOT_CUES = ("NOTE", "STYLE", "REGION")


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said; ``at`` only where the file tells the day and time."""

    speaker: Speaker
    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Piece:
    label: str
    text: str
    at: datetime | None = None


def read(text: str, customer_names: Iterable[str] = ()) -> list[Said]:
    """Return who said what, in order; empty where this is no transcript.

    The content tells what it is, not a name's ending: phone systems save JSON as .txt. Never
    fails. Time is linear in the length of ``text``.
    """
    names = list(customer_names)
    start = _start(text)
    if _is_captions(start):
        return _joined(_spoken(list(_cues(start)), names))
    if start.startswith(("{", "[")):
        try:
            return _spoken(_found(json.loads(start), DEEPEST), names)
        except (ValueError, RecursionError):
            pass  # "[10:15] Agent: …" begins like JSON, too
    lines = labelled.read(start, names)
    return [Said(line.speaker, line.text) for line in lines]


def of_file(text: str) -> list[Said]:
    """Return who said what in a file that may be anything; empty where it is no transcript.

    In one a customer speaks. Where nobody else does, captions and JSON are believed; plain text
    is unless it is a form (“Customer: ACME, Address: …”).
    """
    said = read(text)
    sides = {one.speaker for one in said}
    if Speaker.CUSTOMER not in sides:
        return []
    is_plain = not _is_captions(start := _start(text)) and not start.startswith(("{", "["))
    return [] if len(sides) == 1 and is_plain and labelled.is_form(text) else said


def _start(text: str) -> str:
    return text.lstrip("\ufeff \t\r\n")


def _spoken(pieces: list[_Piece], customer_names: list[str]) -> list[Said]:
    cast = speakers.cast([piece.label for piece in pieces], customer_names)
    return [
        Said(cast[piece.label], piece.text, piece.at)
        for piece in pieces
        if piece.label in cast and piece.text
    ]


def _joined(said: Iterable[Said]) -> list[Said]:
    """Return captions as turns: a phrase goes on over several cues of the same speaker."""
    joined: list[tuple[Speaker, list[str]]] = []
    for one in said:
        if joined and joined[-1][0] is one.speaker:
            joined[-1][1].append(one.text)
        else:
            joined.append((one.speaker, [one.text]))
    return [Said(speaker, " ".join(texts)) for speaker, texts in joined]


def _is_captions(text: str) -> bool:
    """Return whether this is WebVTT, or the older SRT, which has a number for a heading."""
    return text.startswith("WEBVTT") or any(
        CUE_TIME.match(line) for line in text[:200].split("\n")[:2]
    )


def _cues(text: str) -> Iterator[_Piece]:
    """Yield what each voice says in a WebVTT text; a cue that names nobody is the last one's."""
    voice = ""
    for block in _blocks(text):
        timed = next((n for n, line in enumerate(block[:2]) if CUE_TIME.match(line)), None)
        if timed is None or block[0].startswith(NOT_CUES):
            continue
        for line in block[timed + 1 :]:
            for label, words in _voices(line):
                voice = label or voice
                yield _Piece(voice, words)


def _blocks(text: str) -> Iterator[list[str]]:
    block: list[str] = []
    for line in text.split("\n"):
        if line.strip():
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _voices(line: str) -> Iterator[tuple[str, str]]:
    """Yield (name or nothing, words) of one line: ``<v Ann>Hello``, ``Ann: Hello`` or ``Hello``."""
    before, *tagged = VOICE.split(line)
    if words := _plain(before):
        found = labelled.LINE.match(words)
        if found and labelled.may_be_speaker(found["label"].strip()):
            yield found["label"].strip(), found["words"]
        else:
            yield "", words
    for label, words in zip(tagged[::2], tagged[1::2], strict=True):
        yield unescape(label).strip(), _plain(words)


def _plain(words: str) -> str:
    return " ".join(unescape(CUE_TAG.sub("", words)).split())


def _found(value: Any, depth: int) -> list[_Piece]:
    """Return the first list of what was said, in or below ``value``."""
    if depth == 0:
        return []
    if isinstance(value, list):
        pieces = [piece for entry in value if (piece := _piece(entry))]
        if pieces or len(value) != 1:
            return pieces
        return _found(value[0], depth - 1)
    if isinstance(value, dict):
        members = _members(value)
        for name in HOLDING:
            if name in members and (pieces := _found(members[name], depth - 1)):
                return pieces
    if isinstance(value, str):
        return [_Piece(line.speaker.value, line.text) for line in labelled.read(value)]
    return []


def _piece(entry: Any) -> _Piece | None:
    if not isinstance(entry, dict):
        return None
    members = _members(entry)
    words = next((members[name] for name in WORDS if isinstance(members.get(name), str)), "")
    label = next((name for key in SPEAKER if (name := _label(members.get(key)))), "")
    if not label or not words.strip():
        return None
    at = next((at for name in TIME if (at := _moment(members.get(name)))), None)
    return _Piece(label, words.strip(), at)


def _members(found: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name).casefold(): value for name, value in found.items()}


def _label(value: Any) -> str:
    """Return the label of a speaker, who may be an object with a role and a name."""
    if isinstance(value, dict):
        members = _members(value)
        return next(
            (name for key in ("role", "type", "name") if (name := _label(members.get(key)))), ""
        )
    return value.strip()[:LONGEST_LABEL] if isinstance(value, str) else ""


def _moment(value: Any) -> datetime | None:
    """Return a day and time; None for an offset, and for what is neither."""
    try:
        if isinstance(value, str):
            at = datetime.fromisoformat(value.strip())
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
            return at.astimezone(UTC) if at >= OLDEST else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1000 if value >= MILLISECONDS_FROM else float(value)
            if OLDEST.timestamp() <= seconds <= LATEST_EPOCH:
                return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError):
        pass
    return None
