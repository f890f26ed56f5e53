"""Searching: which of several recipes does best on texts that it had not seen."""

import itertools
import json
import os
import platform
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.engine.chance import Paired
from classifier.engine.errors import SearchInvalid
from classifier.engine.example import Example
from classifier.engine.metrics import micro_f1
from classifier.engine.recipe import Recipe
from classifier.engine.taxonomy import Taxonomy

MOST_RECIPES = 500
"""Recipes of one search; each is trained as often as it has folds, and once more."""
_DEFAULT_SEARCH: Mapping[str, Sequence[Any]] = {
    "penalty": [0.3, 1.0, 3.0],
    "min_texts": [None, 1, 3],
}
_WAIT = 5.0  # seconds for a cluster to answer


class Goal(StrEnum):
    """What the best recipe is best at; the other decides between equals."""

    COVERAGE = "coverage"
    """Share of texts decided without a person at the target precision."""
    MICRO_F1 = "micro_f1"


@dataclass(frozen=True, slots=True)
class Trial:
    """What a recipe came to, out-of-fold on the training examples; shares in [0, 1]."""

    recipe: Recipe
    coverage: float
    precision: float | None
    """Share of what was decided that was right; None: nothing was."""
    micro_f1: float
    accuracy: float
    right: NDArray[np.bool_] = field(repr=False, compare=False)
    """For each example, by key: was it decided without a person, and rightly?"""
    seconds: float = field(default=0.0, compare=False)
    worker: str = field(default="", compare=False)
    """The host and process that did it."""

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold: the recipe and its figures."""
        found = asdict(self)
        del found["right"]
        return {**found, "recipe": json.loads(self.recipe.to_json())}


@dataclass(frozen=True, slots=True)
class Search:
    """The trials of one search, best first."""

    goal: Goal
    trials: tuple[Trial, ...]
    base: Trial
    """The recipe that all others vary."""

    @property
    def best(self) -> Trial:
        """The trial that did best; among equals the one that was named first."""
        return self.trials[0]

    @property
    def gain(self) -> Paired:
        """What the best decides rightly that the base does not, and the other way round."""
        better = int((self.best.right & ~self.base.right).sum())
        worse = int((~self.best.right & self.base.right).sum())
        return Paired(better, worse)


def recipes_of(text: str, base: Recipe | None = None) -> list[Recipe]:
    """Return the recipes that a search file names: a JSON object of lists, all combinations.

    ``{"penalty": [0.5, 1], "min_texts": [1, 2]}`` names four, each differing from ``base`` in
    these alone; the base comes first, whether it is among them or not.

    Raises:
        SearchInvalid: not such an object, a value that no recipe can have, or too many.
    """
    start = base or Recipe()
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SearchInvalid(
            'the search is not JSON; write an object of lists, say {"penalty": [0.5, 1, 2]}'
        ) from error
    if not isinstance(found, dict) or not all(
        isinstance(each, list) for each in found.values()
    ):
        raise SearchInvalid(
            'the search is not an object of lists; write one like {"penalty": [0.5, 1, 2]}'
        )
    count = int(np.prod([len(values) for values in found.values()]))
    if not 1 <= count <= MOST_RECIPES:
        raise SearchInvalid(
            f"the search names {count} recipes; name one at least and {MOST_RECIPES} at most"
        )
    plain = json.loads(start.to_json())
    made = [start]
    for values in itertools.product(*found.values()):
        changed = json.dumps({**plain, **dict(zip(found, values, strict=True))})
        try:
            recipe = Recipe.from_json(changed)
        except (TypeError, ValueError, AttributeError) as error:
            raise SearchInvalid(f"the search names a recipe that cannot be: {error}") from error
        if recipe not in made:
            made.append(recipe)
    return made


def usual_recipes(base: Recipe | None = None) -> list[Recipe]:
    """Return the recipes that are tried where no search file is given."""
    return recipes_of(json.dumps(_DEFAULT_SEARCH), base)


def search(
    examples: Sequence[Example],
    recipes: Sequence[Recipe],
    *,
    names: Mapping[str, str] | None = None,
    taxonomy: Taxonomy | None = None,
    goal: Goal = Goal.COVERAGE,
    jobs: int = 1,
    scheduler: str = "",
) -> Search:
    """Return how all recipes do out-of-fold on these examples, and nothing else.

    ``jobs`` trainings run side by side in processes of this machine; with ``scheduler`` (the
    address of a Dask cluster whose workers can import this package) they run over there instead.
    The figures are the same either way. The first recipe is the base that others are held against.

    Raises:
        NothingToLearn: fewer than two categories have an example, or no words are common.
        SearchInvalid: ``scheduler`` is given and Dask is not installed, or does not answer.
    """
    from joblib import Parallel, delayed, parallel_config  # noqa: PLC0415 - only a search needs it

    if not recipes:
        raise ValueError("a search needs a recipe at least")
    kept = list(examples)
    with _cluster(scheduler) as client:
        spread = (
            parallel_config(backend="dask", client=client, scatter=[kept])
            if client
            else nullcontext()
        )
        with spread:
            trials: list[Trial] = Parallel(n_jobs=-1 if client else jobs)(
                delayed(trial)(kept, recipe, names, taxonomy) for recipe in recipes
            )
    other = Goal.MICRO_F1 if goal is Goal.COVERAGE else Goal.COVERAGE
    ranked = sorted(trials, key=lambda each: (-getattr(each, goal), -getattr(each, other)))
    return Search(goal, tuple(ranked), trials[0])


def trial(
    examples: Sequence[Example],
    recipe: Recipe,
    names: Mapping[str, str] | None = None,
    taxonomy: Taxonomy | None = None,
) -> Trial:
    """Return what one recipe comes to out-of-fold on these examples."""
    from classifier.engine.learning import learn_and_score  # noqa: PLC0415 - scikit-learn

    begun = time.perf_counter()
    learned = learn_and_score(examples, recipe, names=names, taxonomy=taxonomy)
    unseen, thresholds = learned.held_out, learned.model.thresholds
    decided = np.array(
        [
            thresholds.accepts(answer, share)
            for answer, share in zip(unseen.answers, unseen.confidence.tolist(), strict=True)
        ],
        dtype=bool,
    )
    right = np.array(
        [answer in truth for answer, truth in zip(unseen.answers, unseen.truths, strict=True)],
        dtype=bool,
    )
    in_scope = np.array([bool(truth) for truth in unseen.truths], dtype=bool)
    return Trial(
        recipe,
        float(decided.mean()),
        float(right[decided].mean()) if decided.any() else None,
        micro_f1(unseen.probabilities >= thresholds.confirms, unseen.truth_table()),
        float(right[in_scope].mean()),
        decided & right,
        round(time.perf_counter() - begun, 1),
        f"{platform.node()}:{os.getpid()}",
    )


@contextmanager
def _cluster(scheduler: str) -> "Iterator[Any]":
    """Yield a client of the Dask cluster at an address; None where no address is given."""
    if not scheduler:
        yield None
        return
    try:
        # Optional, see requirements-dask.txt.
        from distributed import Client  # noqa: PLC0415
        from distributed.comm.addressing import get_address_host_port  # noqa: PLC0415
    except ImportError as error:
        raise SearchInvalid(
            "DASK_SCHEDULER is set and Dask is not installed;"
            " install requirements-dask.txt, or unset it"
        ) from error
    try:
        # First by hand: a client that finds nobody lives on, and may lock up the next one as it
        # is collected (its finaliser waits for a lock that starting another one holds).
        socket.create_connection(get_address_host_port(scheduler), timeout=_WAIT).close()
        client = Client(scheduler, timeout=_WAIT, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise SearchInvalid(
            f"no Dask scheduler answers at {scheduler} ({error}); start it, or unset DASK_SCHEDULER"
        ) from error
    with client:
        yield client
