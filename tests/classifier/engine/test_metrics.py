"""Promises of the figures: each against a case worked out by hand."""

import numpy as np
import pytest
from sklearn.metrics import matthews_corrcoef

from classifier.engine.metrics import (
    best_matthews,
    expected_classes,
    macro_f1,
    matthews,
    micro_f1,
    micro_f1_by_threshold,
)

SAID = np.array([[True, False, False], [True, True, False]])
TRUE = np.array([[True, False, False], [False, True, False]])


def test_f1_counts_pairs_of_text_and_label():
    assert micro_f1(SAID, TRUE) == pytest.approx(4 / 5)
    assert macro_f1(SAID, TRUE) == pytest.approx((2 / 3 + 1) / 2)


def test_true_labels_that_the_model_never_learnt_count_as_missed():
    assert micro_f1(SAID, TRUE, missed=1) == pytest.approx(4 / 6)
    assert macro_f1(SAID, TRUE, missed=1) == pytest.approx((2 / 3 + 1) / 3)


def test_f1_of_nothing_is_nought():
    nothing = np.zeros((2, 3), dtype=bool)

    assert (micro_f1(nothing, nothing), macro_f1(nothing, nothing)) == (0.0, 0.0)


def test_the_threshold_of_the_highest_f1_lies_between_right_and_wrong():
    probabilities = np.array([[0.9, 0.2], [0.3, 0.8]])

    assert micro_f1_by_threshold(probabilities, probabilities > 0.5) == pytest.approx(0.55)
    assert micro_f1_by_threshold(probabilities, probabilities > 1) == 0.5


def test_the_correlation_is_the_one_that_scikit_learn_knows():
    answers = ["a", "b", "", "a", "c", "b"]
    truths = ["a", "b", "a", "", "c", "c"]

    assert matthews(answers, truths) == pytest.approx(matthews_corrcoef(truths, answers))
    assert matthews(["a", "a"], ["a", "b"]) == 0


def test_the_best_threshold_is_the_best_of_all():
    chance = np.random.default_rng(2)
    answers = chance.choice(["a", "b"], 60).tolist()
    truths = [
        frozenset([name]) if name else frozenset() for name in chance.choice(["a", "b", ""], 60)
    ]
    confidence = chance.random(60).round(1)

    threshold, best = best_matthews(answers, confidence, truths)

    def at(least: float) -> float:
        said = [
            name if sure >= least else ""
            for name, sure in zip(answers, confidence, strict=True)
        ]
        return matthews(said, expected_classes(answers, truths))

    assert best == pytest.approx(max(at(least) for least in np.arange(0, 1.2, 0.05)))
    assert at(threshold) == pytest.approx(best)


def test_a_text_with_several_true_labels_is_answered_by_any_of_them():
    truths = [frozenset(["a", "b"]), frozenset(["a", "b"]), frozenset[str]()]

    assert expected_classes(["b", "c", "a"], truths) == ["b", "a", ""]
