"""Promises of proofs: bounds that hold, and thresholds that rest on them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.engine.proof import (
    SURE,
    Tally,
    at_least,
    at_most,
    lowest_plain,
    lowest_proven,
    most_missed,
)


@given(
    st.lists(st.tuples(st.sampled_from([0.2, 0.5, 0.5001, 0.9]), st.booleans()), max_size=60)
)
def test_texts_of_one_score_stand_or_fall_together(pairs):
    scores = np.array([score for score, _ in pairs], dtype=float)
    right = np.array([hit for _, hit in pairs], dtype=bool)

    threshold = lowest_proven(scores, right, 0.8)

    if threshold is not None:
        assert right[scores >= threshold].mean() >= 0.8


@pytest.mark.parametrize(("of", "share"), [(59, 0.95), (299, 0.99), (29, 0.9)])
def test_the_fewest_texts_that_prove_a_share_without_a_miss(of, share):
    assert at_least(of, of) >= share > at_least(of - 1, of - 1)
    assert most_missed(of, share) == 0
    assert most_missed(of - 1, share) is None


@given(st.integers(1, 400), st.data())
def test_a_bound_rises_with_what_is_right_and_falls_with_what_is_wrong(of, data):
    right = data.draw(st.integers(0, of))

    bound = at_least(right, of)

    assert 0 <= bound <= right / of
    assert at_least(right + 1, of + 1) >= bound
    assert at_least(right, of + 1) <= bound
    assert at_most(right, of) >= right / of
    assert at_least(right, of, 0.99) <= bound


@pytest.mark.parametrize("truth", [0.9, 0.95, 0.99])
@pytest.mark.parametrize("of", [20, 59, 300, 3_000])
def test_a_bound_is_too_high_in_one_of_twenty_draws_at_most(truth, of):
    hits = np.random.default_rng(of).binomial(of, truth, 20_000)

    assert (at_least(hits, of) > truth).mean() <= 1 - SURE + 0.005


def test_nothing_proves_nothing():
    assert (at_least(0, 0), at_most(0, 0)) == (0, 1)
    assert most_missed(0, 0.9) is None
    assert lowest_proven(np.zeros(0), np.zeros(0, dtype=bool), 0.9) is None
    assert (Tally().share, Tally().worth, Tally().at_least) == (0, 0, 0)


@given(st.integers(1, 300), st.floats(0.1, 9.0))
def test_texts_that_all_weigh_the_same_prove_what_they_did(of, weight):
    right = np.arange(of) > 2
    tally = Tally.of(right, np.full(of, weight))

    assert tally.worth == pytest.approx(of)
    assert tally.at_least == pytest.approx(float(at_least(int(right.sum()), of)))


def test_texts_that_weigh_unequally_prove_less():
    right = np.arange(100) != 0
    weights = np.where(np.arange(100) < 10, 9.0, 1.0)

    assert Tally.of(right, weights).worth < 50


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=20, max_size=80),
    st.sampled_from([0.3, 0.6, 0.8]),
)
def test_a_proof_asks_for_no_less_than_the_plain_share(pairs, target):
    scores = np.array([score for score, _ in pairs])
    right = np.array([hit for _, hit in pairs])

    proven = lowest_proven(scores, right, target)
    plain = lowest_plain(scores, right, target)

    if proven is None:
        return
    assert plain is not None
    assert proven >= plain
    assert at_least(right[scores >= proven].sum(), (scores >= proven).sum()) >= target


def test_what_is_decided_anyway_proves_along_but_nobody_lives_on_it():
    beside = Tally.of(np.ones(1_000, dtype=bool), np.ones(1_000))
    scores = np.linspace(1, 0.5, 20)

    few = lowest_proven(scores, np.ones(20, dtype=bool), 0.95, beside=beside)
    wrong = lowest_proven(scores, np.zeros(20, dtype=bool), 0.95, beside=beside)

    assert few == 0.5
    assert wrong is None
    assert lowest_proven(scores, np.ones(20, dtype=bool), 0.95) is None
