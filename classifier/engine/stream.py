"""Stream: held-out texts weighed as the traffic that they stand for."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from classifier.engine.calibration import Array
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.thresholds import HeldOut

_FEW_OUTSIDERS = 10  # labelled texts out of scope; fewer cannot say how such texts score
_NEVER = -1.0  # below any threshold


@dataclass(frozen=True)
class Stream:
    """What a model said about texts that it had not seen, and how much each counts."""

    held_out: HeldOut
    taxonomy: Taxonomy
    exclusive: bool
    weights: Array
    """One per text, 1 on average; all 1 where no share out of scope is assumed."""

    @classmethod
    def of(
        cls,
        held_out: HeldOut,
        taxonomy: Taxonomy,
        *,
        exclusive: bool,
        outsiders: Array | None = None,
        oos_share: float | None = None,
    ) -> "Stream":
        """Return the stream with an assumed share of texts out of scope; None: as labelled.

        ``outsiders`` (texts × labels) are probabilities of texts that stand in for texts out of
        scope where fewer than 10 are labelled so. Where there are none either, such texts are
        taken to look just like those in scope: nothing is known that could tell them apart.
        """
        if oos_share is None:
            return cls(held_out, taxonomy, exclusive, np.ones(len(held_out.truths)))
        rows = held_out
        if oos_share > 0 and held_out.truths.count(frozenset()) < _FEW_OUTSIDERS:
            extra = held_out.probabilities if outsiders is None else outsiders
            rows = HeldOut(
                held_out.labels,
                np.vstack([held_out.probabilities, extra]),
                (*held_out.truths, *[frozenset[str]()] * len(extra)),
            )
        outside = np.array([not truths for truths in rows.truths], dtype=bool)
        inside_each = (1 - oos_share) * len(outside) / max(1, int((~outside).sum()))
        outside_each = oos_share * len(outside) / max(1, int(outside.sum()))
        return cls(rows, taxonomy, exclusive, np.where(outside, outside_each, inside_each))

    @cached_property
    def best(self) -> NDArray[np.int64]:
        """The column of each text's likeliest label."""
        return self.held_out.best

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Whether each text's likeliest label is true, or an ancestor of what is."""
        pairs = zip(self.held_out.answers, self.held_out.truths, strict=True)
        return np.array([self.taxonomy.is_right(*pair) for pair in pairs], dtype=bool)

    @cached_property
    def lead(self) -> Array:
        """How far each text's likeliest label is ahead of the next that is not of its line."""
        labels = self.held_out.labels
        related = self.taxonomy.are_related
        kin = np.array(
            [[related(one, other) for other in labels] for one in labels], dtype=bool
        )
        rivals = np.where(kin[self.best], 0.0, self.held_out.probabilities)
        ahead: Array = self.held_out.confidence - rivals.max(axis=1, initial=0.0)
        return ahead

    def scores(self, margin: float) -> Array:
        """Return each text's highest probability, or less than any threshold without the lead."""
        confidence = self.held_out.confidence
        if not self.exclusive:
            return confidence
        return np.where(self.lead >= margin, confidence, _NEVER)

    def share(self, marks: NDArray[np.bool_]) -> float:
        """Return the share of the stream that is marked."""
        return float(self.weights[marks].sum() / self.weights.sum())
