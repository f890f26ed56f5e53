"""What the page of a comparison shows: figures as bars, categories, texts answered otherwise."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator

from classifier import comparing
from classifier.admin.comparison_flips import CHANGES, FlipRow, Names, flip_rows
from classifier.admin.list_pages import Pages, is_called, pages
from classifier.engine.chance import Measured, Share
from classifier.engine.comparison import (
    Change,
    KnownTo,
    Line,
    Score,
    Showing,
)
from classifier.engine.comparison import (
    Comparison as Figures,
)
from classifier.engine.findings import Finding, findings, headline
from classifier.models import Category, Comparison

FLIPS_PER_PAGE = 25
LINES_PER_PAGE = 50
KNOWN = {
    KnownTo.CANDIDATE: "new to the candidate",
    KnownTo.CHAMPION: "only the champion learnt it",
    KnownTo.NEITHER: "neither learnt it",
    KnownTo.BOTH: "",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What parts of the two lists are looked at, as it stands in the address."""

    flips: str = ""
    """A kind of flip; empty: all."""
    page: str = "1"
    """Of the flips."""
    find: str = ""
    """Words in the names of categories."""
    lines: str = "1"
    """Page of the categories."""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Asked":
        usual = asdict(cls())
        return cls(**{name: query.get(name, value).strip() for name, value in usual.items()})

    def address(self, place: str, **changes: str) -> str:
        """Return the address with ``changes``, at a place of the page."""
        asked = {**asdict(self), **changes}
        usual = asdict(Asked())
        return f"?{urlencode({name: one for name, one in asked.items() if one != usual[name]})}#{place}"


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
class ComparisonPage:
    """All that the page shows."""

    headline: Finding
    findings: Sequence[Finding]
    figures: Sequence[Figure]
    asked: Asked
    categories: int
    rows: Sequence[Row]
    row_pages: Pages
    filters: Sequence[tuple[str, str, int, str]]
    """Code, words, number of texts and address for each kind of flip, all of them first."""
    flips: Sequence[FlipRow]
    flip_pages: Pages
    whats_changed: Sequence[str]


def comparison_page(comparison: Comparison, user: Any, asked: Asked) -> ComparisonPage:
    """Return the page of a comparison, with the parts of its lists that are asked for.

    The figures are of all held-out texts; the words only of those that ``user`` may see.
    """
    found, taxonomy = comparison.found, Names(Category.objects.taxonomy())
    meant = [line for line in found.lines if is_called(taxonomy(line.category), asked.find)]
    lines = Paginator(meant, LINES_PER_PAGE).get_page(asked.lines)
    wanted = [flip for flip in found.flips if asked.flips in ("", flip.change.value)]
    flips = Paginator(wanted, FLIPS_PER_PAGE).get_page(asked.page)
    counts = {kind: sum(flip.change is kind for flip in found.flips) for kind in Change}
    numbers = {"": ("all", len(found.flips))} | {
        kind.value: (CHANGES[kind], counts[kind]) for kind in Change
    }
    return ComparisonPage(
        headline(found),
        findings(found, taxonomy.tree),
        _figures(found) if found.candidate else (),
        asked,
        len(found.lines),
        [_row(line, taxonomy) for line in lines.object_list],
        pages(lines, lambda number: asked.address("categories", lines=number)),
        [
            (code, words, number, asked.address("flips", flips=code, page="1"))
            for code, (words, number) in numbers.items()
        ],
        flip_rows(list(flips.object_list), taxonomy, user),
        pages(flips, lambda number: asked.address("flips", page=number)),
        comparing.whats_changed(comparison),
    )


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


def _row(line: Line, names: Names) -> Row:
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
