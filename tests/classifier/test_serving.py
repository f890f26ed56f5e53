import logging

import pytest

from classifier.engine.text import Transcript
from classifier.models import Category, KeywordRule, ModelArtifact, ModelVersion
from classifier.serving import Shelf
from tests.classifier.making import a_category, a_champion, a_rule

pytestmark = pytest.mark.django_db

PARCEL = Transcript.of("my parcel has not arrived, the tracking says nothing")


def test_without_champion_and_rules_everything_goes_to_a_person():
    (verdict,) = Shelf().current().classify([PARCEL])

    assert verdict.is_abstention


def test_the_champion_is_served_with_its_own_thresholds():
    version = a_champion()

    serving = Shelf().current()

    assert serving.model_version == version
    assert serving.policy.thresholds == serving.model.thresholds
    assert serving.classify([PARCEL])[0].primary.category == "delivery"


def test_asking_again_costs_three_small_queries_and_no_loading(django_assert_num_queries):
    a_champion()
    a_rule("Parcel", Category.objects.get(code="delivery"), "parcel")
    shelf = Shelf()
    first = shelf.current()

    with django_assert_num_queries(3):
        again = shelf.current()

    assert again.model is first.model
    assert again.rulebook is first.rulebook


def test_a_new_champion_and_a_changed_rule_are_followed_at_once():
    a_champion(1)
    shelf = Shelf()
    shelf.current()
    ModelVersion.objects.update(stage="retired")
    second = a_champion(2)
    a_rule("Parcel", a_category("delivery"), "parcel")

    serving = shelf.current()

    assert serving.model_version == second
    assert [rule.name for rule in serving.rulebook.rules] == ["Parcel"]


def test_a_champion_that_stepped_down_is_not_served_any_more():
    a_champion()
    shelf = Shelf()
    shelf.current()
    ModelVersion.objects.update(stage="retired")

    assert shelf.current().model is None


def test_a_damaged_champion_leaves_the_last_good_one_in_use_and_says_so(caplog):
    good = a_champion(1)
    shelf = Shelf()
    shelf.current()
    ModelVersion.objects.update(stage="retired")
    broken = a_champion(2)
    ModelArtifact.objects.filter(version=broken).update(content=b"something else")

    with caplog.at_level(logging.ERROR):
        serving = shelf.current()
        shelf.current()

    broken.refresh_from_db()
    assert serving.model_version == good
    assert "SHA-256" in broken.refused_because
    assert len(caplog.records) == 1


def test_a_damaged_champion_in_a_fresh_process_leaves_the_rules_alone():
    broken = a_champion()
    ModelArtifact.objects.all().delete()
    a_rule("Parcel", Category.objects.get(code="delivery"), "parcel")

    serving = Shelf().current()

    broken.refresh_from_db()
    assert serving.model is None
    assert serving.classify([PARCEL])[0].primary.category == "delivery"
    assert "missing" in broken.refused_because


def test_a_champion_mended_in_another_process_is_no_longer_called_broken():
    version = a_champion()
    ModelVersion.objects.update(refused_because="was damaged")

    Shelf().current()

    version.refresh_from_db()
    assert version.refused_because == ""


def test_an_inactive_category_is_never_answered():
    a_champion()
    a_rule("Parcel", Category.objects.get(code="delivery"), "parcel")
    Category.objects.filter(code="delivery").update(is_active=False)

    (verdict,) = Shelf().current().classify([PARCEL])

    named = {reason.category for reason in (*verdict.reasons, *verdict.suggestions)}
    assert "delivery" not in named
    assert KeywordRule.objects.in_force().count() == 0


def test_what_is_demanded_of_categories_is_served():
    a_champion()
    Category.objects.filter(code="refund").update(is_critical=True, recall_floor=0.9)
    Category.objects.filter(code="login").update(needs_own_proof=True)
    gone = Category.objects.create(code="gone", label="Gone", is_critical=True, is_active=False)

    policy = Shelf().current().policy

    assert policy.critical == {"refund": 0.9}
    assert policy.own_proof == {"login"}
    assert gone.code not in policy.taxonomy


def test_rules_that_have_not_changed_are_not_read_again(django_assert_num_queries):
    a_rule("Lost parcel", a_category("delivery"), "parcel")
    shelf = Shelf()
    first = shelf.current()

    with django_assert_num_queries(3):  # categories, rules, champion
        again = shelf.current()
    KeywordRule.objects.update(any_of="refund")
    changed = shelf.current()

    assert again.rulebook is first.rulebook
    assert changed.rulebook.digest != first.rulebook.digest
