"""The report as frozen values, made of the counts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from classifier.engine.trends import Change, Direction, Share, changes, estimated_share
from classifier.models import Decision, KeywordRule, ModelVersion
from classifier.reporting.counting import Counts, CutValue, Further, Reason, Tree
from classifier.reporting.question import (
    AUTOMATION,
    FACETS,
    WEEK,
    Block,
    Level,
    Question,
    Reach,
    monday_of,
)

WAITS = "Waits for a person"
COLUMNS_ACROSS = 6


@dataclass(frozen=True, slots=True)
class Week:
    """One week of the report. ``is_whole``: all of it lies in the period, and is over."""

    start: datetime
    is_whole: bool
    contacts: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Row:
    """One reason. ``category_id`` None: the contacts that wait for a person."""

    category_id: Reason
    label: str
    code: str
    count: int
    share: float
    """Of all contacts, in [0, 1]."""
    weeks: tuple[int, ...]
    change: Change | None
    marks: tuple[str, ...] = ()
    """What else may explain a change, as short phrases."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The contacts by one facet."""

    facet: str
    label: str
    values: tuple[CutValue, ...]


@dataclass(frozen=True, slots=True)
class Across:
    """Reasons by the values of one facet: shares of the contacts of each value."""

    facet: str
    label: str
    values: tuple[str, ...]
    sizes: tuple[int, ...]
    cells: Mapping[Reason, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the page and the files say."""

    question: Question
    block: Block
    tree: Tree
    contacts: int
    waiting: int
    weeks: tuple[Week, ...]
    rows: tuple[Row, ...]
    """By count, the most frequent first; what waits for a person is always the last."""
    cuts: tuple[Cut, ...]
    across: Across
    sources: Mapping[str, int]
    rightness: Share | None
    """How often automation's tags are right, by the blind audit; None: unknown."""
    undated: int
    remarks: tuple[str, ...]

    @property
    def reasons(self) -> tuple[Row, ...]:
        return self.rows[:-1]

    @property
    def waits(self) -> Row:
        return self.rows[-1]

    @property
    def changed(self) -> tuple[Row, ...]:
        """What rose or fell beyond chance, the least likely by chance first."""
        called = (Direction.ROSE, Direction.FELL)
        found = [row for row in self.rows if row.change and row.change.direction in called]
        return tuple(sorted(found, key=lambda row: row.change.p if row.change else 1.0))

    @property
    def is_comparable(self) -> bool:
        """Whether anything could be said about change at all."""
        unknown = Direction.UNKNOWN
        return any(row.change and row.change.direction is not unknown for row in self.rows)


def report(question: Question, user: Any) -> Report:
    """Return the report on the contacts that ``user`` may see; a fixed number of queries."""
    tree = Tree()
    counts = Counts(question, user, tree)
    by_week = counts.by_week()
    weeks = _weeks(question, by_week)
    blocks = [question.block, *question.block.before()]
    in_blocks = _in_blocks(question, counts, by_week, blocks)
    totals = [counted.total() for counted in in_blocks]
    further = counts.further(blocks) if question.reach is Reach.ALL else Further(blocks)
    for week, more in further.by_week.items():
        by_week[week].update(more)
    for counted, more in zip(in_blocks, further.in_blocks, strict=True):
        counted.update(more)
    contacts = sum(week.contacts for week in weeks)
    found = _changes(in_blocks, totals)
    rows = _rows(question, tree, by_week, weeks, contacts, found)
    by_facet, sources = counts.by_facet()
    cuts = tuple(Cut(facet, label, tuple(by_facet[facet])) for facet, label in FACETS.items())
    sample = [
        (_is_right(tree, said, truth), chance) for said, truth, chance in counts.audited()
    ]
    return Report(
        question=question,
        block=question.block,
        tree=tree,
        contacts=contacts,
        waiting=sum(week.waiting for week in weeks),
        weeks=weeks,
        rows=_marked(question, tree, rows),
        cuts=cuts,
        across=_across(question, counts, cuts, further),
        sources=sources,
        rightness=estimated_share(sample),
        undated=counts.undated(),
        remarks=_remarks(question, had_before=any(totals[1:])),
    )


def told(row: Row, block: Block) -> str:
    """Return one sentence on a change: “Late parcel rose from 41 a week to 97 (expected 28–55).”"""
    change = row.change
    if change is None or change.direction not in (Direction.ROSE, Direction.FELL):
        return ""
    unit = " a week" if block.is_week else " in the same stretch of the weeks before"
    if block.end - block.start > WEEK:
        unit = " in as many days before"
    return (
        f"{row.label} {change.direction} from {change.usual:,.0f}{unit} to {change.count:,}"
        f" (expected {change.low:,.0f}–{change.high:,.0f})."
    )


def _weeks(question: Question, by_week: Mapping[date, Counter[Reason]]) -> tuple[Week, ...]:
    weeks, start = [], monday_of(question.start)
    while start < question.end:
        end = start + WEEK
        is_whole = question.start <= start and end <= min(question.end, question.now)
        counted = by_week.get(start.date(), Counter())
        weeks.append(Week(start, is_whole, counted.total(), counted[None]))
        start = end
    return tuple(weeks)


def _in_blocks(
    question: Question,
    counts: Counts,
    by_week: Mapping[date, Counter[Reason]],
    blocks: Sequence[Block],
) -> list[Counter[Reason]]:
    """Return reason → contacts of each block; whole weeks of the period are counted already."""
    are_counted = all(
        block.is_week and question.start <= block.start and block.end <= question.end
        for block in blocks
    )
    if not are_counted or blocks[0].start != monday_of(blocks[0].start):
        return counts.in_blocks(blocks)
    return [Counter(by_week.get(block.start.date(), {})) for block in blocks]


def _changes(
    in_blocks: Sequence[Counter[Reason]], totals: Sequence[int]
) -> dict[Reason, Change]:
    """Return the change of every reason in the first block, held against the others."""
    reasons: dict[Reason, None] = {}
    for counted in in_blocks:
        reasons.update(dict.fromkeys(counted))
    return changes(
        {reason: in_blocks[0][reason] for reason in reasons},
        {reason: [counted[reason] for counted in in_blocks[1:]] for reason in reasons},
        totals[1:],
        totals[0],
    )


def _rows(
    question: Question,
    tree: Tree,
    by_week: Mapping[date, Counter[Reason]],
    weeks: Sequence[Week],
    contacts: int,
    found: Mapping[Reason, Change],
) -> list[Row]:
    per_week = [by_week.get(week.start.date(), Counter()) for week in weeks]
    sums: Counter[Reason] = Counter()
    for counted in per_week:
        sums.update(counted)
    sums.update(dict.fromkeys(found, 0))
    sums.pop(None, None)
    if question.category_id is not None:
        wanted = set(tree.family(question.category_id))
        if question.level is Level.TOP:
            wanted.update(tree.lineage(question.category_id))
        sums = Counter({r: number for r, number in sums.items() if r in wanted})
    rows = [
        Row(
            reason,
            tree.label(reason),
            tree.code(reason),
            number,
            number / contacts if contacts else 0.0,
            tuple(counted[reason] for counted in per_week),
            found.get(reason),
        )
        for reason, number in sums.items()
        if reason is not None and reason in tree
    ]
    rows.sort(key=lambda row: (-row.count, row.label))
    waiting = sum(week.waiting for week in weeks)
    waits = Row(
        None,
        WAITS,
        "",
        waiting,
        waiting / contacts if contacts else 0.0,
        tuple(week.waiting for week in weeks),
        found.get(None),
    )
    return [*rows, waits]


def _across(
    question: Question, counts: Counts, cuts: Sequence[Cut], further: Further
) -> Across:
    cut = next(cut for cut in cuts if cut.facet == question.across)
    shown = [one for one in cut.values if one.value is not None][:COLUMNS_ACROSS]
    values = tuple(one.value or "" for one in shown)
    found = counts.across(question.across, values)
    reasons: dict[Reason, None] = {}
    for value in values:
        found[value].update(further.across.get(value, {}))
        reasons.update(dict.fromkeys(found[value]))
    cells: dict[Reason, tuple[int, ...]] = {
        r: tuple(found[value][r] for value in values) for r in reasons if r is not None
    }
    cells[None] = tuple(one.waiting for one in shown)
    return Across(cut.facet, cut.label, values, tuple(one.count for one in shown), cells)


def _is_right(tree: Tree, said: int | None, truth: int | None) -> bool:
    """Say whether a tag is the truth or stands above it, as the engine measures itself."""
    if said is None or truth is None or truth not in tree:
        return False
    return said in tree.lineage(truth)


def _marked(question: Question, tree: Tree, rows: Sequence[Row]) -> tuple[Row, ...]:
    """Mark the reasons that are new, or whose rules were changed, in the weeks compared."""
    since, until = question.block.before()[-1].start, question.block.end
    with_rules = dict(
        KeywordRule.objects.filter(changed_at__gte=since, changed_at__lt=until).values_list(
            "category", "changed_at"
        )
    )

    def marks(row: Row) -> tuple[str, ...]:
        if row.category_id is None:
            return ()
        family = [row.category_id]
        if question.level is Level.TOP:
            family = tree.family(row.category_id)
        marked = []
        if since <= tree.created_at(row.category_id) < until:
            marked.append(f"new since {tree.created_at(row.category_id):%d %b}")
        if any(one in with_rules for one in family):
            marked.append("its rules were changed in the weeks compared")
        return tuple(marked)

    return tuple(
        Row(
            row.category_id, row.label, row.code, row.count, row.share, row.weeks, row.change,
            marks(row),
        )
        for row in rows
    )  # fmt: skip


def _remarks(question: Question, *, had_before: bool) -> tuple[str, ...]:
    """Return what a reader must know before believing a change."""
    block = question.block
    since = block.before()[-1].start
    remarks = [
        f"Model {version.number} became the champion on {version.promoted_at:%d %b %Y}, within the"
        " weeks compared: part of a change may come from the model and not from the customers."
        for version in ModelVersion.objects.filter(
            promoted_at__gte=since, promoted_at__lt=block.end
        ).order_by("promoted_at")
        if version.promoted_at
    ]
    if not had_before:
        remarks.append("There are no contacts before these to compare with.")
    return tuple(remarks)


def sources_in_words(sources: Mapping[str, int]) -> dict[str, int]:
    """Return contacts by who decided them: automation, persons, nobody yet."""
    return {
        "Automation": sum(sources.get(source, 0) for source in AUTOMATION),
        "Persons": sources.get(Decision.Source.PERSON, 0),
        WAITS: sources.get(Decision.Source.NOBODY, 0),
    }
