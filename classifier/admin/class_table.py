"""The table of a model's categories: searched, narrowed, sorted and shown in pages."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator

from classifier.admin import class_figures
from classifier.admin.list_pages import Pages, is_called, pages

ROWS_PER_PAGE = 25
Report = Mapping[str, Any]
Known = Mapping[str, tuple[int, str]]
"""The id of each category's code and what people read for it."""

SHOWN: Mapping[str, tuple[str, Callable[[Report], bool]]] = {
    "": ("all", lambda report: True),
    "rare": ("rare", lambda report: report["is_rare"]),
    "unproven": (
        "not proven",
        lambda report: bool(report["proof"]) and report["proof"]["by"] == "nothing",
    ),
    "critical": ("critical", lambda report: bool(report["watched"])),
}


def _share(count: int, total: int) -> float | None:
    return count / total if total else None


def _proof(report: Report, name: str) -> float | None:
    return report["proof"][name] if report["proof"] else None


FIGURES: Mapping[str, tuple[str, Callable[[Report], float | None]]] = {
    "learnt": ("Learnt from", lambda report: report["train"]),
    "held_out": ("Held out", lambda report: report["test"]),
    "right": ("Right when decided", lambda report: _share(report["right"], report["decided"])),
    "found": ("Found", lambda report: _share(report["found"], report["test"])),
    "proven": ("Precision proven", lambda report: _proof(report, "at_least")),
    "decided": ("Decided", lambda report: _proof(report, "coverage")),
}
BY_NAME = "category"
FEWEST_FIRST = "learnt"


@dataclass(frozen=True, slots=True)
class Asked:
    """What part of the table is looked at, as it stands in the address."""

    words: str = ""
    shown: str = ""
    order: str = FEWEST_FIRST
    """A column; ``-`` before it turns the order round."""
    page: str = "1"

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Asked":
        """Return what an address asks for; what is unknown there counts as not asked."""
        shown, order = query.get("show", ""), query.get("order", FEWEST_FIRST)
        return cls(
            query.get("find", "").strip(),
            shown if shown in SHOWN else "",
            order if order.removeprefix("-") in {*FIGURES, BY_NAME} else FEWEST_FIRST,
            query.get("page", "1"),
        )

    def address(self, **changes: str) -> str:
        """Return the query of the table with ``changes``, on its first page unless told."""
        asked = {"find": self.words, "show": self.shown, "order": self.order, **changes}
        return (
            f"?{urlencode({name: value for name, value in asked.items() if value})}#categories"
        )


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column; a click sorts by it, a second one turns the order round."""

    title: str
    url: str
    sorted: str
    """As ``aria-sort`` says it: ascending, descending or none."""


@dataclass(frozen=True, slots=True)
class Row:
    """One category."""

    label: str
    id: int | None
    """None: there is no such category any more."""
    is_rare: bool
    cells: Sequence[tuple[str, str, str]]
    """Title of the column, figure, and a remark or nothing."""
    watching: str
    """How it is watched over, where it is critical."""


@dataclass(frozen=True, slots=True)
class ClassTable:
    """All that is shown of it."""

    asked: Asked
    total: int
    columns: Sequence[Column]
    filters: Sequence[tuple[str, str, int, bool]]
    """Words, address, number of categories, and whether it is chosen."""
    rows: Sequence[Row]
    pages: Pages


def class_table(metrics: Mapping[str, Any], known: Known, asked: Asked) -> ClassTable | None:
    """Return the page asked for; None where nothing was measured by category."""
    reports = metrics.get("categories")
    if not reports:
        return None
    named = [(known.get(one["category"], (None, one["category"])), one) for one in reports]
    found = [
        (known_as, report)
        for known_as, report in named
        if is_called(f"{known_as[1]} {report['category']}", asked.words)
    ]
    is_shown = SHOWN[asked.shown][1]
    wanted = _ordered([pair for pair in found if is_shown(pair[1])], asked.order)
    page = Paginator(wanted, ROWS_PER_PAGE).get_page(asked.page)
    return ClassTable(
        asked,
        len(reports),
        list(_columns(asked)),
        [
            (
                words,
                asked.address(show=code),
                sum(is_one(report) for _, report in found),
                code == asked.shown,
            )
            for code, (words, is_one) in SHOWN.items()
        ],
        [_row(label, pk, report) for (pk, label), report in page.object_list],
        pages(page, lambda number: asked.address(page=number)),
    )


def _ordered(pairs: list[Any], order: str) -> list[Any]:
    """Return them by a column, those without the figure last; equal ones by their path."""
    name, is_turned = order.removeprefix("-"), order.startswith("-")
    pairs = sorted(pairs, key=lambda pair: pair[0][1].casefold(), reverse=is_turned)
    if name == BY_NAME:
        return pairs
    figure = FIGURES[name][1]
    if is_turned:
        pairs.reverse()  # back to the order of the paths
    measured = [pair for pair in pairs if figure(pair[1]) is not None]
    measured.sort(key=lambda pair: figure(pair[1]) or 0, reverse=is_turned)
    return [*measured, *(pair for pair in pairs if figure(pair[1]) is None)]


def _columns(asked: Asked) -> Iterator[Column]:
    titles = {BY_NAME: "Category", **{name: title for name, (title, _) in FIGURES.items()}}
    for name, title in titles.items():
        is_up, is_down = asked.order == name, asked.order == f"-{name}"
        yield Column(
            title,
            asked.address(order=f"-{name}" if is_up else name),
            "ascending" if is_up else "descending" if is_down else "none",
        )


def _row(label: str, pk: int | None, report: Report) -> Row:
    return Row(
        label,
        pk,
        report["is_rare"],
        [
            (title, *cell)
            for (title, _), cell in zip(
                FIGURES.values(), class_figures.cells(report), strict=True
            )
        ],
        class_figures.watching(report) if report["watched"] else "",
    )
