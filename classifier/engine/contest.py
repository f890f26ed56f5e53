"""Contest: two models answer the same unseen texts, and what comes of it is a ``Comparison``. Pure."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from classifier.engine.calibration import calibration_error
from classifier.engine.cascade import weigh
from classifier.engine.chance import Floats, Measured, Paired, Share, measured
from classifier.engine.comparison import (
    Change,
    Comparison,
    Flip,
    KnownTo,
    Line,
    Score,
    Showing,
)
from classifier.engine.example import Example
from classifier.engine.policy import Policy
from classifier.engine.rules import RuleBook
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.text_model import TextModel
from classifier.engine.thresholds import HeldOut
from classifier.engine.verdict import Verdict

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_BATCH = 200

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Contender:
    """One model's answers to the texts, in their order."""

    labels: frozenset[str]
    """The categories that it has learnt."""
    verdicts: tuple[Verdict, ...]
    """As served: after the rules, at its own thresholds."""
    guesses: HeldOut
    """The model's own probabilities, for categories that may be answered."""

    @classmethod
    def of(
        cls,
        model: TextModel,
        examples: Sequence[Example],
        rulebook: RuleBook,
        taxonomy: Taxonomy,
        *,
        policy: Policy | None = None,
        on_batch: Callable[[int], None] = lambda _done: None,
    ) -> Self:
        """Return what a model answers; ``on_batch`` hears the number of texts done.

        ``policy``: as served, the thresholds apart, which are the model's own.
        """
        policy = replace(policy or Policy(taxonomy), thresholds=model.thresholds)
        labels = tuple(label for label in model.labels if label in taxonomy)
        verdicts: list[Verdict] = []
        rows: list[list[float]] = []
        for start in range(0, len(examples), _BATCH):
            batch = [example.transcript for example in examples[start : start + _BATCH]]
            for verdict, shares in weigh(batch, rulebook, model, policy):
                verdicts.append(verdict)
                rows.append([shares[label] for label in labels])
            on_batch(len(verdicts))
        table = np.array(rows, dtype=np.float64).reshape(len(examples), len(labels))
        truths = tuple(example.categories for example in examples)
        return cls(frozenset(model.labels), tuple(verdicts), HeldOut(labels, table, truths))


def compare(
    examples: Sequence[Example],
    taxonomy: Taxonomy,
    candidate: Contender,
    champion: Contender | None,
) -> Comparison:
    """Return how the candidate does beside the champion; without one, how it does alone.

    ``examples`` must be new to both. Categories that only one of them has learnt count: rightly
    answering a new category is what a new model is for. ``common`` tells how they do without.
    """
    if not examples:
        return Comparison(0, None)
    ours = _Marks(examples, taxonomy, candidate)
    if champion is None:
        return Comparison(len(examples), ours.showing(), lines=_lines(ours, None, taxonomy))
    theirs = _Marks(examples, taxonomy, champion)
    shared = candidate.labels & champion.labels
    is_common = np.array([example.categories <= shared for example in examples], dtype=bool)
    in_scope = ours.in_scope
    return Comparison(
        len(examples),
        ours.showing(),
        theirs.showing(),
        rights=_paired(ours.right, theirs.right),
        mistakes=_paired(~ours.wrong, ~theirs.wrong),
        guesses=_paired(ours.guessed[in_scope], theirs.guessed[in_scope]),
        common_texts=int(is_common.sum()),
        common=_paired(ours.right[is_common], theirs.right[is_common]),
        changes=_changes(ours, theirs),
        lines=_lines(ours, theirs, taxonomy),
        flips=_flips(examples, ours, theirs),
    )


class _Marks:
    """One contender's answers as flags: texts, and texts × categories."""

    def __init__(
        self, examples: Sequence[Example], taxonomy: Taxonomy, contender: Contender
    ) -> None:
        self.contender = contender
        self.taxonomy = taxonomy
        self.truths = [example.categories for example in examples]
        self.said = [
            tuple(reason.category for reason in verdict.reasons)
            for verdict in contender.verdicts
        ]
        self.in_scope = np.array([bool(truths) for truths in self.truths], dtype=bool)
        self.decided = np.array([bool(said) for said in self.said], dtype=bool)
        pairs = list(zip(self.said, self.truths, strict=True))
        self.right = np.array([self._is_right(*pair) for pair in pairs], dtype=bool)
        self.wrong = self.decided & ~self.right
        self.guessed = self._guessed()

    def showing(self) -> Showing:
        micro, macro = measured(len(self.truths), self.f1)
        confidence, guessed = self._confidence()[self.in_scope], self.guessed[self.in_scope]
        return Showing(
            right=_share(self.right),
            coverage=_share(self.decided),
            precision=_share(self.right[self.decided]),
            out_of_scope=_share(~self.decided[~self.in_scope]),
            first_guess=_share(guessed),
            micro_f1=micro,
            macro_f1=macro,
            ece=calibration_error(confidence, guessed),
        )

    def f1(self, weights: Floats) -> Floats:
        """Return resamples × (micro-F1, macro-F1)."""
        hits, totals = weights @ self._hits, weights @ self._totals
        all_hits, all_totals = hits.sum(axis=1), totals.sum(axis=1)
        micro = np.divide(2 * all_hits, all_totals, where=all_totals > 0, out=all_hits * 0)
        own = np.divide(2 * hits, totals, where=totals > 0, out=hits * 0)
        seen = (totals > 0).sum(axis=1)
        macro = np.divide(own.sum(axis=1), seen, where=seen > 0, out=micro * 0)
        return np.column_stack([micro, macro])

    def marks(self, codes: Sequence[str]) -> tuple[Flags, Flags]:
        """Return texts × codes: said, true; what lies below a category counts as it too."""
        families = [self.taxonomy.family(code) for code in codes]
        return _table(self.said, families), _table(self.truths, families)

    @cached_property
    def _hits(self) -> "csr_matrix":
        return _hits(*self._exact)

    @cached_property
    def _totals(self) -> "csr_matrix":
        return _totals(*self._exact)

    @cached_property
    def _exact(self) -> tuple[Flags, Flags]:
        codes = sorted({code for codes in (*self.said, *self.truths) for code in codes})
        families = [frozenset([code]) for code in codes]
        return _table(self.said, families), _table(self.truths, families)

    def _is_right(self, said: Sequence[str], truths: frozenset[str]) -> bool:
        if not said or not truths:
            return not said and not truths
        return self.taxonomy.is_right(said[0], truths)

    def _guessed(self) -> Flags:
        guesses = self.contender.guesses
        if not guesses.labels:
            return np.zeros(len(self.truths), dtype=bool)
        pairs = zip(guesses.answers, self.truths, strict=True)
        return np.array([answer in truths for answer, truths in pairs], dtype=bool)

    def _confidence(self) -> Floats:
        return self.contender.guesses.confidence


def _share(flags: Flags) -> Share:
    return Share(int(flags.sum()), len(flags))


def _paired(ours: Flags, theirs: Flags) -> Paired:
    return Paired(int((ours & ~theirs).sum()), int((theirs & ~ours).sum()))


def _table(rows: Sequence[Collection[str]], families: Sequence[frozenset[str]]) -> Flags:
    table = [[not family.isdisjoint(codes) for family in families] for codes in rows]
    return np.array(table, dtype=bool).reshape(len(rows), len(families))


def _hits(said: Flags, true: Flags) -> "csr_matrix":
    return _counted(said & true)


def _totals(said: Flags, true: Flags) -> "csr_matrix":
    return _counted(said) + _counted(true)


def _counted(flags: Flags) -> "csr_matrix":
    # Only here: a worker that decides would hold 10 MB of scipy for nothing.
    from scipy.sparse import csr_matrix  # noqa: PLC0415

    return csr_matrix(flags, dtype=np.float64)


def _changes(ours: _Marks, theirs: _Marks) -> dict[str, Measured]:
    gained = np.column_stack(
        [
            ours.right.astype(np.float64) - theirs.right,
            ours.decided.astype(np.float64) - theirs.decided,
        ]
    )

    def figures(weights: Floats) -> Floats:
        shares = weights @ gained / weights.sum(axis=1, keepdims=True)
        return np.hstack([shares, ours.f1(weights) - theirs.f1(weights)])

    names = ("right", "coverage", "micro_f1", "macro_f1")
    return dict(zip(names, measured(len(ours.truths), figures), strict=True))


def _lines(ours: _Marks, theirs: _Marks | None, taxonomy: Taxonomy) -> tuple[Line, ...]:
    """Return a line for each category that is true or said somewhere."""
    answerers = [ours, theirs] if theirs else [ours]
    named = {
        code for each in answerers for codes in (*each.said, *each.truths) for code in codes
    }
    with_parents = named | {above for code in named for above in taxonomy.ancestors(code)}
    codes = sorted(with_parents)
    tables = [each.marks(codes) for each in answerers]
    changes = _f1_changes(tables) if theirs else [None] * len(codes)
    lines = [
        Line(
            code,
            texts=int(tables[0][1][:, column].sum()),
            known_to=_known_to(taxonomy.family(code), ours, theirs),
            candidate=_score(tables[0], column),
            champion=_score(tables[1], column) if theirs else None,
            change=changes[column],
        )
        for column, code in enumerate(codes)
    ]
    return tuple(
        sorted(lines, key=lambda line: -abs(line.change.value) if line.change else 0.0)
    )


def _f1_changes(tables: Sequence[tuple[Flags, Flags]]) -> list[Measured | None]:
    numbers = [(_hits(*table), _totals(*table)) for table in tables]

    def figures(weights: Floats) -> Floats:
        ours, theirs = (
            np.divide(2 * (weights @ hits), total, where=total > 0, out=total * 0)
            for hits, totals in numbers
            for total in [weights @ totals]
        )
        change: Floats = ours - theirs
        return change

    return [*measured(len(tables[0][0]), figures)]


def _score(table: tuple[Flags, Flags], column: int) -> Score:
    said, true = table[0][:, column], table[1][:, column]
    return Score(_share(true[said]), _share(said[true]))


def _known_to(family: frozenset[str], ours: _Marks, theirs: _Marks | None) -> KnownTo:
    we = not family.isdisjoint(ours.contender.labels)
    they = theirs is not None and not family.isdisjoint(theirs.contender.labels)
    if we and (they or theirs is None):
        return KnownTo.BOTH
    if we:
        return KnownTo.CANDIDATE
    return KnownTo.CHAMPION if they else KnownTo.NEITHER


def _flips(examples: Sequence[Example], ours: _Marks, theirs: _Marks) -> tuple[Flip, ...]:
    flips = []
    for row, example in enumerate(examples):
        change = _change(ours, theirs, row)
        if change is not None:
            truths = tuple(sorted(example.categories))
            flips.append(Flip(example.key, change, truths, ours.said[row], theirs.said[row]))
    return tuple(flips)


def _change(ours: _Marks, theirs: _Marks, row: int) -> Change | None:
    if ours.right[row] != theirs.right[row]:
        return Change.BETTER if ours.right[row] else Change.WORSE
    is_same = ours.said[row][:1] == theirs.said[row][:1]
    return None if is_same or ours.right[row] else Change.NEITHER_RIGHT
