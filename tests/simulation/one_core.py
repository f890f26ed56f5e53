"""Runs seeds in this process and prints each outcome as a line of JSON: for ``command``."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import django

django.setup()

from tests.simulation.running import simulate  # noqa: E402
from tests.simulation.template import template  # noqa: E402

WARM_UP = -1
"""A seed whose outcome nobody asks for: it fills what a process remembers (compiled rules), so that
the first seed of a process makes the same queries as the next."""


def main(first: int, last: int, step: int, cases: int, mode: str) -> None:
    made = template(Path(os.environ["SIMULATION_TEMPLATES"]))
    if first < last:
        simulate(WARM_UP, made, cases=5)
    for seed in range(first, last, step):
        outcome = simulate(seed, made, cases=cases, is_safety_only=mode == "safety")
        print(json.dumps(asdict(outcome)), flush=True)


if __name__ == "__main__":
    main(*(int(one) for one in sys.argv[1:5]), sys.argv[5])
