"""The promise: thresholds whose automatic decisions are right as often as was asked, proven."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from classifier.engine.calibration import Array
from classifier.engine.criticality import bars
from classifier.engine.metrics import best_matthews, micro_f1_by_threshold
from classifier.engine.proof import SURE, Tally, lowest_plain, lowest_proven
from classifier.engine.stream import Stream
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.thresholds import (
    EVEN,
    HeldOut,
    Proof,
    ProvenBy,
    Thresholds,
    ancestor_scores,
    best_ancestor,
)

MARGINS = (0.02, 0.1, 0.2, 0.3, 0.4)
"""Leads that are tried; below the first, the two best are as good as even."""
_WORTH = 0.002  # share of all texts that a wider margin must win, or it is luck
_CONFIRMS_BOUNDS = (0.2, 0.9)
# How many texts of the whole stand behind a failing category's own, when its threshold is raised.
_PULL = 20.0

Marks = NDArray[np.bool_]


def choose_thresholds(
    held_out: HeldOut,
    taxonomy: Taxonomy,
    target_precision: float,
    *,
    exclusive: bool,
    outsiders: Array | None = None,
    oos_share: float | None = None,
) -> Thresholds:
    """Return thresholds that keep the promised precision on unseen texts, deciding all they can.

    ``held_out`` must be out-of-fold or a validation part, never what is reported on. Every label
    must be in the taxonomy. What is proven is the whole of what is decided; a category that
    demonstrably falls short gets a higher threshold, and each says whether its own texts would
    prove it too. ``outsiders`` and ``oos_share``: see ``Stream.of``.
    """
    plain = Thresholds(
        exclusive=exclusive, target_precision=target_precision, oos_share=oos_share
    )
    if not held_out.truths:
        return replace(plain, accept=None)
    stream = Stream.of(
        held_out, taxonomy, exclusive=exclusive, outsiders=outsiders, oos_share=oos_share
    )
    found = _accepting(stream, target_precision, plain)
    low, high = _CONFIRMS_BOUNDS
    best_f1 = micro_f1_by_threshold(held_out.probabilities, held_out.truth_table())
    return replace(
        _proven(stream, replace(found, secondary=_secondary(stream, found))),
        confirms=min(max(best_f1, low), high),
        in_scope=_in_scope(held_out),
        bars=bars(held_out, taxonomy, exclusive=exclusive),
    )


def _accepting(stream: Stream, target: float, plain: Thresholds) -> Thresholds:
    """Return the thresholds for the likeliest label."""
    margin, accept = _margin(stream, target)
    alone = _alone(stream, stream.scores(margin), target)
    found = replace(plain, margin=margin, accept=accept, alone=alone)
    if accept is None:
        return replace(found, by_category=dict(alone))
    raised = _raised(stream, found, target)
    # Learnt from phrases alone: nothing says how often it would be right, so it is suggested only.
    unseen: dict[str, float | None] = dict.fromkeys(_never_true(stream.held_out))
    if not raised:
        return replace(found, by_category=unseen)
    # Without what was wrong too often, the others may be decided from a lower threshold on.
    scores = stream.scores(margin)
    scores = np.where(_passes(stream, replace(found, by_category=raised)), scores, -1.0)
    own = np.isin(stream.best, [stream.held_out.labels.index(code) for code in raised])
    scores = np.where(own, scores, stream.scores(margin))
    accept = _at_least_even(lowest_proven(scores, stream.right, target, weights=stream.weights))
    return replace(found, accept=accept, by_category=raised | unseen)


def _never_true(held_out: HeldOut) -> list[str]:
    """Return the labels that no held-out text is about."""
    known = frozenset[str]().union(*held_out.truths)
    return [label for label in held_out.labels if label not in known]


def _margin(stream: Stream, target: float) -> tuple[float, float | None]:
    """Return the lead to ask for, with its threshold: the least that no wider one beats."""
    found: tuple[float, float | None] | None = None
    covered = 0.0
    for margin in MARGINS if stream.exclusive else (0.0,):
        scores = stream.scores(margin)
        accept = _reaching_down(
            _at_least_even(lowest_proven(scores, stream.right, target, weights=stream.weights)),
            scores,
            target,
        )
        now = 0.0 if accept is None else stream.share(scores >= accept)
        if found is None or now > covered + _WORTH:
            found, covered = (margin, accept), now
    assert found is not None  # noqa: S101 - there is always a margin to try
    return found


def _reaching_down(accept: float | None, scores: Array, target: float) -> float | None:
    """Return the threshold; not above the target where it leaves out none of the texts.

    Then no text tells where to stop (so it is with few, easy texts), and what a calibrated
    probability says of itself is all there is to go by.
    """
    if accept is None or (scores[scores >= 0] < accept).any():
        return accept
    return min(accept, target)


def _alone(stream: Stream, scores: Array, target: float) -> dict[str, float]:
    """Return the thresholds of categories that their own texts prove."""
    found: dict[str, float] = {}
    for column, label in enumerate(stream.held_out.labels):
        own = stream.best == column
        least = _at_least_even(
            lowest_proven(scores[own], stream.right[own], target, weights=stream.weights[own])
        )
        if least is not None:
            found[label] = least
    return found


def _raised(stream: Stream, found: Thresholds, target: float) -> dict[str, float | None]:
    """Return higher thresholds for categories that are demonstrably right too seldom.

    Demonstrably: not by luck in any of them (the doubt is shared out after Bonferroni). What they
    are right is then estimated with the whole's share as if from ``_PULL`` texts more.
    """
    labels = stream.held_out.labels
    sure = 1 - (1 - SURE) / len(labels)
    decided = _passes(stream, found)
    whole = Tally.of(stream.right[decided], stream.weights[decided]).share
    raised: dict[str, float | None] = {}
    for column, label in enumerate(labels):
        own = decided & (stream.best == column)
        tally = Tally.of(stream.right[own], stream.weights[own])
        if tally.total and tally.at_most(sure) < target:
            raised[label] = _lowest_shrunk(stream, own, whole, target)
    return raised


def _lowest_shrunk(stream: Stream, own: Marks, whole: float, target: float) -> float | None:
    scores, weights = stream.held_out.confidence[own], stream.weights[own]
    kept = None
    for score in np.unique(scores)[::-1]:
        above = scores >= score
        tally = Tally.of(stream.right[own][above], weights[above])
        if (tally.right + _PULL * whole) / (tally.total + _PULL) >= target:
            kept = float(score)
    return kept


def _passes(stream: Stream, thresholds: Thresholds) -> Marks:
    """Return which texts the model decides alone, by their likeliest label."""
    never = 2.0
    accept = never if thresholds.accept is None else thresholds.accept
    least = np.full(len(stream.held_out.labels), accept)
    for column, label in enumerate(stream.held_out.labels):
        own = thresholds.by_category.get(label, accept)
        least[column] = never if own is None else own
    passed: Marks = stream.scores(thresholds.margin) >= least[stream.best]
    return passed


@dataclass(frozen=True, slots=True)
class _Ancestors:
    """The likeliest ancestor of each text that no label is sure of."""

    scores: Array
    right: Marks
    weights: Array

    @classmethod
    def of(cls, stream: Stream, decided: Marks) -> "_Ancestors":
        taxonomy = stream.taxonomy
        scores: list[float] = []
        right: list[bool] = []
        rows: list[int] = []
        for row in np.flatnonzero(~decided).tolist():
            shares = stream.held_out.probabilities[row].tolist()
            named = dict(zip(stream.held_out.labels, shares, strict=True))
            pooled = ancestor_scores(named, taxonomy, exclusive=stream.exclusive)
            if best := best_ancestor(pooled, taxonomy):
                scores.append(best[1])
                right.append(taxonomy.is_right(best[0], stream.held_out.truths[row]))
                rows.append(row)
        weights = stream.weights[np.array(rows, dtype=int)]
        return cls(np.array(scores, dtype=float), np.array(right, dtype=bool), weights)

    def tally(self, threshold: float | None) -> Tally:
        """Return what is answered from a threshold on."""
        if threshold is None:
            return Tally()
        passed = self.scores >= threshold
        return Tally.of(self.right[passed], self.weights[passed])


def _proven(stream: Stream, found: Thresholds) -> Thresholds:
    """Return the thresholds with that for ancestors, and with what all of them prove."""
    target = found.target_precision
    decided = _passes(stream, found)
    leaves = Tally.of(stream.right[decided], stream.weights[decided])
    inner = _Ancestors.of(stream, decided)
    back_off = _at_least_even(
        lowest_proven(inner.scores, inner.right, target, weights=inner.weights, beside=leaves)
    )
    tally = leaves + inner.tally(back_off)
    plainly = _passes(stream, _plain(stream, found))
    whole = Proof(
        ProvenBy.WHOLE if tally.at_least >= target else ProvenBy.NOTHING,
        tally.total,
        tally.right,
        tally.at_least,
        len(stream.held_out.truths),
        tally.total / float(stream.weights.sum()),
        _plain_coverage(stream, plainly, target),
    )
    proofs = _proofs(stream, found, whole, decided, plainly)
    return replace(found, back_off=back_off, whole=whole, proofs=proofs)


def _plain_coverage(stream: Stream, plainly: Marks, target: float) -> float:
    """Return the share of the stream that would be decided without proof, ancestors included."""
    inner = _Ancestors.of(stream, plainly)
    back_off = _at_least_even(
        lowest_plain(inner.scores, inner.right, target, weights=inner.weights)
    )
    return stream.share(plainly) + inner.tally(back_off).total / float(stream.weights.sum())


def _plain(stream: Stream, found: Thresholds) -> Thresholds:
    """Return what would be accepted if the plain share were proof enough."""
    accept = _at_least_even(
        lowest_plain(
            stream.scores(found.margin),
            stream.right,
            found.target_precision,
            weights=stream.weights,
        )
    )
    return replace(found, accept=accept, by_category={})


def _proofs(
    stream: Stream, found: Thresholds, whole: Proof, decided: Marks, plainly: Marks
) -> Mapping[str, Proof]:
    """Return what the texts of each label prove, with their siblings' and the whole's help."""
    labels = stream.held_out.labels
    truths = stream.held_out.truth_table()
    tallies = {
        label: Tally.of(stream.right[own], stream.weights[own])
        for column, label in enumerate(labels)
        for own in (decided & (stream.best == column),)
    }

    def proof(column: int, label: str) -> Proof:
        own, true = tallies[label], truths[:, column]
        by, bound = _proven_by(label, tallies, stream.taxonomy, found, whole)
        return Proof(
            by,
            own.total,
            own.right,
            bound,
            int(true.sum()),
            _share(decided, true),
            _share(plainly, true),
        )

    return {label: proof(column, label) for column, label in enumerate(labels)}


def _proven_by(
    label: str,
    tallies: Mapping[str, Tally],
    taxonomy: Taxonomy,
    found: Thresholds,
    whole: Proof,
) -> tuple[ProvenBy, float]:
    """Return whose texts prove a label, fewest first, and what they prove."""
    own = tallies[label]
    if found.by_category.get(label, found.accept) is None:
        return ProvenBy.NOTHING, own.at_least
    if own.at_least >= found.target_precision:
        return ProvenBy.ALONE, own.at_least
    together = sum((tallies[other] for other in _siblings(label, tallies, taxonomy)), own)
    if together.at_least >= found.target_precision:
        return ProvenBy.SIBLINGS, together.at_least
    return whole.by, whole.at_least


def _siblings(label: str, known: Mapping[str, Tally], taxonomy: Taxonomy) -> Sequence[str]:
    """Return the labels below the same parent; those at the top have none: that is the whole."""
    parent = next(iter(taxonomy.ancestors(label)), None)
    if parent is None:
        return ()
    return [other for other in taxonomy.children(parent) if other != label and other in known]


def _secondary(stream: Stream, found: Thresholds) -> float | None:
    """Return the threshold for further reasons, from what is likely besides an accepted best.

    It is not the threshold of the best: of the second likeliest far fewer are right, however
    likely (starter pack, out-of-fold: 39 % where F1 is highest, 61 % from 0.9 on, hence none).
    """
    taxonomy, labels = stream.taxonomy, stream.held_out.labels
    further = [
        (share, taxonomy.is_right(label, stream.held_out.truths[row]), stream.weights[row])
        for row in np.flatnonzero(_passes(stream, found)).tolist()
        for label, share in _besides_the_best(
            labels, stream.held_out.probabilities[row], taxonomy
        )
    ]
    if not further:
        return None
    scores, right, weights = zip(*further, strict=True)
    return lowest_proven(
        np.array(scores),
        np.array(right, dtype=bool),
        found.target_precision,
        weights=np.array(weights),
    )


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


def _share(marks: Marks, among: Marks) -> float | None:
    return float(marks[among].mean()) if among.any() else None
