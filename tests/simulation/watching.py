"""What every committed statement changed: triggers write it down, the observer reads it.

The product neither knows nor feels it. Each row of the log tells who ran when it changed.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LEASED = ("lease_token", "leased_until", "epoch", "attempts")
WATCHED = {
    "sfsync_writeback": (
        *("decision_id", "case_link_id", "due_at", "held_because", "ended_at", "outcome"),
        *("error_code", "sent_fields"),
        *LEASED,
    ),
    "classifier_transcript": (
        *("thread", "decided_at", "superseded_at", "customer_digest", "refused"),
        *LEASED,
    ),
    "sfsync_watermark": ("sobject", "covered_until", "deleted_until", *LEASED),
    "sfsync_caselink": (
        "case_id",
        "read_due_at",
        "read_at",
        "gone_at",
        "ceded_at",
        "delivered",
        *LEASED,
    ),
    "sfsync_connection": ("paused_at", "mode"),
    "classifier_decision": (
        *("thread", "source", "category_id", "superseded_at", "staged_at", "transcript_id"),
    ),
}
"""Table → the columns that invariants speak of."""


def _as_json(row: str, columns: tuple[str, ...]) -> str:
    pairs = ", ".join(f"'{name}', {row}.{name}" for name in columns)
    return f"json_object({pairs})"


def _watches() -> Iterator[str]:
    yield (
        "CREATE TABLE simulated_changes (id INTEGER PRIMARY KEY AUTOINCREMENT, tbl TEXT, row"
        " INTEGER, who TEXT, at REAL, before TEXT, after TEXT)"
    )
    for table, columns in WATCHED.items():
        old, new = _as_json("OLD", columns), _as_json("NEW", columns)
        for event, row, before, after in (
            ("INSERT", "NEW", "NULL", new),
            ("UPDATE", "NEW", old, new),
            ("DELETE", "OLD", old, "NULL"),
        ):
            yield (
                f"CREATE TRIGGER watch_{table}_{event.lower()} AFTER {event} ON {table} BEGIN"
                " INSERT INTO simulated_changes (tbl, row, who, at, before, after) VALUES"
                f" ('{table}', {row}.id, simulated_who(), simulated_at(), {before}, {after}); END"
            )


WATCHES = tuple(_watches())


@dataclass(frozen=True, slots=True)
class Change:
    """One row before and after one statement. ``who``: fiber and run, ``at``: simulated second."""

    table: str
    row: int
    who: str
    at: float
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Observer:
    """Reads what is committed, by a connection of its own."""

    def __init__(self, file: Path) -> None:
        self.raw = sqlite3.connect(file, isolation_level=None)
        self.raw.execute("PRAGMA busy_timeout=0")
        self._version = -1
        self._last = 0

    def news(self) -> list[Change]:
        """Return the changes committed since the last time."""
        (version,) = self.raw.execute("PRAGMA data_version").fetchone()
        if version == self._version:
            return []
        self._version = version
        rows = self.raw.execute(
            "SELECT id, tbl, row, who, at, before, after FROM simulated_changes WHERE id > ?"
            " ORDER BY id",
            (self._last,),
        ).fetchall()
        if rows:
            self._last = rows[-1][0]
        return [
            Change(
                table,
                row,
                who,
                at,
                json.loads(before) if before else None,
                json.loads(after) if after else None,
            )
            for _, table, row, who, at, before, after in rows
        ]

    def rows(self, question: str, *values: object) -> list[Any]:
        return self.raw.execute(question, values).fetchall()

    def close(self) -> None:
        self.raw.close()
