"""Promises of expanding: only what is agreed or proven is taken, and what helps is measured."""

from dataclasses import replace

import pytest

from classifier.engine.augmenting import Copy
from classifier.engine.chance import Measured, Paired
from classifier.engine.example import Example
from classifier.engine.expanding import Gain, gain, self_taught, self_teaching, voted, voting
from classifier.engine.grammar import Condition, Effect
from classifier.engine.recipe import Recipe
from classifier.engine.rules import Rule, RuleBook
from classifier.engine.text import Transcript
from tests.classifier.engine.words import NAMES, PHRASES, examples, outsiders

RECIPE = Recipe(folds=3)
RULES = RuleBook(
    [
        Rule("money", "billing.refund", Condition(("refund", "money back"))),
        Rule("bill", "billing.invoice", Condition(("invoice", "bill"))),
        Rule("shoes", "billing.refund", Condition(("shoes",)), effect=Effect.VETO),
    ]
)
NEW = examples(60, seed=8)
UNLABELLED = [replace(each, categories=frozenset(), key=f"new {each.key}") for each in NEW]


def text(words, key="1"):
    return Example(Transcript.of(words), frozenset(), key)


def test_rules_vote_only_where_they_agree_and_none_objects():
    texts = [
        text("a refund please"),
        text("refund the invoice"),
        text("a refund for the shoes"),
        text("hello"),
    ]

    (labelled,) = voted(texts, RULES)

    assert labelled == replace(texts[0], categories=frozenset(["billing.refund"]))


def test_a_model_teaches_itself_what_it_would_decide_and_nothing_else(taxonomy):
    learnt = examples(30)

    taken = self_taught(
        learnt, [*UNLABELLED, text("…"), *outsiders(5)], RECIPE, names=NAMES, taxonomy=taxonomy
    )

    truth = {f"new {each.key}": each.categories for each in NEW}
    known = [each for each in taken if each.key in truth]
    right = [each.categories == truth[each.key] for each in known]
    assert len(known) > 60
    assert sum(right) >= RECIPE.target_precision * len(right)
    assert "1" not in {each.key for each in taken}


def test_weak_labels_help_where_people_labelled_next_to_nothing():
    few = examples(4)

    found = gain(
        few, RECIPE, further=voting(UNLABELLED, RuleBook(rules_of_phrases())), names=NAMES
    )

    assert found.accuracy.value > 0
    assert found.answers.better > found.answers.worse


def rules_of_phrases():
    return [
        Rule(f"{category} {number}", category, Condition((phrase,)))
        for category, phrases in PHRASES.items()
        for number, phrase in enumerate(phrases)
    ]


def test_self_teaching_learns_from_each_folds_own_examples():
    found = gain(examples(6), RECIPE, further=self_teaching(UNLABELLED, Recipe(folds=2)))

    assert -1 <= found.accuracy.low <= found.accuracy.value <= found.accuracy.high <= 1


def test_nothing_added_changes_nothing_and_does_not_help():
    found = gain(examples(8), RECIPE, further=lambda _seen: [])

    assert (found.accuracy.value, found.decided.value) == (0, 0)
    assert not found.helps
    assert found.words.startswith(
        "It does not help beyond chance: accuracy +0.0 points (+0.0 to"
    )


def test_a_recipe_with_copies_is_held_against_the_one_without():
    found = gain(examples(8), RECIPE, expanded=replace(RECIPE, copies=(Copy.MISTYPED,)))

    assert found.answers.better + found.answers.worse <= 32


@pytest.mark.parametrize(
    ("accuracy", "decided", "helps"),
    [((0.01, 0.03), (-0.01, 0.01), True), ((-0.01, 0.01), (-0.01, 0.01), False),
     ((0.01, 0.03), (-0.03, -0.01), False), ((-0.01, 0.02), (0.001, 0.02), True)],
)  # fmt: skip
def test_it_helps_if_one_figure_grows_beyond_chance_and_none_shrinks(accuracy, decided, helps):
    found = Gain(Measured(0, *accuracy), Measured(0, *decided), Paired(1, 1))

    assert found.helps is helps
