"""Promises of intervals and tests: published values, honest small numbers, the same every time."""

import numpy as np
import pytest

from classifier.engine.chance import Paired, Share, measured


def test_a_share_has_the_interval_of_wilson():
    share = Share(15, 20)  # Newcombe (1998) gives 0.531 to 0.888 for 15 of 20

    assert (round(share.low, 3), round(share.high, 3)) == (0.531, 0.888)


def test_a_share_of_nothing_says_nothing():
    assert (Share(0, 0).value, Share(0, 0).low, Share(0, 0).high) == (None, 0.0, 1.0)


@pytest.mark.parametrize(
    ("better", "worse", "p"), [(0, 0, 1.0), (5, 5, 1.0), (9, 1, 0.021484), (0, 5, 0.0625)]
)
def test_the_paired_test_is_exact(better, worse, p):
    assert Paired(better, worse).p == pytest.approx(p, abs=1e-6)


def test_five_texts_all_one_way_may_still_be_luck_and_six_may_not():
    assert not Paired(5, 0).is_beyond_chance
    assert Paired(6, 0).is_beyond_chance


def test_drawing_anew_finds_the_interval_that_theory_gives_and_the_same_every_time():
    hits = np.array([True] * 80 + [False] * 20)

    def share(weights):
        return weights @ hits[:, None] / weights.sum(axis=1, keepdims=True)

    (first,), (second,) = measured(100, share), measured(100, share)

    assert first == second
    assert first.value == 0.8
    assert first.low == pytest.approx(0.72, abs=0.02)
    assert first.high == pytest.approx(0.88, abs=0.02)
