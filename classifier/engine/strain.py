"""Strain: how a model holds where words are misheard, calls are long, or tests are known texts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from classifier.engine.chance import Share
from classifier.engine.duplicates import contradictions, said, twins_across
from classifier.engine.example import Example
from classifier.engine.metrics import micro_f1
from classifier.engine.noise import Recogniser, joined, word_count
from classifier.engine.text_model import TextModel

Marks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Misheard:
    """How good the answers are when a share of the words is wrong; F1 in [0, 1]."""

    share_of_words: float
    micro_f1: float
    micro_f1_points_lost: float
    """Percentage points below the same texts as they were said."""
    accuracy: float
    accuracy_points_lost: float


@dataclass(frozen=True, slots=True)
class JoinedCalls:
    """How often a long call's likeliest label is one of its labels."""

    parts: int
    """Conversations in one call."""
    calls: int
    words_each: int
    any_right: float
    low: float
    """Lower end of the 95 % interval."""


@dataclass(frozen=True, slots=True)
class WithoutTwins:
    """How many test texts have a twin among those learnt from, and the figures without them."""

    exact: int
    near: int
    accuracy: float | None
    """Of in-scope texts without a twin; None: there is none."""
    micro_f1: float
    contradictions: int
    """Groups of training texts that say the same and are labelled otherwise."""


def misheard(
    model: TextModel, train: Sequence[Example], test: Sequence[Example], share: float
) -> Misheard:
    """Return how ``test`` is answered with ``share`` of its words misheard as words of ``train``.

    The thresholds stay as they are: nothing is chosen on what is measured.
    """
    recogniser = Recogniser.of(example.transcript for example in train)
    heard = [
        replace(example, transcript=recogniser.hear(example.transcript, share))
        for example in test
    ]
    before, after = _Answers.of(model, test), _Answers.of(model, heard)
    return Misheard(
        share,
        after.micro_f1,
        100 * (before.micro_f1 - after.micro_f1),
        after.accuracy or 0.0,
        100 * ((before.accuracy or 0.0) - (after.accuracy or 0.0)),
    )


def joined_calls(model: TextModel, test: Sequence[Example], parts: int) -> JoinedCalls:
    """Return how often the likeliest label of ``parts`` conversations in one is one of theirs."""
    calls = [call for call in joined(test, parts) if call.categories]
    right = _Answers.of(model, calls).right
    share = Share(int(right.sum()), len(calls))
    words = [word_count(call.transcript) for call in calls]
    return JoinedCalls(
        parts, len(calls), round(float(np.mean(words))), share.value or 0.0, share.low
    )


def without_twins(
    model: TextModel, train: Sequence[Example], test: Sequence[Example]
) -> WithoutTwins:
    """Return the figures on the test texts that say nothing that was learnt from."""
    speakers = model.recipe.speakers
    twins = twins_across(
        [said(example, speakers) for example in test],
        [said(example, speakers) for example in train],
    )
    alone = [example for example, is_twin in zip(test, twins.any, strict=True) if not is_twin]
    answers = _Answers.of(model, alone)
    return WithoutTwins(
        int(twins.exact.sum()),
        int(twins.near.sum()),
        answers.accuracy,
        answers.micro_f1,
        len(contradictions(train, speakers)),
    )


@dataclass(frozen=True, slots=True)
class _Answers:
    """What a model says of labelled texts, at the threshold it has."""

    right: Marks
    """Of each in-scope text: is its likeliest label true?"""
    micro_f1: float

    @classmethod
    def of(cls, model: TextModel, examples: Sequence[Example]) -> "_Answers":
        found = model.predict([example.transcript for example in examples])
        shares = np.array([[row[label] for label in model.labels] for row in found]).reshape(
            len(examples), len(model.labels)
        )
        truths = [example.categories for example in examples]
        true = np.array([[label in each for label in model.labels] for each in truths]).reshape(
            shares.shape
        )
        unknown = sum(len(each - set(model.labels)) for each in truths)
        best = shares.argmax(axis=1)
        in_scope = np.array([bool(each) for each in truths], dtype=bool)
        right = true[np.arange(len(best)), best].astype(bool)
        said_so = shares >= model.thresholds.confirms
        return cls(right[in_scope], micro_f1(said_so, true.astype(bool), missed=unknown))

    @property
    def accuracy(self) -> float | None:
        return float(self.right.mean()) if self.right.size else None
