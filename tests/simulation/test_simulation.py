"""A handful of seeds with every suite; ``make simulate`` for more (docs/simulation.md)."""

import pytest

from tests.simulation.command import Summary, run, telling
from tests.simulation.planted import caught, with_bug
from tests.simulation.planted_bugs import BUGS

SEEDS = range(10)
"""About 20 seconds on two cores of their own."""


@pytest.fixture(scope="module")
def outcomes():
    return list(run(SEEDS, processes=2))


def test_no_seed_breaks_an_invariant(outcomes):
    broken = [telling(one, "liveness", 0) for one in outcomes if one["violation"]]

    assert not broken, "\n\n".join(broken)


def test_the_seeds_meet_every_kind_of_fault(outcomes):
    summary = Summary()
    for outcome in outcomes:
        summary.add(outcome)

    assert set(summary.faults) >= {
        *("kill", "freeze", "switch", "statement", "poison"),
        *("refused", "lost", "slow", "outage", "expired"),
        *("late_commit", "small_pages", "doors", "desk", "guard"),
        *("database_locked", "commit_unknown"),
        *("bell_twice", "ring_twice", "ring_lost"),
    }
    assert summary.lives > 300


def test_the_same_seed_gives_the_same_trace(outcomes):
    (again,) = run([7])

    assert again["digest"] == outcomes[7]["digest"]


def test_where_faults_never_stop_nothing_breaks_either():
    (outcome,) = run([3], mode="safety")

    assert (outcome["violation"], outcome["steps"] > 100) == ("", True)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_every_planted_bug_still_fits_the_source(bug):
    assert with_bug(bug)


@pytest.mark.parametrize(
    "name",
    [
        "a claim takes rows that others hold",
        "what is sent is not noted before the call",
    ],
)
def test_a_planted_bug_is_caught_within_five_seeds(name):
    (bug,) = (one for one in BUGS if one.name == name)

    outcome, _ = caught(bug, seeds=5)

    assert outcome is not None
