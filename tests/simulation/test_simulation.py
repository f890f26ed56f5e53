"""A handful of seeds with every suite; ``make simulate`` for more (docs/simulation.md)."""

import pytest

from tests.simulation.command import Summary, run, telling

SEEDS = range(20)
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
        *("kill", "freeze", "switch", "statement"),
        *("refused", "lost", "slow", "outage", "busy", "expired"),
        *("late_commit", "small_pages"),
        *("database_locked", "database_gone", "commit_unknown"),
        *("bell_lost", "bell_twice"),
    }
    assert summary.lives > 400


def test_the_same_seed_gives_the_same_trace(outcomes):
    (again,) = run([7])

    assert again["digest"] == outcomes[7]["digest"]


def test_where_faults_never_stop_nothing_breaks_either():
    (outcome,) = run([3], mode="safety")

    assert (outcome["violation"], outcome["steps"] > 100) == ("", True)
