"""CSV as Bulk API 2.0 takes it in and hands it out: RFC 4180, one line ending, UTF-8."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from sfsync.local_org.errors import Refusal
from sfsync.local_org.moments import parsed
from sfsync.local_org.schema import NUMBERS, Field, Kind, SObject

NULL = "#N/A"
"""Empties a field on update; an empty cell leaves it as it is."""
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
DELIMITERS = {
    "BACKQUOTE": "`",
    "CARET": "^",
    "COMMA": ",",
    "PIPE": "|",
    "SEMICOLON": ";",
    "TAB": "\t",
}
MOST_CHARACTERS = 400_000
"""Of one record (Bulk API 2.0 limits)."""


class JobBroken(Exception):
    """The file as a whole is wrong: the job fails, and no row of it is looked at."""


def taken_in(
    content: bytes, *, line_ending: str, delimiter: str
) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of an upload.

    Raises:
        JobBroken: not UTF-8, another line ending than declared, or rows of unequal length.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JobBroken("ClientInputError : The file is not encoded in UTF-8") from error
    head, ending, _ = text.partition("\n")
    is_crlf = bool(ending) and head.endswith("\r")
    if ending and is_crlf != (line_ending == "CRLF"):
        raise JobBroken(
            "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting"
            f" is {line_ending}"
        )
    try:
        lines = list(
            csv.reader(
                io.StringIO(text, newline=""), delimiter=DELIMITERS[delimiter], strict=True
            )
        )
    except csv.Error as error:
        raise JobBroken(f"InvalidBatch : Failed to parse CSV: {error}") from error
    if not lines or not lines[0]:
        raise JobBroken("InvalidBatch : Field name not found : ")
    header, rows = lines[0], [row for row in lines[1:] if row]
    if any(len(row) != len(header) for row in rows):
        raise JobBroken("InvalidBatch : The row has another number of columns than the header")
    if any(sum(map(len, row)) > MOST_CHARACTERS for row in rows):
        raise JobBroken("InvalidBatch : A record is longer than 400,000 characters")
    return header, rows


def to_values(sobject: SObject, header: Sequence[str], row: Sequence[str]) -> dict[str, object]:
    """Return field → value of one row, ``Id`` included, what is empty left out.

    Raises:
        Refusal: a cell is no value of its field's type.
    """
    values: dict[str, object] = {}
    for name, cell in zip(header, row, strict=True):
        if cell:
            field = sobject.find(name)
            values[name] = cell if field is None else _value(field, cell)
    return values


def _value(field: Field, cell: str) -> object:
    if cell == NULL:
        return None
    if field.kind is Kind.BOOLEAN:
        if cell.lower() not in {"true", "false", "1", "0"}:
            raise _misfit(field, cell)
        return cell.lower() in {"true", "1"}
    if field.kind in NUMBERS:
        try:
            return float(cell)
        except ValueError as error:
            raise _misfit(field, cell) from error
    return cell


def _misfit(field: Field, cell: str) -> Refusal:
    message = f"{field.shown_as}: value not of required type: {cell}"
    return Refusal(400, "INVALID_TYPE_ON_FIELD_IN_RECORD", message, [field.name])


def handed_out(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, line_ending: str, delimiter: str
) -> bytes:
    """Return a file with every cell in quotes, as Salesforce writes it."""
    file = io.StringIO(newline="")
    writer = csv.writer(
        file,
        delimiter=DELIMITERS[delimiter],
        lineterminator=LINE_ENDINGS[line_ending],
        quoting=csv.QUOTE_ALL,
    )
    writer.writerow(header)
    writer.writerows(rows)
    return file.getvalue().encode()


def cell_of(record: Mapping[str, object], path: str) -> str:
    """Return the cell of a column such as ``Owner.Name``; nothing where a parent is missing."""
    value: object = record
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
    return _moment(str(value))


def _moment(text: str) -> str:
    """Return a moment with a Z, as Bulk writes it, anything else unchanged (not known for sure)."""
    if not text.endswith("+0000"):
        return text
    try:
        moment: datetime = parsed(text)
    except ValueError:
        return text
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def error_cell(refusal: Refusal) -> str:
    """Return a refused row's error as text: ``CODE:message:fields --``."""
    return f"{refusal.code}:{refusal.message}:{','.join(refusal.fields or ())} --"
