"""How often the rise-and-fall test cries wolf, and what it finds; run by hand.

python -m tests.benchmarks.bench_trends
"""

import sys

import numpy as np

from classifier.engine.trends import Direction, changes

SEED = 7
WEEKS = 1_000
REASONS = 100
BLOCKS = 8
CONTACTS = 3_000  # a week, over all reasons; a few are frequent, most are rare (Zipf)
SPREADS = (0.0, 0.02, 0.05, 0.1)
"""Variance of a week's rate beyond Poisson's, relative to the squared mean (negative binomial)."""


def main() -> None:
    rng = np.random.default_rng(SEED)
    tell(f"{WEEKS:,} simulated weeks, {REASONS} reasons, {CONTACTS:,} contacts a week,"
         f" {BLOCKS} weeks before")  # fmt: skip
    for spread in SPREADS:
        for is_mixed in (False, True) if spread else (False,):
            quiet(rng, spread, is_mixed=is_mixed)
    for spread in SPREADS:
        doubled(rng, spread)


def quiet(rng: np.random.Generator, spread: float, *, is_mixed: bool) -> None:
    """Tell in how many weeks without any change at least one reason is called changed."""
    alarms = reasons = 0
    for _ in range(WEEKS):
        own = spread * rng.gamma(1.0, 1.0, REASONS) if is_mixed else spread
        found = told(drawn(rng, own))
        alarms += bool(found)
        reasons += len(found)
    kind = "differing from reason to reason" if is_mixed else "the same for all"
    tell(f"quiet weeks, spread {spread:.2f} {kind}: {alarms / WEEKS:.1%} with any alarm,"
         f" {reasons / WEEKS:.3f} reasons a week")  # fmt: skip


def doubled(rng: np.random.Generator, spread: float) -> None:
    """Tell how often a reason that doubles is found, by its usual size."""
    for rank in (0, 4, 19, 49):
        hits = others = 0
        rounds = WEEKS // 4
        for _ in range(rounds):
            factors = np.ones(REASONS)
            factors[rank] = 2.0
            found = told(drawn(rng, spread, factors))
            hits += found.get(rank) is Direction.ROSE
            others += len(found.keys() - {rank})
        tell(f"spread {spread:.2f}, a reason of {rates()[rank]:.0f} a week doubles: found"
             f" {hits / rounds:.0%}, others called changed {others / rounds:.3f} a week")  # fmt: skip


def rates() -> np.ndarray:
    weights = 1 / np.arange(1, REASONS + 1)
    return CONTACTS * weights / weights.sum()


def drawn(
    rng: np.random.Generator, spread: float | np.ndarray, factors: np.ndarray | None = None
) -> np.ndarray:
    """Return counts, reasons × weeks, the last week being looked at."""
    means = np.repeat(rates()[:, None], BLOCKS + 1, axis=1)
    means *= rng.normal(1, 0.1, BLOCKS + 1).clip(0.5)  # whole weeks are busier or quieter
    if factors is not None:
        means[:, -1] *= factors
    alpha = np.broadcast_to(np.maximum(spread, 1e-9), (REASONS,))[:, None]
    return rng.poisson(means * rng.gamma(1 / alpha, alpha, means.shape))


def told(counts: np.ndarray) -> dict[int, Direction]:
    totals = counts.sum(axis=0)
    found = changes(
        {i: int(row[-1]) for i, row in enumerate(counts)},
        {i: [int(c) for c in row[:-1]] for i, row in enumerate(counts)},
        [int(t) for t in totals[:-1]],
        int(totals[-1]),
    )
    called = (Direction.ROSE, Direction.FELL)
    return {int(i): c.direction for i, c in found.items() if c.direction in called}  # type: ignore[call-overload]


def tell(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")


if __name__ == "__main__":
    main()
