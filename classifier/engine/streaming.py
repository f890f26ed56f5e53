"""Streaming: learning from more texts than memory holds; what comes out is the same TextModel."""

import hashlib
import heapq
import itertools
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from classifier.engine.augmenting import copies_of
from classifier.engine.calibration import Array
from classifier.engine.errors import NothingToLearn
from classifier.engine.example import Example
from classifier.engine.features import Features, Reading
from classifier.engine.folds import words_digest
from classifier.engine.learning import Fitted, Learned, promising
from classifier.engine.lesson import (
    FEWEST_LABELS,
    FEWEST_OUTSIDERS,
    Progress,
    marks_of,
    mostly_alone,
    weights_of,
)
from classifier.engine.recipe import Recipe
from classifier.engine.shards import HELD_OUT, Marks, Shards
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.text import Transcript
from classifier.engine.vectors import shipped
from classifier.engine.wording import Sayings, sayings_of

Source = Callable[[], Iterable[Example]]
"""Gives the examples anew each time it is called, one by one; in any order, keys unique."""

LARGE = 50_000
"""Examples; from here on learning at once takes minutes and gigabytes, a stream neither."""
HELD = 20_000
"""Examples kept for calibration and thresholds: their precision is then known to 0.3 points."""
SAMPLE = 20_000
"""Examples from which words and their rarity are counted, besides ``OF_A_LABEL``."""
OF_A_LABEL = 50
"""Examples of each label from which words are counted, so that a rare label has words."""
PASSES = 5
"""Over all parts; the last one is averaged. Ten gain nothing (STAR, NLU++ out-of-fold: within
0.1 and 0.4 points of the exact solver's micro-F1, as with five)."""
_NUMBERS = 40_000_000  # weights at most: 200,000 features of 200 labels; 0.8 GB while fitting
_BLOCK = 2_000  # texts that are turned into numbers at a time
_FOLDS = 3
_MOST_HELD = 0.1  # share of the examples


def learn_from_stream(
    source: Source,
    recipe: Recipe,
    *,
    names: Mapping[str, str] | None = None,
    phrases: Mapping[str, Sequence[str]] | None = None,
    taxonomy: Taxonomy | None = None,
    scratch: Path | None = None,
    on_progress: Progress | None = None,
) -> Learned:
    """Return what ``learn_and_score`` does, from examples that are read twice and never kept.

    One pass counts and draws a sample for the vocabulary; a second writes every text as numbers
    below ``scratch`` (a folder on a disk, by default the system's for temporary files; about 6 kB
    for a text of 0.9 kB); then a linear SVM is fitted part by part. Calibration and thresholds
    rest on a sample that is not learnt from, drawn by the words, so that no twin of it is learnt.
    Equal examples make equal models, whatever their order.

    Raises:
        NothingToLearn: fewer than two categories have an example or a phrase, or no words are
            common.
    """
    tell = on_progress or _tell_nobody
    tell("counting", 0.0)
    survey = _Survey.of(source())
    sayings = sayings_of(names or {}, phrases or {})
    labels = tuple(sorted(survey.labels.keys() | sayings.own))
    if len(labels) < FEWEST_LABELS:
        raise NothingToLearn(
            f"{len(labels)} of the categories have a labelled conversation; "
            f"label conversations of at least {FEWEST_LABELS}"
        )
    lesson = _Lesson.of(survey, labels, recipe, sayings)
    with tempfile.TemporaryDirectory(prefix="contact-reason-", dir=scratch) as folder:
        columns = len(labels) + lesson.has_outsiders
        shards = Shards(Path(folder), survey.texts, len(lesson.features), columns)
        truths = lesson.write(source(), shards, tell)
        weights, intercepts = lesson.fit(shards, tell)
        unseen = shards.part(HELD_OUT)
    margins: Array = (unseen.matrix @ weights + intercepts).astype(np.float64)
    fitted = Fitted(recipe, labels, lesson.features, weights, intercepts, survey.is_exclusive)
    learned = promising(fitted, margins, truths, np.arange(len(truths)) % _FOLDS, taxonomy)
    tell("trained", 1.0)
    return learned


@dataclass(slots=True)
class _Survey:
    """What the first reading tells: how much there is of what, and a sample."""

    texts: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    labelled: Counter[int] = field(default_factory=Counter)
    """How many examples have so many labels."""
    drawn: "_Draw" = field(default_factory=lambda: _Draw(SAMPLE))
    by_label: dict[str, "_Draw"] = field(default_factory=dict)

    @classmethod
    def of(cls, examples: Iterable[Example]) -> "_Survey":
        survey = cls()
        for example in examples:
            survey.texts += 1
            survey.labels.update(example.categories)
            survey.labelled[len(example.categories)] += 1
            place = _place(example.key)
            survey.drawn.offer(place, example)
            for label in example.categories:
                if label not in survey.by_label:
                    survey.by_label[label] = _Draw(OF_A_LABEL)
                survey.by_label[label].offer(place, example)
        return survey

    @property
    def is_exclusive(self) -> bool:
        return mostly_alone(self.labelled)

    @property
    def sample(self) -> list[Example]:
        """The examples drawn, each once, in the order of their keys."""
        draws = (self.drawn, *self.by_label.values())
        found = {example.key: example for draw in draws for example in draw.examples}
        return [found[key] for key in sorted(found)]


class _Draw:
    """Keeps the examples of the lowest places: a sample that no order of reading changes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._heap: list[tuple[int, str, Example]] = []

    def offer(self, place: int, example: Example) -> None:
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, (-place, example.key, example))
        elif -place > self._heap[0][0]:
            heapq.heapreplace(self._heap, (-place, example.key, example))

    @property
    def examples(self) -> list[Example]:
        return [example for _, _, example in self._heap]


@dataclass(frozen=True, slots=True)
class _Lesson:
    """How the texts of one stream become numbers and weights."""

    recipe: Recipe
    labels: tuple[str, ...]
    features: Features
    texts: int
    has_outsiders: bool
    named: tuple[Example, ...]
    """The names and phrases of labels that have few examples, as examples; never held out."""
    weigh: Array
    """How much an example of each column counts."""

    @classmethod
    def of(
        cls, survey: _Survey, labels: tuple[str, ...], recipe: Recipe, sayings: Sayings
    ) -> "_Lesson":
        named = tuple(
            Example(
                Transcript.of(text.replace("_", " ")),
                frozenset([label]),
                f"name {number} of {label}",
            )
            for label in labels
            for number, text in enumerate(sayings.of(label, survey.labels[label], recipe))
        )
        share = recipe.meaning_for(survey.texts, len(labels))
        features = Features.fit(
            (_words(example, recipe) for example in [*survey.sample, *named]),
            recipe.ngrams,
            min_texts=recipe.min_texts or 2,
            most=min(recipe.most_features, _NUMBERS // (len(labels) + 1)),
            vectors=shipped() if share else None,
            share=share,
        )
        if not features.hashed:
            raise NothingToLearn(
                "the labelled conversations share no words; label more of them"
            )
        has_outsiders = survey.is_exclusive and survey.labelled[0] >= FEWEST_OUTSIDERS
        counts = [survey.labels[label] for label in labels]
        counts += [survey.labelled[0]] if has_outsiders else []
        weigh = weights_of(np.array(counts), recipe.balance)
        return cls(recipe, labels, features, survey.texts, has_outsiders, named, weigh)

    def write(
        self, examples: Iterable[Example], shards: Shards, tell: Progress
    ) -> tuple[frozenset[str], ...]:
        """Fill the shards; return the truths of what is held out, in the order of its part."""
        share = min(_MOST_HELD, HELD / max(self.texts, 1))
        held: list[tuple[int, frozenset[str]]] = []
        done = 0
        if self.named:
            told = [_words(example, self.recipe) for example in self.named]
            self._add(self.named, told, np.zeros(len(told), dtype=bool), shards)
        for block in _blocks(examples):
            texts = [_words(example, self.recipe) for example in block]
            apart = np.array([_is_held(turns, share) for turns in texts], dtype=bool)
            self._add(block, texts, apart, shards)
            pairs = list(zip(block, apart, strict=True))
            held += [(_place(e.key), e.categories) for e, is_held in pairs if is_held]
            learnt = [example for example, is_held in pairs if not is_held]
            if copies := copies_of(learnt, self.recipe.copies):
                words = [_words(example, self.recipe) for example in copies]
                self._add(copies, words, np.zeros(len(copies), dtype=bool), shards)
            done += len(block)
            tell("reading", 0.1 + 0.5 * min(1.0, done / self.texts))
        return tuple(truth for _, truth in sorted(held, key=lambda pair: pair[0]))

    def _add(
        self,
        examples: Sequence[Example],
        texts: list[list[list[str]]],
        apart: Marks,
        shards: Shards,
    ) -> None:
        truths = [example.categories for example in examples]
        marks = marks_of(truths, self.labels, with_none=self.has_outsiders)
        places = np.array([_place(example.key) for example in examples], dtype=np.uint64)
        shards.add(self.features.matrix(texts), marks, places, apart)

    def fit(self, shards: Shards, tell: Progress) -> tuple[Array, Array]:
        """Return weights (features × columns) and intercepts."""
        from classifier.engine.machine import StreamSVM  # noqa: PLC0415 - see there

        texts = self.texts * (1 + len(self.recipe.copies))
        svm = StreamSVM(self.weigh, texts, self.recipe.penalty, PASSES, self.recipe.seed)
        for number in range(PASSES):
            tell(f"fitting, pass {number + 1} of {PASSES}", 0.6 + 0.35 * number / PASSES)
            for part in shards.parts(self.recipe.seed + number):
                svm.learn(part.matrix, part.marks)
        return svm.weights(len(self.features))


def _words(example: Example, recipe: Recipe) -> list[list[str]]:
    return Reading.of(example.transcript, recipe.speakers).words()


def _place(key: str) -> int:
    """Return a number in [0, 2⁶⁴) drawn from a key."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big")


def _is_held(turns: list[list[str]], share: float) -> bool:
    return int(words_digest(turns)[:16], 16) < share * 2**64


def _blocks(examples: Iterable[Example]) -> Iterator[Sequence[Example]]:
    rest = iter(examples)
    while block := list(itertools.islice(rest, _BLOCK)):
        yield block


def _tell_nobody(_doing: str, _share: float) -> None:
    """Hear of progress and say nothing."""
