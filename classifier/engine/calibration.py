"""Calibration: margins of a linear model become probabilities that hold what they say."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_STEEPEST = 50.0  # logits per unit of margin; separable scores would ask for infinity
_SHALLOWEST = 0.05
_NEWTON_STEPS = 60
_PRECISION = 1e-6
_SMALLEST = 1e-9  # shares are kept this far from 0 and 1 before their odds are taken
_TINY = float(np.finfo(np.float64).tiny)
_BINS = 15  # the usual number, as in the published figures we compare with
# How many texts' worth of belief holds a category's own curve near the one shared by all.
_PULL = 20.0


class Link(StrEnum):
    """How logits become probabilities."""

    SOFTMAX = "softmax"
    """Every text has one category, or none: the shares of all sum to 1."""
    SIGMOID = "sigmoid"
    """A text may have several: each category has a probability of its own."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A straight line from each column's margin to its logit, and the link from there."""

    link: Link
    slopes: NDArray[np.float32]
    offsets: NDArray[np.float32]
    steadying: NDArray[np.float32]
    """Slope and offset that the highest share's own logit takes last; 1 and 0 change nothing.

    With few texts per category a temperature alone is too sure of the sure and too unsure of the
    unsure. Softmax only.
    """

    def logits(self, margins: NDArray[np.floating]) -> Array:
        """Return texts × columns logits."""
        return np.asarray(margins, dtype=np.float64) * self.slopes + self.offsets

    def probabilities(self, margins: NDArray[np.floating]) -> Array:
        """Return texts × columns probabilities in [0, 1]."""
        logits = self.logits(margins)
        if self.link is Link.SIGMOID:
            return sigmoid(logits)
        if len(logits) == 1:
            return self._of_one(logits[0])[None]
        return _steadied(softmax(logits), self.steadying)

    def _of_one(self, logits: Array) -> Array:
        """Return the shares of one text in fewer steps: most texts come alone."""
        raised = np.exp(logits - logits.max())
        shares: Array = raised / np.add.reduce(raised)
        slope, offset = self.steadying.tolist()
        if (slope, offset) == (1.0, 0.0):
            return shares
        # The highest share, not the highest logit: two so close that their shares are one.
        return _steadied_row(shares, int(shares.argmax()), slope, offset)


def fit_softmax(
    margins: Array, truths: NDArray[np.bool_], folds: NDArray[np.int64]
) -> Calibration:
    """Return one temperature for all columns, by maximum likelihood, steadied where that helps.

    Both keep the ranking. Each text has one true column at least; where it has several, they
    share its weight. Whether steadying helps is tried fold by fold, on texts it was not fitted to.
    """
    columns = margins.shape[1]
    doubt = 1 / (len(margins) + 1)  # the next text may be the first to be wrong (after Laplace)
    shares = (1 - doubt) * truths / truths.sum(axis=1, keepdims=True) + doubt / columns

    def loss(power: float) -> float:
        return float(-np.sum(shares * _log_softmax(margins * np.exp(power))))

    slope = np.exp(_lowest(loss, np.log(_SHALLOWEST), np.log(_STEEPEST)))
    plain = _calibration(Link.SOFTMAX, np.full(columns, slope), np.zeros(columns))
    claimed = plain.probabilities(margins)
    best = claimed.argmax(axis=1)
    right = truths[np.arange(len(best)), best][:, None]
    top = _logit(claimed.max(axis=1))[:, None]
    losses = [_loss_on_unseen(fit, top, right, folds) for fit in (_fit_nothing, _fit_one_curve)]
    if np.argmin(losses) == 0:
        return plain
    curve = _fit_one_curve(top, right)
    return replace(plain, steadying=np.concatenate([curve.slopes, curve.offsets]))


def fit_sigmoid(
    margins: Array, truths: NDArray[np.bool_], folds: NDArray[np.int64]
) -> Calibration:
    """Return a logistic curve per category, or one for all, whichever foretells better.

    Which one is tried fold by fold (``folds[i]`` is text i's), each on texts it was not fitted to.
    """
    fits = (_fit_one_curve, _fit_own_curves)
    losses = [_loss_on_unseen(fit, margins, truths, folds) for fit in fits]
    return fits[int(np.argmin(losses))](margins, truths)


def softmax(logits: Array) -> Array:
    """Return the shares of each row, summing to 1."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Array = raised / raised.sum(axis=1, keepdims=True)
    return shares


def sigmoid(logits: Array) -> Array:
    """Return the logistic function, without overflow for any finite logit."""
    return 0.5 * (1 + np.tanh(0.5 * logits))


def calibration_error(confidence: Array, right: NDArray[np.bool_]) -> float:
    """Return the expected calibration error in [0, 1]: 15 bins of equal width, weighed by size.

    ``confidence[i]`` is the probability claimed for answer i, ``right[i]`` whether it was right.
    An empty input has no error.
    """
    if not confidence.size:
        return 0.0
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = np.bincount(bins, weights=confidence - right, minlength=_BINS)
    return float(np.abs(gaps).sum() / confidence.size)


def _steadied(shares: Array, steadying: NDArray[np.float32]) -> Array:
    """Return shares of which the highest was corrected, the others sharing what is left.

    The highest stays the highest.
    """
    slope, offset = steadying.tolist()
    if (slope, offset) == (1.0, 0.0):
        return shares
    rows, best = np.arange(len(shares)), shares.argmax(axis=1)
    top = shares[rows, best]
    others = np.maximum(shares, _TINY)  # so that they can share, however little
    others[rows, best] = 0.0
    others /= others.sum(axis=1, keepdims=True)
    strongest = others.max(axis=1, initial=0.0)
    corrected = np.maximum(sigmoid(_logit(top) * slope + offset), strongest / (1 + strongest))
    others *= (1 - corrected)[:, None]
    others[rows, best] = corrected
    return others


def _steadied_row(shares: Array, best: int, slope: float, offset: float) -> Array:
    """Return what ``_steadied`` does, for one row."""
    top = min(max(shares.item(best), _SMALLEST), 1 - _SMALLEST)
    logit = math.log(top) - math.log1p(-top)
    others: Array = np.maximum(shares, _TINY)
    others[best] = 0.0
    total = float(np.add.reduce(others))
    strongest = float(np.maximum.reduce(others)) / total if len(others) > 1 else 0.0
    steadied = 0.5 * (1 + math.tanh(0.5 * (logit * slope + offset)))
    corrected = max(steadied, strongest / (1 + strongest))
    others *= (1 - corrected) / total if total else 0.0
    others[best] = corrected
    return others


def _logit(shares: Array) -> Array:
    safe = np.clip(shares, _SMALLEST, 1 - _SMALLEST)
    return np.log(safe) - np.log1p(-safe)


def _log_softmax(logits: Array) -> Array:
    shifted = logits - logits.max(axis=1, keepdims=True)
    shares: Array = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shares


def _calibration(link: Link, slopes: Array, offsets: Array) -> Calibration:
    nothing = np.array([1.0, 0.0], dtype=np.float32)
    return Calibration(link, slopes.astype(np.float32), offsets.astype(np.float32), nothing)


def _lowest(loss: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function with one valley between ``low`` and ``high`` is lowest."""
    golden = (5**0.5 - 1) / 2
    inner, outer = high - golden * (high - low), low + golden * (high - low)
    at_inner, at_outer = loss(inner), loss(outer)
    while high - low > _PRECISION:
        if at_inner < at_outer:
            high, outer, at_outer = outer, inner, at_inner
            inner = high - golden * (high - low)
            at_inner = loss(inner)
        else:
            low, inner, at_inner = inner, outer, at_outer
            outer = low + golden * (high - low)
            at_outer = loss(outer)
    return (low + high) / 2


def _loss_on_unseen(
    fit: Callable[[Array, NDArray[np.bool_]], Calibration],
    margins: Array,
    truths: NDArray[np.bool_],
    folds: NDArray[np.int64],
) -> float:
    """Return the log loss per text, each text judged by a curve that has not seen it."""
    total = 0.0
    for fold in np.unique(folds):
        unseen = folds == fold
        if unseen.all():
            return 0.0  # one fold: nothing to compare on, the simpler curve comes first
        logits = fit(margins[~unseen], truths[~unseen]).logits(margins[unseen])
        signed = np.where(truths[unseen], logits, -logits)
        total += float(np.logaddexp(0, -signed).sum())
    return total


def _fit_nothing(margins: Array, _truths: NDArray[np.bool_]) -> Calibration:
    """Return the line that leaves logits as they are."""
    columns = margins.shape[1]
    return _calibration(Link.SIGMOID, np.ones(columns), np.zeros(columns))


def _fit_one_curve(margins: Array, truths: NDArray[np.bool_]) -> Calibration:
    slope, offset = _curve(margins.ravel(), truths.ravel(), np.array([1.0, 0.0]), pull=1e-3)
    columns = margins.shape[1]
    return _calibration(Link.SIGMOID, np.full(columns, slope), np.full(columns, offset))


def _fit_own_curves(margins: Array, truths: NDArray[np.bool_]) -> Calibration:
    shared = _curve(margins.ravel(), truths.ravel(), np.array([1.0, 0.0]), pull=1e-3)
    curves = np.array(
        [
            _curve(margins[:, column], truths[:, column], shared, pull=_PULL)
            for column in range(margins.shape[1])
        ]
    )
    return _calibration(Link.SIGMOID, curves[:, 0], curves[:, 1])


def _curve(margins: Array, truths: NDArray[np.bool_], near: Array, *, pull: float) -> Array:
    """Return slope and offset of the likeliest logistic curve not far from ``near``.

    Truths are drawn in by Platt's correction, as the next text may be the first exception.
    Newton's steps on the log loss plus ``pull / 2`` times the squared distance, each step
    bounded, so that separable margins end at a steep curve and not at infinity.
    """
    inputs = np.column_stack([margins, np.ones_like(margins)])
    yes = int(truths.sum())
    targets = np.where(truths, (yes + 1) / (yes + 2), 1 / (len(truths) - yes + 2))
    curve = near.copy()
    for _ in range(_NEWTON_STEPS):
        claimed = sigmoid(inputs @ curve)
        slope_of_loss = inputs.T @ (claimed - targets) + pull * (curve - near)
        spread = np.maximum(claimed * (1 - claimed), 1e-9)
        bend = (inputs * spread[:, None]).T @ inputs + pull * np.eye(2)
        step = np.clip(np.linalg.solve(bend, slope_of_loss), -2.0, 2.0)
        curve -= step
        curve[0] = np.clip(curve[0], _SHALLOWEST, _STEEPEST)
        if np.abs(step).max() < _PRECISION:
            break
    return curve
