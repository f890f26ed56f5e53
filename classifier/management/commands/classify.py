import gzip
import json
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from io import BufferedReader
from itertools import chain, islice
from pathlib import Path
from time import perf_counter
from typing import Any, cast

from django.core.management.base import CommandError, CommandParser

from classifier import serving
from classifier.answers import ToldReason, ToldVerdict
from classifier.commands import ReportingCommand
from classifier.engine.datasets import DatasetInvalid, Record, records_in
from classifier.engine.errors import TranscriptTooLarge
from classifier.engine.intake import TRANSCRIPT_CHARACTERS, admitted, decoded
from classifier.engine.text import Transcript
from classifier.models import Decision
from classifier.serving import Serving

MOST_BYTES = 4 * TRANSCRIPT_CHARACTERS  # a character has at most four in UTF-8
BATCH = 200
GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Asked:
    """One conversation of the input as the engine may read it, or why it may not."""

    words: Transcript | None = None
    line: int | None = None
    """Its line, where the input is JSON lines."""
    error: str = ""

    @classmethod
    def of(cls, words: Transcript, name: str, line: int | None = None) -> "Asked":
        try:
            return cls(admitted(words), line)
        except TranscriptTooLarge as error:
            return cls(None, line, f"{name}{f', line {line}' if line else ''}: {error}")


class Command(ReportingCommand):
    help = (
        'Say what a text is about, and why. FILE is a text, or JSON lines with "text" or'
        ' "turns", plain or gzip\'d; - reads standard input. Stores nothing.'
    )
    standard_input: BufferedReader | None = None
    """Stands in for the process's own; None: that one."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="a file, or - for standard input")

    def handle(self, *, file: str, **_options: Any) -> None:
        current = serving.current()
        verdicts: list[dict[str, Any]] = []
        refused = classified = 0
        try:
            for asked, verdict in self.answers(file, current):
                if verdict is None:
                    refused += 1
                    self.stderr.write(asked.error)
                else:
                    classified += 1
                    self.tell(asked, verdict)
                if self.as_json:
                    verdicts.append(_row(asked, verdict))
        except (OSError, EOFError, zlib.error) as error:
            reason = getattr(error, "strerror", None) or "it is damaged or cut off"
            raise CommandError(f"{file} cannot be read: {reason}.") from error
        if self.as_json:
            figures = {"classified": classified, "refused": refused, "verdicts": verdicts}
            self.stdout.write(json.dumps(figures, ensure_ascii=False))
        if refused and not classified:
            raise CommandError("Nothing could be classified; see above.")

    def answers(
        self, file: str, current: Serving
    ) -> Iterator[tuple[Asked, ToldVerdict | None]]:
        """Yield every conversation of the input with its verdict, batch by batch."""
        if file == "-":
            own = self.standard_input or cast("BufferedReader", sys.stdin.buffer)
            yield from _answered(_conversations("standard input", own), current)
        else:
            with Path(file).open("rb") as stream:
                yield from _answered(_conversations(Path(file).name, stream), current)

    def tell(self, asked: Asked, verdict: ToldVerdict) -> None:
        if self.as_json:
            return
        place = f"line {asked.line}: " if asked.line else ""
        self.stdout.write(place + _sentence(verdict))
        for reason in verdict.reasons:
            for ground in _grounds(reason):
                self.stdout.write(f"    {ground}")


def _conversations(name: str, stream: BufferedReader) -> Iterator[Asked]:
    """Yield the conversation of each JSON line, or all of the input as one text."""
    is_compressed = stream.peek(len(GZIP_MAGIC)).startswith(GZIP_MAGIC)
    plain = cast("BufferedReader", gzip.GzipFile(fileobj=stream)) if is_compressed else stream
    first = plain.readline(MOST_BYTES + 1)
    if _is_record(first):
        for number, found in records_in(name, enumerate(chain([first], plain), start=1)):
            yield _of_record(found, name, number)
        return
    raw = first + plain.read(max(0, MOST_BYTES + 1 - len(first)))
    if len(raw) > MOST_BYTES:
        yield Asked(error=f"{name}: more than {MOST_BYTES // 1_000_000} MB; give less at once.")
    else:
        yield Asked.of(Transcript.of(decoded(raw)), name)


def _is_record(line: bytes) -> bool:
    """Say whether the first line is a JSON object: then the input is JSON lines."""
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _of_record(found: Record | DatasetInvalid, name: str, line: int) -> Asked:
    if isinstance(found, DatasetInvalid):
        return Asked(line=line, error=str(found))
    return Asked.of(found.transcript, name, line)


def _answered(
    conversations: Iterable[Asked], current: Serving
) -> Iterator[tuple[Asked, ToldVerdict | None]]:
    remaining = iter(conversations)
    while batch := list(islice(remaining, BATCH)):
        started = perf_counter()
        readable = [asked.words for asked in batch if asked.words is not None]
        verdicts = iter(current.classify(readable))
        seconds = (perf_counter() - started) / max(1, len(readable))
        for asked in batch:
            if asked.words is None:
                yield asked, None
                continue
            texts = [turn.text for turn in asked.words.turns]
            yield asked, ToldVerdict.of(next(verdicts), texts, current, seconds=seconds)


def _row(asked: Asked, verdict: ToldVerdict | None) -> dict[str, Any]:
    place = {} if asked.line is None else {"line": asked.line}
    return {**place, **({"error": asked.error} if verdict is None else asdict(verdict))}


def _sentence(verdict: ToldVerdict) -> str:
    if verdict.reasons:
        return _listed(verdict.reasons)
    doubt = Decision.DoubtCode(verdict.doubt).label if verdict.doubt else "not sure enough"
    guesses = f" Guesses: {_listed(verdict.suggestions)}." if verdict.suggestions else ""
    return f"A person must look: {doubt}.{guesses}"


def _listed(reasons: Sequence[ToldReason]) -> str:
    return ", ".join(
        reason.label
        if reason.confidence is None
        else f"{reason.label} ({reason.confidence:.0%})"
        for reason in reasons
    )


def _grounds(reason: ToldReason) -> Iterator[str]:
    for span in reason.evidence:
        by = f"rule {span.rule}" if span.rule else f"model {span.weight:+.2f}"
        words = " ".join(span.words.split())
        yield f"“{words}” for {reason.label}: {by}"
