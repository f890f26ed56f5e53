import numpy as np
import pytest

from classifier.engine.trends import Direction, changes, estimated_share

QUIET = {f"reason {number}": 20 + 5 * number for number in range(12)}


def weeks(rng, means, number=8, spread=0.01):
    rows = {
        reason: rng.poisson(mean * rng.gamma(1 / spread, spread, number))
        for reason, mean in means.items()
    }
    return {reason: [int(count) for count in row] for reason, row in rows.items()}


def totals(before):
    return [sum(week) for week in zip(*before.values(), strict=True)]


def test_a_doubled_reason_rose_and_its_sentence_has_its_numbers():
    before = weeks(np.random.default_rng(7), QUIET | {"late": 41})
    now = {**QUIET, "late": 97}

    found = changes(now, before, totals(before), sum(now.values()))

    assert found["late"].direction is Direction.ROSE
    assert found["late"].low < 41 < found["late"].high < 97
    assert found["late"].usual == pytest.approx(41, abs=8)


def test_a_halved_reason_fell_and_the_others_are_steady():
    before = weeks(np.random.default_rng(7), QUIET | {"late": 200})
    now = {**QUIET, "late": 80}

    found = changes(now, before, totals(before), sum(now.values()))

    told = {reason for reason, one in found.items() if one.direction is not Direction.STEADY}
    assert told == {"late"}
    assert found["late"].direction is Direction.FELL


def test_a_flood_of_one_reason_does_not_make_all_others_ebb():
    before = weeks(np.random.default_rng(7), QUIET | {"outage": 30})
    now = {**QUIET, "outage": 900}

    found = changes(now, before, totals(before), sum(now.values()))

    directions = {reason: one.direction for reason, one in found.items()}
    assert directions.pop("outage") is Direction.ROSE
    assert Direction.FELL not in directions.values()


def test_a_busy_week_is_no_rise_of_every_reason():
    before = weeks(np.random.default_rng(7), QUIET)
    now = {reason: 3 * mean for reason, mean in QUIET.items()}

    found = changes(now, before, totals(before), sum(now.values()))

    assert {one.direction for one in found.values()} == {Direction.STEADY}


def test_what_always_varies_much_needs_more_to_be_called_changed():
    steady = {"one": [40, 42, 39, 41, 40, 38, 42, 41], "rest": [400] * 8}
    unsteady = {"one": [12, 80, 35, 60, 9, 70, 25, 33], "rest": [400] * 8}
    now = {"one": 75, "rest": 400}

    calm = changes(now, steady, totals(steady), 475)["one"]
    wild = changes(now, unsteady, totals(unsteady), 475)["one"]

    assert calm.direction is Direction.ROSE
    assert wild.direction is Direction.STEADY


def test_a_reason_that_is_new_can_rise_from_nothing():
    before = weeks(np.random.default_rng(7), QUIET) | {"new": [0] * 8}
    now = {**QUIET, "new": 60}

    found = changes(now, before, totals(before), sum(now.values()))

    assert (found["new"].direction, found["new"].usual) == (Direction.ROSE, 0)


def test_a_handful_of_contacts_is_never_called_a_change():
    before = weeks(np.random.default_rng(7), QUIET) | {"rare": [1] * 8}
    now = {**QUIET, "rare": 9}

    found = changes(now, before, totals(before), sum(now.values()))

    assert found["rare"].direction is Direction.UNKNOWN


@pytest.mark.parametrize("sizes", [[], [100, 90, 110], [100, 0, 0, 0, 90, 0, 110]])
def test_fewer_than_four_weeks_with_contacts_say_nothing(sizes):
    found = changes({"a": 50}, {"a": [size // 2 for size in sizes]}, sizes, 100)

    assert found["a"].direction is Direction.UNKNOWN


def test_nothing_at_all_is_no_change():
    assert changes({}, {}, [10] * 8, 10) == {}
    assert changes({"a": 0}, {"a": [0] * 8}, [0] * 8, 0)["a"].direction is Direction.UNKNOWN


def test_a_single_reason_has_nothing_to_be_compared_with_and_is_steady():
    found = changes({"a": 90}, {"a": [50] * 8}, [50] * 8, 90)

    assert found["a"].direction is Direction.STEADY


def test_quiet_weeks_seldom_raise_an_alarm():
    rng = np.random.default_rng(7)
    alarms = 0
    for _ in range(150):
        drawn = weeks(rng, {number: 10 + 2 * number for number in range(60)}, 9, spread=0.05)
        before = {reason: row[:-1] for reason, row in drawn.items()}
        now = {reason: row[-1] for reason, row in drawn.items()}
        found = changes(now, before, totals(before), sum(now.values()))
        alarms += any(c.direction in (Direction.ROSE, Direction.FELL) for c in found.values())

    assert alarms <= 15  # 5 % are 7 or 8; twice as many would be a broken test


def test_a_share_has_an_interval_that_narrows_with_the_sample():
    small = estimated_share([(True, 0.1)] * 18 + [(False, 0.1)] * 2)
    large = estimated_share([(True, 0.1)] * 180 + [(False, 0.1)] * 20)

    assert small.value == large.value == pytest.approx(0.9)
    assert small.low < large.low < 0.9 < large.high < small.high
    assert (small.size, large.size) == (20, 200)


def test_what_was_drawn_seldom_counts_for_many():
    share = estimated_share([(True, 0.5)] * 10 + [(False, 0.05)] * 1)

    assert share.value == pytest.approx(20 / 40)


def test_no_sample_says_nothing():
    assert estimated_share([]) is None
