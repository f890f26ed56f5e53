"""Thresholds: from which probability on the engine decides by itself, chosen out-of-fold."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.engine.calibration import Array
from classifier.engine.metrics import best_matthews, micro_f1_by_threshold
from classifier.engine.taxonomy import Taxonomy

# Standard errors of safety. Measured on 72 draws of 150 to 400 training texts with 12 to 24 labels,
# target 0.95, each on 1,500 unseen texts: 0 keeps 0.950 on average and misses in a third of the
# draws, 1 keeps 0.96 and decides 78 to 97 %, 1.64 (a strict bound) keeps 0.97 and decides 68 to 95 %.
CAUTION = 1.0
EVEN = 0.5  # easy texts would keep the promise on average with far lower thresholds
_CONFIRMS_BOUNDS = (0.2, 0.9)


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
    by_category: Mapping[str, float] = field(default_factory=dict)
    """Stands in for ``accept`` where a category has one of its own."""
    exclusive: bool = True
    """Probabilities are shares of one whole (they may be added), not several yes-or-noes."""
    target_precision: float = 0.95
    """What ``accept``, ``back_off`` and ``secondary`` promise: the share that is right."""

    def accepts(self, category: str, probability: float) -> bool:
        """Say whether the model alone may decide for a category."""
        least = self.by_category.get(category, self.accept)
        return least is not None and probability >= least

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

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {**asdict(self), "by_category": dict(self.by_category)}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> "Thresholds":
        """Return the thresholds that ``to_dict`` wrote.

        Raises:
            TypeError: an unknown key.
        """
        return cls(**found)


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

    def truth_table(self) -> NDArray[np.bool_]:
        """Return texts × labels: is it true?"""
        table = [[label in truths for label in self.labels] for truths in self.truths]
        return np.array(table, dtype=bool).reshape(self.probabilities.shape)


def choose_thresholds(
    held_out: HeldOut, taxonomy: Taxonomy, target_precision: float, *, exclusive: bool
) -> Thresholds:
    """Return thresholds that keep the promised precision on unseen texts, deciding all they can.

    ``held_out`` must be out-of-fold or a validation part, never what is reported on. Every label
    must be in the taxonomy.
    """
    plain = Thresholds(exclusive=exclusive, target_precision=target_precision)
    if not held_out.truths:
        return replace(plain, accept=None)
    right = _rightness(held_out.answers, held_out.truths, taxonomy)
    accept = _at_least_even(lowest_keeping(held_out.confidence, right, target_precision))
    low, high = _CONFIRMS_BOUNDS
    best_f1 = micro_f1_by_threshold(held_out.probabilities, held_out.truth_table())
    return replace(
        plain,
        accept=accept,
        back_off=_back_off(held_out, taxonomy, target_precision, accept, exclusive=exclusive),
        secondary=_secondary(held_out, taxonomy, target_precision, accept),
        confirms=min(max(best_f1, low), high),
        in_scope=_in_scope(held_out),
    )


def lowest_keeping(scores: Array, right: NDArray[np.bool_], target: float) -> float | None:
    """Return the lowest score from which on at least ``target`` are right, None if there is none.

    The share right among the n best must beat the target by ``CAUTION`` standard errors, which
    shrink as 1/√n: large sets pay next to nothing for safety, and a small one (150 texts) needs
    19 right answers in a row, not the thousands that a strict bound would ask for.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    n = np.arange(1, len(ranked) + 1)
    share = np.cumsum(right[order]) / n
    margin = CAUTION * np.sqrt(target * (1 - target) / n)
    # Texts of one score stand or fall together: only the last of them may carry the threshold.
    ends = np.append(ranked[:-1] != ranked[1:], True)[: len(ranked)]
    kept = np.flatnonzero((share - margin >= target) & ends)
    return float(ranked[kept[-1]]) if kept.size else None


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


def _back_off(
    held_out: HeldOut,
    taxonomy: Taxonomy,
    target: float,
    accept: float | None,
    *,
    exclusive: bool,
) -> float | None:
    """Return the threshold for ancestors, from the texts that no leaf is sure of."""
    scores: list[float] = []
    answers: list[str] = []
    truths: list[frozenset[str]] = []
    for row, truth in zip(held_out.probabilities.tolist(), held_out.truths, strict=True):
        if accept is not None and max(row) >= accept:
            continue
        named = dict(zip(held_out.labels, row, strict=True))
        found = best_ancestor(ancestor_scores(named, taxonomy, exclusive=exclusive), taxonomy)
        if found:
            answers.append(found[0])
            scores.append(found[1])
            truths.append(truth)
    if not scores:
        return None
    right = _rightness(answers, truths, taxonomy)
    return _at_least_even(lowest_keeping(np.array(scores), right, target))


def _secondary(
    held_out: HeldOut, taxonomy: Taxonomy, target: float, accept: float | None
) -> float | None:
    """Return the threshold for further reasons, from what is likely besides an accepted best.

    It is not the threshold of the best: of the second likeliest far fewer are right, however
    likely (starter pack, out-of-fold: 39 % where F1 is highest, 61 % from 0.9 on, hence none).
    """
    further = [
        (share, taxonomy.is_right(label, truth))
        for row, truth in zip(held_out.probabilities, held_out.truths, strict=True)
        if accept is not None and row.max(initial=0.0) >= accept
        for label, share in _besides_the_best(held_out.labels, row, taxonomy)
    ]
    if not further:
        return None
    scores, right = zip(*further, strict=True)
    return lowest_keeping(np.array(scores), np.array(right, dtype=bool), target)


def _besides_the_best(
    labels: Sequence[str], row: Array, taxonomy: Taxonomy
) -> list[tuple[str, float]]:
    """Return what is likelier than not and of no line with anything likelier, but the best."""
    taken: list[tuple[str, float]] = []
    for column in np.argsort(-row, kind="stable")[: int((row >= EVEN).sum())].tolist():
        if not any(taxonomy.are_related(labels[column], other) for other, _ in taken):
            taken.append((labels[column], float(row[column])))
    return taken[1:]


def _at_least_even(threshold: float | None) -> float | None:
    """Return the threshold, but never one that would accept what is likelier wrong than right."""
    return None if threshold is None else max(threshold, EVEN)


def _in_scope(held_out: HeldOut) -> float:
    """Return the threshold that tells texts out of scope best; 0 where none were labelled so."""
    if all(held_out.truths):
        return 0.0
    return best_matthews(held_out.answers, held_out.confidence, held_out.truths)[0]


def _rightness(
    answers: Sequence[str], truths: Sequence[frozenset[str]], taxonomy: Taxonomy
) -> NDArray[np.bool_]:
    pairs = zip(answers, truths, strict=True)
    return np.array([taxonomy.is_right(answer, truth) for answer, truth in pairs], dtype=bool)
