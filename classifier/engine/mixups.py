"""Mix-ups: which labels people take for each other."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.engine.thresholds import HeldOut

FEWEST = 3
"""Texts in which two labels are mixed up, from which on it is no accident."""


@dataclass(frozen=True, slots=True)
class MixUp:
    """Two labels that are taken for each other."""

    one: int
    other: int
    """Columns, ``one`` before ``other``."""
    confused: int
    """Texts that have one of the labels and are read as the other by a model."""
    twins: int
    """Texts that say the same as another one that has the other label."""
    texts: int
    """All texts that have either label."""

    @property
    def share(self) -> float:
        """Share of their texts that are mixed up, in [0, 1]."""
        return min(1.0, (self.confused + self.twins) / self.texts)


def mix_ups(
    held_out: HeldOut, tags: NDArray[np.int64], twins: Iterable[NDArray[np.int64]]
) -> list[MixUp]:
    """Return the pairs of labels that are mixed up, most texts first.

    ``tags[i]`` is text i's own label, as a column; ``twins`` are groups of texts that say the
    same: where people gave those different labels, they mix them up, whatever a model thinks.
    """
    confused = Counter(
        _pair(tag, read)
        for tag, read in zip(tags.tolist(), held_out.best.tolist(), strict=True)
        if tag != read
    )
    alike: Counter[tuple[int, int]] = Counter()
    for group in twins:
        given = Counter(tags[group].tolist())
        (first, _), *others = sorted(given.items(), key=lambda entry: (-entry[1], entry[0]))
        for label, number in others:
            alike[_pair(first, label)] += number
    counts = np.bincount(tags, minlength=len(held_out.labels))
    found = [
        MixUp(*pair, confused[pair], alike[pair], int(counts[pair[0]] + counts[pair[1]]))
        for pair in confused.keys() | alike.keys()
        if confused[pair] + alike[pair] >= FEWEST
    ]
    return sorted(found, key=lambda each: (-each.confused - each.twins, each.one, each.other))


def _pair(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)
