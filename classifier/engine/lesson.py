"""Lesson: labelled texts turned into numbers once, for all folds and the final fit."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, hstack, vstack

from classifier.engine.augmenting import Further, copies_of
from classifier.engine.calibration import Array
from classifier.engine.errors import NothingToLearn
from classifier.engine.example import Example
from classifier.engine.features import Features, Reading, words_of
from classifier.engine.folding import fold
from classifier.engine.folds import fold_count, folds_of
from classifier.engine.recipe import Recipe
from classifier.engine.refined import text_of
from classifier.engine.wording import Sayings, Wording

if TYPE_CHECKING:
    from classifier.engine.machine import QuietSVC

Progress = Callable[[str, float], None]
Marks = NDArray[np.bool_]

FEWEST_LABELS = 2
_ALMOST_EVERY = (
    0.98  # share of labelled examples with one label, for labels to exclude each other
)
FEWEST_OUTSIDERS = 10  # examples without label, for "none of them" to be a class of its own
_STRANGERS = 5  # groups of categories, each left out once to see how strangers score
_TOLERANCE = 0.01  # of the solver; a hundred times tighter changes no digit of the accuracy
_ITERATIONS = 1_000
_RIVALS = 0.5  # share of the penalty for telling each label from each other
_ROUGH = 0.1  # tolerance there: a tenth of it takes three times as long and is no righter
_ABSENT = -1.0  # the margin of a label that a fold's training never saw: where a no lies


def tell_nobody(_doing: str, _share: float) -> None:
    """Hear of progress and say nothing."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """Examples turned into numbers once, for all folds and the final fit."""

    recipe: Recipe
    labels: tuple[str, ...]
    truths: tuple[frozenset[str], ...]
    wording: Wording
    """What the examples say, in the same order, and labels' own names and phrases as further
    examples, for labels that have few."""
    features: Features
    """Of all of it."""
    marks: Marks
    """Examples × columns: is it true? With a last column for "none of them", where it counts."""
    folds: NDArray[np.int64]
    name_marks: Marks
    is_exclusive: bool
    whole: tuple[str, ...] = ()
    """What an encoder reads of each example; nothing where the recipe wants none."""
    whole_names: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    """In the order of the matrix."""
    further: Further | None = None
    """Gives what is learnt besides the examples of a fit; nothing beside an encoder's numbers."""
    beside: tuple[NDArray[np.floating], NDArray[np.floating]] | None = None
    """An encoder's numbers of each example and of each name, in columns of their own."""

    @classmethod
    def of(
        cls,
        examples: Sequence[Example],
        recipe: Recipe,
        sayings: "Sayings",
        tell: Progress,
        further: Further | None = None,
    ) -> "Lesson":
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
            for text in sayings.of(label, counts[label], recipe)
        ]
        named = [label for label, _ in said]
        name_texts = [[words_of(fold(text.replace("_", " ")).text)] for _, text in said]
        wording = Wording.of(texts, name_texts, recipe, len(labels))
        features = wording.features()
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
            wording,
            features,
            marks_of(truths, labels, with_none=has_outsiders),
            folds_of(texts, truths, recipe.folds or fold_count(len(ordered))),
            marks_of([frozenset([label]) for label in named], labels, with_none=has_outsiders),
            is_exclusive,
            tuple(text_of(Reading.of(e.transcript, recipe.speakers)) for e in ordered)
            if recipe.encoder
            else (),
            tuple(fold(text.replace("_", " ")).text for _, text in said),
            tuple(ordered),
            _all_further(recipe, further),
        )

    def fitted(self, tell: Progress) -> tuple[Array, Array, Array]:
        """Return weights, intercepts, and the margins of models that had not seen each text."""
        margins = self.margins_out_of_fold(tell)
        tell("fitting the model", 0.8)
        return *self.fit(np.ones(len(self.truths), dtype=bool), self.features), margins

    def with_columns(
        self, of_texts: NDArray[np.floating], of_names: NDArray[np.floating]
    ) -> "Lesson":
        """Return the lesson with more numbers for each text and each name.

        Beside these the vectors' block has length 1 (``lengths``), however few the examples.
        """
        return replace(self, beside=(of_texts, of_names), further=None)

    @property
    def lengths(self) -> Array:
        """Of each column the length of its block."""
        return _lengths_of(self.features)

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
            margins[unseen] = self._margins(unseen, trusted & ~unseen)
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
                found.append(self._margins(left_out, ~left_out))
        return np.vstack(found) if found else None

    def _margins(self, unseen: Marks, seen: Marks) -> Array:
        """Return unseen texts × columns margins of a model that knows only what is said in others.

        The words, too: a word that the others never say is no part of the text then, just as it
        will be with tomorrow's texts. Known, but worth nothing, it would make the rest of the text
        count for less, and the model look less sure than it is going to be (docs/decisions/0028).
        """
        features = self.wording.features(seen)
        if not features.hashed:  # they share no word
            return np.full((int(unseen.sum()), self.marks.shape[1]), _ABSENT)
        weights, intercepts = self.fit(seen, features)
        margins: Array = self._matrix(unseen, features) @ weights + intercepts
        return margins

    def fit(self, seen: Marks, features: Features) -> tuple[Array, Array]:
        """Return weights (rows × columns) and intercepts learnt from the examples seen."""
        matrices = [self._matrix(seen, features), self._name_matrix(features)]
        marks = np.vstack([self.marks[seen], self.name_marks])
        if self.further:
            more, more_marks = self._further(seen, features)
            matrices.append(more)
            marks = np.vstack([marks, more_marks])
        texts = vstack(matrices).tocsr().astype(np.float64)
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

    def _matrix(self, of: Marks, features: Features) -> csr_matrix:
        """Return the numbers of some of the examples."""
        rows = np.flatnonzero(of)
        found = features.matrix([self.wording.texts[row] for row in rows.tolist()])
        return found if self.beside is None else _beside(found, self.beside[0][rows], features)

    def _name_matrix(self, features: Features) -> csr_matrix:
        found = features.matrix(self.wording.names)
        return found if self.beside is None else _beside(found, self.beside[1], features)

    def _further(self, seen: Marks, features: Features) -> tuple[csr_matrix, Marks]:
        """Return what is learnt besides the examples seen, and made from these alone."""
        seen_examples = [self.examples[place] for place in np.flatnonzero(seen)]
        more = [
            example
            for example in (self.further(seen_examples) if self.further else ())
            if example.categories <= set(self.labels)
        ]
        readings = (Reading.of(e.transcript, self.recipe.speakers) for e in more)
        matrix = features.matrix([reading.words() for reading in readings])
        has_none = self.marks.shape[1] > len(self.labels)
        truths = [example.categories for example in more]
        return matrix, marks_of(truths, self.labels, with_none=has_none)

    def _fit_all(
        self,
        texts: csr_matrix,
        marks: Marks,
        weights: Array,
        intercepts: Array,
        weigh: Array,
    ) -> None:
        """Fill in all columns: three linear models in one, righter together than each alone.

        One tells each label from all others together, one each label from each other (Crammer and
        Singer 2001), and one is what the texts of each label have in common (docs/decisions/0028).
        """
        columns = np.argmax(marks, axis=1)
        known = {column: weigh[column] for column in np.unique(columns).tolist()}
        each = self._svm(known).fit(texts, columns)
        rivals = self._svm(known, _RIVALS, tol=_ROUGH, multi_class="crammer_singer")
        rivals.fit(texts, columns)
        weights[:, each.classes_] = (each.coef_ + rivals.coef_).T / 2
        weights += _middles(texts, marks)
        intercepts[each.classes_] = (each.intercept_ + rivals.intercept_) / 2

    def _svm(
        self, class_weight: Mapping[int, float], share: float = 1.0, **other: object
    ) -> "QuietSVC":
        """Return a machine to fit with a share of the recipe's penalty and ``other`` settings."""
        from classifier.engine.machine import QuietSVC  # noqa: PLC0415 - see there

        usual = {"tol": _TOLERANCE, "max_iter": _ITERATIONS, "dual": True}
        return QuietSVC(
            C=share * self.recipe.penalty,
            random_state=self.recipe.seed,
            class_weight=dict(class_weight),
            **(usual | other),
        )


def _middles(texts: csr_matrix, marks: Marks) -> Array:
    """Return rows × columns: each label's mean text less the mean of all labels' means.

    Brought to size: a text's product with itself is 1 on average.
    """
    counts = np.maximum(marks.sum(axis=0), 1)
    means: Array = np.asarray(texts.T @ marks.astype(np.float64)) / counts
    size = float(texts.power(2).sum()) / texts.shape[0] or 1.0  # nothing is said in any
    middles: Array = (means - means.mean(axis=1, keepdims=True)) / size
    return middles


def _lengths_of(features: Features) -> Array:
    lengths = np.ones(len(features))
    lengths[features.hashed :] = features.share
    return lengths


def _beside(
    matrix: csr_matrix, columns: NDArray[np.floating], features: Features
) -> csr_matrix:
    """Return texts with more columns, beside which all other blocks have length 1."""
    even = diags(1 / _lengths_of(features))
    return hstack([matrix @ even, csr_matrix(columns)], format="csr")


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
