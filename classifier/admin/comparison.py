"""Comparisons: a candidate beside the champion, and the texts that it answers otherwise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from classifier import comparing
from classifier.admin.base import ModelAdmin, ReadOnly, ago, badge
from classifier.admin.model_steps import steps
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


def comparison_page(comparison: Comparison, *, change: str, number: str) -> ComparisonPage:
    """Return the page of a comparison; ``change`` filters the flips, ``number`` is their page."""
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
        _flips(list(page.object_list), taxonomy),
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
        "micro_f1", "Micro-F1", "All (text, category) pairs, as served.",
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


def _flips(flips: Sequence[Flip], names: _Names) -> list[FlipRow]:
    keys = [int(flip.key) for flip in flips if flip.key.isdecimal()]
    words = Transcript.objects.in_bulk(keys)
    tones = {Change.BETTER: "good", Change.WORSE: "bad", Change.NEITHER_RIGHT: "plain"}
    rows = []
    for flip in flips:
        transcript = words.get(int(flip.key)) if flip.key.isdecimal() else None
        rows.append(
            FlipRow(
                transcript,
                preview(transcript.turns, 140) if transcript else "(no longer kept)",
                CHANGES[flip.change],
                tones[flip.change],
                names.list(flip.truths, "out of scope"),
                names.list(flip.candidate, "left to a person"),
                names.list(flip.champion, "left to a person"),
            )
        )
    return rows


@admin.register(Comparison)
class ComparisonAdmin(ReadOnly, ModelAdmin):
    list_display = ("which", "verdict", "compared")
    list_select_related = ("candidate", "champion")
    list_per_page = 25
    when_empty = (
        "A candidate is compared with the champion as soon as it is trained: train one on the "
        "page of model versions, or by hand:"
    )
    when_empty_command = "python manage.py train"

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Comparison]":
        rows: QuerySet[Comparison] = super().get_queryset(request)
        return rows

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        comparison = self.get_object(request, object_id)
        if comparison is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        if not self.has_view_permission(request, comparison):
            raise PermissionDenied
        title = str(comparison).capitalize()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "original": title,
            "comparison": comparison,
            "shown": _shown(comparison, request),
            "steps": steps(comparison.candidate, request),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "classifier/comparison.html", context)

    @admin.display(description="Comparison")
    def which(self, comparison: Comparison) -> str:
        return str(comparison).capitalize()

    @admin.display(description="Verdict")
    def verdict(self, comparison: Comparison) -> SafeString | str:
        try:
            found = headline(comparison.found)
        except (KeyError, TypeError, ValueError):
            return badge("of an earlier version")
        return badge(found.words.split(":")[0], {"calm": "plain"}.get(found.tone, found.tone))

    @admin.display(description="Made", ordering="compared_at")
    def compared(self, comparison: Comparison) -> SafeString | None:
        return ago(comparison.compared_at)


def _shown(comparison: Comparison, request: HttpRequest) -> ComparisonPage | None:
    """Return the page; None where another version of this product wrote the figures."""
    change, number = request.GET.get("flips", ""), request.GET.get("page", "1")
    try:
        return comparison_page(comparison, change=change, number=number)
    except (KeyError, TypeError, ValueError):
        return None
