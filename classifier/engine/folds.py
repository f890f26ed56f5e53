"""Folds: parts of the examples, each scored by a model that has not seen it."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_ENOUGH_FOR_THREE = 12_000  # examples; from here on three folds are close enough to the whole
_ENOUGH_FOR_FIVE = 800


def fold_count(examples: int) -> int:
    """Return into how many parts to cut: more where each example is dear and training cheap."""
    if examples >= _ENOUGH_FOR_THREE:
        return 3
    return 5 if examples >= _ENOUGH_FOR_FIVE else 10


def folds_of(
    texts: Sequence[list[list[str]]], labels: Sequence[frozenset[str]], count: int
) -> NDArray[np.int64]:
    """Return each text's fold, 0 to ``count`` - 1, whatever order the texts come in.

    Texts of the same words (but for numbers) share a fold, so none is scored by a model that has
    seen its twin. Each label's texts are dealt out evenly.
    """
    digests = [words_digest(turns) for turns in texts]
    # A group is filed under its first label; rarest first would be better and is not stable.
    filed: dict[str, str] = {}
    for digest, names in sorted(zip(digests, map(sorted, labels), strict=True)):
        filed.setdefault(digest, names[0] if names else "")
    dealt = sorted((label, digest) for digest, label in filed.items())
    fold = {digest: place % count for place, (_, digest) in enumerate(dealt)}
    return np.array([fold[digest] for digest in digests], dtype=np.int64)


def words_digest(turns: list[list[str]]) -> str:
    """Return the SHA-256 (hexadecimal) of what a text says, but for its numbers."""
    words = (word for turn in turns for word in turn if not word.isdigit())
    return hashlib.sha256(" ".join(words).encode("utf-8", "surrogatepass")).hexdigest()
