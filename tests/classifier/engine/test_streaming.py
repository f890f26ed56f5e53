"""Promises of streaming: the same kind of model, whatever the order, from texts read one by one."""

import random
from itertools import chain

import numpy as np
import pytest
from scipy.sparse import random as random_matrix

from classifier.engine.artifact import digest_of, dump, load
from classifier.engine.augmenting import Copy
from classifier.engine.calibration import Link
from classifier.engine.errors import NothingToLearn
from classifier.engine.evaluation import held_out
from classifier.engine.example import Example
from classifier.engine.recipe import Recipe
from classifier.engine.shards import HELD_OUT, Shards
from classifier.engine.streaming import learn_from_stream
from classifier.engine.text import Transcript
from tests.classifier.engine.words import NAMES, examples, examples_with_several, outsiders

MANY = examples(150)
UNSEEN = examples(20, seed=9)


def share_right(model, made):
    found = held_out(model, made)
    return np.mean(
        [answer in truth for answer, truth in zip(found.answers, found.truths, strict=True)]
    )


def test_a_stream_teaches_what_the_examples_teach_at_once(taxonomy):
    learned = learn_from_stream(lambda: iter(MANY), Recipe(), names=NAMES, taxonomy=taxonomy)

    assert learned.model.labels == tuple(sorted({c for e in MANY for c in e.categories}))
    assert share_right(learned.model, UNSEEN) > 0.98
    assert learned.model.thresholds.accept is not None
    assert 0 < len(learned.held_out.truths) < 0.2 * len(MANY)


def test_the_model_can_be_kept_and_explains_itself():
    model = learn_from_stream(lambda: iter(MANY), Recipe()).model
    content = dump(model)

    again = load(content, digest_of(content))

    transcript = UNSEEN[0].transcript
    assert again.predict([transcript]) == model.predict([transcript])
    assert model.explain(transcript, "billing.refund") != ()


def test_the_order_of_the_stream_does_not_matter():
    shuffled = random.Random(4).sample(MANY, len(MANY))

    first = learn_from_stream(lambda: iter(MANY), Recipe()).model
    second = learn_from_stream(lambda: iter(shuffled), Recipe()).model

    assert first.digest == second.digest


def test_examples_are_read_one_by_one_and_twice():
    read = 0

    def source():
        nonlocal read
        for example in MANY:
            read += 1
            yield example

    learn_from_stream(source, Recipe())

    assert read == 2 * len(MANY)


def test_texts_with_several_reasons_and_texts_out_of_scope_are_streamed_too():
    several = learn_from_stream(lambda: examples_with_several(300), Recipe()).model
    scoped = learn_from_stream(lambda: [*MANY, *outsiders(80)], Recipe()).model

    assert several.calibration.link is Link.SIGMOID
    assert (scoped.weights.shape[1], len(scoped.labels)) == (5, 4)
    (refund, joke) = scoped.predict([UNSEEN[0].transcript, Transcript.of("tell me a joke")])
    assert max(joke.values()) < 0.5 < max(refund.values())


@pytest.mark.parametrize("few", [[], examples(3)[:3], outsiders(5)])
def test_fewer_than_two_labels_teach_nothing(few):
    with pytest.raises(NothingToLearn, match="label conversations of at least 2"):
        learn_from_stream(lambda: iter(few), Recipe())


def test_texts_without_words_teach_nothing():
    empty = [
        Example(Transcript.of("…"), frozenset([f"label {n % 2}"]), str(n)) for n in range(9)
    ]

    with pytest.raises(NothingToLearn, match="share no words"):
        learn_from_stream(lambda: iter(empty), Recipe())


def test_a_rare_label_is_learnt_with_its_name():
    rare = [
        Example(Transcript.of("the voucher code is refused"), frozenset(["voucher"]), "rare")
    ]

    model = learn_from_stream(
        lambda: chain(MANY, rare), Recipe(min_texts=1), names={"voucher": "Voucher refused"}
    ).model

    (shares,) = model.predict([Transcript.of("voucher refused")])
    assert max(shares, key=shares.__getitem__) == "voucher"


def test_copies_and_balance_change_what_a_stream_learns_and_not_what_is_held_out():
    plain = learn_from_stream(lambda: iter(MANY), Recipe())
    flawed = learn_from_stream(lambda: iter(MANY), Recipe(copies=(Copy.MISTYPED,), balance=1.0))

    assert flawed.held_out.truths == plain.held_out.truths
    assert share_right(flawed.model, UNSEEN) > 0.98
    assert not np.array_equal(flawed.model.weights, plain.model.weights)


def test_no_twin_of_what_is_held_out_is_learnt_from():
    twice = [*MANY, *(Example(e.transcript, e.categories, f"again {e.key}") for e in MANY)]

    learned = learn_from_stream(lambda: iter(twice), Recipe())

    assert len(learned.held_out.truths) % 2 == 0


def test_shards_give_back_what_was_put_in_in_the_same_order_whatever_the_order(tmp_path):
    chance = np.random.default_rng(1)
    matrix = random_matrix(50, 30, 0.2, format="csr", dtype=np.float32, random_state=chance)
    marks = chance.random((50, 11)) < 0.3
    places = chance.permutation(50).astype(np.uint64)
    apart = np.arange(50) % 10 == 0
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one = Shards(tmp_path / "one", 50, 30, 11)
    two = Shards(tmp_path / "two", 50, 30, 11)

    one.add(matrix, marks, places, apart)
    for row in reversed(range(50)):
        only = slice(row, row + 1)
        two.add(matrix[only], marks[only], places[only], apart[only])

    for number in (0, HELD_OUT):
        order = np.argsort(places[apart == (number == HELD_OUT)])
        expected = matrix[np.flatnonzero(apart == (number == HELD_OUT))[order]]
        part, same = one.part(number), two.part(number)
        assert abs(part.matrix - expected).max() < 0.001
        assert (part.matrix != same.matrix).nnz == 0
        assert (part.marks == marks[np.flatnonzero(apart == (number == HELD_OUT))[order]]).all()
