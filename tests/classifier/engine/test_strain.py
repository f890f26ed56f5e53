"""Promises of strain: what noise costs is told, long calls count by any label, twins do not."""

import pytest

from classifier.engine.strain import joined_calls, misheard, without_twins
from tests.classifier.engine.words import examples, outsiders

UNSEEN = examples(12, seed=9)


def test_words_as_they_were_said_lose_nothing_and_all_words_wrong_lose_much(model):
    assert misheard(model, examples(), UNSEEN, 0.0).micro_f1_points_lost == 0

    lost = [misheard(model, examples(), UNSEEN, share) for share in (0.15, 1.0)]

    assert lost[0].accuracy_points_lost < lost[1].accuracy_points_lost
    assert lost[1].micro_f1 < 0.9


def test_any_of_a_long_calls_labels_is_right(model):
    found = joined_calls(model, UNSEEN, 5)

    assert (found.parts, found.calls) == (5, 10)
    assert found.low < found.any_right == pytest.approx(1.0)
    assert found.words_each > 40


def test_figures_without_twins_leave_out_what_was_learnt(model):
    found = without_twins(model, examples(), [*examples()[:10], *UNSEEN, *outsiders(3)])

    assert found.exact >= 10
    assert found.contradictions == 0
    assert found.accuracy is None or found.accuracy > 0.9


def test_a_test_of_twins_alone_has_no_figure_left(model):
    found = without_twins(model, examples(), examples())

    assert (found.exact, found.accuracy) == (len(examples()), None)
