"""Numbering: the numbers of short words, looked up for many words at once."""

from collections.abc import Sequence
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from classifier.engine.hashing import Keys, Whole

SHORT = 8
"""Bytes (UTF-8) of a word that make one number of 64 bits, its key; a longer word has none."""
STRANGE = -1
"""The number of a word that is not known."""
_ROOM = 4  # slots for each word: few words share one then
_SLOTS = 2**10
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # the golden ratio: keys alike come to lie apart


class ShortWords:
    """A table of words and their numbers. Only grows; shared by threads.

    A word is known by all its bytes, so no two are ever taken for one another.
    """

    def __init__(self) -> None:
        self._slots = _Slots(_SLOTS)
        self._count = 0
        self._waiting: list[tuple[Sequence[str], int]] = []
        self._lock = Lock()

    def add(self, words: Sequence[str], first: int) -> None:
        """Take words with ascending numbers from ``first``. They are filed when they are needed."""
        self._waiting.append((words, first))

    def numbers(self, keys: Keys) -> Whole:
        """Return the number of each word, ``STRANGE`` where it is not known; of the key 0, 0."""
        if self._waiting:
            with self._lock:
                self._file(len(self._waiting))
        return self._slots.numbers(keys)

    def _file(self, size: int) -> None:
        waiting = self._waiting[:size]
        pairs = [
            (int.from_bytes(content, "little"), number)
            for words, first in waiting
            for number, content in enumerate([_bytes_of(word) for word in words], first)
            if len(content) <= SHORT
        ]
        keys = np.array([key for key, _ in pairs], dtype=np.uint64)
        numbers = np.array([number for _, number in pairs], dtype=np.int64)
        slots = self._slots
        self._count += len(pairs)
        if self._count * _ROOM > len(slots.keys):
            slots = _Slots(1 << (self._count * _ROOM * 2 - 1).bit_length())
            known = np.flatnonzero(self._slots.keys)
            slots.put(self._slots.keys[known], self._slots.held[known])
        slots.put(keys, numbers)
        self._slots = slots
        del self._waiting[:size]


class _Slots:
    """Keys where their spread first bits say, or in the next slot that was free; a power of 2."""

    __slots__ = ("_last", "_shift", "held", "keys")

    def __init__(self, size: int) -> None:
        self.keys = np.zeros(size, dtype=np.uint64)
        """0: nothing is there."""
        self.held: NDArray[np.int64] = np.zeros(size, dtype=np.int64)
        """The numbers."""
        self._last = size - 1
        self._shift = np.uint64(64 - self._last.bit_length())

    def numbers(self, keys: Keys) -> Whole:
        """Return the number of each key. What is not there is strange; an empty slot holds 0."""
        at = self._first(keys)
        found = self.held.take(at)
        left = np.flatnonzero(self.keys.take(at) != keys)
        keys, at = keys[left], at[left]
        while left.size:
            there = self.keys.take(at)
            found[left] = np.where(there == keys, self.held.take(at), STRANGE)
            more = (there != keys) & (there != 0)
            left, keys, at = left[more], keys[more], (at[more] + 1) & self._last
        return found

    def put(self, keys: Keys, numbers: Whole) -> None:
        """Add keys that are not there yet."""
        at = self._first(keys)
        while keys.size:
            is_free = self.keys[at] == 0
            # The number first: whoever finds a key meanwhile finds its number.
            self.held[at[is_free]] = numbers[is_free]
            self.keys[at[is_free]] = keys[is_free]
            more = self.keys[at] != keys
            keys, numbers, at = keys[more], numbers[more], (at[more] + 1) & self._last

    def _first(self, keys: Keys) -> Whole:
        return ((keys * _SPREAD) >> self._shift).astype(np.int64)


def _bytes_of(word: str) -> bytes:
    return word.encode("utf-8", "surrogatepass")
