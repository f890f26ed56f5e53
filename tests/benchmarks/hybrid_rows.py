"""What rules and model are worth together: 60 rules a data set, written from its training part."""

from pathlib import Path

from classifier.engine.hybrid import HybridReport, Side, compare_with_rules
from classifier.engine.rule_file import read_rules
from tests.benchmarks.bench import Bench
from tests.benchmarks.table import Figure

RULES = Path(__file__).parent / "rules"


def banking77_hybrid(bench: Bench) -> None:
    """Rules only, model only and hybrid on banking77, scored after the rules have spoken."""
    _hybrid(bench, "banking77")


def star_hybrid(bench: Bench) -> None:
    """Rules only, model only and hybrid on star, scored after the rules have spoken."""
    _hybrid(bench, "star")


def _hybrid(bench: Bench, name: str) -> None:
    row = f"{name}-hybrid"
    data = bench.data(name)
    for system in bench.each_of_ours(row):
        with bench.telling(system, row):
            ours = bench.ours(name, system)
            rules = read_rules(RULES / f"{name}.json", data.taxonomy)
            report = compare_with_rules(
                data.train,
                ours.out_of_fold,
                data.test,
                ours.unseen(data.test),
                rules,
                ours.policy,
            )
            gain = 100 * report.gain_in_coverage.value
            bench.results.put(row, system, Figure(gain, _told(report)))


def _told(report: HybridReport) -> str:
    gain = report.gain_in_coverage
    sides = {
        "rules": report.rules_only,
        "model": report.model_only,
        "hybrid": report.hybrid,
    }
    told = ", ".join(f"{name} {_side(side)}" for name, side in sides.items())
    return (
        f"{report.rules} rules; {told}; 95 % interval of the gain {100 * gain.low:+.1f} to"
        f" {100 * gain.high:+.1f} points"
    )


def _side(side: Side) -> str:
    precision = "–" if side.precision is None else f"{100 * side.precision:.1f} %"
    return f"decides {100 * side.coverage:.1f} % at {precision}"
