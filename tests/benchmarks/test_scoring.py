import numpy as np
import pytest

from tests.benchmarks import scoring

A, B, NONE = frozenset("a"), frozenset("b"), frozenset[str]()


def test_a_threshold_keeps_the_target_and_decides_all_it_can():
    confidence = np.array([0.9, 0.8, 0.7, 0.6])
    right = np.array([True, True, False, True])

    assert scoring.threshold_for(confidence, right, 1.0) == 0.8
    assert scoring.threshold_for(confidence, right, 0.75) == 0.6


def test_texts_of_one_confidence_stand_or_fall_together():
    confidence = np.array([0.9, 0.9])

    assert scoring.threshold_for(confidence, np.array([True, False]), 0.6) == float("inf")


def test_weights_make_texts_out_of_scope_count_for_more():
    confidence = np.array([0.9, 0.8, 0.7])
    right = np.array([True, False, True])

    assert scoring.threshold_for(confidence, right, 0.6) == 0.7
    heavy = np.array([1.0, 5.0, 1.0])
    assert scoring.threshold_for(confidence, right, 0.6, heavy) == 0.9


def test_a_threshold_leaves_a_share_out_of_scope_that_is_proven_not_merely_seen():
    confidence = np.linspace(0, 1, 200)
    in_scope = np.tile([True, False], 100)

    least = scoring.threshold_leaving(confidence, in_scope, 0.78)

    assert 0.8 < (confidence[~in_scope] < least).mean() < 0.9
    assert scoring.threshold_leaving(confidence[:6], in_scope[:6], 0.78) == np.inf


def test_the_temperature_of_overconfident_margins_cools_them():
    margins = np.array([[9.0, 0.0], [0.0, 9.0], [9.0, 0.0], [9.0, 0.0]])
    truths = [A, B, A, B]

    factor = scoring.temperature(margins, truths, ("a", "b"))

    assert scoring.softmax(margins, factor).max(axis=1)[0] == pytest.approx(0.75, abs=0.01)


def test_texts_without_a_known_label_do_not_move_the_temperature():
    margins = np.array([[2.0, 0.0], [2.0, 0.0], [2.0, 0.0], [50.0, 0.0], [50.0, 0.0]])
    truths = [A, A, B, NONE, frozenset("c")]

    alone = scoring.temperature(margins[:3], truths[:3], ("a", "b"))

    assert scoring.temperature(margins, truths, ("a", "b")) == pytest.approx(alone)


def test_micro_f1_counts_labels_without_a_column_as_missed():
    said = np.array([[True, False], [False, True]])

    assert scoring.micro_f1(said, [A, B], ("a", "b")) == 1.0
    assert scoring.micro_f1(said, [A, B | frozenset("c")], ("a", "b")) == 4 / 5


def test_the_f1_threshold_says_what_is_true_and_no_more():
    scores = np.array([[2.0, -1.0], [0.5, 0.4]])

    assert scoring.f1_threshold(scores, [A, A | B], ("a", "b")) == 0.4


def test_the_calibration_error_is_the_gap_of_confidence_and_precision():
    confidence = np.full(10, 0.9)
    right = np.array([True] * 5 + [False] * 5)

    assert scoring.calibration_error(confidence, right) == pytest.approx(0.4)


def test_the_highest_label_is_right_where_it_is_one_of_the_true():
    scores = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])

    right = scoring.top_is_right(scores, [A | B, A, NONE], ("a", "b"))
    assert right.tolist() == [True, False, False]


def test_an_interval_shrinks_with_the_texts():
    assert scoring.chance_interval(0.93, 3_080) == pytest.approx(0.009, abs=0.0005)
