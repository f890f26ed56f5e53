"""docs/benchmarks.md, made of a run: the table, what falls short, how, and what others say."""

from collections.abc import Sequence
from inspect import getdoc
from pathlib import Path

from tests.benchmarks import machine, published, table
from tests.benchmarks.measures import MEASURES
from tests.benchmarks.rows import ROWS
from tests.benchmarks.table import Results

PROSE = Path(__file__).parent / "prose"


def of(results: Results) -> str:
    """Return the whole document."""
    parts = [
        prose("head"),
        "\n".join(machine.told(results.commit)),
        "## The table\n",
        table.markdown(ROWS, results),
        "## Where we are below\n",
        _list(table.shortfalls(ROWS, results))
        or "Nowhere: every floor is met, no peer is better.",
        _untold(results),
        "## Remarks on single figures\n",
        _list(table.notes(ROWS, results)),
        "## What others have published\n",
        published.markdown(),
        prose("method"),
        prose("products"),
        "## How to run it\n",
        _how(results),
    ]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def prose(name: str) -> str:
    """Return a part that no run changes."""
    return (PROSE / f"{name}.md").read_text(encoding="utf-8")


def _untold(results: Results) -> str:
    """Return what was demanded and not measured, so that no gap looks like a success."""
    missing = [
        f"{row.words} ({system}): {cell.why}."
        for row in ROWS
        for system in table.OURS
        if row.bound(system)
        and isinstance(cell := results.at(row.name, system) or table.NOT_RUN, table.Missing)
    ]
    return f"Not measured:\n\n{_list(missing)}" if missing else ""


def _how(results: Results) -> str:
    lines = [
        "`make bench` runs it all (`DATA=` the folder of the data sets);"
        " `python -m tests.benchmarks --data FOLDER --only NAME …` runs single measures:",
        "",
        "| name | what | seconds |",
        "| --- | --- | --- |",
    ]
    for name, measure in MEASURES.items():
        took = results.seconds.get(name)
        what = (getdoc(measure) or "").split("\n")[0]
        lines.append(f"| {name} | {what} | {'–' if took is None else f'{took:.0f}'} |")
    total = sum(results.seconds.values())
    return "\n".join([*lines, "", f"In all {total / 60:.0f} minutes."])


def _list(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)
