"""Static vectors: what words mean, from a table shipped with the product; no transformer runs.

The table was distilled from a sentence encoder (``distillation``): one row for each piece of its
vocabulary, rounded to bytes. A word is cut into the longest known pieces from its start, and its
vector is the sum of theirs.
"""

import hashlib
import json
import mmap
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from classifier.engine.errors import ArtifactRefused

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

SHIPPED = Path(__file__).parent / "data" / "vectors.safetensors"
_DIGEST_FILE = ".sha256"  # beside the table: what sha256sum prints
_INNER = "##"  # before a piece that does not begin a word, as in BERT's vocabulary
_BETWEEN = "\n"
_STEPS = 127  # of a signed byte, on either side of nought
_STRANGE = 7.0  # four times the usual length of a piece's vector
_FOREIGN_FROM = 3  # pieces; the table does not know a word that falls into so many
# A safetensors file: the length of its head in 8 bytes, the head in JSON, the arrays.
_HEAD_AT = 8
_MANY = 100  # words at once: a batch, whose rows will hardly be asked for again
_UNMAP = getattr(mmap, "MADV_DONTNEED", None)  # not on Windows
_KINDS = {"F32": "<f4", "I8": "i1", "U8": "u1"}

# Kana and Han stand alone in the vocabulary, as each is a word or a part of one.
_ALONE = re.compile(
    "([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])"
)


class Pieces:
    """A vocabulary of pieces, and the greedy cut of a word into them (WordPiece)."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self._rows = {piece: row for row, piece in enumerate(pieces)}
        self._longest = max(map(len, pieces), default=0)

    def rows_of(self, word: str) -> list[int]:
        """Return the rows of a word's pieces, in order; characters of no piece are left out.

        At most length × longest piece look-ups.
        """
        row = self._rows.get(word)
        if row is not None:
            return [row]
        parts = [word] if word.isascii() else _ALONE.split(word)
        return [row for part in parts for row in self._cut(part)]

    def _cut(self, part: str) -> Iterator[int]:
        start, size = 0, len(part)
        while start < size:
            prefix = _INNER if start else ""
            for end in range(min(size, start + self._longest), start, -1):
                row = self._rows.get(prefix + part[start:end])
                if row is not None:
                    yield row
                    break
            else:
                end = start + 1
            start = end


class StaticVectors:
    """Vectors of words (``features.WordVectors``); never changed, so threads may share it."""

    def __init__(
        self,
        pieces: Sequence[str],
        table: NDArray[np.int8],
        scales: Floats,
        digest: str,
        let_go: Callable[[], object],
    ) -> None:
        """``let_go`` is called when many rows of the table were read at once."""
        self.digest = digest
        """SHA-256 (hexadecimal) of the file."""
        self._let_go = let_go
        self._pieces = Pieces(pieces)
        self._table = table
        self._scales = scales

    @property
    def width(self) -> int:
        """Numbers of a vector."""
        return int(self._table.shape[1])

    def of(self, words: Sequence[str]) -> tuple[Floats, Array]:
        """Return words × width: the sum of each folded word's pieces; noughts where none is known.

        And each word's squared length, to which is added how strange the word is to the table. So
        the vector of a text is the shorter, the less of the text the table knows: what an English
        table makes of Turkish is noise (docs/decisions/0027).
        """
        cut = [self._pieces.rows_of(word) for word in words]
        sizes = np.array([len(rows) for rows in cut], dtype=np.int64)
        vectors = np.zeros((len(words), self.width), dtype=np.float32)
        known = np.flatnonzero(sizes)
        strange = np.where(sizes > 0, np.minimum(sizes, _FOREIGN_FROM), _FOREIGN_FROM) - 1
        squares: Array = np.square(strange * (_STRANGE / (_FOREIGN_FROM - 1)))
        if not known.size:
            return vectors, squares
        rows = np.array([row for found in cut for row in found], dtype=np.int64)
        pieces = self._table[rows].astype(np.float32) * self._scales[rows, None]
        starts = np.cumsum(sizes[known]) - sizes[known]
        vectors[known] = np.add.reduceat(pieces, starts, axis=0)
        if len(words) >= _MANY:
            self._let_go()
        return vectors, squares + np.square(vectors, dtype=np.float64).sum(axis=1)


def dump(pieces: Sequence[str], vectors: NDArray[np.floating]) -> bytes:
    """Return a table of vectors (pieces × width), rounded to bytes, as one safetensors file.

    Raises:
        ValueError: a piece is said twice or holds a line break, or the numbers do not match.
    """
    if len(set(pieces)) != len(pieces) or any(_BETWEEN in piece for piece in pieces):
        raise ValueError("pieces are distinct and hold no line break")
    if vectors.ndim != 2 or len(vectors) != len(pieces):  # noqa: PLR2004 - rows and columns
        raise ValueError("one vector for each piece")
    largest = np.abs(vectors).max(axis=1, initial=0.0)
    scales = np.where(largest > 0, largest / _STEPS, 1.0)
    arrays: dict[str, NDArray[Any]] = {
        "pieces": np.frombuffer(_BETWEEN.join(pieces).encode(), dtype=np.uint8),
        "scales": scales.astype(np.float32),
        "table": np.rint(vectors / scales[:, None]).astype(np.int8),
    }
    content: bytes = save(arrays)
    return content


def parsed(content: bytes) -> StaticVectors:
    """Return the vectors of a file that ``dump`` wrote.

    Raises:
        ArtifactRefused: it is not such a file.
    """
    try:
        arrays = load(content)
    except SafetensorError as error:
        raise _damaged() from error
    return _of_arrays(arrays, hashlib.sha256(content).hexdigest())


def mapped(path: Path, expected: str) -> StaticVectors:
    """Return what ``parsed`` does, the table left where it lies, in the system's page cache.

    All processes share it there, and none keeps it as its own: a word is asked for once and then
    remembered elsewhere, so that after many words the rows are let go of. To find them again takes
    7 µs a row, which is why it is not done after a few.

    ``expected`` is the SHA-256 (hexadecimal) that the file must have; it vouches for the sizes
    that the file says of itself.

    Raises:
        ArtifactRefused: it is another file.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        if (digest := hashlib.file_digest(file, "sha256").hexdigest()) != expected:
            raise ArtifactRefused(
                f"{path.name} is not the file that was shipped (its SHA-256 differs); "
                "install this version again"
            )
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    start = _HEAD_AT + int.from_bytes(content[:_HEAD_AT], "little")
    head = json.loads(content[_HEAD_AT:start])
    arrays = {name: _view(content, start, told) for name, told in head.items()}
    return _of_arrays(arrays, digest, partial(content.madvise, _UNMAP) if _UNMAP else _nothing)


def _view(content: mmap.mmap, start: int, told: Mapping[str, Any]) -> NDArray[Any]:
    """Return an array of a safetensors file, not copied."""
    first, end = told["data_offsets"]
    kind = np.dtype(_KINDS[told["dtype"]])
    flat = np.frombuffer(content, kind, (end - first) // kind.itemsize, start + first)
    return flat.reshape(told["shape"])


def _nothing() -> None:
    """Do nothing."""


def _of_arrays(
    arrays: Mapping[str, NDArray[Any]], digest: str, let_go: Callable[[], object] = _nothing
) -> StaticVectors:
    try:
        pieces = arrays["pieces"].tobytes().decode().split(_BETWEEN)
        table, scales = arrays["table"], arrays["scales"]
    except (KeyError, ValueError) as error:
        raise _damaged() from error
    if table.dtype != np.int8 or table.shape[:1] != (len(pieces),) or table.ndim != 2:  # noqa: PLR2004
        raise ArtifactRefused("the table of word vectors has a wrong shape; install again")
    if scales.shape != (len(pieces),) or scales.dtype != np.float32:
        raise ArtifactRefused("the table of word vectors has a wrong shape; install again")
    return StaticVectors(pieces, table, scales, digest, let_go)


def _damaged() -> ArtifactRefused:
    return ArtifactRefused("the table of word vectors is damaged; install this version again")


@cache
def shipped() -> StaticVectors:
    """Return the vectors that come with the product; read once in a process.

    Raises:
        ArtifactRefused: the file is missing, or is another than was shipped.
    """
    try:
        expected = SHIPPED.with_suffix(_DIGEST_FILE).read_text().split()[0]
        return mapped(SHIPPED, expected)
    except (OSError, IndexError) as error:
        raise ArtifactRefused(
            f"{SHIPPED.name} is missing beside the engine; install this version again"
        ) from error
