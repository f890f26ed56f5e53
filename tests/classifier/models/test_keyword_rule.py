import logging

import pytest

from classifier.engine.errors import RuleInvalid
from classifier.engine.grammar import Effect
from classifier.engine.rules import RuleBook
from classifier.engine.text import Speaker, Transcript, Turn
from classifier.models import Category, KeywordRule
from tests.classifier.making import a_category

pytestmark = pytest.mark.django_db


def test_a_row_becomes_the_rule_that_was_typed():
    row = KeywordRule.objects.create(
        name="Refund asked",
        category=a_category("refund"),
        any_of="refund*\nmoney back",
        none_of="no refund",
        strength=0.9,
    )

    rule = row.to_rule()

    assert (rule.name, rule.category, rule.effect) == ("Refund asked", "refund", Effect.ASSIGN)
    assert (rule.strength, rule.condition.speaker) == (0.9, Speaker.CUSTOMER)
    assert RuleBook([rule]).match(Transcript.of("I want my MONEY  back"))


def test_a_rule_for_anyone_hears_the_representative_too():
    row = KeywordRule(name="r", category=Category(code="refund"), any_of="refund", speaker="")

    said = Transcript((Turn(Speaker.REPRESENTATIVE, "The refund is on its way."),))

    assert RuleBook([row.to_rule()]).match(said)


def test_rules_that_are_off_or_belong_to_an_inactive_category_are_not_in_force():
    refund, old = a_category("refund"), a_category("old")
    KeywordRule.objects.create(name="on", category=refund, any_of="refund")
    KeywordRule.objects.create(name="off", category=refund, any_of="refund", is_active=False)
    KeywordRule.objects.create(name="of old", category=old, any_of="refund")
    Category.objects.filter(code="old").update(is_active=False)

    assert [rule.name for rule in KeywordRule.objects.in_force().rules()] == ["on"]


def test_one_bad_rule_is_left_out_and_logged_instead_of_stopping_all(caplog):
    refund = a_category("refund")
    KeywordRule.objects.create(name="bad", category=refund, any_of="re*fund")
    KeywordRule.objects.create(name="good", category=refund, any_of="refund")

    with caplog.at_level(logging.ERROR):
        rules = KeywordRule.objects.in_force().rules()

    assert [rule.name for rule in rules] == ["good"]
    assert "star" in caplog.text


def test_a_bad_rule_says_why():
    row = KeywordRule(name="bad", category=Category(code="refund"), any_of="re*fund")

    with pytest.raises(RuleInvalid, match="star"):
        row.to_rule()
