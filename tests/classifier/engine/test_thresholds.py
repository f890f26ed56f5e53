"""Promises of thresholds: what they say of a probability, and that they survive as values."""

import json

import pytest

from classifier.engine.taxonomy import Taxonomy
from classifier.engine.thresholds import (
    Bar,
    Proof,
    ProvenBy,
    Thresholds,
    ancestor_scores,
    best_ancestor,
    pooled,
)

TREE = Taxonomy.of_paths([("a", "x"), ("a", "y"), ("b",)])


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


def test_a_proof_of_its_own_has_a_threshold_of_its_own():
    thresholds = Thresholds(accept=0.5, alone={"b": 0.8})

    assert thresholds.accepts_alone("b", 0.8)
    assert not thresholds.accepts_alone("b", 0.7)
    assert not thresholds.accepts_alone("a.x", 1.0)


def test_a_category_without_any_threshold_is_never_accepted():
    assert not Thresholds(accept=0.5, by_category={"b": None}).accepts("b", 1.0)


def test_a_lead_counts_only_where_categories_exclude_each_other():
    assert not Thresholds(accept=0.5, margin=0.1).accepts("b", 0.9, lead=0.05)
    assert Thresholds(accept=0.5, margin=0.1, exclusive=False).accepts("b", 0.9, lead=0.05)


def test_a_bar_is_never_laxer_than_asked():
    bars = tuple(Bar(floor, 1 - floor, floor, 200, 0.2) for floor in (0.8, 0.9, 0.95))
    thresholds = Thresholds(bars={"b": bars})

    asked = [thresholds.bar("b", floor).floor for floor in (0.5, 0.85, 0.9, 0.99)]

    assert asked == [0.8, 0.9, 0.9, 0.95]
    assert thresholds.bar("a.x", 0.9) is None


def test_thresholds_survive_as_json():
    proof = Proof(ProvenBy.SIBLINGS, 10.5, 10.0, 0.96, 12, 0.8, None)
    thresholds = Thresholds(
        accept=None,
        back_off=0.7,
        by_category={"b": 0.9, "a.x": None},
        alone={"b": 0.95},
        exclusive=False,
        oos_share=0.2,
        whole=proof,
        proofs={"b": proof},
        bars={"b": (Bar(0.9, 0.1, 0.91, 200, 0.3),)},
    )

    assert Thresholds.from_dict(json.loads(json.dumps(thresholds.to_dict()))) == thresholds


def test_thresholds_of_an_earlier_version_are_read():
    earlier = {"accept": 0.6, "by_category": {}, "target_precision": 0.9}

    assert Thresholds.from_dict(earlier) == Thresholds(accept=0.6, target_precision=0.9)
