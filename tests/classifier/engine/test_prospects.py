import numpy as np
import pytest

from classifier.engine.prospects import Lesson, Share, curve, needs, prospect
from classifier.engine.thresholds import HeldOut


def held_out(confidence, answers):
    """Return scores of texts with two labels, each answered with this confidence."""
    rows = np.array(
        [
            [each, 1 - each] if answer == 0 else [1 - each, each]
            for each, answer in zip(confidence, answers, strict=True)
        ]
    )
    return HeldOut(("a", "b"), rows, tuple(frozenset("a") for _ in answers))


def everything(size):
    return np.ones(size, dtype=bool)


@pytest.mark.parametrize(
    ("count", "of", "low", "high"), [(95, 100, 0.888, 0.978), (0, 10, 0.0, 0.278)]
)
def test_a_share_has_wilsons_interval(count, of, low, high):
    assert Share(count, of).interval == pytest.approx((low, high), abs=0.001)


def test_a_share_of_nothing_may_be_anything():
    assert (Share(0, 0).value, Share(0, 0).interval) == (None, (0.0, 1.0))


def test_what_is_sure_and_right_is_automated_and_the_rest_is_not():
    sure = np.array([0.99] * 800 + [0.6] * 200)
    answers = np.zeros(1_000, dtype=int)
    tags = np.array([0] * 800 + [0, 1] * 100)

    found = prospect(held_out(sure, answers), tags, everything(1_000), 0.95)

    assert (found.automated.count, found.right.value) == (800, 1.0)
    assert found.threshold == pytest.approx(0.99)
    assert found.by_label[0].automated == Share(800, 900)
    assert found.by_label[1].automated == Share(0, 100)
    assert found.by_label[1].right.value is None


def test_no_threshold_is_measured_where_it_was_chosen():
    """One right answer among coin tosses looks like a threshold only to who has seen it."""
    draw = np.random.default_rng(1)
    confidence = draw.uniform(0.5, 1, 2_000)
    tags = draw.integers(0, 2, 2_000)

    found = prospect(held_out(confidence, np.zeros(2_000, int)), tags, everything(2_000), 0.9)

    assert found.automated.value < 0.02


def test_labels_that_are_not_believed_count_as_texts_and_not_as_truth():
    tags = np.array([0] * 900 + [1] * 100)
    trusted = tags == 0

    found = prospect(held_out([0.9] * 1_000, [0] * 1_000), tags, trusted, 0.95)

    assert found.automated == Share(1_000, 1_000)
    assert found.right == Share(900, 900)


def test_the_curve_falls_from_the_surest_to_all():
    confidence = np.linspace(1, 0.5, 100)
    tags = np.array([0] * 80 + [1] * 20)

    points = curve(held_out(confidence, [0] * 100), tags, everything(100), points=10)

    assert (points[0].automated, points[0].right) == (0.1, 1.0)
    assert (points[-1].automated, points[-1].right) == (1.0, 0.8)


def lesson(examples, automated):
    return Lesson(np.array(examples), tuple(Share(*each) for each in automated))


def test_a_label_is_told_about_how_many_more_it_needs():
    fewer = lesson([9, 100], [(4, 40), (60, 200)])
    today = lesson([18, 200], [(8, 40), (120, 200)])

    few, many = needs([fewer, today], np.array([20, 220]))

    assert (few.have, many.have) == (20, 220)
    assert 10 <= few.more <= 60
    assert few.more % 5 == 0
    assert many.more == 0


def test_more_examples_are_not_promised_to_help_where_they_never_did():
    fewer = lesson([50], [(10, 100)])
    today = lesson([100], [(8, 100)])

    assert needs([fewer, today], np.array([110]))[0].more is None


def test_a_handful_of_examples_is_too_few_whatever_its_figures():
    today = lesson([3], [(3, 3)])

    assert needs([today], np.array([3]))[0].more == 7
    assert needs([lesson([0], [(0, 2)])], np.array([2]))[0].more == 8
