"""Hashing: word groups and letter groups as keys of 40 bits, many at once in numpy.

A model knows a group by its key alone. Of 200,000 known groups a strange one is taken for a known
one with a probability of 2e-7, so collisions need no handling.
"""

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Whole = NDArray[np.int64]

KEY_BITS = 40
_DROPPED = 64 - KEY_BITS
_MASK = 2**64 - 1
# Odd numbers without pattern, from the digits of the golden ratio, e and pi; any would do.
_NEXT_WORD = 0x9E3779B97F4A7C15
_NEXT_LETTER = 0xB7E151628AED2A6B
_LETTER = 0x243F6A8885A308D3
_START = 0xC2B2AE3D27D4EB4F
_BUCKETS_PER_KEY = 4
FIRST = 0xA0761D6478BD642F
"""Stands where a word would, before the first word of a turn: "great, …" thanks, "… great" praises."""
LAST = 0xE7037ED1A0B428DB
"""Stands behind the last word of a turn."""
FIRST_BEGUN = FIRST * _NEXT_WORD & _MASK
"""What ``begun`` makes of ``FIRST``."""


def word_hash(word: str) -> int:
    """Return 64 bits of a word's BLAKE2b, never 0: that is no word."""
    content = word.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little") or 1


def word_hashes(words: Sequence[str]) -> Keys:
    """Return the ``word_hash`` of each word."""
    return np.array([word_hash(word) for word in words], dtype=np.uint64)


def key_of(hashed: int) -> int:
    """Return the key of a hash."""
    return hashed >> _DROPPED


def keys_of(hashes: Keys) -> Keys:
    """Return ``key_of`` each hash."""
    return hashes >> np.uint64(_DROPPED)


def joined(before: Sequence[int], last: Sequence[int]) -> list[int]:
    """Return the hashes of groups, each one word longer than that in ``before``.

    Where one of the two is 0 (no word there, a turn ends) there is no group, which is 0 too.
    """
    return [
        (one * _NEXT_WORD + other) & _MASK if one and other else 0
        for one, other in zip(before, last, strict=False)
    ]


def begun(hashed: int) -> int:
    """Return what the hash of a word adds to that of a group which it begins; 0 for none."""
    return hashed * _NEXT_WORD & _MASK


def pair_keys(before: Sequence[int], last: Sequence[int]) -> list[int]:
    """Return the keys of groups of two words, where ``before`` holds what is ``begun``.

    Where one of the two is 0 there is no group, and no key: -1.
    """
    return [
        (one + other & _MASK) >> _DROPPED if one and other else -1
        for one, other in zip(before, last, strict=False)
    ]


def joined_arrays(before: Keys, last: Keys) -> Keys:
    """Return what ``joined`` does, for arrays of equal length."""
    groups = before * np.uint64(_NEXT_WORD) + last
    groups[(before == 0) | (last == 0)] = 0
    return groups


def first_keys(hashes: Keys) -> Keys:
    """Return the keys of words, each as the first of its turn."""
    return keys_of(np.uint64(FIRST_BEGUN) + hashes)


def last_keys(hashes: Keys) -> Keys:
    """Return the keys of words, each as the last of its turn."""
    return keys_of(hashes * np.uint64(_NEXT_WORD) + np.uint64(LAST))


def letter_keys(word: str, lengths: tuple[int, int]) -> Iterator[int]:
    """Yield the keys of a word's letter groups, with repeats; its ends count as blanks."""
    values = [(ord(char) * _LETTER) & _MASK for char in f" {word} "]
    shortest, longest = lengths
    for start in range(len(values)):
        hashed = _START
        for length, value in enumerate(values[start : start + longest], 1):
            hashed = (hashed * _NEXT_LETTER + value) & _MASK
            if length >= shortest:
                yield hashed >> _DROPPED


def letter_keys_of_all(words: Sequence[str], lengths: tuple[int, int]) -> tuple[Whole, Keys]:
    """Return for every letter group of many words the word's number, and the group's key.

    The same keys as ``letter_keys`` gives, in another order.
    """
    if not words:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint64)
    sizes = np.array([len(word) + 2 for word in words], dtype=np.int64)
    text = " ".join(words)
    codes = np.frombuffer(
        f" {text.replace(' ', '  ')} ".encode("utf-32-le", "surrogatepass"), dtype=np.uint32
    )
    values = codes.astype(np.uint64) * np.uint64(_LETTER)
    owners = np.repeat(np.arange(len(words)), sizes)
    left = np.repeat(np.cumsum(sizes), sizes) - np.arange(len(codes))  # to the word's end
    hashes = np.full(len(codes), _START, dtype=np.uint64)
    found_owners: list[Whole] = []
    found_keys: list[Keys] = []
    for length in range(1, lengths[1] + 1):
        whole = len(codes) - length + 1
        if whole <= 0:
            break
        hashes = hashes[:whole] * np.uint64(_NEXT_LETTER) + values[length - 1 :]
        if length >= lengths[0]:
            within = left[:whole] >= length
            found_owners.append(owners[:whole][within])
            found_keys.append(keys_of(hashes[within]))
    if not found_keys:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint64)
    return np.concatenate(found_owners), np.concatenate(found_keys)


class KeyTable:
    """Known keys, each with its row: its place in ascending order.

    Raises:
        ValueError: the keys are not ascending, or longer than ``KEY_BITS``.
    """

    def __init__(self, keys: Keys) -> None:
        if keys.size and ((keys[1:] <= keys[:-1]).any() or int(keys[-1]) >> KEY_BITS):
            raise ValueError("keys of groups must ascend")
        self.keys = keys

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def row_of(self) -> dict[int, int]:
        """The row of each key: quicker than ``rows`` for a few keys."""
        return dict(zip(self.keys.tolist(), range(len(self.keys)), strict=True))

    def rows(self, keys: Keys) -> Whole:
        """Return the row of each key, -1 where it is not known.

        Keys are as good as drawn by lot, so their first bits tell where among the known ones
        they can be: a few steps instead of a search.
        """
        rows = np.full(len(keys), -1, dtype=np.int64)
        if not len(self.keys):
            return rows
        shift, starts = self._buckets
        buckets = (keys >> shift).astype(np.int64)
        places = starts[buckets]
        open_ones = np.flatnonzero(places < starts[buckets + 1])
        places, ends, wanted = (
            places[open_ones],
            starts[buckets[open_ones] + 1],
            keys[open_ones],
        )
        while open_ones.size:
            met = self.keys[places] == wanted
            rows[open_ones[met]] = places[met]
            places = places + 1
            more = ~met & (places < ends)
            open_ones, places, ends, wanted = (
                open_ones[more],
                places[more],
                ends[more],
                wanted[more],
            )
        return rows

    @cached_property
    def _buckets(self) -> tuple[np.uint64, NDArray[np.int32]]:
        """By how much to shift a key to get its bucket, and where each bucket's keys start."""
        bits = min(KEY_BITS, max(1, (len(self.keys) * _BUCKETS_PER_KEY - 1).bit_length()))
        shift = np.uint64(KEY_BITS - bits)
        sizes = np.bincount((self.keys >> shift).astype(np.int64), minlength=2**bits)
        # Half as wide as they could be: twice as many are near at hand.
        return shift, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
