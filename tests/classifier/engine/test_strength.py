"""Promises of a rule's strength: counted on labels, modest while they are few, none made up."""

import pytest

from classifier.engine.chance import Paired
from classifier.engine.grammar import Condition, Effect
from classifier.engine.rules import Rule, RuleBook
from classifier.engine.strength import RuleRecord, Strength, against_model, measure
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.text import Transcript

TREE = Taxonomy.of_paths([("billing", "refund"), ("billing", "invoice"), ("delivery",)])
TEXTS = ["refund please", "refund of the invoice", "a refund for the late parcel", "hello"]
TRUTHS = [{"billing.refund"}, {"billing.invoice"}, {"delivery"}, set()]


def found_by(effect: Effect, category: str = "billing.refund"):
    book = RuleBook([Rule("refunds", category, Condition(any_of=("refund",)), effect)])
    return book.match_all(map(Transcript.of, TEXTS))


def test_a_rule_never_tried_stands_at_one_half_and_labels_move_it():
    assert Strength().share == 0.5
    assert Strength(1, 1).share == pytest.approx(2 / 3)
    assert Strength(380, 400).share == pytest.approx(0.95, abs=0.003)


def test_eighteen_right_of_eighteen_stand_at_95_percent_and_seventeen_do_not():
    assert Strength(18, 18).share == pytest.approx(0.95)
    assert Strength(17, 17).share < 0.95


def test_more_right_than_found_is_refused():
    with pytest.raises(ValueError, match="not a count"):
        Strength(3, 2)


def test_a_rule_is_right_where_the_text_belongs_to_its_category():
    assert measure(found_by(Effect.ASSIGN), TRUTHS, TREE) == {"refunds": Strength(1, 3)}


def test_a_rule_for_a_parent_is_right_about_what_is_below():
    assert measure(found_by(Effect.ASSIGN, "billing"), TRUTHS, TREE) == {
        "refunds": Strength(2, 3)
    }


def test_a_veto_is_right_where_the_text_does_not_belong():
    assert measure(found_by(Effect.VETO), TRUTHS, TREE) == {"refunds": Strength(2, 3)}


def test_a_rule_that_found_nothing_has_no_measured_strength():
    book = RuleBook([Rule("bikes", "delivery", Condition(any_of=("bicycle",)))])

    assert measure(book.match_all(map(Transcript.of, TEXTS)), TRUTHS, TREE) == {}


def test_the_model_is_compared_only_where_the_rule_speaks():
    answers = ["billing.refund", "billing.invoice", "billing.refund", "delivery"]

    compared = against_model(found_by(Effect.ASSIGN), answers, TRUTHS, TREE)

    assert compared == {"refunds": Paired(better=1, worse=0)}


@pytest.mark.parametrize(
    ("better", "worse", "overtaken"),
    [(9, 0, True), (20, 5, True), (5, 0, False), (3, 2, False), (0, 9, False), (0, 0, False)],
)
def test_a_rule_is_overtaken_where_the_model_is_right_more_often_beyond_chance(
    better, worse, overtaken
):
    record = RuleRecord(Strength(3, 12), Paired(better, worse))

    assert record.is_overtaken is overtaken


def test_a_rule_that_was_not_compared_is_not_overtaken():
    assert not RuleRecord(Strength()).is_overtaken
