"""Promises of thresholds: chosen on some texts, kept on others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.engine.taxonomy import Taxonomy
from classifier.engine.thresholds import (
    EVEN,
    HeldOut,
    Thresholds,
    ancestor_scores,
    best_ancestor,
    choose_thresholds,
    lowest_keeping,
    pooled,
)

TREE = Taxonomy.of_paths([("a", "x"), ("a", "y"), ("b",)])
LABELS = ("a.x", "a.y", "b")
TARGET = 0.95


def drawn(count: int, seed: int) -> HeldOut:
    """Return calibrated shares and truths drawn from them; x and y are hard to tell apart."""
    chance = np.random.default_rng(seed)
    family = chance.beta(0.4, 0.2, count)
    split = chance.beta(0.5, 0.5, count)
    shares = np.column_stack([family * split, family * (1 - split), 1 - family])
    chosen = (chance.random((count, 1)) < shares.cumsum(axis=1)).argmax(axis=1)
    return HeldOut(LABELS, shares, tuple(frozenset([LABELS[column]]) for column in chosen))


def kept(held_out: HeldOut, threshold: float | None) -> tuple[float, float]:
    """Return which share is covered from a threshold on, and which share of that is right."""
    covered = held_out.confidence >= (2.0 if threshold is None else threshold)
    pairs = zip(held_out.answers, held_out.truths, strict=True)
    right = np.array([answer in truths for answer, truths in pairs])
    return float(covered.mean()), float(right[covered].mean())


@pytest.mark.parametrize(("count", "share"), [(300, 0.7), (1_000, 0.85), (10_000, 0.95)])
def test_the_promise_is_kept_on_unseen_texts_for_little_coverage(count, share):
    plenty = drawn(100_000, seed=99)
    ideal, _ = kept(plenty, choose_thresholds(plenty, TREE, TARGET, exclusive=True).accept)

    outcomes = []
    for seed in range(20):
        chosen = choose_thresholds(drawn(count, seed), TREE, TARGET, exclusive=True)
        outcomes.append(kept(drawn(5_000, 1_000 + seed), chosen.accept))

    coverage, precision = np.mean(outcomes, axis=0)
    assert precision >= TARGET - 0.002
    assert coverage >= share * ideal


def test_a_child_too_unsure_backs_off_to_a_parent_that_keeps_the_promise():
    chosen = choose_thresholds(drawn(5_000, 1), TREE, TARGET, exclusive=True)
    unseen = drawn(20_000, 2)

    unsure = unseen.confidence < chosen.accept
    family = unseen.probabilities[:, 0] + unseen.probabilities[:, 1]
    answered = unsure & (family >= chosen.back_off)
    right = [bool(truths & {"a.x", "a.y"}) for truths in unseen.truths]
    assert answered.mean() > 0.1
    assert np.array(right)[answered].mean() >= TARGET - 0.005


def boastful(count: int, seed: int) -> HeldOut:
    """Return texts whose best label is nearly always right; the second is oversold.

    A second label claimed at ``share`` is true with the probability ``share³``.
    """
    chance = np.random.default_rng(seed)
    second = chance.uniform(0, 1, count)
    shares = np.column_stack([np.full(count, 0.99), np.zeros(count), second])
    first_is_true, second_is_true = chance.random((2, count)) < [[0.99] * count, second**3]
    truths = [
        frozenset(["a.x"] * bool(first) + ["b"] * bool(other))
        for first, other in zip(first_is_true, second_is_true, strict=True)
    ]
    return HeldOut(LABELS, shares, tuple(truths))


def test_a_further_reason_keeps_the_promise_too():
    chosen = choose_thresholds(boastful(4_000, 1), TREE, 0.9, exclusive=False)
    unseen = boastful(20_000, 2)

    said = unseen.probabilities[:, 2] >= chosen.secondary
    right = np.array(["b" in truths for truths in unseen.truths])[said]
    assert said.mean() > 0.05
    assert right.mean() >= 0.9 - 0.01
    assert chosen.confirms < chosen.secondary


def test_a_few_texts_with_several_reasons_promise_no_further_reason():
    chosen = choose_thresholds(boastful(40, 1), TREE, TARGET, exclusive=False)

    assert chosen.accept is not None
    assert chosen.secondary is None
    assert not chosen.adds("b", 1.0)


def test_a_parent_beside_its_own_child_is_no_further_reason():
    child_and_parent = Taxonomy.of_paths([("a",), ("a", "x"), ("b",)])
    shares = np.full((500, 3), [0.9, 0.99, 0.1])
    rows = HeldOut(("a", "a.x", "b"), shares, (frozenset(["a.x"]),) * 500)

    chosen = choose_thresholds(rows, child_and_parent, TARGET, exclusive=False)

    assert chosen.secondary is None


def test_nothing_is_accepted_that_is_likelier_wrong_than_right():
    easy = HeldOut(LABELS, np.full((500, 3), [0.3, 0.2, 0.1]), (frozenset(["a.x"]),) * 500)

    assert choose_thresholds(easy, TREE, TARGET, exclusive=True).accept == EVEN


def test_hopeless_scores_accept_nothing():
    wrong = HeldOut(LABELS, np.full((500, 3), [0.9, 0.1, 0.0]), (frozenset(["b"]),) * 500)

    chosen = choose_thresholds(wrong, TREE, TARGET, exclusive=True)

    assert (chosen.accept, chosen.back_off) == (None, None)
    assert not chosen.accepts("a.x", 1.0)
    assert not chosen.backs_off(1.0)


def test_without_texts_nothing_is_promised():
    nothing = HeldOut(LABELS, np.zeros((0, 3)), ())

    assert choose_thresholds(nothing, TREE, TARGET, exclusive=True).accept is None


def test_texts_out_of_scope_give_a_threshold_of_their_own():
    shares = np.array(
        [[0.9, 0.05, 0.05]] * 50 + [[0.05, 0.05, 0.9]] * 50 + [[0.3, 0.3, 0.3]] * 50
    )
    truths = [frozenset(["a.x"])] * 50 + [frozenset(["b"])] * 50 + [frozenset[str]()] * 50

    chosen = choose_thresholds(
        HeldOut(LABELS, shares, tuple(truths)), TREE, TARGET, exclusive=True
    )

    assert 0.3 < chosen.in_scope < 0.9


@given(
    st.lists(st.tuples(st.sampled_from([0.2, 0.5, 0.5001, 0.9]), st.booleans()), max_size=60)
)
def test_texts_of_one_score_stand_or_fall_together(pairs):
    scores = np.array([score for score, _ in pairs], dtype=float)
    right = np.array([hit for _, hit in pairs], dtype=bool)

    threshold = lowest_keeping(scores, right, 0.8)

    if threshold is not None:
        assert right[scores >= threshold].mean() >= 0.8


def test_a_category_may_have_a_threshold_of_its_own():
    thresholds = Thresholds(accept=0.5, by_category={"b": 0.99})

    assert thresholds.accepts("a.x", 0.6)
    assert not thresholds.accepts("b", 0.6)


def test_exclusive_shares_add_up_and_others_are_taken_as_independent():
    assert pooled([0.3, 0.4], exclusive=True) == pytest.approx(0.7)
    assert pooled([0.7, 0.4], exclusive=True) == 1
    assert pooled([0.5, 0.5], exclusive=False) == pytest.approx(0.75)


def test_an_ancestor_pools_what_lies_below_it():
    scores = ancestor_scores({"a.x": 0.3, "a.y": 0.4, "b": 0.3}, TREE, exclusive=True)

    assert scores == {"a": pytest.approx(0.7)}
    assert best_ancestor(scores, TREE) == ("a", pytest.approx(0.7))
    assert best_ancestor({}, TREE) is None


def test_thresholds_survive_as_plain_values():
    thresholds = Thresholds(accept=None, back_off=0.7, by_category={"b": 0.9}, exclusive=False)

    assert Thresholds.from_dict(thresholds.to_dict()) == thresholds
