"""Promises of calibrated probabilities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from classifier.engine.calibration import (
    Calibration,
    Link,
    calibration_error,
    fit_sigmoid,
    fit_softmax,
    sigmoid,
    softmax,
)

FOLDS = np.arange(3_000) % 3


@pytest.fixture
def chance():
    return np.random.default_rng(3)


def drawn(logits, chance):
    """Return one true column per row, drawn with the shares that the logits stand for."""
    shares = softmax(logits)
    edges = np.cumsum(shares, axis=1)
    chosen = (chance.random((len(logits), 1)) < edges).argmax(axis=1)
    truths = np.zeros(logits.shape, dtype=bool)
    truths[np.arange(len(logits)), chosen] = True
    return truths


def test_the_temperature_that_made_the_texts_is_found_again(chance):
    logits = chance.normal(0, 3, (3_000, 6))

    calibration = fit_softmax(logits / 4, drawn(logits, chance), FOLDS)

    assert calibration.slopes == pytest.approx(np.full(6, 4.0), rel=0.1)


def test_confidence_that_is_too_sure_is_steadied(chance):
    logits = chance.normal(0, 3, (3_000, 6))
    truths = drawn(logits, chance)
    muddled = chance.random(3_000) < 0.3
    truths[muddled] = truths[muddled][:, ::-1]

    calibration = fit_softmax(logits, truths, FOLDS)

    shares = calibration.probabilities(logits)
    best = shares.argmax(axis=1)
    assert tuple(calibration.steadying) != (1.0, 0.0)
    assert (best == logits.argmax(axis=1)).all()
    assert shares.sum(axis=1) == pytest.approx(np.ones(3_000))
    assert calibration_error(shares.max(axis=1), truths[np.arange(3_000), best]) < 0.04


@pytest.mark.parametrize("offset", [0.0, 2.0])
def test_curves_of_several_labels_are_found_again(offset, chance):
    margins = chance.normal(0, 1, (3_000, 3))
    logits = margins * 3 + np.array([0, -offset, offset])
    truths = chance.random(logits.shape) < sigmoid(logits)

    calibration = fit_sigmoid(margins, truths, FOLDS)

    assert calibration.offsets == pytest.approx([0, -offset, offset], abs=0.4)
    assert calibration_error(calibration.probabilities(margins).ravel(), truths.ravel()) < 0.02


@pytest.mark.parametrize("count", [4, 100, 2_000])
def test_margins_never_wrong_so_far_claim_what_so_many_texts_can_show(count):
    margins = np.where(np.arange(count) % 2, 1.0, -1.0)[:, None]
    truths = np.hstack([margins > 0, margins < 0])
    folds = np.arange(count) // 2 % 2
    doubt = 1 / (count / 2 + 2)

    several = fit_sigmoid(margins, truths[:, :1], folds).probabilities(margins)
    exclusive = fit_softmax(np.hstack([margins, -margins]), truths, folds).probabilities(
        np.hstack([margins, -margins])
    )

    assert several.max() == pytest.approx(1 - doubt, abs=doubt / 4)
    assert exclusive.max() == pytest.approx(1 - doubt, abs=doubt)


def test_one_fold_alone_takes_the_simple_way():
    margins = np.array([[-1.0, 1.0], [1.0, -1.0]])

    calibration = fit_softmax(margins, margins > 0, np.zeros(2, dtype=int))

    assert tuple(calibration.steadying) == (1.0, 0.0)


@given(
    arrays(float, (4, 5), elements=st.floats(-1e4, 1e4)),
    st.sampled_from(Link),
    st.floats(0.05, 50),
    st.floats(0.1, 3),
    st.floats(-3, 3),
)
def test_any_margins_become_probabilities(margins, link, slope, steady, shift):
    calibration = Calibration(
        link, np.full(5, slope), np.zeros(5), np.array([steady, shift], dtype=np.float32)
    )

    shares = calibration.probabilities(margins)

    assert ((shares >= 0) & (shares <= 1)).all()
    if link is Link.SOFTMAX:
        assert shares.sum(axis=1) == pytest.approx(np.ones(4), abs=1e-6)


def test_the_calibration_error_is_the_gap_between_claim_and_truth():
    confidence = np.array([0.9, 0.9, 0.9, 0.9])

    assert calibration_error(confidence, np.array([True, True, False, False])) == pytest.approx(
        0.4
    )
    assert calibration_error(np.array([]), np.array([], dtype=bool)) == 0


@given(
    st.lists(st.floats(-60, 60), min_size=2, max_size=8),
    st.floats(0.1, 20),
    st.floats(-5, 5),
)
def test_a_text_alone_has_the_probabilities_that_it_has_among_others(margins, slope, offset):
    columns = len(margins)
    steadied = Calibration(
        Link.SOFTMAX,
        np.ones(columns, dtype=np.float32),
        np.zeros(columns, dtype=np.float32),
        np.array([slope, offset], dtype=np.float32),
    )
    row = np.array([margins])

    alone = steadied.probabilities(row)
    among = steadied.probabilities(np.concatenate([row, -row, row + 1]))

    assert alone[0] == pytest.approx(among[0], abs=1e-12)
    assert alone.sum() == pytest.approx(1)
