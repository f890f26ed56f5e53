"""A few thousand of the inputs that ``python -m tests.fuzz`` tries by the million."""

import random
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.run import run
from tests.fuzz.targets import TARGETS, Target, said

TRIED = 40  # per hundredth of the target's share: 4,000 in all
EVERY = [pytest.param(target, id=name) for name, target in TARGETS.items()]


@pytest.mark.parametrize("target", EVERY)
def test_no_input_breaks_it(target):
    count = target.share * TRIED

    outcome = run("it", target, count=count, seed=7, until=time.monotonic() + 600)

    assert outcome.crashes == []
    assert outcome.inputs == count


@pytest.mark.parametrize("target", EVERY)
@given(raw=st.binary(max_size=300) | st.text().map(str.encode))
@settings(
    suppress_health_check=list(HealthCheck), deadline=None, max_examples=25, derandomize=True
)
def test_no_bytes_break_it(target, raw):
    target.read(raw)


def test_a_seed_makes_the_same_inputs_again_and_another_makes_others():
    chances = [random.Random(seed) for seed in (1, 1, 2)]

    first, again, other = ([said(chance) for _ in range(50)] for chance in chances)

    assert first == again
    assert first != other


def test_a_broken_promise_is_told_with_its_input():
    def breaks(raw: bytes) -> None:
        raise ZeroDivisionError

    outcome = run("it", Target(breaks, 1), count=3, seed=1, until=time.monotonic() + 60)

    assert outcome.crashed == 3
    assert "ZeroDivisionError" in outcome.crashes[0]


def test_a_run_that_its_time_cut_short_says_so():
    outcome = run("it", TARGETS["folding"], count=3, seed=1, until=time.monotonic() - 1)

    assert outcome.is_short
    assert str(outcome).endswith("only 0 of 3: its time was over")
