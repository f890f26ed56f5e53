"""Reading: a CSV, XLSX or JSON file becomes rows of text, each with the place where it stands."""

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from classifier.exchanging.columns import (
    CATEGORY,
    KIND,
    RULE,
    FileInvalid,
    FileRow,
    column_of,
    columns_of,
    text_of,
)
from classifier.spreadsheets import as_meant, large_cells

MOST_BYTES = 20_000_000
MOST_UNPACKED = 300_000_000  # bytes: a small file that unpacks to more is no table
MOST_ROWS = 50_000
SHEETS = {"categories": CATEGORY, "rules": RULE}


def rows_of(content: bytes, name: str) -> list[FileRow]:
    """Return the rows of a file; its form is told by its first bytes and its name.

    Raises:
        FileInvalid: says what is wrong with the file as a whole and what to do.
    """
    if len(content) > MOST_BYTES:
        raise FileInvalid(f"The file is larger than {MOST_BYTES // 1_000_000} MB: split it.")
    if not content.strip():
        raise FileInvalid("The file is empty.")
    if content.startswith(b"PK"):
        rows = list(_of_workbook(content))
    elif name.lower().endswith(".json") or content.lstrip()[:1] in {b"{", b"["}:
        rows = list(_of_json(content))
    else:
        rows = list(_of_csv(content))
    if not rows:
        raise FileInvalid("The file has headings at most: there is no row to read.")
    if len(rows) > MOST_ROWS:
        raise FileInvalid(f"The file has more than {MOST_ROWS:,} rows: split it.")
    return rows


def _of_csv(content: bytes) -> Iterator[FileRow]:
    text = _decoded(content)
    first, _, rest = text.partition("\n")
    skipped = 0
    if first.strip().lower().startswith("sep="):  # how Excel is told the separator
        separator, text, skipped = first.strip()[4:5] or ",", rest, 1
    else:
        separator = max(",;\t", key=first.count)
    try:
        with large_cells():
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
            yield from _table(_placed(reader, skipped), None)
    except csv.Error as error:
        raise FileInvalid(f"The file is no CSV that can be read: {error}.") from error


def _placed(reader: Any, skipped: int) -> Iterator[tuple[str, list[str]]]:
    """Yield each row with the line that it begins at: a cell may have several lines.

    Where they differ the row is told too, since a spreadsheet shows that.
    """
    begins = 1 + skipped
    for number, row in enumerate(reader, 1 + skipped):
        place = f"line {begins}" if begins == number else f"line {begins} (row {number})"
        yield place, [as_meant(cell) for cell in row]
        begins = reader.line_num + 1 + skipped


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileInvalid(
            "The file is not in UTF-8, so that accents and other scripts would be lost. Save it"
            " as “CSV UTF-8”, or as XLSX."
        ) from error


def _of_workbook(content: bytes) -> Iterator[FileRow]:
    # Only here: every process knows this package, and few ever read a workbook (6 MB).
    from openpyxl import load_workbook  # noqa: PLC0415
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(part.file_size for part in packed.infolist()) > MOST_UNPACKED:
                raise FileInvalid("The workbook unpacks to far more than a table can hold.")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise FileInvalid(
            "The workbook cannot be opened: save it once more as XLSX."
        ) from error
    for sheet in book.worksheets:
        kind, named = SHEETS.get(sheet.title.strip().lower()), f"sheet {sheet.title}, row"
        rows = (
            (f"{named} {number}", [as_meant(c) if isinstance(c, str) else c for c in row])
            for number, row in enumerate(sheet.iter_rows(values_only=True), 1)
        )
        yield from _table(rows, kind)


def _of_json(content: bytes) -> Iterator[FileRow]:
    try:
        found = json.loads(_decoded(content))
    except (json.JSONDecodeError, RecursionError) as error:
        raise FileInvalid(f"The file is no JSON: {error}.") from error
    if not isinstance(found, dict) or not set(found) <= set(SHEETS):
        raise FileInvalid(
            'JSON must be {"categories": […], "rules": […]}, one of them at least.'
        )
    for name, kind in SHEETS.items():
        rows = found.get(name, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise FileInvalid(f"“{name}” must be a list of objects.")
        for number, row in enumerate(rows, 1):
            place = f"{kind} {number}"
            cells = {column_of(key): text_of(value) for key, value in row.items()}
            _refuse_unknown(cells, [kind], place)
            yield FileRow(kind, place, cells)


def _table(rows: Iterable[tuple[str, Sequence[Any]]], kind: str | None) -> Iterator[FileRow]:
    """Yield the rows below the headings; ``kind`` None: a column tells, or the headings do."""
    columns: list[str] | None = None
    for place, row in rows:
        texts = [text_of(cell) for cell in row]
        if not any(texts):
            continue
        if columns is None:
            columns = [column_of(text) for text in texts]
            _refuse_headings(columns, kind, place)
            kind = kind or _kind_by_headings(columns)
            continue
        if any(texts[len(columns) :]) or any(
            text for text, column in zip(texts, columns, strict=False) if not column
        ):
            raise FileInvalid(f"In {place} a value stands in a column without a heading.")
        cells = {c: t for c, t in zip(columns, texts, strict=False) if c}
        own = kind or cells.pop(KIND, "").lower()
        yield FileRow(own, place, {name: t for name, t in cells.items() if name != KIND})


def _refuse_headings(columns: Sequence[str], kind: str | None, place: str) -> None:
    named = [column for column in columns if column]
    twice = sorted({column for column in named if named.count(column) > 1})
    if twice:
        raise FileInvalid(f"The column “{twice[0]}” stands twice in {place}.")
    _refuse_unknown(named, [kind] if kind else [CATEGORY, RULE], place)


def _refuse_unknown(named: Iterable[str], kinds: Sequence[str], place: str) -> None:
    known = {KIND, *(column for kind in kinds for column in columns_of(kind))}
    unknown = [name for name in named if name not in known]
    if unknown:
        raise FileInvalid(
            f"“{unknown[0]}” in {place} is no column that is known. There are:"
            f" {', '.join(sorted(known))}. Rename it or take it away."
        )


def _kind_by_headings(columns: Sequence[str]) -> str | None:
    """Return the kind of all rows, where there is no column that tells; None: that one tells."""
    if KIND in columns:
        return None
    if "name" in columns:
        return RULE
    if "label" in columns or "code" in columns:
        return CATEGORY
    raise FileInvalid(
        f"The headings tell neither categories nor rules: add a column “{KIND}” with"
        f" {CATEGORY} or {RULE} in each row."
    )
