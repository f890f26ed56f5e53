"""Texts that two models answer otherwise, as the page of a comparison shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from classifier.admin.shown_text import preview
from classifier.engine.comparison import Change, Flip
from classifier.engine.taxonomy import Taxonomy
from classifier.models import Transcript
from classifier.models.remit import within_remit

CHANGES = {
    Change.BETTER: "now right",
    Change.WORSE: "no longer right",
    Change.NEITHER_RIGHT: "changed, neither right",
}


@dataclass(frozen=True, slots=True)
class FlipRow:
    """One text that is answered otherwise, with what both said."""

    transcript: Transcript | None
    first_words: str
    change: str
    tone: str
    truths: str
    candidate: str
    champion: str


class Names:
    """Labels of category codes, also of those that are no longer active."""

    def __init__(self, tree: Taxonomy) -> None:
        self.tree = tree

    def __call__(self, code: str) -> str:
        return self.tree.label(code) if code in self.tree else code

    def list(self, codes: Sequence[str], nothing: str) -> str:
        return ", ".join(map(self, codes)) or nothing


def flip_rows(flips: Sequence[Flip], names: Names, user: Any) -> list[FlipRow]:
    """Return them with the first words of those that ``user`` may see."""
    keys = [int(flip.key) for flip in flips if flip.key.isdecimal()]
    kept = Transcript.objects.filter(pk__in=keys)
    words = within_remit(kept, user).in_bulk()
    others: set[int] = set()
    if lacking := set(keys) - words.keys():
        others.update(kept.filter(pk__in=lacking).values_list("pk", flat=True))
    tones = {Change.BETTER: "good", Change.WORSE: "bad", Change.NEITHER_RIGHT: "plain"}
    rows = []
    for flip in flips:
        key = int(flip.key) if flip.key.isdecimal() else 0
        transcript = words.get(key)
        why = "(not of your queues and teams)" if key in others else "(no longer kept)"
        rows.append(
            FlipRow(
                transcript,
                preview(transcript.turns, 140) if transcript else why,
                CHANGES[flip.change],
                tones[flip.change],
                names.list(flip.truths, "out of scope"),
                names.list(flip.candidate, "left to a person"),
                names.list(flip.champion, "left to a person"),
            )
        )
    return rows
