"""Agreement: what several people said about one conversation becomes one truth, or a question."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

ENOUGH_TRUST = 0.7
"""Trusted weight that a truth needs. One word of somebody unknown (0.8 and more) is enough, or no
correction in Salesforce would ever teach; one word of somebody who was wrong in more than a third
of ten others is not."""
AGREEMENT = 0.75
"""Share of all trusted weight that must say the same: three to one. Two to one is what two people
who guess reach by chance far too often (people agree on 68 % of topic labels)."""


class Outcome(StrEnum):
    """What the words of several people come to."""

    AGREED = "agreed"
    CONFLICT = "conflict"
    """They disagree, or are trusted too little: another person must say."""
    NOTHING = "nothing"
    """Nobody has named reasons, nor said that there are none."""


@dataclass(frozen=True, slots=True)
class Voice:
    """What one person says about one conversation."""

    person: str
    """Tells people apart."""
    weight: float
    """How far the person is believed, in [0, 1]; 0: not at all."""
    reasons: tuple[str, ...] | None
    """Category codes, primary first; empty: out of scope; None: they cannot tell."""
    is_adjudication: bool = False
    """Settles a conflict between others: it stands alone."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the voices come to."""

    outcome: Outcome
    reasons: tuple[str, ...] = ()
    """What most of the trusted weight says; meant only where it is ``AGREED``."""
    share: float = 0.0
    """That weight as a share of all, in [0, 1]."""


def agree(voices: Sequence[Voice]) -> Agreement:
    """Return what ``voices`` (one per person, oldest first) come to.

    The newest adjudication stands alone. Otherwise the set of reasons with most trusted weight
    wins if it has ``ENOUGH_TRUST`` and the ``AGREEMENT`` of all; its primary reason is the one
    that most weight within it puts first.
    """
    believed = [voice for voice in voices if voice.weight > 0]
    if adjudications := [voice for voice in believed if voice.is_adjudication]:
        last = adjudications[-1]
        if last.reasons is None:
            return Agreement(Outcome.NOTHING)
        return Agreement(Outcome.AGREED, last.reasons, 1.0)
    weights: dict[frozenset[str], float] = defaultdict(float)
    for voice in believed:
        if voice.reasons is not None:
            weights[frozenset(voice.reasons)] += voice.weight
    if not weights:
        return Agreement(Outcome.NOTHING)
    winner = min(weights, key=lambda reasons: (-weights[reasons], sorted(reasons)))
    share = weights[winner] / sum(weights.values())
    is_agreed = weights[winner] >= ENOUGH_TRUST and share >= AGREEMENT
    return Agreement(
        Outcome.AGREED if is_agreed else Outcome.CONFLICT, _ordered(winner, believed), share
    )


def is_tested(voice: Voice, truth: Sequence[str], voices: Sequence[Voice]) -> bool:
    """Say whether ``truth`` tells how right a person is: it must not rest on them alone.

    Else whoever is always alone would be trusted more with every word.
    """
    if voice.reasons is None:
        return False
    if not is_right(voice, truth):
        return True
    others = (one for one in voices if one.person != voice.person and one.weight > 0)
    return any(is_right(other, truth) for other in others)


def is_right(voice: Voice, truth: Sequence[str]) -> bool:
    """Say whether a person named exactly the reasons of ``truth``, in whatever order."""
    return voice.reasons is not None and frozenset(voice.reasons) == frozenset(truth)


def _ordered(winner: frozenset[str], voices: Sequence[Voice]) -> tuple[str, ...]:
    """Return the reasons as those who named them order them, the weightiest order first."""
    orders: dict[tuple[str, ...], float] = defaultdict(float)
    firsts: dict[str, float] = defaultdict(float)
    for voice in voices:
        if voice.reasons and frozenset(voice.reasons) == winner:
            orders[voice.reasons] += voice.weight
            firsts[voice.reasons[0]] += voice.weight
    if not orders:
        return ()
    primary = min(firsts, key=lambda code: (-firsts[code], code))
    order = min(orders, key=lambda codes: (-orders[codes], codes))
    return (primary, *(code for code in order if code != primary))
