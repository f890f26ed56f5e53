"""Importing feedback: what people said, from a file such as an export writes."""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from django.db import transaction
from django.utils import timezone
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from classifier.engine.intake import cleaned
from classifier.engine.redaction import redact
from classifier.models import Category, Decision, Feedback, Transcript
from classifier.spreadsheets import as_meant, large_cells

ERRORS_KEPT = 100
"""Named one by one; more are only counted."""
SEPARATOR = ";"
TRUE = frozenset({"true", "1", "yes"})
NEEDED = ("thread", "verdict")

Row = Mapping[str, str]
Progress = Callable[[int], object]
Verdict = Feedback.Verdict


class FileRefused(ValueError):
    """The file cannot be read at all; the message says why and what to do."""


class _RowRefused(ValueError):
    """One row cannot be imported; the message says why."""


@dataclass(slots=True)
class ImportedFeedback:
    """What became of the rows of one file."""

    new: int = 0
    known: int = 0
    """Words that were heard before: nothing changed."""
    withdrawn: int = 0
    """Words that somebody took back: left out."""
    wrong: int = 0
    errors: list[str] = field(default_factory=list)
    """What is wrong with the first rows that could not be imported, and what to do."""

    def refuse(self, sentence: str) -> None:
        self.wrong += 1
        if len(self.errors) < ERRORS_KEPT:
            self.errors.append(sentence)


def import_feedback(
    path: Path, *, is_dry_run: bool = False, on_progress: Progress | None = None
) -> ImportedFeedback:
    """Import the words of a CSV, XLSX or JSONL file and return what became of its rows.

    The columns are those of the feedback export; ``thread`` and ``verdict`` are needed, unknown
    ones are ignored. A word is known by its source and reference, or else by all that it says:
    importing the same file again, or an export, changes nothing. A word that names a category
    stands for its conversation unless a person has said something later. A wrong row is named
    and left out. ``is_dry_run``: nothing is kept. One transaction.

    Raises:
        FileRefused: the file cannot be read.
    """
    imported = ImportedFeedback()
    with transaction.atomic():
        for number, row in _rows(path):
            try:
                _import_row(row, imported)
            except _RowRefused as error:
                imported.refuse(f"{path.name}, line {number}: {error}")
            if on_progress:
                on_progress(1)
        transaction.set_rollback(is_dry_run)
    return imported


def _import_row(row: Row, imported: ImportedFeedback) -> None:
    said = _said(row)
    if row.get("withdrawn_at"):
        imported.withdrawn += 1
    elif _is_known(row, said["reference"]):
        imported.known += 1
    else:
        with transaction.atomic():
            feedback = Feedback.objects.hear(source=Feedback.Source.IMPORT, **said)
            _let_stand(feedback, said["categories"])
        imported.new += 1


def _said(row: Row) -> dict[str, Any]:
    """Return what a row says, as ``Feedback.objects.hear`` takes it."""
    thread = row.get("thread", "").strip()
    if not Transcript.objects.current().filter(thread=thread).exists():
        raise _RowRefused(f"there is no conversation “{thread[:80]}” here; pull it first")
    verdict = row.get("verdict", "").strip()
    if verdict not in Verdict.values:
        raise _RowRefused(
            f"“{verdict[:40]}” is no verdict; write one of {', '.join(Verdict.values)}"
        )
    categories = _categories(row)
    if categories and verdict in {Verdict.UNCLEAR, Verdict.OUT_OF_SCOPE}:
        raise _RowRefused(
            f"the verdict {verdict} names no category; empty the column “category”"
        )
    return {
        "thread": thread,
        "verdict": verdict,
        "categories": categories,
        "said_at": _moment(row.get("said_at", "")),
        "said_value": cleaned(row.get("said_value", "")),
        "person": cleaned(row.get("person", "")),
        "person_name": cleaned(row.get("person_name", "")),
        "note": redact(cleaned(row.get("note", ""))).text,
        "is_blind": row.get("is_blind", "").lower() in TRUE,
        "is_adjudication": row.get("is_adjudication", "").lower() in TRUE,
        "reference": _reference(row),
    }


def _categories(row: Row) -> list[Category]:
    codes = [row.get("category", ""), *row.get("further_codes", "").split(SEPARATOR)]
    wanted = list(dict.fromkeys(code.strip() for code in codes if code.strip()))
    found = {one.code: one for one in Category.objects.filter(code__in=wanted)}
    for code in wanted:
        if code not in found:
            raise _RowRefused(f"there is no category with the code “{code[:80]}”")
    return [found[code] for code in wanted]


def _moment(text: str) -> datetime:
    """Return a time; one without zone is the project's."""
    if not text.strip():
        raise _RowRefused(
            "the column “said_at” is empty; write for example 2026-11-21T12:00:00Z"
        )
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise _RowRefused(
            f"“{text[:40]}” is no time; write it as 2026-11-21T12:00:00Z"
        ) from error
    return moment if moment.tzinfo else timezone.make_aware(moment)


def _source_of(row: Row) -> str:
    return row.get("source", "").strip() or Feedback.Source.IMPORT.value


def _reference(row: Row) -> str:
    """Return the reference of an imported word: where it was said, and its reference there."""
    if own := row.get("reference", "").strip():
        return f"{_source_of(row)}:{own}"[:200]
    names = (
        "thread",
        "verdict",
        "category",
        "further_codes",
        "person",
        "said_at",
        "said_value",
    )
    told = json.dumps([_source_of(row), *(row.get(name, "") for name in names)])
    return f"{_source_of(row)}:#{hashlib.sha256(told.encode()).hexdigest()[:32]}"


def _is_known(row: Row, reference: str) -> bool:
    """Return whether the word was heard before: there, by an earlier import, or by an export."""
    source, own = _source_of(row), row.get("reference", "").strip()
    words = Feedback.objects.filter(source=Feedback.Source.IMPORT, reference=reference)
    if words.exists():
        return True
    if own:
        return Feedback.objects.filter(source=source, reference=own).exists()
    same = Feedback.objects.filter(
        source=source,
        reference="",
        thread=row["thread"].strip(),
        verdict=row["verdict"].strip(),
        person=row.get("person", ""),
        said_at=_moment(row.get("said_at", "")),
    )
    return same.exists()


def _let_stand(feedback: Feedback, categories: list[Category]) -> None:
    standing = Decision.objects.standing().filter(thread=feedback.thread).first()
    is_newer_word = (
        standing is not None
        and standing.source == Decision.Source.PERSON
        and standing.decided_at > feedback.said_at
    )
    if categories and not is_newer_word:
        Decision.objects.stand_by_person(feedback.thread, categories, at=feedback.said_at)


def _rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Yield line number and row: column → text."""
    readers = {".csv": _csv_rows, ".xlsx": _xlsx_rows, ".jsonl": _jsonl_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise FileRefused(f"{path.name} is none of .csv, .xlsx and .jsonl.")
    try:
        for number, row in reader(path):
            told = {str(name).strip(): _text(value) for name, value in row.items() if name}
            if missing := [name for name in NEEDED if name not in told]:
                raise FileRefused(f"{path.name} lacks the column “{missing[0]}”.")
            yield number, told
    except (OSError, UnicodeDecodeError, csv.Error, BadZipFile, InvalidFileException) as error:
        raise FileRefused(f"{path.name} cannot be read: {error}.") from error


def _csv_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with path.open(encoding="utf-8-sig", newline="") as file, large_cells():
        reader = csv.DictReader(file)
        for row in reader:
            yield (
                reader.line_num,
                {
                    name: as_meant(cell) if isinstance(cell, str) else cell
                    for name, cell in row.items()
                },
            )


def _xlsx_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    book = load_workbook(io.BytesIO(path.read_bytes()), read_only=True, data_only=True)
    rows = book.worksheets[0].iter_rows(values_only=True)
    head = [str(name or "") for name in next(rows, ())]
    for number, cells in enumerate(rows, start=2):
        if any(cell is not None for cell in cells):
            told = (as_meant(cell) if isinstance(cell, str) else cell for cell in cells)
            yield number, dict(zip(head, told, strict=False))


def _jsonl_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise FileRefused(f"{path.name}, line {number}: no JSON ({error}).") from error
            if not isinstance(row, dict):
                raise FileRefused(f"{path.name}, line {number}: not a JSON object.")
            yield number, row


def _text(value: object) -> str:
    """Return a cell as text; a time as an export writes it."""
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else str(value)
