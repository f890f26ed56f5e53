"""Promises of the comparison of two models: what counts as right, what is luck, who is blamed."""

import json

import numpy as np

from classifier.engine.comparison import Change, Comparison, KnownTo, Outcome
from classifier.engine.contest import Contender, compare
from classifier.engine.example import Example
from classifier.engine.rules import RuleBook
from classifier.engine.taxonomy import Node, Taxonomy
from classifier.engine.text import Transcript
from classifier.engine.thresholds import HeldOut
from classifier.engine.verdict import Doubt, Ground, Reason, Verdict
from tests.classifier.engine.words import examples as many_examples

TREE = Taxonomy(
    (
        Node("billing", "Billing"),
        Node("billing.refund", "Refund", "billing"),
        Node("billing.fee", "Fee", "billing"),
        Node("delivery", "Delivery"),
    )
)
LABELS = ("billing.fee", "billing.refund", "delivery")


def said(*codes):
    if not codes:
        return Verdict(doubt=Doubt.UNSURE)
    return Verdict(tuple(Reason(code, 0.9, None, 0.9, Ground.MODEL) for code in codes))


def true(*rows):
    return [Example(Transcript.of("x"), frozenset(row), f"t{n}") for n, row in enumerate(rows)]


def contender(truths, *verdicts, labels=LABELS):
    """Return one whose first guess is what it said, or fee."""
    guesses = [v.primary.category if v.primary else "billing.fee" for v in verdicts]
    table = np.array([[float(guess == label) for label in LABELS] for guess in guesses])
    held_out = HeldOut(LABELS, table, tuple(each.categories for each in truths))
    return Contender(frozenset(labels), tuple(verdicts), held_out)


def contest(rows, ours, theirs, **ours_has):
    texts = true(*rows)
    champion = contender(texts, *(said(*codes) for codes in theirs))
    candidate = contender(texts, *(said(*codes) for codes in ours), **ours_has)
    return compare(texts, TREE, candidate, champion)


REFUND, FEE, DELIVERY, NONE = ("billing.refund",), ("billing.fee",), ("delivery",), ()


def line(found, code):
    return next(line for line in found.lines if line.category == code)


def test_what_is_right_includes_the_parent_and_leaving_alone_what_is_out_of_scope():
    found = contest(
        [REFUND, REFUND, REFUND, NONE, NONE],
        [REFUND, ("billing",), NONE, NONE, DELIVERY],
        [REFUND] * 5,
    )

    shown = found.candidate
    assert (shown.right.hits, shown.right.of) == (3, 5)
    assert (shown.coverage.hits, shown.precision.hits, shown.precision.of) == (3, 2, 3)
    assert (shown.out_of_scope.hits, shown.out_of_scope.of) == (1, 2)


def test_a_clear_gain_is_beyond_chance_and_a_small_one_is_not():
    clear = contest([REFUND] * 10, [REFUND] * 10, [FEE] * 7 + [REFUND] * 3)
    small = contest([REFUND] * 10, [REFUND] * 10, [FEE] * 3 + [REFUND] * 7)

    assert (clear.outcome, clear.rights.better, clear.rights.worse) == (Outcome.BETTER, 7, 0)
    assert small.outcome is Outcome.NO_DIFFERENCE
    assert small.changes["right"].value == 0.3


def test_a_model_that_answers_more_but_wrongly_is_blamed_for_its_mistakes():
    found = contest([REFUND] * 8, [FEE] * 8, [NONE] * 8)

    assert found.outcome is Outcome.NO_DIFFERENCE  # neither is right
    assert (found.mistakes.better, found.mistakes.worse) == (0, 8)
    assert found.mistakes.is_beyond_chance
    assert found.changes["coverage"].value == 1.0


def test_each_flip_is_named_with_what_both_said():
    found = contest(
        [REFUND, REFUND, REFUND, REFUND],
        [REFUND, FEE, NONE, REFUND],
        [FEE, REFUND, DELIVERY, REFUND],
    )

    told = [(flip.key, flip.change, flip.candidate, flip.champion) for flip in found.flips]
    assert told == [
        ("t0", Change.BETTER, REFUND, FEE),
        ("t1", Change.WORSE, FEE, REFUND),
        ("t2", Change.NEITHER_RIGHT, NONE, DELIVERY),
    ]


def test_a_category_that_lost_more_than_its_interval_is_warned_of_though_the_whole_gained():
    rows = [REFUND] * 20 + [DELIVERY] * 40
    found = contest(
        rows,
        [FEE] * 12 + [REFUND] * 8 + [DELIVERY] * 40,
        [REFUND] * 20 + [FEE] * 30 + [DELIVERY] * 10,
    )

    assert found.outcome is Outcome.BETTER
    assert [lost.category for lost in found.lost if lost.texts] == ["billing.refund"]
    assert not line(found, "billing.refund").is_small
    assert line(found, "delivery").has_won


def test_a_parent_counts_what_lies_below_it():
    found = contest([REFUND, FEE], [FEE, REFUND], [REFUND, FEE])

    assert line(found, "billing").texts == 2
    assert line(found, "billing").candidate.f1 == 1.0
    assert line(found, "billing.refund").candidate.f1 == 0.0


def test_the_biggest_change_comes_first_and_few_texts_are_said_to_be_few():
    found = contest(
        [REFUND] * 4 + [DELIVERY] * 12,
        [FEE] * 4 + [DELIVERY] * 12,
        [REFUND] * 4 + [DELIVERY] * 12,
    )

    assert found.lines[0].category == "billing.refund"
    assert found.lines[0].is_small
    assert not line(found, "delivery").is_small


def test_a_category_new_to_the_candidate_is_set_apart_from_what_both_know():
    texts = true(*([DELIVERY] * 8 + [REFUND] * 4))
    champion = contender(
        texts,
        *[said(*NONE)] * 8,
        *[said(*REFUND)] * 4,
        labels=("billing.refund", "billing.fee"),
    )
    candidate = contender(texts, *[said(*DELIVERY)] * 8, *[said(*REFUND)] * 4)

    found = compare(texts, TREE, candidate, champion)

    assert (found.outcome, found.common_texts) == (Outcome.BETTER, 4)
    assert (found.common.better, found.common.worse) == (0, 0)
    assert line(found, "delivery").known_to is KnownTo.CANDIDATE


def test_without_champion_the_candidate_is_measured_alone_and_without_texts_nobody():
    texts = true(REFUND)
    candidate = contender(texts, said(*REFUND))

    alone, nothing = compare(texts, TREE, candidate, None), compare([], TREE, candidate, None)

    assert (alone.outcome, alone.candidate.right.hits) == (Outcome.ALONE, 1)
    assert nothing.outcome is Outcome.NO_TEXTS


def test_json_keeps_all_of_it_and_the_same_texts_give_the_same_figures():
    rows = ([REFUND, DELIVERY, NONE, FEE], [REFUND, FEE, NONE, FEE], [FEE, DELIVERY, FEE, FEE])
    found, again = contest(*rows), contest(*rows)

    written = json.loads(json.dumps(found.to_dict()))

    assert written == again.to_dict()
    assert Comparison.from_dict(written).to_dict() == written


def test_real_models_answer_as_they_would_be_served(model, taxonomy):
    texts = many_examples()[:40]
    heard = []

    own = Contender.of(model, texts, RuleBook(), taxonomy, on_batch=heard.append)
    found = compare(texts, taxonomy, own, own)

    assert heard == [40]
    assert (found.outcome, found.flips) == (Outcome.NO_DIFFERENCE, ())
    assert found.candidate == found.champion
    assert found.candidate.first_guess.value > 0.9


def test_a_category_that_is_no_longer_offered_is_not_guessed(model, taxonomy):
    texts = many_examples()[:10]
    gone = next(iter(texts[0].categories))
    smaller = Taxonomy(tuple(node for node in taxonomy if node.code != gone))

    own = Contender.of(model, texts, RuleBook(), smaller)

    assert gone not in own.guesses.labels
    assert all(gone not in [r.category for r in v.reasons] for v in own.verdicts)
