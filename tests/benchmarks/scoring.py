"""What scores of any classifier are worth: pure functions of arrays, the same for all peers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from scipy.stats import beta

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Truths = Sequence[frozenset[str]]

BINS = 15  # of the calibration error, as everywhere in the literature
_COLDEST, _HOTTEST = 0.01, 100.0


def temperature(margins: Array, truths: Truths, labels: Sequence[str]) -> float:
    """Return the factor on margins (texts × labels) that makes their softmax likeliest true.

    Texts without a label, or with one that has no column, are left out.
    """
    columns = {label: column for column, label in enumerate(labels)}
    known = [
        (row, columns[min(true)])
        for row, true in enumerate(truths)
        if true and min(true) in columns
    ]
    rows, right = (np.array(part) for part in zip(*known, strict=True))

    def loss(log_factor: float) -> float:
        shares = log_softmax(np.exp(log_factor) * margins[rows], axis=1)
        return -float(shares[np.arange(len(rows)), right].mean())

    bounds = (np.log(_COLDEST), np.log(_HOTTEST))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def softmax(margins: Array, factor: float) -> Array:
    """Return probabilities, texts × labels."""
    shares: Array = np.exp(log_softmax(factor * margins, axis=1))
    return shares


def top_is_right(scores: Array, truths: Truths, labels: Sequence[str]) -> Flags:
    """Say of each text whether its highest label is a true one."""
    best = np.argmax(scores, axis=1)
    return np.array(
        [labels[column] in true for column, true in zip(best, truths, strict=True)], dtype=bool
    )


def threshold_for(
    confidence: Array, right: Flags, target: float, weights: Array | None = None
) -> float:
    """Return the lowest confidence from which on the (weighted) share right reaches a target.

    The plain estimate, with no margin of safety; infinity where nothing reaches it.
    """
    order = np.argsort(-confidence, kind="stable")
    counted = np.ones(len(right)) if weights is None else weights
    share = np.cumsum((counted * right)[order]) / np.cumsum(counted[order])
    ends = np.append(np.diff(confidence[order]) != 0, True)
    kept = np.flatnonzero((share >= target) & ends)
    return float(confidence[order[kept[-1]]]) if kept.size else float("inf")


def threshold_leaving(confidence: Array, in_scope: Flags, share: float) -> float:
    """Return the lowest threshold that is proven to leave a share of what is out of scope.

    Proven: the one-sided 95 % bound (Clopper and Pearson) of the share of these texts that are
    below reaches it. Infinity where they are too few to prove it.
    """
    outside = np.sort(confidence[~in_scope])
    count = len(outside)
    needed = next(
        (left for left in range(count + 1) if left and _least(left, count) >= share), None
    )
    return float(np.nextafter(outside[needed - 1], np.inf)) if needed else float("inf")


def _least(found: int, of: int) -> float:
    """Return the one-sided 95 % lower bound of a share that was seen."""
    return float(beta.ppf(0.05, found, of - found + 1))


def f1_threshold(scores: Array, truths: Truths, labels: Sequence[str]) -> float:
    """Return the score from which on saying a label makes the highest micro-F1."""
    true = table(truths, labels).ravel()
    flat = scores.ravel()
    order = np.argsort(-flat, kind="stable")
    hits = np.cumsum(true[order])
    said = np.arange(1, len(flat) + 1)
    return float(flat[order[int(np.argmax(2 * hits / (said + true.sum())))]])


def micro_f1(said: Flags, truths: Truths, labels: Sequence[str]) -> float:
    """Return F1 over all pairs of text and label; labels without a column count as missed."""
    hits = int((said & table(truths, labels)).sum())
    total = int(said.sum()) + sum(map(len, truths))
    return 2 * hits / total if total else 0.0


def table(truths: Truths, labels: Sequence[str]) -> Flags:
    """Return texts × labels: is it true?"""
    rows = [[label in true for label in labels] for true in truths]
    return np.array(rows, dtype=bool).reshape(len(truths), len(labels))


def calibration_error(confidence: Array, right: Flags) -> float:
    """Return the expected calibration error in [0, 1]: bins weighted by their texts."""
    places = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [
        abs(confidence[places == place].sum() - right[places == place].sum())
        for place in range(BINS)
    ]
    return float(sum(gaps) / len(right))


def chance_interval(share: float, texts: int) -> float:
    """Return the half width of the 95 % interval of a share of so many texts."""
    return 1.96 * float(np.sqrt(share * (1 - share) / texts))
