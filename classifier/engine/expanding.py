"""Expanding: more to learn from than people labelled, and whether it helps on unseen texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from classifier.engine.augmenting import Further
from classifier.engine.cascade import classify
from classifier.engine.chance import Floats, Measured, Paired, measured
from classifier.engine.example import Example
from classifier.engine.grammar import Effect
from classifier.engine.learning import learn, learn_and_score
from classifier.engine.policy import Policy
from classifier.engine.recipe import Recipe
from classifier.engine.rules import RuleBook
from classifier.engine.taxonomy import Node, Taxonomy
from classifier.engine.text import Transcript

_BATCH = 500  # transcripts that are read at a time

Marks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Gain:
    """What an expansion does, out-of-fold on the labelled examples alone; shares in [0, 1]."""

    accuracy: Measured
    """By how much the share of likeliest labels that are right grows; with its 95 % interval."""
    decided: Measured
    """By how much the share of texts grows that are decided without a person, and rightly."""
    answers: Paired
    """The texts whose likeliest label came right, or wrong."""

    @property
    def helps(self) -> bool:
        """Say whether one of the two grows beyond chance and the other does not shrink so."""
        grows = self.accuracy.low > 0 or self.decided.low > 0
        return grows and self.accuracy.high >= 0 and self.decided.high >= 0

    @property
    def words(self) -> str:
        """The finding in a sentence."""
        verdict = "It helps" if self.helps else "It does not help beyond chance"
        return (
            f"{verdict}: accuracy {_points(self.accuracy)}, decided rightly without a person"
            f" {_points(self.decided)}."
        )


def gain(
    examples: Sequence[Example],
    recipe: Recipe,
    *,
    expanded: Recipe | None = None,
    further: Further | None = None,
    names: Mapping[str, str] | None = None,
    taxonomy: Taxonomy | None = None,
) -> Gain:
    """Return what another recipe, or further texts, add to a recipe.

    Both are learnt and scored on the same folds of ``examples``. Further texts are made anew for
    each fold from the part that it learns from, so nothing of what is scored leaks into them.

    Raises:
        NothingToLearn: fewer than two categories have an example, or no words are common.
    """
    before = _scored(examples, recipe, None, names, taxonomy)
    after = _scored(examples, expanded or recipe, further, names, taxonomy)
    right, decided = (
        _difference(earlier, later) for earlier, later in zip(before, after, strict=True)
    )
    better, worse = int((after[0] & ~before[0]).sum()), int((before[0] & ~after[0]).sum())
    return Gain(right, decided, Paired(better, worse))


def voted(unlabelled: Sequence[Example], rulebook: RuleBook) -> list[Example]:
    """Return the examples on which assigning rules agree, labelled by them (weak labels).

    Where rules name two categories, or one is vetoed, the text stays unlabelled.
    """
    found: list[Example] = []
    hits = rulebook.match_all([example.transcript for example in unlabelled])
    for example, said in zip(unlabelled, hits, strict=True):
        named = {hit.rule.category for hit in said if hit.rule.effect is Effect.ASSIGN}
        vetoed = {hit.rule.category for hit in said if hit.rule.effect is Effect.VETO}
        if len(named) == 1 and not named & vetoed:
            found.append(replace(example, categories=frozenset(named)))
    return found


def self_taught(
    examples: Sequence[Example],
    unlabelled: Sequence[Example],
    recipe: Recipe,
    *,
    names: Mapping[str, str] | None = None,
    taxonomy: Taxonomy | None = None,
) -> list[Example]:
    """Return the unlabelled texts that a model of ``examples`` would decide by itself, as decided.

    The gate is the promise: what is taken is right as often as the recipe's target precision.
    """
    labels = sorted({label for example in examples for label in example.categories})
    tree = taxonomy or Taxonomy(tuple(Node(label, label) for label in labels))
    model = learn(examples, recipe, names=names, taxonomy=tree)
    policy = Policy(tree, model.thresholds)
    taken: list[Example] = []
    for start in range(0, len(unlabelled), _BATCH):
        some = unlabelled[start : start + _BATCH]
        transcripts: list[Transcript] = [example.transcript for example in some]
        verdicts = classify(transcripts, RuleBook(), model, policy)
        taken += [
            replace(example, categories=frozenset([verdict.primary.category]))
            for example, verdict in zip(some, verdicts, strict=True)
            if verdict.primary
            and verdict.primary.category in labels  # no parent of unsure ones
        ]
    return taken


def voting(unlabelled: Sequence[Example], rulebook: RuleBook) -> Further:
    """Return what adds weak labels to each fit; the rules must not know what is scored."""
    labelled = voted(unlabelled, rulebook)
    return lambda _seen: labelled


def self_teaching(
    unlabelled: Sequence[Example],
    recipe: Recipe,
    *,
    names: Mapping[str, str] | None = None,
    taxonomy: Taxonomy | None = None,
) -> Further:
    """Return what adds to each fit the texts that a model of its own examples is sure of."""
    return lambda seen: self_taught(seen, unlabelled, recipe, names=names, taxonomy=taxonomy)


def _scored(
    examples: Sequence[Example],
    recipe: Recipe,
    further: Further | None,
    names: Mapping[str, str] | None,
    taxonomy: Taxonomy | None,
) -> tuple[Marks, Marks]:
    """Return for each in-scope example whether its answer is right, and decided and right."""
    learned = learn_and_score(examples, recipe, names=names, taxonomy=taxonomy, further=further)
    unseen, thresholds = learned.held_out, learned.model.thresholds
    rows = zip(unseen.answers, unseen.confidence.tolist(), unseen.truths, strict=True)
    found = [
        (answer in truth, answer in truth and thresholds.accepts(answer, confidence))
        for answer, confidence, truth in rows
        if truth
    ]
    table = np.array(found, dtype=bool).reshape(len(found), 2)
    return table[:, 0], table[:, 1]


def _difference(before: Marks, after: Marks) -> Measured:
    change = after.astype(np.float64) - before

    def figures(weights: Floats) -> Floats:
        means: Floats = (weights @ change / weights.sum(axis=1))[:, None]
        return means

    (found,) = measured(len(change), figures)
    return found


def _points(change: Measured) -> str:
    value, low, high = (100 * each for each in (change.value, change.low, change.high))
    return f"{value:+.1f} points ({low:+.1f} to {high:+.1f})"
