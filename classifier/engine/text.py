"""The words of one conversation as the engine sees them: turns, each with a speaker."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Speaker(StrEnum):
    """Who said a turn."""

    CUSTOMER = "customer"
    REPRESENTATIVE = "representative"
    BOT = "bot"


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance by one speaker, as received (redacted, never normalised)."""

    speaker: Speaker
    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """The words of one conversation at one moment, in the order they were said.

    Offsets in evidence are half-open code-point offsets into ``turns[i].text``.
    """

    turns: tuple[Turn, ...]

    @classmethod
    def of(cls, text: str) -> "Transcript":
        """Return a transcript of one customer turn: a lone text, as in a web form."""
        return cls((Turn(Speaker.CUSTOMER, text),))

    def said_by(self, speaker: Speaker) -> Sequence[Turn]:
        """Return the turns of one speaker, in order."""
        return [turn for turn in self.turns if turn.speaker is speaker]
