import logging
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from classifier.engine.errors import RuleInvalid
from classifier.engine.grammar import Effect
from classifier.engine.rulelang import parse, to_json
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
        is_certain=True,
    )

    rule = row.to_rule()

    assert (rule.name, rule.category, rule.effect) == ("Refund asked", "refund", Effect.ASSIGN)
    assert (rule.strength, rule.is_certain) == (0.9, True)
    assert rule.condition.speaker is Speaker.CUSTOMER
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


def test_what_was_typed_as_a_strength_becomes_the_admins_word_and_back():
    move = import_module("classifier.migrations.0011_typed_strengths_become_a_word")
    refund = a_category("refund")
    for name, effect, strength in (
        ("decided alone", "assign", 0.95),
        ("only helped", "assign", 0.6),
        ("boosted", "boost", 0.95),
    ):
        KeywordRule.objects.create(
            name=name, category=refund, any_of="refund*", effect=effect, strength=strength
        )

    move.state_certain(apps, SimpleNamespace(connection=connection))

    found = KeywordRule.objects.values_list("name", "is_certain", "strength", "any_of")
    assert set(found) == {
        ("decided alone", True, None, "refund*"),
        ("only helped", False, None, "refund*"),
        ("boosted", False, None, "refund*"),
    }
    old = KeywordRule.objects.get(name="only helped").history.get()
    assert old.strength == 0.6

    move.guess_strength(apps, SimpleNamespace(connection=connection))

    back = dict(KeywordRule.objects.values_list("name", "strength"))
    assert back == {"decided alone": 0.95, "only helped": 0.5, "boosted": 0.5}


def test_a_rule_of_the_language_holds_where_it_says():
    row = KeywordRule(
        name="r",
        category=Category(code="refund"),
        expression=to_json(parse('near("refund", "late", 2) or number(50.., "euro")')),
    )

    book = RuleBook([row.to_rule()])

    assert book.match(Transcript.of("The refund is late"))
    assert book.match(Transcript.of("I paid 60 euro"))
    assert not book.match(Transcript.of("I paid 40 euro"))


def test_a_stored_form_that_nobody_wrote_is_refused_with_its_path():
    row = KeywordRule(
        name="bad", category=Category(code="refund"), expression={"version": 1, "x": 2}
    )

    with pytest.raises(RuleInvalid, match=r"\$"):
        row.to_rule()
    assert row.mistakes()[0][0] == "expression"


def test_a_rule_in_boxes_can_be_read_in_the_language():
    row = KeywordRule(
        name="r", category=Category(code="refund"), any_of="fee", speaker="", whole_word=False
    )

    assert parse(row.text) == row.condition.to_expression()
