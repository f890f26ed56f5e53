"""Rehearsal: labelled texts, read once, that are scored out-of-fold as often as wanted."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from classifier.engine.calibration import fit_softmax
from classifier.engine.example import Example
from classifier.engine.lesson import Lesson, Marks, Progress, tell_nobody
from classifier.engine.recipe import Recipe
from classifier.engine.thresholds import HeldOut
from classifier.engine.wording import sayings_of


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Labelled texts, read once, that can be scored out-of-fold as often as wanted."""

    keys: tuple[str, ...]
    """The examples' keys in the order of all that is said about them."""
    labels: tuple[str, ...]
    tags: NDArray[np.int64]
    """Each text's own label, as a column."""
    _lesson: Lesson

    @classmethod
    def of(cls, examples: Sequence[Example], recipe: Recipe) -> "Rehearsal":
        """Return a rehearsal of texts of which each has exactly one label.

        Raises:
            NothingToLearn: fewer than two labels have an example, or no words are common.
            ValueError: a text has no label, or several.
        """
        if any(len(example.categories) != 1 for example in examples):
            raise ValueError("a rehearsal needs exactly one label per text")
        lesson = Lesson.of(examples, recipe, sayings_of({}, {}), tell_nobody)
        ordered = sorted(examples, key=lambda example: example.key)
        return cls(
            tuple(example.key for example in ordered),
            lesson.labels,
            np.argmax(lesson.marks, axis=1),
            lesson,
        )

    @property
    def folds(self) -> NDArray[np.int64]:
        """Each text's fold; texts of the same words share one."""
        return self._lesson.folds

    def twins(self) -> list[NDArray[np.int64]]:
        """Return the groups of two texts or more that say the same to a model.

        The same words and word pairs, whatever their number; words that only one text says do
        not count.
        """
        lesson = self._lesson
        matrix = lesson.features.matrix(lesson.wording.texts)[:, : lesson.features.hashed]
        groups: dict[bytes, list[int]] = {}
        for place, (start, end) in enumerate(pairwise(matrix.indptr.tolist())):
            if end > start:
                groups.setdefault(matrix.indices[start:end].tobytes(), []).append(place)
        return [np.array(group) for group in groups.values() if len(group) > 1]

    def held_out(
        self,
        learners: Marks,
        *,
        judges: Marks | None = None,
        on_progress: Progress | None = None,
    ) -> HeldOut:
        """Return every text's probabilities by a model that has not seen it.

        Only ``learners`` are learnt from; calibrated on ``judges``, by default the learners.
        """
        lesson = self._lesson
        margins = lesson.margins_out_of_fold(on_progress or tell_nobody, learners)
        of = learners if judges is None else judges
        calibration = fit_softmax(margins[of], lesson.marks[of], lesson.folds[of])
        return HeldOut(lesson.labels, calibration.probabilities(margins), lesson.truths)
