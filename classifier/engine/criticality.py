"""Criticality: from which probability on a text may be of a category that must not be missed."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from classifier.engine.calibration import Array
from classifier.engine.proof import at_least, most_missed
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.thresholds import Bar, HeldOut

FLOORS = (0.8, 0.9, 0.95, 0.98, 0.99)
"""Shares of the true texts that can be asked to pass."""


def bars(
    held_out: HeldOut, taxonomy: Taxonomy, *, exclusive: bool
) -> Mapping[str, tuple[Bar, ...]]:
    """Return for every category with true texts the bars that so many of them pass, proven.

    Any category may be marked critical later, so all have bars; an inner one pools what lies
    below it. Where texts are too few to prove a floor the bar lies at the lowest true text.
    """
    return {
        code: tuple(_bar(floor, scores, true) for floor in FLOORS)
        for code, scores, true in _scored(held_out, taxonomy, exclusive=exclusive)
    }


def _scored(
    held_out: HeldOut, taxonomy: Taxonomy, *, exclusive: bool
) -> Iterator[tuple[str, Array, NDArray[np.bool_]]]:
    """Yield each category with every text's probability of it, and whether it is true."""
    truths = held_out.truth_table()
    columns = {label: column for column, label in enumerate(held_out.labels)}
    codes = dict.fromkeys(
        code for label in held_out.labels for code in (label, *taxonomy.ancestors(label))
    )
    for code in codes:
        family = [columns[label] for label in columns if label in taxonomy.family(code)]
        shares = held_out.probabilities[:, family]
        true: NDArray[np.bool_] = np.asarray(truths[:, family].any(axis=1))
        if true.any():
            scores = shares.sum(axis=1) if exclusive else 1 - np.prod(1 - shares, axis=1)
            # Never above what serving adds up in another order.
            yield code, np.minimum(scores, 1.0), true


def _bar(floor: float, scores: Array, true: NDArray[np.bool_]) -> Bar:
    found = np.sort(scores[true])
    missed = most_missed(len(found), floor) or 0
    probability = float(np.floor(found[missed] * 1e6) / 1e6)  # rounding must not lose the text
    passed = int((found >= probability).sum())
    return Bar(
        floor,
        probability,
        float(at_least(passed, len(found))),
        len(found),
        float((scores >= probability).mean()),
    )
