"""The words of one conversation as the engine sees them: turns, each with a speaker."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


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
    is_subject: bool = False
    """Whether it is the subject line of a message, which counts as said by who wrote it."""


class Facet(NamedTuple):
    """A fact about a conversation that nobody said: its channel, a field of its record, …"""

    name: str
    values: tuple[str, ...]


CHANNEL, LANGUAGE, QUEUE = "channel", "language", "queue"
EARLIER_REASONS = "earlier reasons"  # the blank keeps it apart from the name of any field


@dataclass(frozen=True, slots=True)
class Transcript:
    """The words of one conversation at one moment, in the order they were said.

    Offsets in evidence are half-open code-point offsets into ``turns[i].text``.
    """

    turns: tuple[Turn, ...]
    facets: tuple[Facet, ...] = ()
    """What rules may ask for besides words: ``CHANNEL``, ``LANGUAGE`` (a code: ``de``, ``pt-BR``),
    ``QUEUE``, ``EARLIER_REASONS`` (category codes), and fields by the names they were mapped by.
    """

    @classmethod
    def of(cls, text: str) -> "Transcript":
        """Return a transcript of one customer turn: a lone text, as in a web form."""
        return cls((Turn(Speaker.CUSTOMER, text),))

    def facet(self, name: str) -> tuple[str, ...]:
        """Return the values of a facet, whatever the case of its name; none if it is unknown."""
        asked = name.casefold()
        return next((f.values for f in self.facets if f.name.casefold() == asked), ())

    def said_by(self, speaker: Speaker) -> Sequence[Turn]:
        """Return the turns of one speaker, in order."""
        return [turn for turn in self.turns if turn.speaker is speaker]
