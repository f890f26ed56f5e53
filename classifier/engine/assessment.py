"""Assessment: whether labels that people gave are worth learning from, and which are doubtful."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from classifier.engine.example import Example
from classifier.engine.mixups import MixUp, mix_ups
from classifier.engine.prospects import (
    Lesson,
    Need,
    Precision,
    Prospect,
    curve,
    needs,
    prospect,
)
from classifier.engine.recipe import Recipe
from classifier.engine.rehearsal import Rehearsal
from classifier.engine.suspicion import Suspicion, suspicion

TARGETS = (0.9, 0.95)
LEARNERS = 12_000
"""Texts that are learnt from at most, drawn by lot; all are scored. More change the figures by
less than their interval, and cost minutes."""
FEW = 15_000
"""Texts; of fewer the out-of-fold scores have five parts at least: a first model learns from 85 %
of the labels, and scores by models of two thirds promise two points too little."""
LESSONS = (0.25, 0.5)
"""Shares of the examples that the learning curve is drawn through, besides all."""

Marks = NDArray[np.bool_]
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Assessed:
    """What labelled texts promise. Arrays have one entry per text, in the order of ``keys``."""

    keys: tuple[str, ...]
    labels: tuple[str, ...]
    tags: NDArray[np.int64]
    """Each text's own label, as a column."""
    read_as: NDArray[np.int64]
    """What a model that had not seen the text takes it for, as a column."""
    suspicion: Suspicion
    prospects: tuple[Prospect, ...]
    """One for each of ``TARGETS``."""
    needs: tuple[Need, ...]
    """One per label."""
    mix_ups: list[MixUp]
    curve: tuple[Precision, ...]


def assess(
    examples: Sequence[Example],
    recipe: Recipe | None = None,
    *,
    on_progress: Progress | None = None,
) -> Assessed:
    """Return what examples with one label each promise; equal examples give equal answers.

    Every figure is from out-of-fold scores. Labels that look wrong are neither learnt from nor
    taken for the truth, but their texts count as texts.

    Raises:
        NothingToLearn: fewer than two labels have an example, or no words are common.
        ValueError: an example has no label, or several.
    """
    tell = on_progress or _tell_nobody
    tell("reading the words", 0.0)
    told = recipe or Recipe()
    if told.folds is None and len(examples) < FEW:
        told = replace(told, folds=_folds_of_few(len(examples)))
    rehearsal = Rehearsal.of(examples, told)
    draw = np.random.default_rng(told.seed).permutation(len(examples))
    drawn = np.zeros(len(examples), dtype=bool)
    drawn[draw[:LEARNERS]] = True

    first = rehearsal.held_out(drawn, on_progress=_part(tell, "first reading", 0.1, 0.4))
    found = suspicion(first, rehearsal.tags)
    trusted = ~found.mask()
    lessons = _lessons(rehearsal, draw, trusted, _part(tell, "fewer examples", 0.4, 0.65))
    held_out = rehearsal.held_out(
        drawn & trusted, on_progress=_part(tell, "second reading", 0.65, 0.98)
    )
    prospects = tuple(prospect(held_out, rehearsal.tags, trusted, each) for each in TARGETS)
    have = np.bincount(rehearsal.tags[trusted], minlength=len(rehearsal.labels))
    today = _lesson(rehearsal, drawn & trusted, prospects[-1])
    tell("assessed", 1.0)
    return Assessed(
        rehearsal.keys,
        rehearsal.labels,
        rehearsal.tags,
        held_out.best,
        found,
        prospects,
        needs([*lessons, today], have),
        mix_ups(held_out, rehearsal.tags, rehearsal.twins()),
        curve(held_out, rehearsal.tags, trusted),
    )


def _lessons(
    rehearsal: Rehearsal, draw: NDArray[np.int64], trusted: Marks, tell: Progress
) -> list[Lesson]:
    """Return what fewer examples would have come to."""
    found = []
    learners = draw[:LEARNERS]
    for number, share in enumerate(LESSONS):
        some = np.zeros(len(draw), dtype=bool)
        some[learners[: round(share * len(learners))]] = True
        some &= trusted
        if len(np.unique(rehearsal.tags[some])) < 2:  # noqa: PLR2004 - nothing to tell apart
            continue
        done = number / len(LESSONS)
        scores = rehearsal.held_out(
            some, on_progress=_part(tell, "", done, done + 1 / len(LESSONS))
        )
        outcome = prospect(scores, rehearsal.tags, trusted, TARGETS[-1])
        found.append(_lesson(rehearsal, some, outcome))
    return found


def _lesson(rehearsal: Rehearsal, learners: Marks, outcome: Prospect) -> Lesson:
    return Lesson(
        np.bincount(rehearsal.tags[learners], minlength=len(rehearsal.labels)),
        tuple(each.automated for each in outcome.by_label),
    )


def _folds_of_few(texts: int) -> int:
    return 10 if texts < 300 else 5  # noqa: PLR2004 - each example is dear, training cheap


def _part(tell: Progress, name: str, start: float, end: float) -> Progress:
    """Return who tells the progress of one part of the whole."""

    def told(doing: str, share: float) -> None:
        tell(f"{name}: {doing}" if name else doing, start + share * (end - start))

    return told


def _tell_nobody(_doing: str, _share: float) -> None:
    """Hear of progress and say nothing."""
