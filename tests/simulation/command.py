"""What ``make simulate`` types: seeds are dealt out to processes, their outcomes summed up."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MEMORY = Path("/dev/shm")
"""A folder in memory, where the system has one."""


def main(arguments: Sequence[str]) -> int:
    options = parsed(arguments)
    first, count = (
        (options.seed, 1) if options.seed is not None else (options.first, options.seeds)
    )
    began, summary = time.monotonic(), Summary()
    outcomes = run(
        range(first, first + count),
        mode=options.mode,
        cases=options.cases,
        processes=options.processes,
        steps=options.steps,
    )
    for outcome in outcomes:
        summary.add(outcome)
        if outcome["violation"]:
            print(telling(outcome, options.mode, options.cases), flush=True)
            if summary.violations >= options.violations:
                break
        elif options.seed is not None:
            print(f"seed {outcome['seed']}: trace {outcome['digest']}")
        if options.minutes and time.monotonic() - began > options.minutes * 60:
            print(f"{options.minutes:g} minutes are over, after seed {outcome['seed']}")
            break
    print(summary.told(time.monotonic() - began))
    return 1 if summary.violations else 0


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="this seed alone")
    parser.add_argument("--cases", type=int, default=0, help="Cases of each seed; 0: drawn")
    parser.add_argument(
        "--mode",
        choices=("liveness", "safety"),
        default="liveness",
        help="liveness: the faults stop, and all must come to rest; safety: they never stop",
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--steps", type=int, default=40, help="last steps shown of a failure")
    parser.add_argument("--minutes", type=float, default=0, help="stop after so long; 0: never")
    parser.add_argument(
        "--violations", type=int, default=1, help="stop after so many seeds that failed"
    )
    return parser.parse_args(arguments)


def run(
    seeds: Sequence[int],
    *,
    mode: str = "liveness",
    cases: int = 0,
    processes: int = 1,
    steps: int = 40,
    tree: Path = ROOT,
) -> Iterator[dict[str, Any]]:
    """Yield the outcome of each seed as it comes, from processes of their own.

    ``tree``: where the product's source lies.

    Raises:
        RuntimeError: a process ended without having run its seeds.
    """
    processes = max(1, min(processes, len(seeds)))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(_folder()))
        _started(
            folder / "0", [0, 0, 1, 0, mode], steps, tree
        ).communicate()  # makes the template
        workers = [
            _started(
                folder / str(number),
                [seeds[0] + number, seeds[-1] + 1, processes, cases, mode],
                steps,
                tree,
            )
            for number in range(processes)
        ]
        stack.callback(_stop, workers)
        yield from _lines(workers)
        if any(worker.wait() for worker in workers):
            raise RuntimeError("a process of the simulation ended early; its words stand above")


@contextmanager
def _folder() -> Iterator[str]:
    where = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="contactreason-simulation-", dir=where) as folder:
        yield folder


def _started(
    folder: Path, arguments: Sequence[object], steps: int, tree: Path
) -> "subprocess.Popen[str]":
    folder.mkdir(exist_ok=True)
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SALESFORCE_", "DJANGO_", "DATABASE_", "REDIS_", "COV_"))
    }
    environment = {
        **inherited,
        "PYTHONHASHSEED": "0",  # the order of sets is part of what a seed repeats
        "PYTHONPATH": str(tree),
        "DJANGO_SETTINGS_MODULE": "tests.simulation.settings",
        "SECRET_KEY": "of a world that is gone in a second, and guards nothing in it",
        "ENV_FILE": "",
        "VAR_DIR": str(folder),
        "SIMULATION_DATABASE": str(folder / "world.sqlite3"),
        "SIMULATION_TEMPLATES": str(ROOT / "var" / "simulation"),
        "SIMULATION_STEPS": str(steps),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tests.simulation.one_core", *map(str, arguments)],
        cwd=tree,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def _lines(workers: "Sequence[subprocess.Popen[str]]") -> Iterator[dict[str, Any]]:
    """Yield outcomes in the order of seeds, so that a summary never depends on who was quick."""
    waiting = list(workers)
    while waiting:
        for worker in tuple(waiting):
            assert worker.stdout is not None
            line = worker.stdout.readline()
            if line:
                yield json.loads(line)
            else:
                waiting.remove(worker)


def _stop(workers: "Sequence[subprocess.Popen[str]]") -> None:
    for worker in workers:
        worker.kill()
        worker.communicate()


class Summary:
    """Adds outcomes up."""

    def __init__(self) -> None:
        self.seeds = self.lives = self.steps = self.violations = 0
        self.simulated_seconds = self.cpu_seconds = 0.0
        self.faults: Counter[str] = Counter()
        self.blind: Counter[str] = Counter()

    def add(self, outcome: dict[str, Any]) -> None:
        self.seeds += 1
        self.lives += outcome["lives"]
        self.steps += outcome["steps"]
        self.violations += bool(outcome["violation"])
        self.simulated_seconds += outcome["simulated_seconds"]
        self.cpu_seconds += outcome["cpu_seconds"]
        self.faults.update(outcome["faults"])
        self.blind.update(outcome["blind"])

    def told(self, seconds: float) -> str:
        """Return the summary in lines for people; ``seconds`` by the clock on the wall."""
        of_core = max(self.cpu_seconds, 0.001)
        lines = [
            f"{self.seeds:,} seeds, {self.lives:,} Case lives,"
            f" {self.simulated_seconds / 3600:,.1f} simulated hours in {seconds:,.0f} s:"
            f" {self.lives / of_core:,.0f} lives/s and {self.steps / of_core:,.0f} steps/s per core",
            "faults: " + (_counts(self.faults) or "none"),
        ]
        if self.blind:
            lines.append("exposures that are documented: " + _counts(self.blind))
        lines.append(f"{self.violations} violations")
        return "\n".join(lines)


def telling(outcome: dict[str, Any], mode: str, cases: int) -> str:
    """Return what broke, the last steps, and what to type to see it again."""
    options = "".join(
        f" {name}={value}"
        for name, value, usual in (("MODE", mode, "liveness"), ("CASES", cases, 0))
        if value != usual
    )
    return "\n".join(
        [
            *(f"    {step}" for step in outcome["last_steps"]),
            f"seed {outcome['seed']} broke {outcome['violation']}",
            f"see it again: make simulate SEED={outcome['seed']}{options}"
            f" (trace {outcome['digest']})",
        ]
    )


def _counts(counts: Counter[str]) -> str:
    return ", ".join(
        f"{count:,} {name.replace('_', ' ')}" for name, count in sorted(counts.items())
    )
