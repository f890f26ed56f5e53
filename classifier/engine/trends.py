"""What rose or fell beyond chance, and how right a sample says the tags are: pure statistics."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

FALSE_DISCOVERY_RATE = 0.04
"""Of all changes told, the share that may be chance (Benjamini–Hochberg, 1995): keeps quiet weeks
with any false alarm below 5 % in `bench_trends`, whatever the reasons' own unsteadiness."""
FEWEST_CONTACTS = 10  # fewer, both now and expected: a doubling would be four people
FEWEST_BLOCKS = 4  # fewer say nothing about how much a reason varies by itself
INTERVAL = 0.95
ODD = 0.01  # less likely by chance: out of the denominator, so that others are compared fairly
MOST_PRIOR = 40.0
"""How many blocks the common spread may count for beside a reason's own, however alike all are."""
LEAST_PRIOR = 2.0  # the same where no two reasons are alike, or too few are there to tell
FEWEST_TO_COMPARE = 6  # reasons whose spreads are compared with each other
MOST_ROUNDS = 10  # more reasons than this that stand out at once are a change of everything
_ROUNDS = 3
_LEAST_ALPHA = 1e-6  # below it the even scale is the square root's, and this stays a number
_SHIFT = 0.375  # Anscombe, 1948

Counts = NDArray[np.float64]


class Direction(StrEnum):
    ROSE = "rose"
    FELL = "fell"
    STEADY = "steady"
    UNKNOWN = "unknown"
    """Too few contacts, or too few blocks before, to say."""


@dataclass(frozen=True, slots=True)
class Change:
    """One reason's contacts in a block of time, beside the blocks before it."""

    count: int
    expected: float
    """Contacts that the blocks before let expect, given how many contacts there were in all."""
    low: float
    high: float
    """Where 95 % of such blocks lie if nothing changed."""
    usual: float
    """Mean contacts of a block before."""
    p: float
    """How likely a difference as large is by chance, before the correction for many reasons."""
    direction: Direction


Reason = TypeVar("Reason", bound=Hashable)


def changes(
    counts: Mapping[Reason, int],
    before: Mapping[Reason, Sequence[int]],
    totals_before: Sequence[int],
    total: int,
) -> dict[Reason, Change]:
    """Return the change of each reason named in ``counts`` or ``before``.

    ``counts`` maps a reason to its contacts in the block looked at, ``total`` is that block's
    number of all contacts; ``before`` and ``totals_before`` hold the same of the blocks before,
    all equally long and of the same days of the week. A block before without any contact is left
    out: nothing was measured then.

    A reason's rate per contact is compared on a scale that makes counts vary evenly. Weekly
    counts vary more than Poisson's law says: variance = mean + α · mean², with α of all
    reasons together, and what is left of a reason's own unsteadiness drawn towards what is
    common; the more alike the reasons are, the further (moderated t, Smyth, 2004). What stands
    out leaves the denominator before the others are looked at again, so that one flood does not
    make all else seem to ebb. Benjamini–Hochberg over all reasons with enough contacts.
    """
    reasons = list(dict.fromkeys([*counts, *before]))
    kept = [index for index, size in enumerate(totals_before) if size > 0]
    blank = [0] * len(totals_before)
    now = np.array([counts.get(reason, 0) for reason in reasons], float)
    past = np.array(
        [[before.get(reason, blank)[index] for index in kept] for reason in reasons], float
    ).reshape(len(reasons), len(kept))
    sizes = np.array([totals_before[index] for index in kept], float)
    if len(kept) < FEWEST_BLOCKS or total <= 0 or not reasons:
        return {reason: _unknown(now[i], past[i]) for i, reason in enumerate(reasons)}
    found = _compared(now, past, sizes, float(total))
    return {reason: found[i] for i, reason in enumerate(reasons)}


def _unknown(now: float, past: Counts) -> Change:
    usual = float(past.mean()) if past.size else 0.0
    return Change(int(now), usual, 0.0, float("inf"), usual, 1.0, Direction.UNKNOWN)


def _compared(now: Counts, past: Counts, sizes: Counts, total: float) -> list[Change]:
    apart: list[int] = []
    while True:
        rest, rest_before = total, sizes
        if apart:
            rest = total - now[apart].sum()
            rest_before = sizes - past[apart].sum(axis=0)
        if rest <= 0 or (rest_before <= 0).any():  # nothing else is left to compare with
            return _told(now, past, _measured(now, past, sizes, total))
        measured = _measured(now, past, rest_before, rest)
        odd = [i for i in np.argsort(measured.p) if measured.p[i] < ODD and i not in apart]
        if not odd or len(apart) >= MOST_ROUNDS:
            return _told(now, past, measured)
        apart.append(int(odd[0]))


@dataclass(frozen=True, slots=True)
class _Measured:
    expected: Counts
    low: Counts
    high: Counts
    p: Counts
    enough: NDArray[np.bool_]
    is_told: NDArray[np.bool_]


def _measured(now: Counts, past: Counts, sizes: Counts, size: float) -> _Measured:
    """Return a moderated t-test of each reason, on the scale on which counts vary by about 1."""
    from scipy import special  # noqa: PLC0415 - a worker must not hold it

    blocks = past.shape[1]
    alike = past * (size / sizes)  # the blocks before, as large as this one
    alpha = _dispersion(alike)
    before = _even(alike, alpha)
    middle, own = before.mean(axis=1), before.var(axis=1, ddof=1)
    seen = alike.mean(axis=1) >= FEWEST_CONTACTS / 2
    common, prior = _common(own[seen], blocks - 1)
    drawn = (common * prior + own * (blocks - 1)) / (prior + blocks - 1)
    # Less than 1 would be steadier than chance allows.
    error = np.sqrt(np.maximum(1.0, drawn) * (1 + 1 / blocks))
    freedom = prior + blocks - 1
    p = 2 * special.stdtr(freedom, -np.abs(_even(now, alpha) - middle) / error)
    reach = special.stdtrit(freedom, (1 + INTERVAL) / 2) * error
    expected = alike.mean(axis=1)
    enough = np.maximum(now, expected) >= FEWEST_CONTACTS
    is_told = np.zeros(len(now), bool)
    if enough.any():
        # Here, for it takes half a second to import, which every process would wait for.
        from scipy import stats  # noqa: PLC0415

        is_told[enough] = stats.false_discovery_control(p[enough]) <= FALSE_DISCOVERY_RATE
    low, high = _uneven(middle - reach, alpha), _uneven(middle + reach, alpha)
    return _Measured(expected, low, high, p, enough, is_told)


def _even(counts: Counts, alpha: float) -> Counts:
    """Return counts on the scale on which they vary by 1: the negative binomial's arsinh.

    It is twice the square root where α is 0 (Poisson), and a logarithm where α is large.
    """
    return 2 * np.arcsinh(np.sqrt(alpha * (counts + _SHIFT))) / sqrt(alpha)


def _uneven(values: Counts, alpha: float) -> Counts:
    """Return the counts (at least 0) that ``_even`` made these of."""
    counts = np.sinh(np.maximum(values, 0) * sqrt(alpha) / 2) ** 2 / alpha - _SHIFT
    return np.maximum(0.0, counts)


def _dispersion(past: Counts) -> float:
    """Return the α of all reasons together (variance = mean + α · mean²), by moments."""
    means = past.mean(axis=1)
    means, past = means[means > 0], past[means > 0]
    own = (past.var(axis=1, ddof=1) - means) / means**2
    alpha = 0.0
    for _ in range(_ROUNDS):  # each reason counts by how well its own α can be seen
        weights = (means / (1 + alpha * means)) ** 2
        alpha = max(0.0, float((own * weights).sum() / max(weights.sum(), _LEAST_ALPHA)))
    return max(_LEAST_ALPHA, alpha)


def _common(own: Counts, freedom: int) -> tuple[float, float]:
    """Return the variance common to all reasons, and for how many blocks it counts.

    The more alike the reasons' own variances are, the more (Smyth, 2004, section 6.2).
    """
    from scipy import special  # noqa: PLC0415 - a worker must not hold it

    if len(own) < FEWEST_TO_COMPARE:
        return 1.0, LEAST_PRIOR
    logs = np.log(np.maximum(own, _LEAST_ALPHA)) - special.digamma(freedom / 2)
    logs += np.log(freedom / 2)
    beyond = float(logs.var(ddof=1) - special.polygamma(1, freedom / 2))
    prior = _prior(beyond)
    common = np.exp(logs.mean() + special.digamma(prior / 2) - np.log(prior / 2))
    return float(common), prior


def _prior(beyond: float) -> float:
    """Return the degrees of freedom whose trigamma of the half is ``beyond``, within bounds."""
    from scipy import special  # noqa: PLC0415 - a worker must not hold it

    def trigamma(prior: float) -> float:
        return float(special.polygamma(1, prior / 2))

    if beyond <= trigamma(MOST_PRIOR):
        return MOST_PRIOR
    if beyond >= trigamma(LEAST_PRIOR):
        return LEAST_PRIOR
    from scipy import optimize  # noqa: PLC0415 - as above

    return float(optimize.brentq(lambda x: trigamma(x) - beyond, LEAST_PRIOR, MOST_PRIOR))


def _told(now: Counts, past: Counts, measured: _Measured) -> list[Change]:
    def direction(i: int) -> Direction:
        if not measured.enough[i]:
            return Direction.UNKNOWN
        if not measured.is_told[i]:
            return Direction.STEADY
        return Direction.ROSE if now[i] > measured.expected[i] else Direction.FELL

    return [
        Change(
            int(now[i]),
            float(measured.expected[i]),
            float(measured.low[i]),
            float(measured.high[i]),
            float(past[i].mean()),
            float(measured.p[i]),
            direction(i),
        )
        for i in range(len(now))
    ]


@dataclass(frozen=True, slots=True)
class Share:
    """A share in [0, 1] as a sample tells it, with its 95 % interval; ``size`` looked at."""

    value: float
    low: float
    high: float
    size: int


def estimated_share(sample: Sequence[tuple[bool, float]]) -> Share | None:
    """Return the share of the whole that is true; None where nothing was drawn.

    ``sample``: for each drawn one whether it is true, and the probability in (0, 1] with which
    it was drawn. Each counts for the inverse of that (Hájek); the interval is Wilson's at the
    effective sample size (Kish), so a few that were drawn by rare chance do not feign certainty.
    """
    from scipy import special  # noqa: PLC0415 - a worker must not hold it

    if not sample:
        return None
    weights = np.array([1 / probability for _, probability in sample])
    truths = np.array([is_true for is_true, _ in sample], float)
    value = float((weights * truths).sum() / weights.sum())
    size = float(weights.sum() ** 2 / (weights**2).sum())
    z = float(special.ndtri((1 + INTERVAL) / 2))
    middle = (value + z * z / (2 * size)) / (1 + z * z / size)
    reach = (
        z * sqrt(value * (1 - value) / size + z * z / (4 * size * size)) / (1 + z * z / size)
    )
    return Share(value, max(0.0, middle - reach), min(1.0, middle + reach), len(sample))
