"""Metrics: how good answers are, from plain arrays. Pure; every definition in its docstring."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifier.engine.calibration import Array

Table = NDArray[np.bool_]

_NONE = ""
"""The class of texts out of scope, and of abstentions."""


def micro_f1(said: Table, true: Table, *, missed: int = 0) -> float:
    """Return F1 over all (text, label) pairs in [0, 1]; 0 where nothing is said or true.

    ``missed`` counts true pairs whose label has no column, because no training text had it.
    """
    total = int(said.sum()) + int(true.sum()) + missed
    return 2 * int((said & true).sum()) / total if total else 0.0


def macro_f1(said: Table, true: Table, *, missed: int = 0) -> float:
    """Return the mean of the labels' F1, over labels that are said or true somewhere.

    ``missed`` counts true labels that have no column; their F1 is 0.
    """
    totals = said.sum(axis=0) + true.sum(axis=0)
    seen = totals > 0
    scores = 2 * (said & true).sum(axis=0)[seen] / totals[seen]
    return float(scores.sum() / (len(scores) + missed)) if len(scores) + missed else 0.0


def micro_f1_by_threshold(probabilities: Array, true: Table) -> float:
    """Return the threshold with the highest micro-F1: a pair is said from it on; 0.5 if none."""
    if not true.any():
        return 0.5
    flat, hits = probabilities.ravel(), true.ravel()
    order = np.argsort(-flat, kind="stable")
    said = np.arange(1, len(flat) + 1)
    scores = 2 * np.cumsum(hits[order]) / (said + hits.sum())
    last = int(np.argmax(scores))
    following = flat[order[last + 1]] if last + 1 < len(flat) else 0.0
    return float((flat[order[last]] + following) / 2)


def matthews(answers: Sequence[str], truths: Sequence[str]) -> float:
    """Return the correlation of answers and truths over all classes, in [-1, 1].

    Matthews' coefficient as Gorodkin (2004) extends it to many classes; 0 where one side is
    constant. Out of scope and abstained are the class ``""``.
    """
    classes, coded = np.unique([*answers, *truths], return_inverse=True)
    said, true = coded[: len(answers)], coded[len(answers) :]
    said_counts = np.bincount(said, minlength=len(classes)).astype(float)
    true_counts = np.bincount(true, minlength=len(classes)).astype(float)
    return _correlation(float((said == true).sum()), said_counts, true_counts)


def best_matthews(
    answers: Sequence[str], confidence: Array, truths: Sequence[frozenset[str]]
) -> tuple[float, float]:
    """Return the threshold with the highest Matthews coefficient, and that coefficient.

    An answer less sure than the threshold counts as an abstention. All thresholds are tried.
    """
    expected = expected_classes(answers, truths)
    classes, coded = np.unique([_NONE, *answers, *expected], return_inverse=True)
    none, said, true = coded[0], coded[1 : len(answers) + 1], coded[len(answers) + 1 :]
    true_counts = np.bincount(true, minlength=len(classes)).astype(float)
    said_counts = np.zeros(len(classes))
    said_counts[none] = len(answers)
    correct = float((true == none).sum())
    order = np.argsort(-confidence, kind="stable")
    best = (1.0, _correlation(correct, said_counts, true_counts))
    for place, text in enumerate(order):
        said_counts[none] -= 1
        said_counts[said[text]] += 1
        correct += float(said[text] == true[text]) - float(true[text] == none)
        if place + 1 < len(order) and confidence[order[place + 1]] == confidence[text]:
            continue
        score = _correlation(correct, said_counts, true_counts)
        if score > best[1]:
            following = confidence[order[place + 1]] if place + 1 < len(order) else 0.0
            best = (float((confidence[text] + following) / 2), score)
    return best


def expected_classes(answers: Sequence[str], truths: Sequence[frozenset[str]]) -> list[str]:
    """Return one true class per text: the answer if true, else the first, or out of scope.

    Matthews' coefficient knows one class per text; a text with several true labels is answered
    well by any of them.
    """
    return [
        answer if answer in true else min(true, default=_NONE)
        for answer, true in zip(answers, truths, strict=True)
    ]


def _correlation(correct: float, said: Array, true: Array) -> float:
    n = said.sum()
    covariance = correct * n - float(said @ true)
    spread = float((n * n - said @ said) * (n * n - true @ true))
    return covariance / spread**0.5 if spread > 0 else 0.0
