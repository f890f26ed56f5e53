"""Keeping: a run that is too long for one sitting goes on in the next, on the same commit."""

import json
from pathlib import Path

from tests.benchmarks.table import Cell, Figure, Missing, Results, System


def keep(results: Results, file: Path) -> None:
    """Write all cells to a file."""
    cells = [
        {"row": row, "system": system.name, **_told(cell)}
        for (row, system), cell in results.cells.items()
    ]
    told = {"commit": results.commit, "seconds": results.seconds, "cells": cells}
    file.write_text(json.dumps(told, indent=1), encoding="utf-8")


def taken_up(file: Path, commit: str) -> Results:
    """Return what was kept of a commit; nothing of another one, whose figures are others."""
    results = Results(commit=commit)
    if not file.exists():
        return results
    told = json.loads(file.read_text(encoding="utf-8"))
    if told["commit"] != commit:
        return results
    results.seconds |= told["seconds"]
    for cell in told["cells"]:
        results.put(cell["row"], System[cell["system"]], _cell(cell))
    return results


def _told(cell: Cell) -> dict[str, object]:
    if isinstance(cell, Missing):
        return {"why": cell.why}
    return {"value": float(cell.value), "note": cell.note}


def _cell(told: dict[str, object]) -> Cell:
    if "why" in told:
        return Missing(str(told["why"]))
    return Figure(float(str(told["value"])), str(told["note"]))
