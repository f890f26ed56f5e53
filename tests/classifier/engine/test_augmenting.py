"""Promises of copies: from the examples of a fit alone, learnt and never scored."""

from dataclasses import replace

import numpy as np
import pytest

from classifier.engine.augmenting import Copy, copies_of
from classifier.engine.example import Example
from classifier.engine.learning import learn, learn_and_score
from classifier.engine.lesson import weights_of
from classifier.engine.recipe import Recipe
from classifier.engine.text import Transcript
from tests.classifier.engine.words import examples, examples_with_several, outsiders

RECIPE = Recipe(folds=3)
ALL = tuple(Copy)


def test_each_kind_gives_a_copy_with_the_labels_of_its_example_and_a_key_of_its_own():
    several = examples_with_several(20)

    for kind in Copy:
        made = copies_of(several, [kind])

        assert 0 < len(made) <= len(several)
        assert {each.key for each in made}.isdisjoint(each.key for each in several)
        labels = {each.key: each.categories for each in several}
        assert all(each.categories == labels[each.key.split()[0]] for each in made)
    assert len(copies_of(several, ALL)) > 2 * len(several)


def test_copies_hold_no_words_of_other_examples_than_they_were_made_from():
    made = [Example(Transcript.of("refund my card"), frozenset(["a"]), "1")]

    words = {
        w for each in copies_of(made, [Copy.MISHEARD]) for w in each.transcript.turns[0].text
    }

    assert words <= set("refund my card ") | set("abcdefghijklmnopqrstuvwxyz")
    assert copies_of([], ALL) == []


def test_copies_are_learnt_and_never_scored():
    made = [*examples(8), *outsiders(12)]

    plain = learn_and_score(made, RECIPE)
    more = learn_and_score(made, replace(RECIPE, copies=ALL))

    assert more.held_out.truths == plain.held_out.truths
    assert more.model.digest != plain.model.digest
    assert more.model.labels == plain.model.labels


def test_what_is_learnt_besides_is_asked_for_by_each_fit_with_what_it_sees():
    asked: list[int] = []
    made = examples(9)

    def further(seen):
        asked.append(len(seen))
        return [
            Example(Transcript.of("a voucher"), frozenset(["unknown label"]), "x"),
            *seen[:2],
        ]

    learned = learn_and_score(made, RECIPE, further=further)

    assert sum(asked[:-1]) == 2 * len(made)  # three folds, each without a third
    assert asked[-1] == len(made)
    assert "unknown label" not in learned.model.labels


def test_a_recipe_with_copies_and_balance_comes_back_from_json():
    recipe = Recipe(copies=(Copy.MISTYPED,), balance=0.5)

    assert Recipe.from_json(recipe.to_json()) == recipe


@pytest.mark.parametrize("text", ['{"balance": 2}', '{"copies": ["loud"]}', '{"balance": -1}'])
def test_a_balance_or_a_copy_that_there_is_not_is_refused(text):
    with pytest.raises(ValueError, match=r"balance|loud"):
        Recipe.from_json(text)


def test_balance_weighs_rare_labels_up_and_none_leaves_all_alike():
    counts = np.array([9, 1])

    assert weights_of(counts, 0.0).tolist() == [1, 1]
    rare, even = weights_of(counts, 0.5), weights_of(counts, 1.0)
    assert rare[1] > rare[0]
    assert np.isclose(even[1] * 1, even[0] * 9)


@pytest.mark.parametrize("made", [examples(8), examples_with_several(40)])
def test_a_balanced_model_learns_too(made):
    model = learn(made, replace(RECIPE, balance=1.0))

    assert model.digest != learn(made, RECIPE).digest
    assert len(model.predict([made[0].transcript])[0]) == len(model.labels)
