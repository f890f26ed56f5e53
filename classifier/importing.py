"""Importing: labelled conversations from a file become gold labels."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

from classifier.engine.datasets import DatasetInvalid, Record, numbered_records
from classifier.engine.errors import TranscriptTooLarge
from classifier.engine.intake import admitted, cleaned
from classifier.models import Category, GoldLabel
from classifier.models.category import PATH_SEPARATOR
from classifier.models.gold_label import Settled

ROWS_AT_ONCE = 500
ERRORS_KEPT = 100
"""Named one by one; more are only counted, for they are all alike."""
SOURCE_CHARACTERS = 80

Progress = Callable[[int], object]


@dataclass(slots=True)
class Imported:
    """What became of the rows of one file."""

    new: int = 0
    known: int = 0
    """Words that have a gold label already: nothing changed."""
    held_back: int = 0
    """Rows of the file's test split: they stay unseen."""
    categories_made: int = 0
    wrong: int = 0
    errors: list[str] = field(default_factory=list)
    """What is wrong with the first rows that could not be imported, and what to do."""

    def refuse(self, sentence: str) -> None:
        self.wrong += 1
        if len(self.errors) < ERRORS_KEPT:
            self.errors.append(sentence)


def import_gold(
    path: Path,
    *,
    create_categories: bool,
    at: datetime,
    on_progress: Progress | None = None,
) -> Imported:
    """Import the train and val rows of a data file and return what became of its rows.

    Importing the same file again changes nothing. A wrong row is named and left out; the good
    ones are kept. ``create_categories`` makes the categories that labels name; without it such a
    row is wrong. ``on_progress`` hears how many rows were read.

    Raises:
        DatasetInvalid: the file cannot be read (what came before is kept).
    """
    imported = Imported()
    before = Category.objects.count()
    labels = _Labels(path.name, create=create_categories)
    rows = numbered_records(path)
    while chunk := list(islice(rows, ROWS_AT_ONCE)):
        settled = list(_settled(chunk, labels, imported))
        new = GoldLabel.objects.keep_all(settled, source=path.name[:SOURCE_CHARACTERS], at=at)
        imported.new += new
        imported.known += len(settled) - new
        if on_progress:
            on_progress(len(chunk))
    imported.categories_made = Category.objects.count() - before
    return imported


class _RowRefused(Exception):
    """What is wrong with a row, and what to do about it."""


class _Labels:
    """Finds the category of a label path, asking the database once for each."""

    def __init__(self, file_name: str, *, create: bool) -> None:
        self.file_name = file_name
        self._create = create
        self._known: dict[tuple[str, ...], Category] = {}

    def category(self, path: tuple[str, ...]) -> Category:
        if path not in self._known:
            self._known[path] = self._found(path)
        return self._known[path]

    def _found(self, path: tuple[str, ...]) -> Category:
        shown = PATH_SEPARATOR.join(path)[:200]
        try:
            return Category.objects.at_path(path, create=self._create)
        except Category.DoesNotExist as error:
            raise _RowRefused(
                f"there is no category “{shown}”; add it in the admin, or repeat with"
                " --create-categories"
            ) from error
        except ValueError as error:
            raise _RowRefused(f"“{shown}” cannot be a category: {error}") from error


def _settled(
    chunk: Sequence[tuple[int, Record | DatasetInvalid]], labels: _Labels, imported: Imported
) -> Iterator[Settled]:
    """Yield what can be kept, and count what cannot."""
    for number, found in chunk:
        if isinstance(found, DatasetInvalid):
            imported.refuse(str(found))
        elif found.split == "test":
            imported.held_back += 1
        else:
            try:
                yield _row(found, labels)
            except (_RowRefused, TranscriptTooLarge) as error:
                imported.refuse(f"{labels.file_name}, line {number}: {error}")


def _row(record: Record, labels: _Labels) -> Settled:
    words = admitted(record.transcript)
    if not any(turn.text.strip() for turn in words.turns):
        raise _RowRefused("there are no words to learn from; leave the row out")
    paths = [tuple(cleaned(level) for level in path) for path in record.labels]
    categories = tuple(labels.category(path) for path in paths)
    return Settled(words, categories, cleaned(record.language))
