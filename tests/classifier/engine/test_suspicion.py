import random
from dataclasses import replace

import numpy as np
import pytest

from classifier.engine.learning import learn_and_score
from classifier.engine.recipe import Recipe
from classifier.engine.suspicion import noise_of, suspects_among, suspicion
from classifier.engine.thresholds import HeldOut
from tests.classifier.engine.words import examples, outsiders

SURE = [0.98, 0.01, 0.01]


def held_out(rows):
    labels = ("a", "b", "c")
    return HeldOut(labels, np.array(rows), tuple(frozenset("a") for _ in rows))


def test_as_many_labels_are_listed_as_disagree_where_the_model_is_surest():
    rows = np.tile(SURE, (1_000, 1))
    tags = np.zeros(1_000, dtype=np.int64)
    tags[::20] = 1

    found = suspicion(held_out(rows), tags)

    assert found.noise == pytest.approx(0.05)
    assert set(found.suspects) == set(range(0, 1_000, 20))
    assert found.mask().sum() == 50
    assert set(found.suggested[found.mask()]) == {0}


def test_the_worst_by_odds_come_first():
    rows = np.tile(SURE, (1_000, 1))
    rows[7] = [0.998, 0.001, 0.001]
    tags = np.zeros(1_000, dtype=np.int64)
    tags[[3, 7, 100, 200, 300, 400]] = 1

    found = suspicion(held_out(rows), tags)

    assert found.suspects[0] == 7
    assert found.odds[7] == pytest.approx(998)


def test_what_is_only_a_little_likelier_accuses_nobody():
    rows = np.tile(SURE, (1_000, 1))
    rows[::50] = [0.5, 0.3, 0.2]
    tags = np.zeros(1_000, dtype=np.int64)
    tags[::25] = 1

    found = suspicion(held_out(rows), tags)

    assert not set(found.suspects) & set(range(0, 1_000, 50))


def test_a_label_that_was_hardly_learnt_cannot_be_doubted():
    rows = np.tile(SURE, (1_000, 1))
    tags = np.zeros(1_000, dtype=np.int64)
    tags[:4] = 2
    tags[100:150] = 1

    found = suspicion(held_out(rows), tags)

    assert set(found.suspects) == set(range(100, 150))


def test_of_few_texts_nothing_is_said():
    assert noise_of(np.linspace(0.5, 1, 90), np.ones(90, dtype=bool)) == 0.0


def test_suspects_are_named_by_the_keys_of_texts_with_one_label():
    made = examples(60)
    chance = random.Random(2)
    labels = sorted({label for each in made for label in each.categories})
    swapped = {each.key for each in chance.sample(made, 12)}
    wrong = [
        replace(each, categories=frozenset([labels[labels.index(min(each.categories)) - 1]]))
        if each.key in swapped
        else each
        for each in made
    ]
    learned = learn_and_score([*wrong, *outsiders(12)], Recipe())

    keys = sorted([each.key for each in [*wrong, *outsiders(12)]])
    found = suspects_among(learned.held_out, keys)

    assert len(found) >= 6
    assert {suspect.key for suspect in found} <= swapped
    assert all(suspect.suggested != suspect.label for suspect in found)


def test_without_single_labels_nothing_is_suspected():
    assert suspects_among(HeldOut(("a",), np.ones((1, 1)), (frozenset(),)), ["1"]) == []
