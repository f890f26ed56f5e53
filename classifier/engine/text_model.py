"""TextModel: fitted features and a linear classifier that answers calibrated probabilities."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifier.engine.calibration import Array, Calibration
from classifier.engine.explanation import Explanation
from classifier.engine.features import Features, Floats, Reading
from classifier.engine.one_text import ExplanationOfOne, OneText
from classifier.engine.recipe import Recipe
from classifier.engine.scoring import Apart, Scorer
from classifier.engine.telling import SHOWN
from classifier.engine.text import Transcript
from classifier.engine.thresholds import Thresholds
from classifier.engine.verdict import Evidence

_COMMON = 0.1  # share of the texts; what is said in more is common, however many categories
_STEPS = 127  # of a signed byte, on either side of nought


@dataclass(frozen=True)
class TextModel:
    """What a training left behind: plain arrays and names, no estimator.

    Columns ``0 .. len(labels) - 1`` belong to the labels; a last column more stands for "none of
    them", where the training had texts out of scope. Never changed, so threads may share it.
    """

    labels: tuple[str, ...]
    features: Features
    weights: NDArray[np.int8]
    """Rows × columns, what a count of 1 is worth (rarity) within. Bytes, because rounding to 255
    steps costs no measurable accuracy."""
    scales: Floats
    """What one step of a column's weights is worth."""
    intercepts: Floats
    calibration: Calibration
    thresholds: Thresholds
    recipe: Recipe
    digest: str
    """SHA-256 (hexadecimal) of all that the model answers from; equal for equal trainings."""

    def predict(self, transcripts: Sequence[Transcript]) -> list[dict[str, float]]:
        """Return for each transcript the probability that each label is among the true ones."""
        return self.predict_readings([self.read(transcript) for transcript in transcripts])

    def read(self, transcript: Transcript) -> Reading:
        """Return the turns this model reads, folded: once for predictions and explanations."""
        return Reading.of(transcript, self.recipe.speakers)

    def predict_readings(self, readings: Sequence[Reading]) -> list[dict[str, float]]:
        """Return what ``predict`` does, from turns read already."""
        return [opinion.shares for opinion in self.opinions(readings)]

    def opinions(self, readings: Sequence[Reading]) -> list["Opinion"]:
        """Return for each text the probability of each label, with what explains them."""
        if not readings:
            return []
        parts = self._scorer.parts(readings)
        return self._opinions(parts, self._scorer.margins(parts))

    def _opinions(self, parts: Sequence[Apart], margins: Array) -> list["Opinion"]:
        """Return the opinions of texts taken apart, with these margins (texts × columns)."""
        shares = self.calibration.probabilities(margins)[:, : len(self.labels)].tolist()
        found: list[Opinion] = []
        for some in parts:
            explanation = self._explanation(some)
            its = shares[len(found) : len(found) + len(some)]
            found += [
                Opinion(dict(zip(self.labels, told, strict=True)), explanation, text)
                for text, told in enumerate(its)
            ]
        return found

    def margins(self, readings: Sequence[Reading]) -> Array:
        """Return texts × columns margins: the raw scores, before calibration."""
        return self._scorer.margins(self._scorer.parts(readings))

    def explain(
        self, transcript: Transcript, category: str, limit: int | None = SHOWN
    ) -> tuple[Evidence, ...]:
        """Return the words that speak most for a category, in logits, and then most against it.

        Exact: with ``limit=None`` every term is returned, strongest first, and the weights sum to
        the category's logit less ``base(category)``. What letter groups add is their word's. A
        term said several times is one evidence, placed where it was first said. Otherwise up to
        ``limit`` spans that speak for the category, and then some against it, are chosen for a
        reader (``telling``); the weight of each is the sum of the terms placed within it. A label
        that the model does not know has none.
        """
        text = self._scorer.part(self.read(transcript))
        explanation = ExplanationOfOne(text, self._columns, self._worth)
        if limit is None:
            return explanation.every_term(category)
        return explanation.telling([(0, category)], limit)[0]

    def base(self, category: str) -> float:
        """Return a category's logit for a text without any known word."""
        column = self._columns[category]
        slope, offset = self.calibration.slopes[column], self.calibration.offsets[column]
        return float(self.intercepts[column] * slope + offset)

    def _explanation(self, parts: Apart) -> Explanation | ExplanationOfOne:
        if isinstance(parts, OneText):
            return ExplanationOfOne(parts, self._columns, self._worth)
        return Explanation(parts, self._columns, self._worth)

    @cached_property
    def _common_rarity(self) -> float:
        """The rarity of what is said in a tenth of the texts, or in those of two categories."""
        share = max(_COMMON, 2 / len(self.labels))
        return 1 + math.log(1 / min(share, 1.0))

    @cached_property
    def _worth(self) -> Array:
        """What one step of a column's weights adds to its logit."""
        worth: Array = self.scales.astype(np.float64) * self.calibration.slopes
        return worth

    @cached_property
    def _scorer(self) -> Scorer:
        return Scorer(
            self.features,
            self.weights,
            self.scales,
            self.intercepts,
            common_below=self._common_rarity,
        )

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {label: column for column, label in enumerate(self.labels)}


class Opinion(NamedTuple):
    """What a model says about one text."""

    shares: dict[str, float]
    """The calibrated probability that each label is among the true ones."""
    explanation: Explanation | ExplanationOfOne
    text: int
    """Its number among those that the explanation is of."""

    def explain(self, category: str) -> tuple[Evidence, ...]:
        """Return the telling words of one category."""
        return self.explanation.telling([(self.text, category)], SHOWN)[0]


def explained(
    opinions: Sequence[Opinion], asked: Sequence[Sequence[str]]
) -> list[list[tuple[Evidence, ...]]]:
    """Return for each opinion the telling words of each category that is asked of it.

    All that one explanation is asked is worked out at once.
    """
    if len(opinions) == 1:
        (opinion,), (its,) = opinions, asked
        return [opinion.explanation.telling([(opinion.text, code) for code in its], SHOWN)]
    found: list[list[tuple[Evidence, ...]]] = []
    for explanation, some in groupby(zip(opinions, asked, strict=True), key=_explanation_of):
        pairs = [(opinion.text, its) for opinion, its in some]
        told = iter(
            explanation.telling([(text, code) for text, its in pairs for code in its], SHOWN)
        )
        found += [list(islice(told, len(its))) for _, its in pairs]
    return found


def _explanation_of(asked: tuple[Opinion, Sequence[str]]) -> Explanation | ExplanationOfOne:
    return asked[0].explanation


def rounded(weights: Array) -> tuple[NDArray[np.int8], Floats]:
    """Return weights (rows × columns) in whole steps of a byte, and each column's step."""
    largest = np.abs(weights).max(axis=0, initial=0.0)
    scales = np.where(largest > 0, largest / _STEPS, 1.0)
    return np.rint(weights / scales).astype(np.int8), scales.astype(np.float32)


def model_digest(model: TextModel) -> str:
    """Return the SHA-256 (hexadecimal) of all that a model answers from."""
    digest = hashlib.sha256()
    digest.update("\n".join(model.labels).encode("utf-8", "surrogatepass") + b"\0")
    vectors = model.features.vectors
    digest.update(f"{vectors.digest if vectors else None}{model.features.share}".encode())
    digest.update(f"{model.recipe.to_json()}{model.calibration.link}".encode())
    arrays = (
        model.features.words.keys,
        model.features.letters.keys,
        model.features.rarity,
        model.weights,
        model.scales,
        model.intercepts,
        model.calibration.slopes,
        model.calibration.offsets,
        model.calibration.steadying,
    )
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
