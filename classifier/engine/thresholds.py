"""Thresholds: from which probability on the engine decides by itself, and what proves them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.engine.calibration import Array
from classifier.engine.taxonomy import Taxonomy

EVEN = 0.5  # easy texts would keep the promise on average with far lower thresholds


class ProvenBy(StrEnum):
    """Whose held-out texts prove that a category keeps the promised precision."""

    ALONE = "alone"
    """Its own."""
    SIBLINGS = "siblings"
    """Its own and those of the categories beside it, below the same parent."""
    WHOLE = "whole"
    """Only those of all categories together."""
    NOTHING = "nothing"
    """Nothing does: the model alone never decides for it."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What held-out texts say about the automatic decisions for one category, or for all."""

    by: ProvenBy
    decided: float
    """Texts decided to be of the category; weighed, where a share out of scope is assumed."""
    right: float
    at_least: float
    """Precision that the texts of ``by`` prove: lower bound, one-sided, 95 % sure."""
    texts: int
    """Texts that truly are of the category."""
    coverage: float | None
    """Share of those that are decided; None: of nothing."""
    coverage_plain: float | None
    """The same with the plain estimate in the bound's place: what the proof costs."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A probability that so many of a category's true texts pass, for critical categories."""

    floor: float
    """Share of the true texts that shall pass, in (0, 1)."""
    probability: float
    at_least: float
    """Share that is proven to pass, one-sided, 95 % sure; below ``floor`` with too few texts."""
    texts: int
    """True texts that it rests on."""
    alerted: float
    """Share of all texts that pass, right or wrong: what a person has to look at, at most."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities in [0, 1] from which on something is done; None: never."""

    accept: float | None = 0.9
    """The best category becomes the reason."""
    back_off: float | None = None
    """An ancestor of categories too unsure becomes the reason; its probability is pooled."""
    secondary: float | None = 0.9
    """A further category becomes a further reason on the model's word."""
    confirms: float = 0.5
    """A category counts as said: the best trade of missed for wrong, so the one for F1, and for
    a rule to be confirmed. No promise, so never enough for a reason."""
    in_scope: float = 0.0
    """Below, the best category is so unlikely that the text is about none of them."""
    margin: float = 0.0
    """By how much the best must lead over the next that is not of its line, to become the reason.
    Where categories exclude each other only."""
    by_category: Mapping[str, float | None] = field(default_factory=dict)
    """Stands in for ``accept`` where a category has one of its own."""
    alone: Mapping[str, float] = field(default_factory=dict)
    """Stands in for both where a proof of the category's own is demanded; missing: no proof."""
    exclusive: bool = True
    """Probabilities are shares of one whole (they may be added), not several yes-or-noes."""
    target_precision: float = 0.95
    """What ``accept``, ``back_off`` and ``secondary`` promise: the share that is right."""
    oos_share: float | None = None
    """Assumed share of texts out of scope; None: as labelled."""
    whole: Proof | None = None
    """What all automatic decisions together prove; None: nothing was held out."""
    proofs: Mapping[str, Proof] = field(default_factory=dict)
    """The same for each category that the model knows."""
    bars: Mapping[str, tuple[Bar, ...]] = field(default_factory=dict)
    """For each category, the lowest floor first; see ``bar``."""

    def accepts(self, category: str, probability: float, lead: float = 1.0) -> bool:
        """Say whether the model alone may decide for a category."""
        least = self.by_category.get(category, self.accept)
        return least is not None and probability >= least and self._leads(lead)

    def accepts_alone(self, category: str, probability: float, lead: float = 1.0) -> bool:
        """Say the same where the category's own texts must prove it."""
        least = self.alone.get(category)
        return least is not None and probability >= least and self._leads(lead)

    def backs_off(self, probability: float) -> bool:
        """Say whether an ancestor of this pooled probability may be answered."""
        return self.back_off is not None and probability >= self.back_off

    def adds(self, category: str, probability: float) -> bool:
        """Say whether the model alone may name a category besides another.

        Where categories exclude each other it must be as sure as if it stood alone: only a rule
        can then have taken the first place.
        """
        if self.exclusive:
            return self.accepts(category, probability)
        if self.secondary is None or probability < self.secondary:
            return False
        return category not in self.by_category or self.accepts(category, probability)

    def bar(self, category: str, floor: float) -> Bar | None:
        """Return the bar of a category for the lowest floor not below ``floor``.

        Where none is as strict, the strictest; None: the model never learnt the category.
        """
        known = self.bars.get(category)
        if not known:
            return None
        return next((bar for bar in known if bar.floor >= floor), known[-1])

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {**asdict(self), "by_category": dict(self.by_category)}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> "Thresholds":
        """Return the thresholds that ``to_dict`` wrote, also an earlier version's.

        Raises:
            TypeError: an unknown key.
        """
        whole = found.get("whole")
        nested = {
            "whole": _proof(whole) if whole else None,
            "proofs": {code: _proof(one) for code, one in found.get("proofs", {}).items()},
            "bars": {
                code: tuple(Bar(**bar) for bar in bars)
                for code, bars in found.get("bars", {}).items()
            },
        }
        return cls(**{**found, **nested})

    def _leads(self, lead: float) -> bool:
        return not self.exclusive or lead >= self.margin


def _proof(found: Mapping[str, Any]) -> Proof:
    return Proof(**{**found, "by": ProvenBy(found["by"])})


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What a model said about labelled texts that it had not seen."""

    labels: tuple[str, ...]
    probabilities: Array
    """Texts × labels, calibrated."""
    truths: tuple[frozenset[str], ...]
    """The true categories of each text; none: out of scope."""

    @property
    def best(self) -> NDArray[np.int64]:
        """The column of each text's likeliest label."""
        columns: NDArray[np.int64] = np.argmax(self.probabilities, axis=1)
        return columns

    @property
    def confidence(self) -> Array:
        """Each text's highest probability."""
        highest: Array = self.probabilities.max(axis=1, initial=0.0)
        return highest

    @property
    def answers(self) -> list[str]:
        """Each text's likeliest label."""
        return [self.labels[column] for column in self.best]

    def joined(self, other: "HeldOut") -> "HeldOut":
        """Return these texts and the other's, which must have the same labels."""
        if self.labels != other.labels:
            raise ValueError("texts of different labels")
        rows = np.vstack([self.probabilities, other.probabilities])
        return HeldOut(self.labels, rows, self.truths + other.truths)

    def truth_table(self) -> NDArray[np.bool_]:
        """Return texts × labels: is it true?"""
        table = [[label in truths for label in self.labels] for truths in self.truths]
        return np.array(table, dtype=bool).reshape(self.probabilities.shape)


def pooled(shares: Sequence[float], *, exclusive: bool) -> float:
    """Return the probability that at least one of several categories is true.

    Exclusive ones add up. Others are taken as independent, which for categories of one parent
    errs on the low side.
    """
    if exclusive:
        return min(1.0, float(sum(shares)))
    return 1.0 - float(np.prod([1.0 - share for share in shares]))


def ancestor_scores(
    probabilities: Mapping[str, float], taxonomy: Taxonomy, *, exclusive: bool
) -> dict[str, float]:
    """Return the pooled probability of every category that has others below it."""
    below: dict[str, list[float]] = {}
    for code, probability in probabilities.items():
        for ancestor in taxonomy.ancestors(code):
            below.setdefault(ancestor, []).append(probability)
    return {
        code: pooled([*shares, probabilities.get(code, 0.0)], exclusive=exclusive)
        for code, shares in below.items()
    }


def best_ancestor(scores: Mapping[str, float], taxonomy: Taxonomy) -> tuple[str, float] | None:
    """Return the likeliest of the deepest inner categories; a tie falls to the lower code.

    One candidate per text, whatever its threshold, so that choosing the threshold and applying
    it look at the same candidate.
    """
    if not scores:
        return None
    return min(
        scores.items(), key=lambda item: (-item[1], -len(taxonomy.ancestors(item[0])), item[0])
    )
