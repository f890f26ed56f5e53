"""How much the line carries, end to end: ``make bench-sync``.

PostgreSQL, Redis, two workers, beat, web app and a Salesforce org, each in a process of its own on
this machine. Cases come in at a steady rate, then in a burst, then at the pace of an ordinary desk.
Times are from the moment a Case came in to the moment the org accepted our write, both by this
machine's clock.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep, time

from tests.benchmarks import machine
from tests.line.running_line import RunningLine, Shape, percentile, written_at

TICK_SECONDS = 0.2
DRAIN_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Measured:
    """What became of the Cases of one phase."""

    cases: int
    written: int
    twice: int
    seconds: float
    """From the first Case to the last write."""
    p50: float
    p95: float

    @property
    def per_second(self) -> float:
        return self.written / self.seconds if self.seconds else 0.0


def main() -> int:
    options = parsed()
    shape = Shape(
        on_postgres=not options.sqlite,
        broker=options.broker,
        rings=options.rings,
        pull_seconds=options.pull,
    )
    print(
        f"{machine.processor()}, {os.cpu_count()} cores, commit {machine.commit()};"
        f" load before: {os.getloadavg()[0]:.1f}"
    )
    with tempfile.TemporaryDirectory() as folder, RunningLine(Path(folder), shape) as line:
        if not line.wait_until(lambda: line.unfinished() == 0, 120):
            print("The org's past did not come through: see the logs.", file=sys.stderr)
            return 1
        size_before = size_of(line)
        cases_before = line.org.ledger()["cases"]
        calls_before = line.org.ledger()["api_calls"]
        failed = False
        for name, rate, seconds in phases(options):
            found = measured(line, rate, seconds)
            failed |= found.written != found.cases or found.twice > 0
            print(
                f"{name}: {found.cases:,} Cases at {rate:g}/s for {seconds:g} s:"
                f" {found.per_second:.1f} written/s until the last,"
                f" in the org after p50 {found.p50:.2f} s, p95 {found.p95:.2f} s;"
                f" not written {found.cases - found.written}, written twice {found.twice}",
                flush=True,
            )
        cases = line.org.ledger()["cases"] - cases_before
        calls = line.org.ledger()["api_calls"] - calls_before
        print(f"API calls per 1,000 Cases, polls included: {1000 * calls / cases:.1f}")
        if size_before:
            grown = (size_of(line) - size_before) / cases / 1000
            print(f"database: {grown:.1f} kB a Case (indexes and all)")
    return 1 if failed else 0


def phases(options: argparse.Namespace) -> Iterator[tuple[str, float, float]]:
    yield "steady", options.rate, options.seconds
    if options.burst:
        yield "burst", options.burst, 60
    yield "ordinary desk", 5, min(60, options.seconds)


def measured(line: RunningLine, rate: float, seconds: float) -> Measured:
    """Let Cases come in at ``rate`` a second, wait for the last, and return what came of it."""
    came_in = fed(line, rate, seconds)
    is_done = line.wait_until(lambda: line.unfinished() == 0, DRAIN_SECONDS)
    if not is_done:
        print(f"after {DRAIN_SECONDS} s {line.unfinished()} Cases were not through")
    return judged(came_in, written_at(line.org.writes()))


def fed(line: RunningLine, rate: float, seconds: float) -> dict[str, float]:
    """Return Case id → when it came in."""
    came_in: dict[str, float] = {}
    begun = monotonic()
    while (passed := monotonic() - begun) < seconds:
        due = int(min(passed + TICK_SECONDS, seconds) * rate) - len(came_in)
        if due > 0:
            at = time()
            came_in |= dict.fromkeys(line.org.new_cases(due), at)
        line.supervisor.revive()
        sleep(max(0.0, TICK_SECONDS - (monotonic() - begun - passed)))
    return came_in


def judged(came_in: Mapping[str, float], written: Mapping[str, list[float]]) -> Measured:
    ours = {case: written[case] for case in came_in if case in written}
    waits = [moments[0] - came_in[case] for case, moments in ours.items()]
    last = max((moments[0] for moments in ours.values()), default=0.0)
    return Measured(
        cases=len(came_in),
        written=len(ours),
        twice=sum(len(moments) > 1 for moments in ours.values()),
        seconds=last - min(came_in.values(), default=0.0),
        p50=percentile(waits, 0.5),
        p95=percentile(waits, 0.95),
    )


def size_of(line: RunningLine) -> int:
    """Return the bytes of the line's database; 0 on SQLite."""
    if not line.database:
        return 0
    ((size,),) = line.rows("SELECT pg_database_size(current_database())")
    return int(size)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.benchmarks.bench_sync", description=__doc__)
    parser.add_argument("--rate", type=float, default=30, help="Cases a second, steadily")
    parser.add_argument("--seconds", type=float, default=300, help="for so long")
    parser.add_argument(
        "--burst", type=float, default=200, help="Cases a second for a minute; 0: none"
    )
    parser.add_argument("--pull", type=int, default=30, help="seconds between polls")
    parser.add_argument(
        "--no-rings",
        dest="rings",
        action="store_false",
        help="the poll alone, no Outbound Messages",
    )
    parser.add_argument(
        "--no-broker",
        dest="broker",
        action="store_false",
        help="without Redis: how much is left",
    )
    parser.add_argument("--sqlite", action="store_true", help="SQLite and the embedded broker")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
