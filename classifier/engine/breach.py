"""Breach: whether a sample that goes on for ever shows that a promised share is not kept. Pure."""

from math import exp, inf, log

SURE = 0.95
"""At most one in twenty who keep their promise is ever said to break it, however often we look."""


def evidence(right: int, of: int, promise: float) -> float:
    """Return how strongly ``right`` of ``of`` speak against a share of at least ``promise``.

    A test martingale: the mean likelihood of all lower shares, drawn evenly from (0, promise),
    over that of ``promise`` itself. Where the promise is kept its mean is 1 at most, however the
    looks are timed, so it ever reaches 1/α with probability α at most (Ville 1939; Shafer et al.
    2011, "Test martingales, Bayes factors and p-values"). A bound for one look (Clopper–Pearson),
    asked anew after each text, would in the end break every promise.

    Raises:
        ValueError: ``promise`` is not between 0 and 1, or more are right than there are.
    """
    if not 0 < promise < 1 or not 0 <= right <= of:
        raise ValueError(f"not a share: {right} of {of}, promised {promise}")
    # Only here: a worker that decides would hold 5 MB of scipy for nothing.
    from scipy.special import betainc, betaln  # noqa: PLC0415

    wrong = of - right
    below = float(betainc(right + 1, wrong + 1, promise))
    if below == 0.0:
        return 0.0
    mean = float(betaln(right + 1, wrong + 1)) + log(below) - log(promise)
    against = mean - right * log(promise) - wrong * log(1 - promise)
    return exp(against) if against < 700 else inf  # noqa: PLR2004 - beyond it floats end


def is_broken(
    right: int, of: int, promise: float, *, among: int = 1, sure: float = SURE
) -> bool:
    """Return whether the promise is broken for sure; ``among`` so many that are looked at.

    With ``among`` it is 95 % sure of all of them together (Bonferroni).
    """
    return evidence(right, of, promise) >= among / (1 - sure)
