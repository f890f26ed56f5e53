"""Shards: the numbers of more texts than memory holds, on disk in parts of a few thousand."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

ROWS = 4_000
"""Texts of a part, about; of 0.9 kB each they take 25 MB."""
HELD_OUT = -1
"""The number of the part that is only measured on."""
_KINDS = {
    "columns": np.int32,
    "values": np.float16,  # half the disk; three digits are more than weights of one byte keep
    "sizes": np.int32,
    "marks": np.uint8,
    "places": np.uint64,
}

Marks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Part:
    """Some texts as numbers."""

    matrix: csr_matrix
    """Texts × features."""
    marks: Marks
    """Texts × columns: what is true."""


class Shards:
    """Parts of texts in a folder: written once, in any order, then read as often as wanted.

    A text's part, and its place in it, follow from a number drawn from its key, so the parts are
    the same whatever the order in which the texts came.
    """

    def __init__(self, folder: Path, texts: int, features: int, columns: int) -> None:
        self.folder = folder
        self.count = max(1, round(texts / ROWS))
        self._features = features
        self._columns = columns

    def add(
        self,
        matrix: csr_matrix,
        marks: Marks,
        places: NDArray[np.uint64],
        held_out: Marks,
    ) -> None:
        """Append texts: ``places`` are their numbers, ``held_out`` those only to be measured on."""
        numbers = (places % np.uint64(self.count)).astype(np.int64)
        numbers[held_out] = HELD_OUT
        for number in np.unique(numbers).tolist():
            rows = np.flatnonzero(numbers == number)
            part = matrix[rows]
            self._append(number, "columns", part.indices)
            self._append(number, "values", part.data)
            self._append(number, "sizes", np.diff(part.indptr))
            self._append(number, "marks", np.packbits(marks[rows], axis=1))
            self._append(number, "places", places[rows])

    def part(self, number: int) -> Part:
        """Return a part, its texts in the order of their places; ``HELD_OUT`` is one too."""
        sizes = self._read(number, "sizes").astype(np.int64)
        width = (self._columns + 7) // 8
        packed = self._read(number, "marks").astype(np.uint8).reshape(len(sizes), width)
        matrix = csr_matrix(
            (
                self._read(number, "values").astype(np.float32),
                self._read(number, "columns"),
                np.concatenate([[0], np.cumsum(sizes)]),
            ),
            shape=(len(sizes), self._features),
        )
        order = np.argsort(self._read(number, "places"), kind="stable")
        marks = np.unpackbits(packed, axis=1, count=self._columns).astype(bool)
        return Part(matrix[order], marks[order])

    def parts(self, seed: int) -> Iterator[Part]:
        """Yield all parts to learn from in an order that the seed draws."""
        for number in np.random.default_rng(seed).permutation(self.count).tolist():
            yield self.part(number)

    def _append(self, number: int, kind: str, array: NDArray[np.generic]) -> None:
        with self._path(number, kind).open("ab") as file:
            file.write(np.ascontiguousarray(array, dtype=_KINDS[kind]).tobytes())

    def _read(self, number: int, kind: str) -> NDArray[np.generic]:
        path = self._path(number, kind)
        if not path.exists():
            return np.empty(0, dtype=_KINDS[kind])
        return np.fromfile(path, dtype=_KINDS[kind])

    def _path(self, number: int, kind: str) -> Path:
        return self.folder / f"{number}.{kind}"
