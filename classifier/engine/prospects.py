"""Prospects: what share could be automated at a promised precision, and what is missing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.engine.calibration import Array
from classifier.engine.proof import lowest_proven
from classifier.engine.thresholds import EVEN, HeldOut

PARTS = 5
"""Each part is reported with a threshold that was chosen on the others."""
WANTED = 0.5
"""Share of its Cases that should be automated for a reason to count as well provided for."""
FEWEST = 10
"""Examples below which a reason has too few, whatever its figures: they would be luck."""
MOST_TIMES = 20.0
"""More than so many times what there is, the curve cannot foretell."""
STEPS, COARSEST = ((50, 5), (200, 10)), 50
"""What is about so much is told in steps: below 50 of 5, and so on."""
Z = 1.96  # of the normal distribution: intervals of 95 %
Marks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with the interval (Wilson, 95 %) that the true share lies in."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        """The share in [0, 1]; None: of nothing."""
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Lowest and highest plausible value; 0 to 1 where nothing is known."""
        if not self.of:
            return 0.0, 1.0
        n, p = self.of, self.count / self.of
        middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
        reach = Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
        return max(0.0, middle - reach), min(1.0, middle + reach)


@dataclass(frozen=True, slots=True)
class LabelProspect:
    """One label's part in a prospect."""

    automated: Share
    """Of the texts with this label, those that would be decided."""
    right: Share
    """Of the texts that would be decided to have this label, those that have it."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What would happen if automation had to be right in ``target`` of what it decides."""

    target: float
    threshold: float | None
    """From which probability on it would decide; None: it would decide nothing."""
    automated: Share
    right: Share
    """Of what would be decided and whose label is believed."""
    by_label: tuple[LabelProspect, ...]
    """In the order of the labels."""


def prospect(
    held_out: HeldOut, tags: NDArray[np.int64], trusted: Marks, target: float
) -> Prospect:
    """Return the prospect of one precision, never measured where its threshold was chosen.

    ``held_out`` are out-of-fold scores; ``tags[i]`` is text i's own label, as a column;
    ``trusted`` marks the labels that are believed: only they say what is right, but every text
    counts in the share that is automated.
    """
    confidence, best = held_out.confidence, held_out.best
    right = best == tags
    decided = np.zeros(len(tags), dtype=bool)
    part = np.arange(len(tags)) % PARTS  # the order is that of keys, which say nothing
    for number in range(PARTS):
        chosen_on = trusted & (part != number)
        least = _threshold(confidence[chosen_on], right[chosen_on], target)
        decided |= (part == number) & (confidence >= least)
    threshold = _threshold(confidence[trusted], right[trusted], target)
    judged = decided & trusted
    return Prospect(
        target,
        None if math.isinf(threshold) else threshold,
        Share(int(decided.sum()), len(tags)),
        Share(int(right[judged].sum()), int(judged.sum())),
        tuple(
            LabelProspect(
                _share(decided, tags == label), _share(right, judged & (best == label))
            )
            for label in range(len(held_out.labels))
        ),
    )


def _threshold(confidence: Array, right: Marks, target: float) -> float:
    found = lowest_proven(confidence, right, target)
    return math.inf if found is None else max(found, EVEN)


def _share(marks: Marks, among: Marks) -> Share:
    return Share(int(marks[among].sum()), int(among.sum()))


@dataclass(frozen=True, slots=True)
class Precision:
    """A point of the curve: so much automated, so much of it right."""

    automated: float
    right: float


def curve(
    held_out: HeldOut, tags: NDArray[np.int64], trusted: Marks, points: int = 50
) -> tuple[Precision, ...]:
    """Return how precision falls as more is automated, surest texts first; for a picture."""
    order = np.argsort(-held_out.confidence[trusted], kind="stable")
    right = (held_out.best == tags)[trusted][order]
    shares = np.cumsum(right) / np.arange(1, len(right) + 1)
    ends = np.unique(np.linspace(0, len(right), points + 1).round().astype(int)[1:])
    return tuple(
        Precision(float(end / len(right)), float(shares[end - 1])) for end in ends if end
    )


@dataclass(frozen=True, slots=True)
class Lesson:
    """What was automated of each label when so many of its examples were learnt from."""

    examples: NDArray[np.int64]
    """Per label."""
    automated: tuple[Share, ...]
    """Per label."""


@dataclass(frozen=True, slots=True)
class Need:
    """How many examples a label has, and about how many more would do."""

    have: int
    more: int | None
    """0: it has enough. None: more examples alone will hardly do; it is mixed up with others."""


def needs(lessons: Sequence[Lesson], have: NDArray[np.int64]) -> tuple[Need, ...]:
    """Return what each label needs for ``WANTED`` of its texts to be automated.

    ``lessons``: ever more examples, the last one all. A label's own curve is noisy, so all
    share one slope: the log-odds of being automated rise by it with each doubling of a label's
    examples, from where the label stands today.
    """
    slope = _slope(lessons)
    return tuple(
        _need(int(number), share, slope)
        for number, share in zip(have, lessons[-1].automated, strict=True)
    )


def _need(have: int, today: Share, slope: float) -> Need:
    least = max(0, FEWEST - have)
    if today.value is not None and today.value >= WANTED:
        return Need(have, least)
    missing = _log_odds(WANTED) - _smoothed(today)
    if slope <= 0 or missing / slope > math.log2(MOST_TIMES):
        return Need(have, None if have >= FEWEST else least)
    return Need(have, max(least, 1, _rounded(have * (2 ** (missing / slope) - 1))))


def _slope(lessons: Sequence[Lesson]) -> float:
    """Return the rise of log-odds per doubling: least squares within labels, weighed by texts."""
    above, below = 0.0, 0.0
    for label in range(len(lessons[-1].automated)):
        points = [
            (math.log2(lesson.examples[label]), _smoothed(lesson.automated[label]))
            for lesson in lessons
            if lesson.examples[label] > 0 and lesson.automated[label].of > 0
        ]
        weight = lessons[-1].automated[label].of
        middle_x = sum(x for x, _ in points) / max(len(points), 1)
        middle_y = sum(y for _, y in points) / max(len(points), 1)
        above += weight * sum((x - middle_x) * (y - middle_y) for x, y in points)
        below += weight * sum((x - middle_x) ** 2 for x, _ in points)
    return above / below if below else 0.0


def _smoothed(share: Share) -> float:
    """Return the log-odds of a share, as if one more text had been half automated."""
    return _log_odds((share.count + 0.5) / (share.of + 1))


def _log_odds(share: float) -> float:
    return math.log(share / (1 - share))


def _rounded(number: float) -> int:
    """Return a number as people say it of something that is only about so much."""
    step = next((step for end, step in STEPS if number < end), COARSEST)
    return max(1, math.ceil(number / step) * step)
