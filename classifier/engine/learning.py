"""Learning: examples and a recipe become a TextModel, with calibration measured out-of-fold."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, hstack, vstack

from classifier.engine.augmenting import Further, copies_of
from classifier.engine.calibration import Array, Calibration, Link, fit_sigmoid, fit_softmax
from classifier.engine.encoder import Encoder, needed
from classifier.engine.errors import NothingToLearn
from classifier.engine.example import Example
from classifier.engine.features import Features, Reading, words_of
from classifier.engine.folding import fold
from classifier.engine.folds import fold_count, folds_of
from classifier.engine.promise import choose_thresholds
from classifier.engine.recipe import Recipe
from classifier.engine.refined import Refined, doubtful_from, doubts, text_of
from classifier.engine.taxonomy import Node, Taxonomy
from classifier.engine.text_model import TextModel, model_digest, rounded
from classifier.engine.thresholds import HeldOut, Thresholds
from classifier.engine.vectors import shipped

if TYPE_CHECKING:
    from classifier.engine.machine import QuietSVC

Progress = Callable[[str, float], None]
Marks = NDArray[np.bool_]

FEWEST_LABELS = 2
_FEW = 3_000  # examples; below, a word that only one of them says may be all there is to go by
_ALMOST_EVERY = (
    0.98  # share of labelled examples with one label, for labels to exclude each other
)
FEWEST_OUTSIDERS = 10  # examples without label, for "none of them" to be a class of its own
_STRANGERS = 5  # groups of categories, each left out once to see how strangers score
_TOLERANCE = 0.01  # of the solver; a hundred times tighter changes no digit of the accuracy
_ITERATIONS = 1_000
_ABSENT = -1.0  # the margin of a label that a fold's training never saw: where a no lies


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
    tell = on_progress or _tell_nobody
    asked = (encoder or needed()) if recipe.encoder else None
    lesson = _Lesson.of(examples, recipe, sayings_of(names or {}, phrases or {}), tell, further)
    learned = lesson.learned(tell, taxonomy)
    if asked is not None:
        learned = _refined(lesson, learned, asked, tell, taxonomy)
    tell("trained", 1.0)
    return learned


def _refined(
    lesson: "_Lesson",
    cheap: Learned,
    encoder: Encoder,
    tell: Progress,
    taxonomy: Taxonomy | None,
) -> Learned:
    """Return the model that asks the encoder where the cheap one is in doubt."""
    tell("asking the encoder", 0.8)
    share = lesson.recipe.whole_for(len(lesson.truths), len(lesson.labels))
    weights, intercepts, margins = lesson.with_columns(
        encoder.encode(lesson.whole) * share, encoder.encode(lesson.whole_names) * share
    ).fitted(tell)
    width = lesson.matrix.shape[1]
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


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Labelled texts, read once, that can be scored out-of-fold as often as wanted."""

    keys: tuple[str, ...]
    """The examples' keys in the order of all that is said about them."""
    labels: tuple[str, ...]
    tags: NDArray[np.int64]
    """Each text's own label, as a column."""
    _lesson: "_Lesson"

    @classmethod
    def of(cls, examples: Sequence[Example], recipe: Recipe) -> "Rehearsal":
        """Return a rehearsal of texts of which each has exactly one label.

        Raises:
            NothingToLearn: fewer than two labels have an example, or no words are common.
            ValueError: a text has no label, or several.
        """
        if any(len(example.categories) != 1 for example in examples):
            raise ValueError("a rehearsal needs exactly one label per text")
        lesson = _Lesson.of(examples, recipe, sayings_of({}, {}), _tell_nobody)
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
        matrix = lesson.matrix[:, : lesson.features.hashed]
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
        margins = lesson.margins_out_of_fold(on_progress or _tell_nobody, learners)
        of = learners if judges is None else judges
        calibration = fit_softmax(margins[of], lesson.marks[of], lesson.folds[of])
        return HeldOut(lesson.labels, calibration.probabilities(margins), lesson.truths)


def _tell_nobody(_doing: str, _share: float) -> None:
    """Hear of progress and say nothing."""


@dataclass(frozen=True, slots=True)
class Sayings:
    """Texts that stand for categories."""

    texts: Mapping[str, Sequence[str]]
    own: frozenset[str]
    """The categories that are learnt even without an example."""


def sayings_of(names: Mapping[str, str], phrases: Mapping[str, Sequence[str]]) -> Sayings:
    """Return what ``learn`` takes from names and phrases; a text once for each category."""
    texts = {
        label: list(
            dict.fromkeys(
                [*([names[label]] if label in names else []), *phrases.get(label, ())]
            )
        )
        for label in names.keys() | phrases.keys()
    }
    return Sayings(texts, frozenset(label for label, said in phrases.items() if said))


@dataclass(frozen=True, slots=True)
class _Lesson:
    """Examples turned into numbers once, for all folds and the final fit."""

    recipe: Recipe
    labels: tuple[str, ...]
    truths: tuple[frozenset[str], ...]
    features: Features
    matrix: csr_matrix
    marks: Marks
    """Examples × columns: is it true? With a last column for "none of them", where it counts."""
    folds: NDArray[np.int64]
    name_matrix: csr_matrix
    """Labels' own names and phrases as further examples, for labels that have few."""
    name_marks: Marks
    is_exclusive: bool
    whole: tuple[str, ...] = ()
    """What an encoder reads of each example; nothing where the recipe wants none."""
    whole_names: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    """In the order of the matrix."""
    further: Further | None = None
    """Gives what is learnt besides the examples of a fit; nothing beside an encoder's numbers."""

    @classmethod
    def of(
        cls,
        examples: Sequence[Example],
        recipe: Recipe,
        sayings: "Sayings",
        tell: Progress,
        further: Further | None = None,
    ) -> "_Lesson":
        ordered = sorted(examples, key=lambda example: example.key)
        truths = tuple(example.categories for example in ordered)
        counts = Counter(label for categories in truths for label in categories)
        labels = tuple(sorted(counts.keys() | sayings.own))
        if len(labels) < FEWEST_LABELS:
            raise NothingToLearn(
                f"{len(labels)} of the categories have a labelled conversation; "
                f"label conversations of at least {FEWEST_LABELS}"
            )
        tell("reading", 0.0)
        known: dict[str, str] = {}  # each word once: 50,000 texts of 1 kB would hold 600 MB
        texts = [
            [
                [known.setdefault(word, word) for word in turn]
                for turn in Reading.of(e.transcript, recipe.speakers).words()
            ]
            for e in ordered
        ]
        said = [
            (label, text)
            for label in labels
            if counts[label] < recipe.names_below
            for text in sayings.texts.get(label, ())
        ]
        named = [label for label, _ in said]
        name_texts = [[words_of(fold(text.replace("_", " ")).text)] for _, text in said]
        share = recipe.meaning_for(len(ordered), len(labels))
        features = Features.fit(
            [*texts, *name_texts],
            recipe.ngrams,
            min_texts=recipe.min_texts or (1 if len(ordered) < _FEW else 2),
            most=recipe.most_features,
            vectors=shipped() if share else None,
            share=share,
        )
        if not features.hashed:
            raise NothingToLearn(
                "the labelled conversations share no words; label more of them"
            )
        is_exclusive = mostly_alone(Counter(map(len, truths)))
        has_outsiders = is_exclusive and truths.count(frozenset()) >= FEWEST_OUTSIDERS
        tell("counting words", 0.1)
        return cls(
            recipe,
            labels,
            truths,
            features,
            features.matrix(texts),
            marks_of(truths, labels, with_none=has_outsiders),
            folds_of(texts, truths, recipe.folds or fold_count(len(ordered))),
            features.matrix(name_texts),
            marks_of([frozenset([label]) for label in named], labels, with_none=has_outsiders),
            is_exclusive,
            tuple(text_of(Reading.of(e.transcript, recipe.speakers)) for e in ordered)
            if recipe.encoder
            else (),
            tuple(fold(text.replace("_", " ")).text for _, text in said),
            tuple(ordered),
            _all_further(recipe, further),
        )

    def learned(self, tell: Progress, taxonomy: Taxonomy | None) -> Learned:
        """Return the model of these examples, and what it said of those it had not seen."""
        weights, intercepts, margins = self.fitted(tell)
        fitted = Fitted(
            self.recipe,
            self.labels,
            self.features,
            weights,
            intercepts,
            self.is_exclusive,
            self.margins_of_strangers(tell),
        )
        return promising(fitted, margins, self.truths, self.folds, taxonomy)

    def fitted(self, tell: Progress) -> tuple[Array, Array, Array]:
        """Return weights, intercepts, and the margins of models that had not seen each text."""
        margins = self.margins_out_of_fold(tell)
        tell("fitting the model", 0.8)
        return *self.fit(np.ones(len(self.truths), dtype=bool)), margins

    def with_columns(
        self, of_texts: NDArray[np.floating], of_names: NDArray[np.floating]
    ) -> "_Lesson":
        """Return the lesson with more numbers for each text and each name.

        Beside these the vectors' block has length 1 (``lengths``), however few the examples.
        """
        even = diags(1 / self.lengths)
        return replace(
            self,
            matrix=hstack([self.matrix @ even, csr_matrix(of_texts)], format="csr"),
            name_matrix=hstack([self.name_matrix @ even, csr_matrix(of_names)], format="csr"),
            further=None,
        )

    @property
    def lengths(self) -> Array:
        """Of each column the length of its block."""
        lengths = np.ones(len(self.features))
        lengths[self.features.hashed :] = self.features.share
        return lengths

    def margins_out_of_fold(self, tell: Progress, learners: Marks | None = None) -> Array:
        """Return examples × columns margins, each example's by a model that had not seen it.

        ``learners``: the only ones that are learnt from; None: all.
        """
        trusted = np.ones(len(self.truths), dtype=bool) if learners is None else learners
        margins = np.full(self.marks.shape, _ABSENT)
        numbers = np.unique(self.folds)
        for done, number in enumerate(numbers):
            tell(f"checking part {done + 1} of {len(numbers)}", 0.2 + 0.6 * done / len(numbers))
            unseen = self.folds == number
            if unseen.all():
                break  # all texts are twins: nothing to learn from would be left
            if not (trusted & ~unseen).any():
                continue
            weights, intercepts = self.fit(trusted & ~unseen)
            margins[unseen] = self.matrix[unseen] @ weights + intercepts
        return margins

    def margins_of_strangers(self, tell: Progress) -> Array | None:
        """Return texts × columns margins of models that never learnt the texts' categories.

        They stand in for texts out of scope, where the recipe assumes a share of such and too few
        are labelled. Being about the same business they are hard to tell apart, so they promise
        rather too little than too much. None: nobody asks, or there is nothing to leave out.
        """
        labels = np.arange(len(self.labels))
        groups = min(_STRANGERS, len(labels) // FEWEST_LABELS)
        labelled = self.truths.count(frozenset())
        if not self.recipe.oos_share or labelled >= FEWEST_OUTSIDERS or groups <= 1:
            return None
        found: list[Array] = []
        for group in range(groups):
            tell(f"leaving categories out, part {group + 1} of {groups}", 0.8)
            left_out: Marks = np.asarray(
                self.marks[:, labels[labels % groups == group]].any(axis=1)
            )
            if left_out.any() and not left_out.all():
                weights, intercepts = self.fit(~left_out)
                found.append(self.matrix[left_out] @ weights + intercepts)
        return np.vstack(found) if found else None

    def fit(self, seen: Marks) -> tuple[Array, Array]:
        """Return weights (rows × columns) and intercepts learnt from the examples seen."""
        texts = vstack([self.matrix[seen], self.name_matrix]).tocsr().astype(np.float64)
        marks = np.vstack([self.marks[seen], self.name_marks])
        if self.further:
            more, more_marks = self._further(seen)
            texts = vstack([texts, more]).tocsr()
            marks = np.vstack([marks, more_marks])
        weigh = weights_of(marks.sum(axis=0), self.recipe.balance)
        weights = np.zeros((texts.shape[1], marks.shape[1]))
        intercepts = np.full(marks.shape[1], _ABSENT)
        several = self.is_exclusive and bool((marks.sum(axis=1) == 1).all())
        if several and len(np.unique(np.argmax(marks, axis=1))) > FEWEST_LABELS:
            self._fit_all(texts, marks, weights, intercepts, weigh)
            return weights, intercepts
        for column in np.flatnonzero(marks.any(axis=0)):
            if marks[:, column].all():
                intercepts[column] = -_ABSENT
                continue
            svm = self._svm({True: weigh[column], False: 1.0}).fit(texts, marks[:, column])
            weights[:, column], intercepts[column] = svm.coef_[0], svm.intercept_[0]
        return weights, intercepts

    def _further(self, seen: Marks) -> tuple[csr_matrix, Marks]:
        """Return what is learnt besides the examples seen, and made from these alone."""
        seen_examples = [self.examples[place] for place in np.flatnonzero(seen)]
        more = [
            example
            for example in (self.further(seen_examples) if self.further else ())
            if example.categories <= set(self.labels)
        ]
        readings = (Reading.of(e.transcript, self.recipe.speakers) for e in more)
        matrix = self.features.matrix([reading.words() for reading in readings])
        has_none = self.marks.shape[1] > len(self.labels)
        truths = [example.categories for example in more]
        return matrix.astype(np.float64), marks_of(truths, self.labels, with_none=has_none)

    def _fit_all(
        self,
        texts: csr_matrix,
        marks: Marks,
        weights: Array,
        intercepts: Array,
        weigh: Array,
    ) -> None:
        """Fill in all columns at once: quicker, because the texts are copied once."""
        columns = np.argmax(marks, axis=1)
        known = {column: weigh[column] for column in np.unique(columns).tolist()}
        svm = self._svm(known).fit(texts, columns)
        weights[:, svm.classes_] = svm.coef_.T
        intercepts[svm.classes_] = svm.intercept_

    def _svm(self, class_weight: Mapping[int, float]) -> "QuietSVC":
        from classifier.engine.machine import QuietSVC  # noqa: PLC0415 - see there

        return QuietSVC(
            C=self.recipe.penalty,
            tol=_TOLERANCE,
            max_iter=_ITERATIONS,
            dual=True,
            random_state=self.recipe.seed,
            class_weight=dict(class_weight),
        )


def _all_further(recipe: Recipe, further: Further | None) -> Further | None:
    """Return what gives the copies that a recipe asks for, and what ``further`` gives."""
    if not recipe.copies:
        return further

    def gives(examples: Sequence[Example]) -> list[Example]:
        return [*copies_of(examples, recipe.copies), *(further(examples) if further else ())]

    return gives


def weights_of(counts: NDArray[np.integer], balance: float) -> Array:
    """Return how much one of so many examples of each column counts; 1 each at balance 0."""
    counts = np.maximum(counts, 1)
    weights: Array = (counts.mean() / counts) ** balance
    return weights


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


def mostly_alone(labelled: Mapping[int, int]) -> bool:
    """Say whether labels exclude each other: (almost) every labelled example has one.

    ``labelled[n]`` is how many examples have n labels.
    """
    some = sum(count for labels, count in labelled.items() if labels)
    return labelled.get(1, 0) >= _ALMOST_EVERY * some


def marks_of(
    truths: Sequence[frozenset[str]], labels: Sequence[str], *, with_none: bool
) -> Marks:
    """Return examples × columns: is it true? With a last column for "none of them" if asked."""
    columns = {label: column for column, label in enumerate(labels)}
    marks = np.zeros((len(truths), len(labels) + with_none), dtype=bool)
    for row, categories in enumerate(truths):
        marks[row, [columns[label] for label in categories]] = True
    if with_none:
        marks[:, -1] = ~marks.any(axis=1)
    return marks
