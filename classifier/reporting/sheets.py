"""The report as tables for files: one for CSV, a book of several for XLSX."""

from collections.abc import Iterator

from classifier.reporting.question import Reach
from classifier.reporting.report import Report, Row, told
from classifier.spreadsheets import Cell

NOT_KNOWN = "not known"
Table = tuple[list[str], list[list[Cell]]]
"""Columns, and rows with one cell per column."""


def report_table(report: Report) -> Table:
    """Return reasons by week: the one table of a CSV file."""
    columns = ["code", "reason", "contacts", "share"]
    columns += ["expected from", "expected to", "change", "remarks"]
    columns += [f"week of {week.start:%Y-%m-%d}" for week in report.weeks]
    return columns, [_cells(row) for row in report.rows]


def _cells(row: Row) -> list[Cell]:
    change = row.change
    expected: list[Cell] = ["", "", "unknown"]
    if change is not None and change.direction != "unknown":
        expected = [round(change.low, 1), round(change.high, 1), change.direction.value]
    head: list[Cell] = [row.code, row.label, row.count, round(row.share, 4)]
    return [*head, *expected, "; ".join(row.marks), *row.weeks]


def report_book(report: Report) -> Iterator[tuple[str, list[str], list[list[Cell]]]]:
    """Yield the sheets of a workbook: name, and table."""
    yield "Reasons by week", *report_table(report)
    changed: list[list[Cell]] = [
        [row.label, told(row, report.block), "; ".join(row.marks)] for row in report.changed
    ]
    yield "Rose or fell", ["reason", "what", "remarks"], changed
    for cut in report.cuts:
        rows: list[list[Cell]] = [
            [
                "all others" if one.value is None else one.value or NOT_KNOWN,
                one.count,
                round(one.count / report.contacts, 4) if report.contacts else 0,
                one.waiting,
                one.matching,
            ]
            for one in cut.values
        ]
        columns = [cut.facet, "contacts", "share", "wait for a person", "of the reasons listed"]
        yield f"By {cut.facet}", columns, rows
    across = report.across
    table: list[list[Cell]] = [
        [row.label, *across.cells.get(row.category_id, (0,) * len(across.values))]
        for row in report.rows
    ]
    yield (
        f"Reasons by {across.facet}",
        ["reason", *(value or NOT_KNOWN for value in across.values)],
        table,
    )
    yield "About", ["what", "value"], [[name, value] for name, value in _about(report)]


def _about(report: Report) -> Iterator[tuple[str, Cell]]:
    question = report.question
    yield "from", f"{question.start:%Y-%m-%d}"
    yield "until (not included)", f"{question.end:%Y-%m-%d}"
    yield "contacts", report.contacts
    is_primary = question.reach is Reach.PRIMARY
    yield "counted", "the primary reason" if is_primary else "every reason of a contact"
    for name, value in question.facets:
        yield name, value or NOT_KNOWN
    yield "decided by", question.source or "anybody"
    right = report.rightness
    if right is None:
        yield "how right automation is", "unknown: nobody has looked at an audit slice"
    else:
        yield "how right automation is", round(right.value, 4)
        yield "at least (95 % interval)", round(right.low, 4)
        yield "at most (95 % interval)", round(right.high, 4)
        yield "looked at", right.size
    for remark in report.remarks:
        yield "remark", remark
