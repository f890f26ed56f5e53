"""Data sets: labelled conversations read from JSON lines, plain or gzip'd."""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, cast

from classifier.engine.errors import EngineError
from classifier.engine.taxonomy import split_path
from classifier.engine.text import Speaker, Transcript, Turn

_GZIP_MAGIC = b"\x1f\x8b"
_SPLITS = ("train", "val", "test")


class DatasetInvalid(EngineError):
    """A data file cannot be read; the message names file, line and remedy."""

    code: ClassVar[str] = "dataset_invalid"


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a data file."""

    key: str
    """The line's ``id``; where it has none, its number."""
    transcript: Transcript
    labels: tuple[tuple[str, ...], ...]
    """Paths in the tree, as written; none: out of scope."""
    split: str
    """``train``, ``val`` or ``test``; ``train`` where the line does not say."""
    language: str = ""
    segment: str = ""


def read_records(path: Path | str) -> Iterator[Record]:
    """Yield the records of a file, one line at a time; blank lines are skipped.

    A line is ``{"id", "text" or "turns": [{"speaker", "text"}], "labels": [..], "split"}``, in
    UTF-8; a label with " > " in it is a path.

    Raises:
        DatasetInvalid: the file cannot be read, or a line is not such a record.
    """
    for _, found in numbered_records(path):
        if isinstance(found, DatasetInvalid):
            raise found
        yield found


def numbered_records(path: Path | str) -> Iterator[tuple[int, Record | DatasetInvalid]]:
    """Yield what ``read_records`` does with line numbers, and for a wrong line what is wrong.

    Raises:
        DatasetInvalid: the file cannot be read.
    """
    file = Path(path)
    yield from records_in(file.name, _lines(file))


def records_in(
    name: str, lines: Iterable[tuple[int, bytes]]
) -> Iterator[tuple[int, Record | DatasetInvalid]]:
    """Yield what ``numbered_records`` does, from numbered lines; ``name`` is told in errors."""
    for number, line in lines:
        if not line.strip():
            continue
        try:
            yield number, _record(_parsed(line), number)
        except _Flaw as flaw:
            yield number, DatasetInvalid(f"{name}, line {number}: {flaw}")


class _Flaw(Exception):
    """What is wrong with a line, and what to do about it."""


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with _opened(file) as stream:
            yield from enumerate(stream, start=1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DatasetInvalid(
            f"{file.name}: the compressed file is damaged or cut off; copy it again"
        ) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DatasetInvalid(f"{file}: {reason}; check the path and its permissions") from error


def _opened(file: Path) -> BinaryIO:
    """Open by content, not by name: downloads lose their ending."""
    with file.open("rb") as stream:
        is_compressed = stream.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    return cast("BinaryIO", gzip.open(file, "rb")) if is_compressed else file.open("rb")


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _Flaw("not UTF-8; save the file as UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise _Flaw("not JSON; write one JSON object per line") from error
    if not isinstance(found, dict):
        raise _Flaw('not a JSON object; write one like {"text": …, "labels": […]}')
    return found


def _record(found: Mapping[str, Any], number: int) -> Record:
    split = found.get("split", _SPLITS[0])
    if split not in _SPLITS:
        raise _Flaw(f'"split" is none of {", ".join(_SPLITS)}; correct it or leave it out')
    return Record(
        key=str(found.get("id", number)),
        transcript=_transcript(found),
        labels=_labels(found.get("labels", [])),
        split=split,
        language=_text(found, "language", ""),
        segment=_text(found, "segment", ""),
    )


def _transcript(found: Mapping[str, Any]) -> Transcript:
    if ("text" in found) == ("turns" in found):
        raise _Flaw('give either "text" or "turns", one of them')
    if "text" in found:
        return Transcript.of(_text(found, "text"))
    turns = found["turns"]
    if not isinstance(turns, list):
        raise _Flaw('"turns" is not a list; write [{"speaker": …, "text": …}, …]')
    return Transcript(tuple(_turn(turn) for turn in turns))


def _turn(turn: object) -> Turn:
    if not isinstance(turn, dict):
        raise _Flaw('a turn is not an object; write {"speaker": …, "text": …}')
    speaker = turn.get("speaker")
    if speaker not in list(Speaker):
        raise _Flaw(f'a turn\'s "speaker" is none of {", ".join(Speaker)}; correct it')
    return Turn(Speaker(speaker), _text(turn, "text"))


def _labels(labels: object) -> tuple[tuple[str, ...], ...]:
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise _Flaw('"labels" is not a list of texts; write ["Billing > Refund"] or []')
    paths = tuple(dict.fromkeys(split_path(label) for label in labels))
    if () in paths:
        raise _Flaw("a label is empty; name it or take it out")
    return paths


def _text(found: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = found.get(key, default)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise _Flaw(f'"{key}" is missing or not a text; write it in quotation marks')
    return value
