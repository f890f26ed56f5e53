"""Chance: how far a figure from few texts may be off, and whether a difference may be luck. Pure."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BEYOND_CHANCE = 0.05
"""A difference that luck alone would show less often than this is said to be none of luck."""
_QUANTILE = 1.959964  # of the normal distribution at 97.5 %: intervals hold in 95 of 100 cases
_RESAMPLES = 1_000
_AT_A_TIME = 50  # resamples of 20,000 texts then take 8 MB
_SEED = 20


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with the 95 % interval of Wilson (1927)."""

    hits: int
    of: int

    @property
    def value(self) -> float | None:
        """The share in [0, 1]; None: of nothing."""
        return self.hits / self.of if self.of else None

    @property
    def low(self) -> float:
        return self._bounds()[0]

    @property
    def high(self) -> float:
        return self._bounds()[1]

    def _bounds(self) -> tuple[float, float]:
        if not self.of:
            return 0.0, 1.0
        share, weight = self.hits / self.of, _QUANTILE**2 / self.of
        middle = (share + weight / 2) / (1 + weight)
        half = math.sqrt(share * (1 - share) * weight + weight**2 / 4) / (1 + weight)
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure with its 95 % interval, by drawing the texts anew many times."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Paired:
    """Two answerers on the same texts: what the first made better, what it made worse."""

    better: int
    worse: int

    @property
    def p(self) -> float:
        """How often luck alone would split the texts so unevenly (McNemar's exact test)."""
        changed = self.better + self.worse
        if not changed:
            return 1.0
        fewer = range(min(self.better, self.worse) + 1)
        splits: int = 2 * sum(math.comb(changed, few) for few in fewer)
        return float(min(1.0, splits / 2**changed))

    @property
    def is_beyond_chance(self) -> bool:
        return self.p < BEYOND_CHANCE


def measured(texts: int, figures: Callable[[Floats], Floats]) -> list[Measured]:
    """Return figures of ``texts`` texts with intervals.

    ``figures`` takes resamples × texts weights (how often each text was drawn) and returns
    resamples × figures. The draws are seeded: the same texts give the same intervals.
    """
    whole = figures(np.ones((1, texts)))[0]
    if not texts:
        return [Measured(float(value), float(value), float(value)) for value in whole]
    random = np.random.default_rng(_SEED)
    even = np.full(texts, 1 / texts)
    drawn = [
        figures(random.multinomial(texts, even, size=_AT_A_TIME).astype(np.float64))
        for _ in range(_RESAMPLES // _AT_A_TIME)
    ]
    low, high = np.percentile(np.vstack(drawn), [2.5, 97.5], axis=0)
    return [
        Measured(float(value), float(below), float(above))
        for value, below, above in zip(whole, low, high, strict=True)
    ]
