"""The net is tested: each planted bug must be caught within 500 seeds.

``python -m tests.simulation.planted`` plants them one by one into a copy of the source and prints
which seed caught each, and by which invariant.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.simulation.command import ROOT, run
from tests.simulation.planted_bugs import BUGS, Bug

PARTS = ("contactreason", "classifier", "sfsync", "tests/simulation")
MOST_SEEDS = 500


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.planted")
    parser.add_argument("words", nargs="*", help="only bugs whose name contains one of these")
    parser.add_argument("--seeds", type=int, default=MOST_SEEDS)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    chosen = [
        bug
        for bug in BUGS
        if not options.words or any(one in bug.name for one in options.words)
    ]
    missed = 0
    print("| Planted bug | Seeds until caught | By |\n| --- | --- | --- |", flush=True)
    for bug in chosen:
        began = time.monotonic()
        outcome, tried = caught(bug, seeds=options.seeds, processes=options.processes)
        missed += outcome is None
        by = f"{outcome['name']}, seed {outcome['seed']}" if outcome else "**missed**"
        print(f"| {bug.name} | {tried} | {by} |", flush=True)
        print(f"  {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(f"\n{len(chosen) - missed} of {len(chosen)} caught.")
    return 1 if missed else 0


def caught(
    bug: Bug, *, seeds: int = MOST_SEEDS, processes: int = 1
) -> tuple[dict[str, Any] | None, int]:
    """Return the outcome that gave a planted bug away, and how many seeds had been run."""
    tried = 0
    with planted(bug) as tree:
        for outcome in run(range(seeds), processes=processes, tree=tree):
            tried += 1
            if outcome["violation"]:
                return outcome, tried
    return None, tried


@contextmanager
def planted(bug: Bug) -> Iterator[Path]:
    """Yield a copy of the source with the bug in it: links, but for the one file."""
    with tempfile.TemporaryDirectory(prefix="contactreason-planted-") as folder:
        tree = Path(folder)
        for part in PARTS:
            shutil.copytree(ROOT / part, tree / part, copy_function=os.symlink)
        (tree / "tests" / "__init__.py").touch()
        file = tree / bug.file
        edited = with_bug(bug)
        file.unlink()
        file.write_text(edited, encoding="utf-8")
        yield tree


def with_bug(bug: Bug) -> str:
    """Return the bug's file with the bug in it.

    Raises:
        ValueError: the place is not there exactly once; the source has moved on.
    """
    text = (ROOT / bug.file).read_text(encoding="utf-8")
    if text.count(bug.old) != 1:
        raise ValueError(f"{bug.file} has {text.count(bug.old)} places for “{bug.name}”")
    return text.replace(bug.old, bug.new)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
