"""Learning: examples and a recipe become a TextModel, with calibration measured out-of-fold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from classifier.engine.augmenting import Further
from classifier.engine.calibration import Array, Calibration, Link, fit_sigmoid, fit_softmax
from classifier.engine.encoder import Encoder, needed
from classifier.engine.example import Example
from classifier.engine.features import Features
from classifier.engine.lesson import Lesson, Marks, Progress, marks_of, tell_nobody
from classifier.engine.promise import choose_thresholds
from classifier.engine.recipe import Recipe
from classifier.engine.refined import Refined, doubtful_from, doubts
from classifier.engine.taxonomy import Node, Taxonomy
from classifier.engine.text_model import TextModel, model_digest, rounded
from classifier.engine.thresholds import HeldOut, Thresholds
from classifier.engine.wording import sayings_of


@dataclass(frozen=True, slots=True)
class Learned:
    """A model, and what it said about its own examples while it had not seen them."""

    model: TextModel
    held_out: HeldOut
    outsiders: Array | None = None
    """Texts × labels: what models said of texts whose categories they had never learnt; they
    stand in for texts out of scope, where a share of such is assumed and few are labelled."""


def learn(
    examples: Sequence[Example],
    recipe: Recipe,
    *,
    names: Mapping[str, str] | None = None,
    phrases: Mapping[str, Sequence[str]] | None = None,
    taxonomy: Taxonomy | None = None,
    encoder: Encoder | None = None,
    further: Further | None = None,
    on_progress: Progress | None = None,
) -> TextModel:
    """Return a model of these examples, with thresholds that keep the recipe's precision.

    ``names`` maps categories to the words of their label, ``phrases`` to texts that stand for
    them: names, synonyms, phrases of rules. Both are further examples of categories that have
    few; a category of which there are phrases is learnt even without an example, and then
    nothing is promised for it. ``taxonomy`` gives the parents that an unsure category may back
    off to. ``further`` gives texts to be learnt besides the examples of each fit, from these
    alone; they are never scored. ``encoder``: for a recipe that wants one; by default that of
    ``ENCODER_PATH``. ``on_progress`` hears what is done and the share so far.

    Raises:
        NothingToLearn: fewer than two categories have an example or a phrase, or no words are
            common.
        EncoderUnusable: the recipe wants an encoder, and there is none.
    """
    return learn_and_score(
        examples,
        recipe,
        names=names,
        phrases=phrases,
        taxonomy=taxonomy,
        encoder=encoder,
        further=further,
        on_progress=on_progress,
    ).model


def learn_and_score(
    examples: Sequence[Example],
    recipe: Recipe,
    *,
    names: Mapping[str, str] | None = None,
    phrases: Mapping[str, Sequence[str]] | None = None,
    taxonomy: Taxonomy | None = None,
    encoder: Encoder | None = None,
    further: Further | None = None,
    on_progress: Progress | None = None,
) -> Learned:
    """Return what ``learn`` does, with the out-of-fold scores that its thresholds rest on.

    Raises:
        NothingToLearn: as ``learn``.
    """
    tell = on_progress or tell_nobody
    asked = (encoder or needed()) if recipe.encoder else None
    lesson = Lesson.of(examples, recipe, sayings_of(names or {}, phrases or {}), tell, further)
    learned = _learned(lesson, tell, taxonomy)
    if asked is not None:
        learned = _refined(lesson, learned, asked, tell, taxonomy)
    tell("trained", 1.0)
    return learned


def _learned(lesson: Lesson, tell: Progress, taxonomy: Taxonomy | None) -> Learned:
    """Return the model of these examples, and what it said of those it had not seen."""
    weights, intercepts, margins = lesson.fitted(tell)
    fitted = Fitted(
        lesson.recipe,
        lesson.labels,
        lesson.features,
        weights,
        intercepts,
        lesson.is_exclusive,
        lesson.margins_of_strangers(tell),
    )
    return promising(fitted, margins, lesson.truths, lesson.folds, taxonomy)


def _refined(
    lesson: Lesson,
    cheap: Learned,
    encoder: Encoder,
    tell: Progress,
    taxonomy: Taxonomy | None,
) -> Learned:
    """Return the model that asks the encoder where the cheap one is in doubt."""
    tell("asking the encoder", 0.8)
    share = lesson.recipe.whole_for(
        len(lesson.truths), len(lesson.labels), exclusive=lesson.is_exclusive
    )
    weights, intercepts, margins = lesson.with_columns(
        encoder.encode(lesson.whole) * share, encoder.encode(lesson.whole_names) * share
    ).fitted(tell)
    width = len(lesson.features)
    fitted = Fitted(
        lesson.recipe,
        lesson.labels,
        lesson.features,
        weights[:width] / lesson.lengths[:, None],
        intercepts,
        lesson.is_exclusive,
    )
    fine = promising(fitted, margins, lesson.truths, lesson.folds, taxonomy)
    before = cheap.held_out.probabilities
    doubt = doubtful_from(before, cheap.model)
    unsure = doubts(before, cheap.model.calibration.link) >= doubt
    held_out = replace(
        fine.held_out,
        probabilities=np.where(unsure[:, None], fine.held_out.probabilities, before),
    )
    whole = (share * weights[width:]).astype(np.float32)
    model = Refined.of(fine.model, cheap.model, whole, doubt, encoder)
    thresholds = _thresholds(held_out, fitted, taxonomy, cheap.outsiders)
    return Learned(replace(model, thresholds=thresholds), held_out, cheap.outsiders)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a fit came to, however it was done; not yet what it may promise."""

    recipe: Recipe
    labels: tuple[str, ...]
    features: Features
    weights: Array
    """Rows × columns; a last column more than labels stands for "none of them"."""
    intercepts: Array
    is_exclusive: bool
    outsiders: Array | None = None
    """Texts × columns margins of texts that stand in for those out of scope."""


def promising(
    fitted: Fitted,
    margins: Array,
    truths: tuple[frozenset[str], ...],
    folds: NDArray[np.int64],
    taxonomy: Taxonomy | None = None,
) -> Learned:
    """Return the model that keeps its promise on texts it has not seen.

    ``margins`` (texts × columns) are what models that had not seen them said of texts that are
    about ``truths``; calibration is tried fold by fold.
    """
    labels, columns = fitted.labels, margins.shape[1]
    marks = marks_of(truths, labels, with_none=columns > len(labels))
    calibration = _calibrated(margins, marks, folds, is_exclusive=fitted.is_exclusive)
    held_out = HeldOut(labels, calibration.probabilities(margins)[:, : len(labels)], truths)
    outsiders = (
        None
        if fitted.outsiders is None
        else calibration.probabilities(fitted.outsiders)[:, : len(labels)]
    )
    thresholds = _thresholds(held_out, fitted, taxonomy, outsiders)
    steps, scales = rounded(fitted.weights * fitted.features.factors[:, None])
    model = TextModel(
        labels,
        fitted.features,
        steps,
        scales,
        fitted.intercepts.astype(np.float32),
        calibration,
        thresholds,
        fitted.recipe,
        digest="",
    )
    return Learned(replace(model, digest=model_digest(model)), held_out, outsiders)


def _thresholds(
    held_out: HeldOut, fitted: Fitted, taxonomy: Taxonomy | None, outsiders: Array | None
) -> Thresholds:
    return choose_thresholds(
        held_out,
        taxonomy or Taxonomy(tuple(Node(label, label) for label in fitted.labels)),
        fitted.recipe.target_precision,
        exclusive=fitted.is_exclusive,
        outsiders=outsiders,
        oos_share=fitted.recipe.oos_share,
    )


def _calibrated(
    margins: Array, marks: Marks, folds: NDArray[np.int64], *, is_exclusive: bool
) -> Calibration:
    answered = marks.any(axis=1)
    if not answered.any():
        return _unmeasured(margins.shape[1])
    if not is_exclusive:
        return fit_sigmoid(margins, marks, folds)
    return fit_softmax(margins[answered], marks[answered], folds[answered])


def _unmeasured(columns: int) -> Calibration:
    """Return what turns margins into shares where no example says how sure they are."""
    ones, zeros = np.ones(columns, dtype=np.float32), np.zeros(columns, dtype=np.float32)
    return Calibration(Link.SOFTMAX, ones, zeros, np.array([1.0, 0.0], dtype=np.float32))
