"""Promises of rules beside the model: measured on train, told on test, the gain with its interval."""

from dataclasses import replace

import numpy as np
import pytest

from classifier.engine.example import Example
from classifier.engine.grammar import Condition
from classifier.engine.hybrid import compare_with_rules
from classifier.engine.policy import Policy
from classifier.engine.promise import choose_thresholds
from classifier.engine.rules import Effect, Rule
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.text import Transcript
from classifier.engine.thresholds import HeldOut

TREE = Taxonomy.of_paths([("refund",), ("late",)])
LABELS = ("late", "refund")


def made(count: int, seed: int) -> tuple[list[Example], HeldOut]:
    """Return texts that a model is sure of in three of four cases, and guesses else.

    What it guesses says "parcel" where it is late and "money" where it is a refund.
    """
    chance = np.random.default_rng(seed)
    examples, rows = [], []
    for number in range(count):
        truth = LABELS[number % 2]
        word = "parcel" if truth == "late" else "money"
        column, sure = number % 2, number % 4 < 3
        wrong = sure and chance.random() < 0.02
        share = 0.97 if sure else 0.5 + chance.uniform(0.0, 0.1) * chance.choice([-1, 1])
        row = [1 - share, 1 - share]
        row[column ^ wrong] = share
        examples.append(
            Example(
                Transcript.of(f"it is about {word}" if not sure else "as I said"),
                frozenset([truth]),
                f"{seed}-{number:05}",
            )
        )
        rows.append([row[0], 1 - row[0]])
    truths = tuple(example.categories for example in examples)
    return examples, HeldOut(LABELS, np.array(rows), truths)


def rule(name, category, word, effect=Effect.ASSIGN):
    return Rule(name, category, Condition(any_of=(word,)), effect)


GOOD = [rule("parcels", "late", "parcel"), rule("moneys", "refund", "money")]
BAD = [rule("parcels", "refund", "parcel"), rule("moneys", "late", "money")]


@pytest.fixture(scope="module")
def texts():
    train, out_of_fold = made(1200, seed=1)
    test, unseen = made(600, seed=2)
    thresholds = choose_thresholds(out_of_fold, TREE, 0.95, exclusive=True)
    return train, out_of_fold, test, unseen, Policy(TREE, thresholds)


def compared(texts, rules):
    train, out_of_fold, test, unseen, policy = texts
    return compare_with_rules(train, out_of_fold, test, unseen, rules, policy)


def test_rules_that_know_what_the_model_does_not_raise_coverage_beyond_chance(texts):
    report = compared(texts, GOOD)

    assert report.better == "model_only"
    assert report.model_only.coverage < 0.85 < report.hybrid.coverage
    assert report.hybrid.precision >= 0.95
    gain = report.gain_in_coverage
    assert gain.value == pytest.approx(report.hybrid.coverage - report.model_only.coverage)
    assert 0 < gain.low < gain.value < gain.high


def test_rules_that_are_wrong_are_found_out_on_train_and_cost_nothing(texts):
    report = compared(texts, BAD)

    assert report.rules_only.coverage == 0.0
    assert report.hybrid.coverage >= report.model_only.coverage
    assert report.hybrid.precision >= 0.95


def test_strengths_are_counted_on_train_text_by_text(texts):
    train = texts[0]
    about = [example for example in train if "money" in example.transcript.turns[0].text]

    counted = compared(texts, GOOD).strengths["moneys"]

    right = sum(example.categories == {"refund"} for example in about)
    assert (counted.right, counted.found) == (right, len(about))


def test_nothing_is_chosen_on_the_test_texts(texts):
    train, out_of_fold, test, unseen, policy = texts
    turned = tuple(frozenset(LABELS) - truths for truths in unseen.truths)
    lies = replace(unseen, truths=turned)

    told = compare_with_rules(train, out_of_fold, test, lies, GOOD, policy)

    honest = compared(texts, GOOD)
    assert (told.decisive, told.boost, told.strengths) == (
        honest.decisive,
        honest.boost,
        honest.strengths,
    )
    assert told.hybrid.coverage == honest.hybrid.coverage
    assert told.hybrid.precision < 0.1


def test_the_same_texts_give_the_same_report(texts):
    assert compared(texts, GOOD) == compared(texts, GOOD)


def test_without_rules_the_hybrid_is_the_model(texts):
    report = compared(texts, [])

    assert report.hybrid == report.model_only
    assert (report.gain_in_coverage.value, report.gain_in_coverage.high) == (0.0, 0.0)


def test_a_rule_is_told_as_overtaken_where_the_model_does_better(texts):
    report = compared(texts, [rule("said", "refund", "said")])

    assert report.overtaken == ("said",)
