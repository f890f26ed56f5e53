"""What the page of a comparison shows: figures as bars, categories, texts answered otherwise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator

from classifier import comparing
from classifier.admin.shown_text import preview
from classifier.engine.chance import Measured, Share
from classifier.engine.comparison import (
    Change,
    Flip,
    KnownTo,
    Line,
    Score,
    Showing,
)
from classifier.engine.comparison import (
    Comparison as Figures,
)
from classifier.engine.findings import Finding, findings, headline
from classifier.engine.taxonomy import Taxonomy
from classifier.models import Category, Comparison, Transcript
from classifier.models.remit import within_remit

FLIPS_PER_PAGE = 25
CHANGES = {
    Change.BETTER: "now right",
    Change.WORSE: "no longer right",
    Change.NEITHER_RIGHT: "changed, neither right",
}
KNOWN = {
    KnownTo.CANDIDATE: "new to the candidate",
    KnownTo.CHAMPION: "only the champion learnt it",
    KnownTo.NEITHER: "neither learnt it",
    KnownTo.BOTH: "",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure as a bar with its interval; all in per cent of the bar's width."""

    value: float
    low: float
    high: float
    words: str

    @property
    def width(self) -> float:
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class Figure:
    """One head figure of both models."""

    name: str
    meaning: str
    candidate: Bar | None
    champion: Bar | None
    change: str = ""
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Row:
    """One category of the table."""

    label: str
    texts: int
    is_small: bool
    known: str
    candidate: Score
    champion: Score | None
    change: str
    interval: str
    tone: str


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


@dataclass(frozen=True, slots=True)
class ComparisonPage:
    """All that the page shows."""

    headline: Finding
    findings: Sequence[Finding]
    figures: Sequence[Figure]
    rows: Sequence[Row]
    filters: Sequence[tuple[str, str, int]]
    """Code, words and number of texts for each kind of flip, all of them first."""
    chosen: str
    flips: Sequence[FlipRow]
    page: "Page[Flip]"
    whats_changed: Sequence[str]


def comparison_page(
    comparison: Comparison, user: Any, *, change: str, number: str
) -> ComparisonPage:
    """Return the page of a comparison; ``change`` filters the flips, ``number`` is their page.

    The figures are of all held-out texts; the words only of those that ``user`` may see.
    """
    found, taxonomy = comparison.found, _Names(Category.objects.taxonomy())
    wanted = [flip for flip in found.flips if not change or flip.change.value == change]
    page = Paginator(wanted, FLIPS_PER_PAGE).get_page(number)
    counts = {kind: sum(flip.change is kind for flip in found.flips) for kind in Change}
    return ComparisonPage(
        headline(found),
        findings(found, taxonomy.tree),
        _figures(found) if found.candidate else (),
        [_row(line, taxonomy) for line in found.lines],
        [
            ("", "all", len(found.flips)),
            *((kind.value, CHANGES[kind], counts[kind]) for kind in Change),
        ],
        change,
        _flips(list(page.object_list), taxonomy, user),
        page,
        comparing.whats_changed(comparison),
    )


class _Names:
    """Labels of category codes, also of those that are no longer active."""

    def __init__(self, tree: Taxonomy) -> None:
        self.tree = tree

    def __call__(self, code: str) -> str:
        return self.tree.label(code) if code in self.tree else code

    def list(self, codes: Sequence[str], nothing: str) -> str:
        return ", ".join(map(self, codes)) or nothing


Part = Callable[[Showing], Share | Measured | float]
HEAD: tuple[tuple[str, str, str, Part], ...] = (
    (
        "right", "Right without a person",
        "Of all texts: answered rightly as served, rules included; out of scope and left alone "
        "counts as right.",
        lambda showing: showing.right,
    ),
    ("coverage", "Answered without a person", "Of all texts.", lambda showing: showing.coverage),
    (
        "", "Right when it answers", "Of those answered without a person.",
        lambda showing: showing.precision,
    ),
    (
        "", "First guess right", "Of the texts in scope: the model alone, however unsure.",
        lambda showing: showing.first_guess,
    ),
    (
        "", "Out of scope left alone", "Of the texts that no category fits.",
        lambda showing: showing.out_of_scope,
    ),
    (
        "micro_f1", "Micro-F1", "Precision and recall in one: each reason of each text counts once.",
        lambda showing: showing.micro_f1,
    ),
    (
        "macro_f1", "Macro-F1", "Mean over the categories: small ones count as much as large ones.",
        lambda showing: showing.macro_f1,
    ),
    (
        "", "Calibration error", "How far stated probabilities are off; lower is better.",
        lambda showing: showing.ece,
    ),
)  # fmt: skip


def _figures(found: Figures) -> list[Figure]:
    figures = []
    for key, name, meaning, part in HEAD:
        change = found.changes.get(key)
        figures.append(
            Figure(
                name,
                meaning,
                _bar(part(found.candidate)) if found.candidate else None,
                _bar(part(found.champion)) if found.champion else None,
                _points(change) if change else "",
                _tone(change) if key != "right" or found.rights.is_beyond_chance else "plain",
            )
        )
    return figures


def _bar(figure: Share | Measured | float) -> Bar | None:
    """Return a figure as a bar; None where there was nothing to measure."""
    if isinstance(figure, float | int):
        return Bar(100 * figure, 100 * figure, 100 * figure, f"{figure:.1%}")
    if figure.value is None:
        return None
    words = f"{figure.value:.1%} (95 % interval {figure.low:.1%} to {figure.high:.1%}"
    words += f", {figure.hits:,} of {figure.of:,})" if isinstance(figure, Share) else ")"
    return Bar(100 * figure.value, 100 * figure.low, 100 * figure.high, words)


def _points(change: Measured) -> str:
    return f"{_signed(change.value)} ({_signed(change.low)} to {_signed(change.high)})"


def _signed(share: float) -> str:
    points = round(100 * share, 1)
    return f"{points:+.1f}".replace("-", "−") if points else "0.0"


def _tone(change: Measured | None) -> str:
    if change is None or change.low <= 0 <= change.high:
        return "plain"
    return "good" if change.low > 0 else "bad"


def _row(line: Line, names: _Names) -> Row:
    change = line.change
    return Row(
        names(line.category),
        line.texts,
        line.is_small,
        KNOWN[line.known_to] if line.champion else "",
        line.candidate,
        line.champion,
        _signed(change.value) if change else "",
        f"{_signed(change.low)} to {_signed(change.high)}" if change and change.value else "",
        _tone(change),
    )


def _flips(flips: Sequence[Flip], names: _Names, user: Any) -> list[FlipRow]:
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
