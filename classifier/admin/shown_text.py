"""A customer's words cut into segments, so that evidence can be marked in them."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

# Controls that reorder or hide text; a page that obeyed them would show other words than those
# that were matched. See UTS 55 and CVE-2021-42574.
_UNSEEN = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u2069\ufeff\ud800-\udfff]"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """Why a span stands out: half-open code-point offsets into one turn's text."""

    start: int
    end: int
    because: str
    """One line of plain words, shown as tooltip."""
    is_rule: bool
    speaks_against: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of text under the same marks. ``text`` is made visible, not HTML."""

    text: str
    marks: tuple[Mark, ...] = ()

    @property
    def kind(self) -> str:
        """``rule``, ``model``, ``both``, ``against``, or nothing where no evidence lies."""
        speaking = [mark for mark in self.marks if not mark.speaks_against]
        if self.marks and not speaking:
            return "against"
        kinds = {"rule" if mark.is_rule else "model" for mark in speaking}
        return "both" if len(kinds) > 1 else next(iter(kinds), "")

    @property
    def because(self) -> str:
        return "\n".join(dict.fromkeys(mark.because for mark in self.marks))


def visible(text: str) -> str:
    """Return ``text`` with control characters shown as ``⟨U+202E⟩`` instead of obeyed."""
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found.group()):04X}⟩", text)


def segments(text: str, marks: Iterable[Mark]) -> list[Segment]:
    """Return ``text`` cut wherever a mark begins or ends; marks may overlap.

    Offsets beyond the text are cut off: a stale mark shows less, and never breaks the page.
    """
    inside = [mark for mark in marks if mark.start < min(mark.end, len(text))]
    edges = {0, len(text)}
    edges.update(mark.start for mark in inside)
    edges.update(min(mark.end, len(text)) for mark in inside)
    cuts = sorted(edges)
    return [_segment(text, start, end, inside) for start, end in pairwise(cuts)]


def _segment(text: str, start: int, end: int, marks: Sequence[Mark]) -> Segment:
    covering = tuple(mark for mark in marks if mark.start <= start and end <= mark.end)
    return Segment(visible(text[start:end]), covering)


def preview(turns: Sequence[dict[str, str | None]], length: int = 90) -> str:
    """Return the first words of the customer, cut to ``length`` characters."""
    said = (turn["text"] or "" for turn in turns if turn.get("speaker") == "customer")
    words = unicodedata.normalize("NFC", " ".join(next(said, "")[: length * 4].split()))
    shown = visible(words)
    return shown if len(shown) <= length else f"{shown[: length - 1].rstrip()}…"
