"""A promise is said to be broken only where it is, however often one looks."""

import numpy as np
import pytest

from classifier.engine.breach import evidence, is_broken


def first_alarm(share, promise, *, texts, seed):
    """Look after every text of one stream; return after how many the alarm came, else None."""
    right = np.random.default_rng(seed).random(texts) < share
    hits = right.cumsum()
    return next(
        (n for n in range(1, texts + 1) if is_broken(int(hits[n - 1]), n, promise)), None
    )


@pytest.mark.parametrize("promise", [0.8, 0.95])
def test_who_just_keeps_the_promise_is_rarely_blamed_though_looked_at_after_each_text(promise):
    blamed = [first_alarm(promise, promise, texts=600, seed=seed) for seed in range(200)]

    assert sum(one is not None for one in blamed) / len(blamed) <= 0.05


def test_who_breaks_it_is_found_soon():
    found = [first_alarm(0.75, 0.95, texts=400, seed=seed) for seed in range(50)]

    assert None not in found
    assert np.median([one for one in found if one]) <= 40


def test_nothing_speaks_against_anybody_before_the_first_text():
    assert evidence(0, 0, 0.95) == pytest.approx(1.0)


def test_more_wrong_ones_say_more():
    told = [evidence(50 - wrong, 50, 0.95) for wrong in range(0, 30, 5)]

    assert told == sorted(told)
    assert told[0] < 1 < told[-1]


def test_the_more_categories_are_looked_at_the_more_each_must_show():
    assert is_broken(20, 28, 0.95)
    assert not is_broken(20, 28, 0.95, among=10**9)


def test_evidence_without_end_is_still_a_number():
    assert evidence(0, 100_000, 0.95) == float("inf")
    assert evidence(100_000, 100_000, 0.5) == pytest.approx(0.0, abs=1e-9)


def test_its_mean_is_one_where_the_promise_is_just_kept():
    """What makes it valid: a martingale, summed exactly over all outcomes of 12 texts."""
    from scipy.stats import binom

    mean = sum(binom.pmf(k, 12, 0.9) * evidence(k, 12, 0.9) for k in range(13))

    assert mean == pytest.approx(1.0)


@pytest.mark.parametrize(("right", "of", "promise"), [(2, 1, 0.9), (-1, 1, 0.9), (1, 1, 1.0)])
def test_what_is_no_share_is_refused(right, of, promise):
    with pytest.raises(ValueError, match="not a share"):
        evidence(right, of, promise)
