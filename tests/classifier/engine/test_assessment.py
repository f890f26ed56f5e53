import random

import numpy as np
import pytest

from classifier.engine.assessment import assess
from classifier.engine.errors import NothingToLearn
from classifier.engine.example import Example
from classifier.engine.mixups import mix_ups
from classifier.engine.recipe import Recipe
from classifier.engine.rehearsal import Rehearsal
from classifier.engine.text import Transcript
from classifier.engine.thresholds import HeldOut

WORDS = {"refund": "money back paid", "late": "parcel waiting days", "login": "sign in code"}


def example(label, words, key):
    return Example(Transcript.of(words), frozenset([label]), key)


def examples(each=30):
    draw = random.Random(3)
    return [
        example(
            label,
            f"{draw.choice(words.split())} {draw.choice(words.split())} please {n}",
            f"{label}{n}",
        )
        for label, words in WORDS.items()
        for n in range(each)
    ]


def test_equal_examples_give_equal_answers_in_any_order():
    one, other = assess(examples()), assess(list(reversed(examples())))

    assert one.keys == other.keys
    assert one.prospects == other.prospects
    assert one.needs == other.needs
    assert one.suspicion.suspects == other.suspicion.suspects


def test_progress_is_told_from_nothing_to_all():
    told = []

    assess(examples(), on_progress=lambda _, share: told.append(share))

    assert (told[0], told[-1]) == (0.0, 1.0)
    assert told == sorted(told)


def test_one_label_alone_promises_nothing():
    with pytest.raises(NothingToLearn):
        assess([each for each in examples() if "late" in each.categories])


def test_a_rehearsal_needs_exactly_one_label_per_text():
    several = Example(Transcript.of("hello"), frozenset("ab"), "1")

    with pytest.raises(ValueError, match="exactly one label"):
        Rehearsal.of([several], Recipe())


def test_texts_of_the_same_words_are_twins_whatever_their_numbers():
    said = [("a", "my card was stolen"), ("b", "My card was stolen!"), ("a", "late parcel")]
    found = Rehearsal.of(
        [example(label, words, str(n)) for n, (label, words) in enumerate(said)], Recipe()
    )

    assert [group.tolist() for group in found.twins()] == [[0, 1]]


def test_pairs_are_mixed_up_by_a_model_or_by_people():
    rows = np.array([[0.1, 0.8, 0.1]] * 4 + [[0.1, 0.1, 0.8]] * 2)
    tags = np.array([0, 0, 0, 1, 2, 0])
    scores = HeldOut(("a", "b", "c"), rows, tuple(frozenset() for _ in tags))

    (found,) = mix_ups(scores, tags, [np.array([1, 3])])

    assert (found.one, found.other, found.confused, found.twins) == (0, 1, 3, 1)
    assert found.share == pytest.approx(4 / 5)
