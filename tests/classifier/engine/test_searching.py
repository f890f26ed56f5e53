"""Promises of searching: the best recipe out-of-fold, the same wherever it is tried."""

import importlib.util
from collections.abc import Iterator
from dataclasses import replace

import pytest

from classifier.engine.errors import NothingToLearn, SearchInvalid
from classifier.engine.recipe import Recipe
from classifier.engine.searching import Goal, recipes_of, search, trial, usual_recipes
from tests.classifier.engine.words import NAMES, examples

MADE = examples(8)
BASE = Recipe(folds=3)
RECIPES = recipes_of('{"penalty": [0.0001, 1.0], "min_texts": [1, 2]}', BASE)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Two Dask workers on this machine, each a process of its own."""
    if not importlib.util.find_spec("distributed"):
        pytest.skip("Dask is not installed: pip install -r requirements-dask.txt")
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as made:
        yield made.scheduler_address


def test_a_search_names_all_combinations_once_and_the_base_first():
    assert RECIPES[0] == BASE
    assert len(RECIPES) == len(set(map(Recipe.to_json, RECIPES))) == 5
    assert recipes_of("{}", BASE) == [BASE]
    assert usual_recipes()[0] == Recipe()
    assert len(usual_recipes()) > 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nonsense", "not JSON"),
        ("[1]", "not an object of lists"),
        ('{"penalty": 1}', "not an object of lists"),
        ('{"penalty": []}', "names 0 recipes"),
        ('{"penalty": [-1]}', "cannot be"),
        ('{"speakers": [3]}', "cannot be"),
        ('{"colour": ["red"]}', "does not know colour"),
        (f'{{"seed": {list(range(501))}}}', "501 recipes"),
    ],
)
def test_a_search_that_makes_no_sense_is_told(text, reason):
    with pytest.raises(SearchInvalid, match=reason):
        recipes_of(text)


def test_the_best_recipe_decides_most_and_the_figures_are_out_of_fold():
    found = search(MADE, RECIPES, names=NAMES)

    assert found.base.recipe == BASE
    assert [each.coverage for each in found.trials] == sorted(
        (each.coverage for each in found.trials), reverse=True
    )
    assert found.best.coverage >= found.base.coverage
    assert found.best == trial(MADE, found.best.recipe, NAMES)
    assert found.gain.better >= found.gain.worse


def test_the_goal_may_be_f1():
    found = search(MADE, RECIPES, goal=Goal.MICRO_F1)

    assert found.best.micro_f1 == max(each.micro_f1 for each in found.trials)


def test_among_equals_the_recipe_that_was_named_first_is_best():
    twins = [BASE, replace(BASE, target_precision=0.95), replace(BASE, most_features=150_000)]

    assert search(MADE, twins).best.recipe == BASE


def test_too_little_to_learn_from_is_told():
    with pytest.raises(NothingToLearn):
        search(MADE[:3], [BASE])


@pytest.mark.processes
def test_two_dask_workers_find_what_one_process_finds(cluster):
    there = search(MADE, RECIPES, names=NAMES, scheduler=cluster)

    here = search(MADE, RECIPES, names=NAMES)
    assert there.trials == here.trials
    assert there.gain == here.gain
    assert len({each.worker for each in there.trials}) == 2
    assert {each.worker for each in there.trials}.isdisjoint(
        each.worker for each in here.trials
    )


@pytest.mark.processes
def test_processes_of_this_machine_find_the_same():
    assert search(MADE, RECIPES[:2], jobs=2).trials == search(MADE, RECIPES[:2]).trials


@pytest.mark.parametrize("address", ["nonsense", "tcp://127.0.0.1:1"])
def test_a_cluster_that_is_not_there_is_told(address):
    pytest.importorskip("distributed", reason="Dask is not installed")

    with pytest.raises(SearchInvalid, match="no Dask scheduler answers"):
        search(MADE, RECIPES, scheduler=address)
