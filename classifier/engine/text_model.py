"""TextModel: fitted features and a linear classifier that answers calibrated probabilities."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from classifier.engine.calibration import Array, Calibration
from classifier.engine.explanation import Anatomy
from classifier.engine.features import Features, Floats, Reading, Whole
from classifier.engine.recipe import Recipe
from classifier.engine.text import Transcript
from classifier.engine.thresholds import Thresholds
from classifier.engine.verdict import Evidence

_BATCH_FROM = 4  # texts; below, one at a time is quicker than building a sparse matrix
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
    """Rows × columns. Bytes, because rounding to 255 steps costs no measurable accuracy."""
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
        if not readings:
            return []
        probabilities = self.calibration.probabilities(self.margins(readings))
        kept = probabilities[:, : len(self.labels)].tolist()
        return [dict(zip(self.labels, row, strict=True)) for row in kept]

    def margins(self, readings: Sequence[Reading]) -> Array:
        """Return texts × columns margins: the raw scores, before calibration."""
        texts = [reading.words() for reading in readings]
        if len(texts) < _BATCH_FROM:
            return np.array([self._margin(words) for words in texts], dtype=np.float64)
        products = self.features.matrix(texts) @ self._dense
        margins: Array = (products + self.intercepts).astype(np.float64)
        return margins

    def explain(
        self, transcript: Transcript, category: str, limit: int | None = 5
    ) -> tuple[Evidence, ...]:
        """Return the words that speak most for a category, in logits, strongest first.

        Exact: with ``limit=None`` every term is returned, also those that speak against, and the
        weights sum to the category's logit less ``base(category)``. What a letter group adds is
        shared out to the words it lies in. A term said several times is one evidence, placed
        where it was first said. A label that the model does not know has none.
        """
        return self.explainer(self.read(transcript))(category, limit)

    def explainer(self, reading: Reading) -> "Explainer":
        """Return what explains one text for several categories, reading it once."""
        return Explainer(self, reading)

    def base(self, category: str) -> float:
        """Return a category's logit for a text without any known word."""
        column = self._columns[category]
        slope, offset = self.calibration.slopes[column], self.calibration.offsets[column]
        return float(self.intercepts[column] * slope + offset)

    def _margin(self, words: Iterable[Sequence[str]]) -> Floats:
        rows, values = self.features.vector(words)
        margin: Floats = values @ self._dense[rows] + self.intercepts
        return margin

    def added(self, category: str, rows: Whole, values: Floats) -> Array:
        """Return what each row of one text's vector adds to a category's logit."""
        column = self._columns[category]
        weights = self._dense[rows, column].astype(np.float64)
        added: Array = values * weights * self.calibration.slopes[column]
        return added

    def knows(self, category: str) -> bool:
        """Say whether a category is one of the labels."""
        return category in self._columns

    @cached_property
    def _dense(self) -> Floats:
        """The weights as numbers, rows together: one text then reads only the rows it touches."""
        return np.ascontiguousarray(self.weights.astype(np.float32) * self.scales)

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {label: column for column, label in enumerate(self.labels)}


class Explainer:
    """Explains one text: called with a category, it returns the words that speak for it."""

    def __init__(self, model: TextModel, reading: Reading) -> None:
        self._model = model
        self._reading = reading

    def __call__(self, category: str, limit: int | None = 5) -> tuple[Evidence, ...]:
        """Return what ``TextModel.explain`` promises."""
        if not self._model.knows(category):
            return ()
        anatomy = self._anatomy
        weights = anatomy.weights(self._model.added(category, anatomy.rows, anatomy.values))
        ranked = np.argsort(-weights, kind="stable").tolist()
        if limit is not None:
            ranked = [term for term in ranked[:limit] if weights[term] > 0]
        return tuple(
            Evidence(
                category,
                *anatomy.place(term),
                term=anatomy.terms[term],
                weight=float(weights[term]),
            )
            for term in ranked
        )

    @cached_property
    def _anatomy(self) -> Anatomy:
        return Anatomy.of(self._reading, self._model.features)


def rounded(weights: Array) -> tuple[NDArray[np.int8], Floats]:
    """Return weights (rows × columns) in whole steps of a byte, and each column's step."""
    largest = np.abs(weights).max(axis=0, initial=0.0)
    scales = np.where(largest > 0, largest / _STEPS, 1.0)
    return np.rint(weights / scales).astype(np.int8), scales.astype(np.float32)


def model_digest(model: TextModel) -> str:
    """Return the SHA-256 (hexadecimal) of all that a model answers from."""
    digest = hashlib.sha256()
    for part in (model.labels, tuple(model.features.words), tuple(model.features.letters)):
        digest.update("\n".join(part).encode("utf-8", "surrogatepass") + b"\0")
    digest.update(f"{model.recipe.to_json()}{model.calibration.link}".encode())
    arrays = (
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
