"""The org's own account of what was asked of it and who wrote what.

Real Salesforce has nothing like it: it is here so that a test or the demo can prove
"written once" and "nothing written" without trusting the product's own book-keeping.
"""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sfsync.local_org.moments import Value, on_the_wire


@dataclass(frozen=True, slots=True)
class Write:
    """One row written by one user, after it was accepted."""

    at: datetime
    """The org's time, finer than the second that its audit fields hold."""
    user_id: str
    sobject: str
    record_id: str
    operation: str
    """``insert``, ``update``, ``delete``, ``undelete`` or ``merge``."""
    fields: Mapping[str, Value]
    headers: Mapping[str, str]
    """Headers of the call that matter for a write; empty for people in the org."""
    by_api: bool


ROLLING = timedelta(hours=24)
"""The allowance counts no calendar days."""


@dataclass(slots=True)
class Ledger:
    """Counts and writes since the org was made; loading the feed is not in it."""

    api_calls: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    """Calls by kind, such as ``GET query`` or ``PATCH composite/sobjects``."""
    logins: int = 0
    writes: list[Write] = field(default_factory=list)
    cases_by_channel: Counter[str] = field(default_factory=Counter)
    """Cases that came in, the org's past included."""

    recent: deque[tuple[datetime, int]] = field(default_factory=deque)
    """Moments of the last 24 hours and how many calls came then, by whomever."""
    recent_total: int = 0

    def count_call(self, kind: str, at: datetime) -> None:
        self.api_calls += 1
        self.calls[kind] += 1
        self.others_call(1, at)

    def others_call(self, calls: int, at: datetime) -> None:
        """Let other integrations of the org make so many calls."""
        self.recent.append((at, calls))
        self.recent_total += calls

    def used_in_24_hours(self, at: datetime) -> int:
        """Return the calls of all integrations that count against the org's allowance."""
        while self.recent and self.recent[0][0] <= at - ROLLING:
            self.recent_total -= self.recent.popleft()[1]
        return self.recent_total

    def api_writes(self, sobject: str = "Case") -> list[Write]:
        """Return the rows written through the API, oldest first."""
        return [write for write in self.writes if write.by_api and write.sobject == sobject]

    def writes_by_case(self) -> Counter[str]:
        """Return how often each Case was written through the API."""
        return Counter(write.record_id for write in self.api_writes())

    def as_json(self, cases: int) -> dict[str, object]:
        """Return the account as ``GET /local/ledger`` shows it."""
        by_case = self.writes_by_case()
        return {
            "api_calls": self.api_calls,
            "calls": dict(self.calls),
            "logins": self.logins,
            "cases": cases,
            "cases_by_channel": dict(self.cases_by_channel),
            "writes": by_case.total(),
            "cases_written": len(by_case),
            "most_writes_of_a_case": max(by_case.values(), default=0),
            "writes_by_case": dict(by_case),
            "people_writes": sum(not write.by_api for write in self.writes),
        }

    def writes_as_json(self) -> list[dict[str, object]]:
        """Return every write in full, as ``GET /local/ledger/writes`` shows it."""
        return [
            {
                "at": on_the_wire(write.at),
                "user_id": write.user_id,
                "sobject": write.sobject,
                "record_id": write.record_id,
                "operation": write.operation,
                "fields": {name: on_the_wire(value) for name, value in write.fields.items()},
                "headers": dict(write.headers),
                "by_api": write.by_api,
            }
            for write in self.writes
        ]
