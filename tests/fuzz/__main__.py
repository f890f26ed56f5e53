"""Tries many bad inputs on the engine: ``python -m tests.fuzz [--runs N] [--seconds S]``.

The inputs are made from a seed, so a run can be repeated. ``--guided`` lets atheris (libFuzzer)
make them instead, led by which lines of the engine they reach; it is among the tools of
requirements-dev.txt on Linux. Prints inputs, crashes and memory; exits with 1 if anything broke.
"""

import argparse
import sys
import time

from tests.fuzz import guided
from tests.fuzz.run import Outcome, peak_mb, run
from tests.fuzz.targets import TARGETS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000, help="inputs in all")
    parser.add_argument(
        "--seconds", type=float, default=float("inf"), help="stop after so long"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--guided", action="store_true", help="led by coverage (atheris)")
    options = parser.parse_args()

    end = time.monotonic() + options.seconds
    total = left = sum(TARGETS[name].share for name in options.only)
    outcomes: list[Outcome] = []
    for name in options.only:
        target = TARGETS[name]
        count = max(1, options.runs * target.share // total)
        # Each has its share of the time that is left: a slow one must not take that of the rest.
        now = time.monotonic()
        until = now + (end - now) * target.share / left
        left -= target.share
        if options.guided:
            outcome = guided.run(name, count=count, seed=options.seed, until=until)
        else:
            outcome = run(name, target, count=count, seed=options.seed, until=until)
        print(outcome, flush=True)
        outcomes.append(outcome)
    crashed = sum(outcome.crashed for outcome in outcomes)
    for outcome in outcomes:
        print(*outcome.crashes, sep="\n", end="\n" * bool(outcome.crashes))
    print(
        f"{sum(outcome.inputs for outcome in outcomes):,} inputs, {crashed:,} crashes, "
        f"peak memory {peak_mb():.0f} MB"
    )
    if any(outcome.is_short for outcome in outcomes) and options.seconds == float("inf"):
        print("A run ended before its time without a word: nothing is proven by it.")
        return 1
    return 1 if crashed else 0


if __name__ == "__main__":
    sys.exit(main())
