"""Prints the figures that README and docs claim: ``make bench`` (not part of the test suite).

Measures bring the table of docs/benchmarks.md, ours and the peers in the same run; then come the
figures of the product around the engine. ``--only`` runs single ones.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks import machine

machine.on_one_thread()  # before numpy is imported

from tests.benchmarks import document, table  # noqa: E402
from tests.benchmarks.bench import Bench  # noqa: E402
from tests.benchmarks.keeping import keep, taken_up  # noqa: E402
from tests.benchmarks.measures import MEASURES  # noqa: E402
from tests.benchmarks.product import PRODUCT  # noqa: E402
from tests.benchmarks.rows import ROWS  # noqa: E402
from tests.benchmarks.table import Missing, System  # noqa: E402


def main() -> int:
    options = parsed()
    warnings.filterwarnings("ignore", module="sklearn")  # a class or a margin too few: meant so
    bench = Bench(options.data, tuple(System[name] for name in options.systems))
    if options.keep:
        bench.results = taken_up(options.keep, machine.commit())
    bench.results.commit = machine.commit()
    wanted = options.only or [*MEASURES, *([] if options.write else PRODUCT)]
    failed = []
    for name in MEASURES:
        if name in wanted and not measured(bench, name):
            failed.append(name)
        if options.keep:
            keep(bench.results, options.keep)
    for sentence in table.shortfalls(ROWS, bench.results):
        print(f"- {sentence}")
    if options.write:
        options.write.write_text(document.of(bench.results), encoding="utf-8")
        print(f"written: {options.write}")
    for name in PRODUCT:
        if name in wanted:
            show_product(name, options.data)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.benchmarks", description=__doc__)
    known = [*MEASURES, *PRODUCT]
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--only", nargs="+", choices=known, help="measures", metavar="NAME")
    parser.add_argument("--write", type=Path, help="write the table to this document")
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FILE",
        help="take up what an earlier run of the same commit kept there, and keep this run's too",
    )
    parser.add_argument(
        "--systems",
        nargs="+",
        choices=[system.name for system in System],
        default=[system.name for system in System],
        metavar="SYSTEM",
        help=f"whom to measure: {', '.join(system.name for system in System)}",
    )
    return parser.parse_args()


def measured(bench: Bench, name: str) -> bool:
    """Run one measure and print its rows; say whether it went well."""
    rows = [row for row in ROWS if row.measure == name]
    begun = time.perf_counter()
    try:
        MEASURES[name](bench)
    except Exception as error:  # noqa: BLE001  one broken measure must not lose the others
        why = f"failed: {type(error).__name__}: {error}".splitlines()[0]
        put_missing(bench, rows, Missing(why))
        print(f"{name} {why}", file=sys.stderr)
        return False
    finally:
        bench.results.seconds[name] = time.perf_counter() - begun
    print(f"\n{name}: {bench.results.seconds[name]:.0f} s", flush=True)
    print(table.plain(rows, bench.results), flush=True)
    return True


def put_missing(bench: Bench, rows: Sequence[table.Row], why: Missing) -> None:
    """Mark what a broken measure leaves open."""
    for row in rows:
        for system in table.OURS:
            if row.bound(system) and bench.results.at(row.name, system) is None:
                bench.results.put(row.name, system, why)


def show_product(name: str, data: Path) -> None:
    print(f"\n{name}: {(PRODUCT[name].__doc__ or '').strip()}")
    for key, value in PRODUCT[name](data).items():
        print(f"  {key:24}{value}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
