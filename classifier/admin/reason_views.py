"""How the report is drawn: bars, lines and links, as frozen values for the template."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.http import QueryDict

from classifier.engine.trends import Direction
from classifier.reporting import FACETS, Level, Question, Reach, Report, Row, told
from classifier.reporting.question import AUTOMATION, WEEK, Decider
from classifier.reporting.report import WAITS, sources_in_words

DRAWN = 6
"""Reasons with a colour of their own: more nobody tells apart."""
ROWS_SHOWN = 40
UNKNOWN_VALUE = "not known"
LINE_WIDTH, LINE_HEIGHT = 100, 24


@dataclass(frozen=True, slots=True)
class Links:
    """Makes the addresses of the page: asked otherwise, and the decisions behind a number."""

    page: str
    decisions: str
    question: Question
    asked: QueryDict

    def otherwise(self, *, without: str = "", **changes: str) -> str:
        """Return the page with some answers changed; one may be left out."""
        kept = {name: value for name, value in self.asked.items() if name != without}
        return f"{self.page}?{urlencode({**kept, **changes})}"

    def behind(
        self,
        row: Row | None = None,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        facet: tuple[str, str] | None = None,
    ) -> str:
        """Return the list of decisions that a number counts."""
        question = self.question
        wanted = {
            "contacted_at__gte": max(start or question.start, question.start).isoformat(),
            "contacted_at__lt": min(end or question.end, question.end).isoformat(),
        }
        facets = (*question.facets, *((facet,) if facet else ()))
        wanted.update({f"{name}__exact": value for name, value in facets})
        if question.source == Decider.AUTOMATION:
            wanted["source__in"] = ",".join(AUTOMATION)
        elif question.source:
            wanted["source__exact"] = question.source
        if row is not None and row.category_id is None:
            wanted["waiting"] = "yes"
        elif row is not None:
            below = "-below" * (question.level is Level.TOP)
            beside = "-any" * (question.reach is Reach.ALL)
            wanted["reason"] = f"{row.category_id}{below}{beside}"
        return f"{self.decisions}?{urlencode(wanted)}"


@dataclass(frozen=True, slots=True)
class Piece:
    """One colour of a bar: ``percent`` of the bar's longest."""

    label: str
    count: int
    percent: float
    colour: str


@dataclass(frozen=True, slots=True)
class WeekBar:
    label: str
    note: str
    contacts: int
    pieces: tuple[Piece, ...]
    url: str


@dataclass(frozen=True, slots=True)
class Line:
    """One reason in the list: figures, a small line of its weeks, and where its Cases are."""

    row: Row
    percent: float
    bar: float
    colour: str
    points: str
    url: str
    focus: str
    badge: tuple[str, str]
    weeks: tuple[str, ...]
    """Contacts of each week, as people read them."""


@dataclass(frozen=True, slots=True)
class CutLine:
    label: str
    count: int
    percent: float
    waiting_percent: float
    matching: int
    matching_percent: float
    url: str
    focus: str


@dataclass(frozen=True, slots=True)
class CutTable:
    label: str
    lines: tuple[CutLine, ...]


@dataclass(frozen=True, slots=True)
class AcrossLine:
    label: str
    cells: tuple[tuple[int, float, str], ...]
    """Count, percentage of the column's contacts, and the decisions behind it."""


@dataclass(frozen=True, slots=True)
class View:
    """The page, ready to be drawn."""

    bars: tuple[WeekBar, ...]
    scale: int
    legend: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
    more: int
    more_url: str
    told: tuple[tuple[str, str, str, tuple[str, ...]], ...]
    """Sentence, direction, decisions behind it, what else may explain it."""
    compared: str
    cuts: tuple[CutTable, ...]
    across: tuple[AcrossLine, ...]
    across_columns: tuple[tuple[str, int], ...]
    deciders: tuple[tuple[str, int, float], ...]
    chips: tuple[tuple[str, str], ...]
    per_week: float
    all_url: str


def shown(report: Report, links: Links, *, is_long: bool = False) -> View:
    """Return the page of a report; ``is_long``: with every reason."""
    listed = [row for row in report.reasons if row.count or _is_told(row)]
    drawn = [row for row in listed if row.count][:DRAWN]
    colours = {row.category_id: f"c{number}" for number, row in enumerate(drawn, 1)}
    rows = listed if is_long else listed[:ROWS_SHOWN]
    deciders = sources_in_words(report.sources)
    decided = sum(deciders.values()) or 1
    whole = _since_the_first([week.contacts for week in report.weeks if week.is_whole])
    scale = _scale(max((week.contacts for week in report.weeks), default=0))
    bars = tuple(_bar(report, links, index, drawn, scale) for index in range(len(report.weeks)))
    has_others = any(piece.colour == "rest" for bar in bars for piece in bar.pieces)
    return View(
        bars=bars,
        scale=scale,
        legend=(
            *((row.label, colours[row.category_id]) for row in drawn),
            *((("All other reasons", "rest"),) if has_others else ()),
            (WAITS, "waits"),
        ),
        lines=tuple(_line(row, report, links, colours) for row in (*rows, report.waits)),
        more=len(listed) - len(rows),
        more_url=links.otherwise(rows="all"),
        told=tuple(
            (
                told(row, report.block),
                row.change.direction.value if row.change else "",
                links_of_block(report, links, row),
                row.marks,
            )
            for row in report.changed
        ),
        compared=_compared(report),
        cuts=_cuts(report, links),
        across=_across(report, links, (*rows[:12], report.waits)),
        across_columns=tuple(
            zip((_named(v) for v in report.across.values), report.across.sizes, strict=True)
        ),
        deciders=tuple((name, n, 100 * n / decided) for name, n in deciders.items()),
        chips=_chips(report, links),
        per_week=sum(whole) / len(whole) if whole else 0.0,
        all_url=links.behind(),
    )


def links_of_block(report: Report, links: Links, row: Row) -> str:
    """Return the decisions of a reason in the block compared, also outside the period."""
    block = report.block
    wider = replace(
        report.question,
        start=min(block.start, report.question.start),
        end=max(block.end, report.question.end),
    )
    around = Links(links.page, links.decisions, wider, links.asked)
    return around.behind(row, start=block.start, end=block.end)


def _is_told(row: Row) -> bool:
    return row.change is not None and row.change.direction in (Direction.ROSE, Direction.FELL)


def _since_the_first(counts: Sequence[int]) -> Sequence[int]:
    """Return the counts without the empty weeks before anything was pulled."""
    first = next((index for index, count in enumerate(counts) if count), len(counts))
    return counts[first:]


def _bar(report: Report, links: Links, index: int, drawn: Sequence[Row], scale: int) -> WeekBar:
    week = report.weeks[index]
    named = [(row.label, row.weeks[index], f"c{number}") for number, row in enumerate(drawn, 1)]
    # A contact with several reasons counts under each: what a bar stacks is then more than its
    # contacts, so that the pieces are drawn as parts of the whole bar.
    others = sum(row.weeks[index] for row in report.reasons) - sum(n for _, n, _ in named)
    if report.question.category_id is not None and report.question.reach is Reach.PRIMARY:
        others = week.contacts - week.waiting - sum(n for _, n, _ in named)
    parts = [*named, ("All other reasons", others, "rest"), (WAITS, week.waiting, "waits")]
    stacked = sum(n for _, n, _ in parts) or 1
    height = 100 * week.contacts / scale
    return WeekBar(
        label=f"{week.start:%d %b}",
        note="" if week.is_whole else "not a whole week",
        contacts=week.contacts,
        pieces=tuple(
            Piece(label, n, height * n / stacked, colour) for label, n, colour in parts if n > 0
        ),
        url=links.behind(start=week.start, end=week.start + WEEK),
    )


def _line(row: Row, report: Report, links: Links, colours: dict[int | None, str]) -> Line:
    most = max((one.count for one in report.rows), default=0) or 1
    focus = ""
    if row.category_id is not None and row.category_id != report.question.category_id:
        focus = links.otherwise(reason=str(row.category_id), level=Level.LEAF.value)
    return Line(
        row=row,
        percent=100 * row.share,
        bar=100 * row.count / most,
        colour=colours.get(row.category_id, "rest") if row.category_id else "waits",
        points=_points(row.weeks),
        url=links.behind(row),
        focus=focus,
        badge=_badge(row),
        weeks=tuple(f"{count:,}" for count in row.weeks),
    )


def _badge(row: Row) -> tuple[str, str]:
    """Return word and tone for the change of a reason."""
    if row.change is None or row.change.direction is Direction.UNKNOWN:
        return "too few to say", "plain"
    return {
        Direction.ROSE: ("rose", "warn"),
        Direction.FELL: ("fell", "calm"),
        Direction.STEADY: ("as usual", "plain"),
    }[row.change.direction]


def _points(weeks: Sequence[int]) -> str:
    """Return the points of a small line over the weeks, the highest at the top."""
    if len(weeks) < 2:  # noqa: PLR2004 - one point is no line
        return ""
    most = max(weeks) or 1
    step = LINE_WIDTH / (len(weeks) - 1)
    return " ".join(
        f"{index * step:.1f},{LINE_HEIGHT - 2 - (LINE_HEIGHT - 4) * count / most:.1f}"
        for index, count in enumerate(weeks)
    )


def _cuts(report: Report, links: Links) -> tuple[CutTable, ...]:
    contacts = report.contacts or 1
    tables = []
    for cut in report.cuts:
        lines = tuple(
            CutLine(
                label="all others" if one.value is None else _named(one.value),
                count=one.count,
                percent=100 * one.count / contacts,
                waiting_percent=100 * one.waiting / (one.count or 1),
                matching=one.matching,
                matching_percent=100 * one.matching / (one.count or 1),
                url="" if one.value is None else links.behind(facet=(cut.facet, one.value)),
                focus=""
                if one.value is None or len(cut.values) == 1
                else links.otherwise(**{cut.facet: one.value}),
            )
            for one in cut.values
        )
        if any(one.value for one in cut.values):
            tables.append(CutTable(cut.label, lines))
    return tuple(tables)


def _across(report: Report, links: Links, rows: Sequence[Row]) -> tuple[AcrossLine, ...]:
    across = report.across
    empty = (0,) * len(across.values)
    return tuple(
        AcrossLine(
            row.label,
            tuple(
                (
                    count,
                    100 * count / (size or 1),
                    links.behind(row, facet=(across.facet, value)),
                )
                for count, size, value in zip(
                    across.cells.get(row.category_id, empty),
                    across.sizes,
                    across.values,
                    strict=True,
                )
            ),
        )
        for row in rows
    )


def _chips(report: Report, links: Links) -> tuple[tuple[str, str], ...]:
    """Return what the report is narrowed to, each with the page without it."""
    chips = [
        (f"{FACETS[name]}: {_named(value)}", links.otherwise(without=name))
        for name, value in report.question.facets
    ]
    category = report.question.category_id
    if category is not None:
        label = f"Reason: {report.tree.label(category)} and what lies below it"
        chips.append((label, links.otherwise(without="reason")))
    return tuple(chips)


def _compared(report: Report) -> str:
    block = report.block
    last = block.end - timedelta(seconds=1)
    return (
        f"{block.start:%a %d %b %Y} to {last:%a %d %b %Y, %H:%M} UTC, held against the"
        f" {len(block.before())} stretches of the same length and weekdays before it"
    )


def _named(value: str) -> str:
    return value or UNKNOWN_VALUE


def _scale(highest: int) -> int:
    """Return a round number at or above ``highest``, for the top of the chart."""
    unit = 10 ** max(0, len(str(highest)) - 1)
    steps = (unit, 2 * unit, 5 * unit, 10 * unit)
    return next((step for step in steps if highest <= step), 10 * unit) or 1
