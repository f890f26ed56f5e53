"""Prints the figures that README and docs claim: ``make bench`` (not part of the test suite).

Accuracy figures are exact and repeatable; times are one run on the machine at hand.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

DATA_SETS = ("banking77", "clinc150", "nlupp", "star", "hint3-curekart", "cfpb", "xsid")
SHOWN = (
    *(
        "accuracy",
        "accuracy_at_threshold",
        "micro_f1",
        "macro_f1",
        "ece",
        "coverage",
        "precision",
    ),
    *("oos_recall", "mcc", "mcc_best", "train_seconds", "latency_us", "throughput_per_second"),
    *("model_bytes", "peak_rss_mb"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--only", nargs="*", default=DATA_SETS, help="names of data sets")
    parser.add_argument("--demo", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--assess", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()

    for name in options.only:
        path = options.data / f"{name}.jsonl.gz"
        if path.exists():
            show(name, last_line(["benchmark", str(path), "--json"]))
        else:
            print(f"{name}: no file {path}, left out")
    if options.assess:
        show_assessments(options.data)
    if options.demo:
        show_demo("demo, second start", ["demo", "--exit", "--json"])
        star = options.data / "star.jsonl.gz"
        if star.exists():
            show_demo("demo with star", ["demo", "--exit", "--json", "--cases", str(star)])
    return 0


def show_assessments(data: Path) -> None:
    """Print what an assessment promises and what then happens, and what 50,000 Cases cost."""
    runs = (
        ("assess, 5 % of the tags wrong", "banking77", []),
        (
            "assess, 5 % of the tags confused with a near one",
            "banking77",
            ["--noise", "confusable"],
        ),
        ("assess 50,000 texts", "cfpb", ["--large"]),
    )
    for name, file, more in runs:
        path = data / f"{file}.jsonl.gz"
        if path.exists():
            command = ["-m", "tests.benchmarks.bench_assess", str(path), *more]
            show_figures(name, last_line_of([sys.executable, *command], dict(os.environ)))


def show(name: str, figures: dict[str, object]) -> None:
    print(
        f"\n{name}: {figures['train']} train, {figures['test']} test, {figures['labels']} labels"
    )
    for key in SHOWN:
        if figures.get(key) is not None:
            print(f"  {key:24}{figures[key]}")


def show_demo(name: str, command: list[str]) -> None:
    show_figures(name, last_line(command))


def show_figures(name: str, figures: dict[str, object]) -> None:
    print(f"\n{name}:")
    for key, value in figures.items():
        print(f"  {key:24}{value}")


def last_line(command: list[str]) -> dict[str, object]:
    environment = {**os.environ, "DEMO_STARTED_AT": str(time.time())}
    return last_line_of([sys.executable, "manage.py", *command], environment)


def last_line_of(command: list[str], environment: dict[str, str]) -> dict[str, object]:
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


if __name__ == "__main__":
    sys.exit(main())
