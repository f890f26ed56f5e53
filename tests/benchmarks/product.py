"""Figures of the product around the engine, by its commands: printed, and no part of the table."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

Figures = dict[str, object]


def cfpb(data: Path) -> Figures:
    """Complaint letters, product and issue: what ``benchmark`` reports."""
    return _command("benchmark", str(data / "cfpb.jsonl.gz"))


def assess(data: Path) -> Figures:
    """What an assessment promises and what then happens, 5 % of the tags wrong."""
    return _assessed(data / "banking77.jsonl.gz")


def assess_confusable(data: Path) -> Figures:
    """The same, wrong tags being near ones."""
    return _assessed(data / "banking77.jsonl.gz", "--noise", "confusable")


def assess_large(data: Path) -> Figures:
    """What assessing 50,000 texts costs."""
    return _assessed(data / "cfpb.jsonl.gz", "--large")


def demo(_data: Path) -> Figures:
    """A second start of the demo."""
    return _command("demo", "--exit")


def demo_star(data: Path) -> Figures:
    """The demo with star's conversations as Cases."""
    return _command("demo", "--exit", "--cases", str(data / "star.jsonl.gz"))


PRODUCT: dict[str, Callable[[Path], Figures]] = {
    "cfpb": cfpb,
    "assess": assess,
    "assess-confusable": assess_confusable,
    "assess-large": assess_large,
    "demo": demo,
    "demo-star": demo_star,
}


def _command(*command: str) -> Figures:
    environment = {**os.environ, "DEMO_STARTED_AT": str(time.time())}
    return _last_line([sys.executable, "manage.py", *command, "--json"], environment)


def _assessed(path: Path, *more: str) -> Figures:
    command = [sys.executable, "-m", "tests.benchmarks.bench_assess", str(path), *more]
    return _last_line(command, dict(os.environ))


def _last_line(command: list[str], environment: dict[str, str]) -> Figures:
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))
