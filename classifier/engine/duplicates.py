"""Duplicates: texts that say (nearly) the same as another, found in time linear in all words."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.engine.example import Example
from classifier.engine.features import Reading
from classifier.engine.text import Speaker

NEAR = 0.8
"""From this share of common letter groups on, two texts are near twins (Jaccard's index)."""
_LETTERS = 5
_HASHES = 48
_BANDS = 16
"""48 least hashes in bands of 3: twins of 0.8 meet in one band at least in 99.999 of 100 cases,
texts of 0.3 in 36; counting tells them apart (Leskovec et al., Mining of Massive Datasets, 3.4)."""
_LOOKED_AT = 8  # texts of one band that are compared, so that a thousand templates stay linear
_SEED = 11
_NUMBER = re.compile(r"\d+")
_PRIME = np.uint64(1_099_511_628_211)  # FNV's, for the rolling hash

Hashes = NDArray[np.uint64]
Marks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Twins:
    """Which texts have a twin among others: one flag per text."""

    exact: Marks
    """The same words, whatever their case, accents and numbers."""
    near: Marks
    """Not the same, but at least ``NEAR`` of the letter groups."""

    @property
    def any(self) -> Marks:
        """Say for each text whether it has a twin of either kind."""
        return self.exact | self.near


@dataclass(frozen=True, slots=True)
class Contradiction:
    """The same words, labelled otherwise: one of the labels is wrong, or the words do not tell."""

    keys: tuple[str, ...]
    """The examples, in the order of their keys."""
    categories: tuple[frozenset[str], ...]
    """Their labels, in the same order."""


def said(example: Example, speakers: Sequence[Speaker]) -> str:
    """Return the words a model would read of an example, as twins are compared: numbers alike."""
    turns = Reading.of(example.transcript, speakers).words()
    return _NUMBER.sub("0", " ".join(word for words in turns for word in words))


def twins_across(texts: Sequence[str], among: Sequence[str]) -> Twins:
    """Return which of ``texts`` have a twin ``among`` others; both as ``said`` returns them.

    A text that says nothing has none. Takes about 2 kB of memory per text among the others.
    """
    known = set(among)
    exact = np.array([bool(text) and text in known for text in texts], dtype=bool)
    unique = sorted(known - {""})
    buckets: dict[bytes, list[str]] = {}
    for text in unique:
        for band in _bands(_shingles(text)):
            bucket = buckets.setdefault(band, [])
            if len(bucket) < _LOOKED_AT:
                bucket.append(text)
    near = [
        bool(text) and not is_exact and _has_near(_shingles(text), buckets)
        for text, is_exact in zip(texts, exact, strict=True)
    ]
    return Twins(exact, np.array(near, dtype=bool).reshape(len(texts)))


def contradictions(
    examples: Sequence[Example], speakers: Sequence[Speaker]
) -> list[Contradiction]:
    """Return the groups of examples that say the same and are labelled otherwise."""
    groups: dict[bytes, list[Example]] = {}
    for example in sorted(examples, key=lambda each: each.key):
        groups.setdefault(_digest(said(example, speakers)), []).append(example)
    empty = _digest("")
    return [
        Contradiction(
            tuple(each.key for each in group), tuple(each.categories for each in group)
        )
        for digest, group in groups.items()
        if digest != empty and len({each.categories for each in group}) > 1
    ]


def _has_near(found: Hashes, buckets: dict[bytes, list[str]]) -> bool:
    looked: set[str] = set()
    for band in _bands(found):
        for text in buckets.get(band, ()):
            if text not in looked and _jaccard(found, _shingles(text)) >= NEAR:
                return True
            looked.add(text)
    return False


def _shingles(text: str) -> Hashes:
    """Return the distinct hashes of a text's letter groups, ascending."""
    letters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    hashes = np.zeros(max(1, len(letters) - _LETTERS + 1), dtype=np.uint64)
    for place in range(min(_LETTERS, len(letters))):
        hashes = hashes * _PRIME + letters[place : place + len(hashes)].astype(np.uint64)
    return np.unique(hashes)


def _bands(shingles: Hashes) -> list[bytes]:
    """Return one key per band of least hashes; equal keys make two texts candidates."""
    mixed = shingles[:, None] * _FACTORS
    mixed ^= mixed >> np.uint64(32)  # the low bits of a product know only the low bits
    least = (mixed * _PRIME).min(axis=0).reshape(_BANDS, -1)
    return [bytes([number]) + row.tobytes() for number, row in enumerate(least)]


def _jaccard(one: Hashes, other: Hashes) -> float:
    common = len(np.intersect1d(one, other, assume_unique=True))
    return common / (len(one) + len(other) - common)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


_FACTORS = np.random.default_rng(_SEED).integers(1, 2**63, _HASHES, dtype=np.uint64) * 2 + 1
