"""Promises of training: the same from the same, whatever the order, and never a crash."""

import random
from dataclasses import replace

import numpy as np
import pytest

from classifier.engine.calibration import Link
from classifier.engine.errors import NothingToLearn
from classifier.engine.example import Example
from classifier.engine.folds import fold_count, folds_of
from classifier.engine.learning import learn, learn_and_score
from classifier.engine.lesson import Lesson, tell_nobody
from classifier.engine.recipe import Recipe
from classifier.engine.text import Speaker, Transcript
from classifier.engine.wording import sayings_of
from tests.classifier.engine.words import NAMES, examples, examples_with_several, outsiders

RECIPE = Recipe(folds=3)


def example(text: str, *categories: str) -> Example:
    return Example(Transcript.of(text), frozenset(categories), key=text)


def test_the_order_of_the_examples_does_not_matter():
    ordered = examples(8)
    shuffled = random.Random(5).sample(ordered, len(ordered))

    assert learn(ordered, RECIPE).digest == learn(shuffled, RECIPE).digest


def test_another_recipe_makes_another_model():
    ordered = examples(8)

    assert learn(ordered, RECIPE).digest != learn(ordered, replace(RECIPE, penalty=0.1)).digest


def test_labels_that_come_alone_exclude_each_other_and_others_do_not():
    alone, together = learn(examples(8), RECIPE), learn(examples_with_several(40), RECIPE)

    assert (alone.calibration.link, alone.thresholds.exclusive) == (Link.SOFTMAX, True)
    assert (together.calibration.link, together.thresholds.exclusive) == (Link.SIGMOID, False)


@pytest.mark.parametrize("each", [1, 2])
def test_a_label_with_hardly_an_example_does_no_harm(each):
    rare = [example(f"a rare wish {number}", "rare") for number in range(each)]

    for common in (examples(8), examples_with_several(40)):
        model = learn([*common, *rare], RECIPE)

        (shares,) = model.predict([Transcript.of("a rare wish")])
        assert "rare" in shares
        assert np.isfinite(list(shares.values())).all()


@pytest.mark.parametrize("count", [1, 3])
def test_two_labels_are_enough(count):
    few = [example(f"refund please {n}", "refund") for n in range(count)]
    few += [example(f"parcel late {n}", "late") for n in range(count)]

    (shares,) = learn(few, Recipe(min_texts=1)).predict([Transcript.of("refund")])

    assert shares["refund"] >= shares["late"]


@pytest.mark.parametrize("few", [[], [example("refund", "refund")], [example("hello")] * 3])
def test_fewer_than_two_labels_teach_nothing(few):
    with pytest.raises(NothingToLearn, match="label conversations of at least 2"):
        learn(few, RECIPE)


def test_a_label_that_every_example_has_is_always_likely():
    made = [example(f"refund {n}", "always", *["late"] * (n % 2)) for n in range(20)]

    (shares,) = learn(made, RECIPE).predict([Transcript.of("anything")])

    assert shares["always"] > 0.5


def test_examples_without_common_words_teach_nothing():
    silent = [example(" " * n, "refund" if n % 2 else "late") for n in range(6)]

    with pytest.raises(NothingToLearn, match="share no words"):
        learn(silent, RECIPE)


def test_texts_out_of_scope_lower_every_share():
    strange = Transcript.of("hello, tell me a joke")
    without, with_them = learn(examples(8), RECIPE), learn([*examples(8), *outsiders()], RECIPE)

    (before,), (after,) = without.predict([strange]), with_them.predict([strange])

    assert "" not in after
    assert sum(after.values()) < 0.5 < sum(before.values())
    assert with_them.thresholds.in_scope > 0


def test_the_name_of_a_label_teaches_its_words():
    recipe = Recipe(min_texts=1, meaning=0)  # the vectors know the word already
    names = {"billing.refund": "Reimbursement"}
    asked = [Transcript.of("reimbursement")]

    (without,) = learn(examples(4), recipe).predict(asked)
    (named,) = learn(examples(4), recipe, names=names).predict(asked)

    assert named["billing.refund"] > 0.5 > without["billing.refund"]


def test_the_fewer_texts_a_label_has_the_more_count_the_meanings_of_words():
    lengths = [Recipe().meaning_for(texts, 10) for texts in (0, 10, 100, 150, 500, 9_999)]

    assert lengths == [3.0, 2.0, 2.0, 1.5, 1.0, 1.0]
    assert Recipe(meaning=0).meaning_for(10, 10) == 0


def test_names_are_left_out_where_examples_are_many():
    plenty = examples(60)

    assert learn(plenty, RECIPE, names=NAMES).digest == learn(plenty, RECIPE).digest


def test_held_out_scores_are_of_models_that_had_not_seen_the_text():
    chance = random.Random(1)
    noise = [
        example(f"{chance.random()} word{chance.randrange(99)}", chance.choice("ab"))
        for _ in range(200)
    ]

    scores = learn_and_score(noise, Recipe(min_texts=1)).held_out

    right = [answer in true for answer, true in zip(scores.answers, scores.truths, strict=True)]
    assert 0.3 < np.mean(right) < 0.7


def test_progress_is_told_from_start_to_end():
    heard: list[float] = []

    learn(examples(8), RECIPE, on_progress=lambda _doing, share: heard.append(share))

    assert heard == sorted(heard)
    assert (heard[0], heard[-1]) == (0.0, 1.0)


def test_twins_share_a_fold_and_labels_are_spread():
    texts = [[["order", str(n), "is", "late"]] for n in range(6)]
    texts += [[["refund", chr(97 + n)]] for n in range(9)]
    labels = [frozenset(["late"])] * 6 + [frozenset(["refund"])] * 9

    folds = folds_of(texts, labels, 3)

    assert len(set(folds[:6])) == 1
    assert sorted(np.bincount(folds[6:], minlength=3)) == [3, 3, 3]


def test_the_fewer_the_examples_the_more_the_folds():
    assert [fold_count(n) for n in (100, 10_000, 20_000)] == [10, 5, 3]


def test_a_recipe_survives_json():
    recipe = Recipe(speakers=tuple(Speaker), penalty=0.5, folds=4)

    assert Recipe.from_json(recipe.to_json()) == recipe
    assert Recipe.from_json("{}") == Recipe()


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '{"colour": 1}',
        '{"speakers": []}',
        '{"folds": 1}',
        '{"penalty": 0}',
        '{"min_texts": 0}',
        '{"target_precision": 1.0}',
        "no json",
        '{"speakers": ["nobody"]}',
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        Recipe.from_json(text)


def test_without_any_example_phrases_are_learnt_from_and_nothing_is_promised() -> None:
    phrases = {"refund": ["refund", "money_back"], "late": ["late parcel", "delivery is late"]}

    model = learn([], Recipe(), phrases=phrases)

    shares = model.predict(
        [Transcript.of("I want my money back"), Transcript.of("parcel late?")]
    )
    assert [max(found, key=found.__getitem__) for found in shares] == ["refund", "late"]
    assert model.thresholds.accept is None


def test_a_category_of_phrases_alone_is_learnt_beside_those_with_examples() -> None:
    model = learn(examples(), Recipe(), phrases={"greeting": ["hello there", "good morning"]})

    (found,) = model.predict([Transcript.of("good morning")])
    assert max(found, key=found.__getitem__) == "greeting"


def test_phrases_of_one_category_are_too_few_to_learn_from() -> None:
    with pytest.raises(NothingToLearn):
        learn([], Recipe(), phrases={"refund": ["refund"]})


def test_words_never_seen_in_training_are_understood_by_their_meaning() -> None:
    phrases = {"refund": ["refund"], "weather": ["weather"], "pets": ["dog"]}

    model = learn([], Recipe(), phrases=phrases)

    (found,) = model.predict([Transcript.of("reimbursement")])
    assert max(found, key=found.__getitem__) == "refund"


def test_a_recipe_without_meaning_holds_no_vectors() -> None:
    model = learn(examples(), Recipe(meaning=0))

    assert model.features.vectors is None
    assert len(model.weights) == model.features.hashed


@pytest.mark.parametrize("length", [-1.0, float("inf"), float("nan")])
def test_a_block_of_no_sensible_length_is_refused(length: float) -> None:
    with pytest.raises(ValueError, match="meaning"):
        Recipe(meaning=length)


def test_many_categories_of_one_phrase_each_are_learnt() -> None:
    phrases = {f"c{n}": [word] for n, word in enumerate("abcdefghijklmnopqrstuvwxyz")}

    (found,) = learn([], Recipe(), phrases=phrases).predict([Transcript.of("q")])

    assert max(found, key=found.__getitem__) == "c16"


def test_words_that_only_the_unseen_texts_say_are_unknown_when_they_are_scored() -> None:
    lesson = _lesson([e for e in examples(60) if e.categories])
    seen = lesson.folds != 0
    rest = _lesson([e for e, known in zip(lesson.examples, seen, strict=True) if known])
    weights, intercepts = rest.fit(np.ones(len(rest.truths), dtype=bool), rest.features)
    unseen = [lesson.wording.texts[row] for row in np.flatnonzero(~seen)]

    margins = lesson.margins_out_of_fold(tell_nobody)[~seen]

    assert len(rest.features) < len(lesson.features)
    assert margins == pytest.approx(rest.features.matrix(unseen) @ weights + intercepts)


def _lesson(of: list[Example]) -> Lesson:
    return Lesson.of(of, Recipe(), sayings_of({}, {}), tell_nobody)
