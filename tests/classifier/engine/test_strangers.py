"""Promises of a training that assumes texts out of scope of which nobody labelled any."""

import pytest

from classifier.engine.learning import learn_and_score
from classifier.engine.recipe import Recipe
from tests.classifier.engine.words import NAMES, examples, outsiders

MANY = examples(40)


def test_categories_left_out_stand_in_for_texts_out_of_scope(taxonomy):
    learned = learn_and_score(MANY, Recipe(oos_share=0.1), names=NAMES, taxonomy=taxonomy)

    assert learned.outsiders.shape == (len(MANY), 4)
    strangers, known = learned.outsiders.max(axis=1), learned.held_out.confidence
    assert strangers.mean() < known.mean() - 0.2
    assert learned.model.thresholds.oos_share == 0.1


def test_nobody_is_left_out_where_such_texts_are_labelled_or_none_are_assumed():
    labelled = learn_and_score([*MANY, *outsiders(20)], Recipe(oos_share=0.1))
    unasked = learn_and_score(MANY, Recipe())

    assert labelled.outsiders is None
    assert unasked.outsiders is None
    assert unasked.model.thresholds.oos_share is None


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_that_makes_no_sense_is_refused(share):
    with pytest.raises(ValueError, match="oos_share"):
        Recipe(oos_share=share)


def test_a_recipe_keeps_the_share_assumed():
    recipe = Recipe(oos_share=0.2)

    assert Recipe.from_json(recipe.to_json()) == recipe
