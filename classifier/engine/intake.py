"""Intake: raw bytes and characters become words that every part of the system can hold."""

import codecs
import re
from dataclasses import replace

from classifier.engine.errors import TranscriptTooLarge
from classifier.engine.redaction import redact_all
from classifier.engine.text import Transcript, Turn

TRANSCRIPT_CHARACTERS = 20_000_000
"""More is refused. Twice the 10 MB that we promise to read, of which redaction takes a few seconds."""
TRANSCRIPT_TURNS = 20_000
"""More is refused: no conversation of people has so many; 5,000 and more are read."""
WINDOW_CHARACTERS = 200_000
"""Of a longer transcript the first and the last half of this are kept: people say why they call
at the beginning, and what came of it at the end."""
CUT = "\n[…]\n"
"""Stands where a turn was cut."""


def admitted(transcript: Transcript) -> Transcript:
    """Return the transcript as we may keep it: cleaned, redacted, and cut to the window.

    Every offset the engine speaks of later is into the turns returned here. It is redacted
    before it is cut, so that no half of a number slips through at the edge.

    Raises:
        TranscriptTooLarge: more than TRANSCRIPT_CHARACTERS or TRANSCRIPT_TURNS.
    """
    _refuse_too_large(transcript)
    turns = (replace(turn, text=cleaned(turn.text)) for turn in transcript.turns)
    return windowed(redact_all(Transcript(tuple(turns))))


def cleaned(text: str) -> str:
    r"""Return the text as every database and file can hold it.

    NUL is removed (PostgreSQL refuses it), a pair of surrogates becomes its character, a lone
    one U+FFFD, and ``\r\n`` or ``\r`` becomes ``\n``.
    """
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")


def decoded(raw: bytes) -> str:
    """Return bytes as cleaned text: UTF-8, or what their byte order mark says.

    Never fails: what is not valid becomes U+FFFD.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return cleaned(raw[len(mark) :].decode(encoding, "replace"))
    return cleaned(raw.decode("utf-8", "replace"))


def windowed(transcript: Transcript) -> Transcript:
    """Return the transcript, or of a long one its head and tail, of WINDOW_CHARACTERS in all.

    Turns in between are left out; a turn that is cut has ``CUT`` in its place.
    """
    total = sum(len(turn.text) for turn in transcript.turns)
    if total <= WINDOW_CHARACTERS:
        return transcript
    kept, begun = [], 0
    for turn in transcript.turns:
        kept += _kept(turn, begun, total)
        begun += len(turn.text)
    return replace(transcript, turns=tuple(kept))


_SURROGATE = re.compile("[\ud800-\udfff]")
_BYTE_ORDER_MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def _refuse_too_large(transcript: Transcript) -> None:
    if len(transcript.turns) > TRANSCRIPT_TURNS:
        raise TranscriptTooLarge(
            f"{len(transcript.turns):,} turns; at most {TRANSCRIPT_TURNS:,} are read"
        )
    characters = sum(len(turn.text) for turn in transcript.turns)
    if characters > TRANSCRIPT_CHARACTERS:
        raise TranscriptTooLarge(
            f"{characters:,} characters; at most {TRANSCRIPT_CHARACTERS:,} are read"
        )


def _kept(turn: Turn, begun: int, total: int) -> list[Turn]:
    """Return what stays of a turn that begins ``begun`` characters into ``total``: 0 or 1 turn."""
    half = WINDOW_CHARACTERS // 2
    head = max(0, half - begun)
    tail = max(0, total - half - begun)
    if head >= len(turn.text) or tail == 0:
        return [turn]
    if head == 0 and tail >= len(turn.text):
        return []
    return [replace(turn, text=turn.text[:head] + CUT + turn.text[tail:])]
