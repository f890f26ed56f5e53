import json
from io import StringIO

import pytest
from django.core.management import call_command

from classifier import starter_pack
from classifier.models import Category, GoldLabel, KeywordRule
from classifier.starting import load_starter_pack
from tests.classifier.making import LATER, NOON

pytestmark = pytest.mark.django_db


def test_the_pack_brings_categories_rules_and_labelled_conversations():
    pack = starter_pack.load()

    started = load_starter_pack(at=NOON)

    train = [row for row in pack.conversations if row.split == "train"]
    assert started.categories == Category.objects.count() == len(pack.categories)
    assert started.rules == KeywordRule.objects.count() == len(pack.rules)
    assert started.gold_labels == GoldLabel.objects.count() == len(train)
    assert Category.objects.exclude(guideline="").exists()


def test_loading_again_adds_nothing_and_keeps_what_an_admin_changed():
    load_starter_pack(at=NOON)
    category = Category.objects.filter(parent=None).first()
    Category.objects.filter(pk=category.pk).update(label="Renamed", guideline="Ours")
    rule = KeywordRule.objects.first()
    KeywordRule.objects.filter(pk=rule.pk).update(is_active=False)

    started = load_starter_pack(at=LATER)

    category.refresh_from_db()
    rule.refresh_from_db()
    assert (started.categories, started.rules, started.gold_labels) == (0, 0, 0)
    assert (category.label, category.guideline, rule.is_active) == ("Renamed", "Ours", False)


def test_the_rules_in_the_database_are_those_of_the_pack():
    pack = starter_pack.load()
    meant = {rule.name: rule.to_rule(pack.taxonomy()) for rule in pack.rules}

    load_starter_pack(at=NOON)

    assert {rule.name: rule for rule in KeywordRule.objects.rules()} == meant


def test_the_rules_bring_the_sentences_that_show_what_they_are_for():
    pack = starter_pack.load()

    load_starter_pack(at=NOON)

    shown = {
        rule.name: (rule.must_match.splitlines(), rule.must_not_match.splitlines())
        for rule in KeywordRule.objects.all()
    }
    assert shown == {rule.name: (list(rule.must), list(rule.must_not)) for rule in pack.rules}


def test_migrating_alone_loads_nothing():
    assert not Category.objects.exists()
    assert not KeywordRule.objects.exists()


def test_the_command_tells_what_was_added():
    out = StringIO()

    call_command("load_starter_pack", "--json", stdout=out, stderr=StringIO())

    assert json.loads(out.getvalue())["categories"] == Category.objects.count()
