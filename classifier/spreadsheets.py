"""Tables as files: CSV, XLSX and JSON lines, which spreadsheet programs open without running anything.

Rows are written as they come, so a table of any length needs little memory (XLSX: openpyxl's
write-only mode).
"""

import csv
import io
import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openpyxl import Workbook

Cell = str | int | float | bool | None

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A cell that begins so is run as a formula by a spreadsheet program; the full-width forms are
folded to these by some (OWASP, CSV injection)."""
LONGEST_CELL = (
    32_767  # characters in a cell of XLSX (Microsoft, Excel specifications and limits)
)
MOST_ROWS = 1_048_575
"""Of a sheet of XLSX, below its head (the same page)."""
_LONGEST_READ = 1_000_000  # characters
_BUFFERED = 1_000_000  # bytes of XLSX kept in memory before they go to a file
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")  # no characters of XML 1.0, section 2.2


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of file."""

    code: str
    """Also the file's ending."""
    label: str
    media_type: str


CSV = Form("csv", "CSV", "text/csv; charset=utf-8")
XLSX = Form(
    "xlsx",
    "Excel (XLSX)",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
JSONL = Form("jsonl", "JSON lines", "application/x-ndjson")
FORMS = {form.code: form for form in (CSV, XLSX, JSONL)}


def harmless(cell: Cell) -> Cell:
    """Return ``cell`` so that a spreadsheet program shows it as text and runs nothing."""
    if isinstance(cell, str) and _is_formula(cell.lstrip("'")):
        return f"'{cell}"
    return cell


def as_meant(cell: str) -> str:
    """Return a cell as it was before ``harmless``."""
    return cell[1:] if cell.startswith("'") and _is_formula(cell.lstrip("'")) else cell


@contextmanager
def large_cells() -> Iterator[None]:
    """Let Python's CSV reader take cells as long as a conversation; its own limit is 131,072."""
    before = csv.field_size_limit(_LONGEST_READ)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _is_formula(cell: str) -> bool:
    return cell.startswith(FORMULA_STARTS)


def written(
    form: Form, columns: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> Iterator[bytes]:
    """Yield the file of a table, piece by piece; each row has one cell per column."""
    if form is CSV:
        return _csv(columns, rows)
    if form is XLSX:
        return _xlsx(columns, rows)
    return written_lines(dict(zip(columns, row, strict=True)) for row in rows)


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    line = io.StringIO(newline="")
    writer = csv.writer(line)
    yield b"\xef\xbb\xbf"  # without the mark Excel takes UTF-8 for something else
    writer.writerow(columns)
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
        yield line.getvalue().encode("utf-8", "replace")
        line.seek(0)
        line.truncate()
    yield line.getvalue().encode("utf-8", "replace")


def written_lines(records: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Yield a file of JSON lines, one for each record; their values may be lists and mappings."""
    for record in records:
        said = json.dumps(record, ensure_ascii=False)
        yield said.encode("utf-8", "replace") + b"\n"


def _xlsx(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    with tempfile.SpooledTemporaryFile(max_size=_BUFFERED) as file:
        _write_book(file, columns, rows)
        file.seek(0)
        while piece := file.read(_BUFFERED):
            yield piece


def _write_book(
    file: IO[bytes], columns: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> None:
    book = _new_book()
    _add_sheet(book, "Export", columns, rows)
    book.save(file)


def written_book(
    sheets: Iterable[tuple[str, Sequence[str], Iterable[Sequence[Cell]]]],
) -> bytes:
    """Return a workbook (XLSX) of several sheets, each its name, columns and rows."""
    book = _new_book()
    for name, columns, rows in sheets:
        _add_sheet(book, name, columns, rows)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _new_book() -> "Workbook":
    # Only here: every process knows this module, and few ever write a workbook (6 MB).
    from openpyxl import Workbook  # noqa: PLC0415

    return Workbook(write_only=True)


def _add_sheet(
    book: "Workbook", name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> None:
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 - as above

    sheet = book.create_sheet(name)
    sheet.freeze_panes = "A2"

    def text(cell: str) -> WriteOnlyCell:
        """Return a cell that is text whatever it begins with."""
        made = WriteOnlyCell(sheet, _holdable(cell))
        made.data_type = "s"
        return made

    sheet.append([text(column) for column in columns])
    for row in rows:
        sheet.append([text(cell) if isinstance(cell, str) else cell for cell in row])


def _holdable(cell: str) -> str:
    """Return a text without what XLSX cannot hold."""
    legal = _ILLEGAL.sub("", cell).encode("utf-8", "replace").decode()
    return str(harmless(legal[: LONGEST_CELL - 1]))
