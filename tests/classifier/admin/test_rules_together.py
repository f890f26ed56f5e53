"""The list of rules tells what rules and model are worth together, and when that is out of date."""

import pytest
from django.urls import reverse

from classifier.measuring import measure_together
from classifier.models import Errand
from tests import factories as make
from tests.classifier.making import a_category, a_champion, a_rule, gold_labels

pytestmark = pytest.mark.django_db
LIST = "/admin/classifier/keywordrule/"


@pytest.fixture
def admin(client):
    client.force_login(make.make_administrator())
    return client


@pytest.fixture
def rule():
    gold_labels()
    a_champion()
    made = a_rule("Refunds", a_category("refund"), "refund")
    measure_together()
    return made


def shown(admin):
    return " ".join(admin.get(LIST).content.decode().split())


def test_the_list_tells_what_rules_and_model_decide_together(admin, rule):
    page = shown(admin)

    assert "With today’s rules, model 1 and rules together decided" in page
    assert "is proven for the model alone" in page


def test_the_list_says_so_when_the_rules_have_changed_since(admin, rule):
    rule.is_active = False
    rule.save()

    assert "The rules have changed since they were last tried together with model 1." in shown(
        admin
    )


def test_switching_a_rule_off_lets_a_worker_try_them_again(admin, rule):
    admin.post(LIST, {"action": "switch_off", "_selected_action": [rule.pk]})

    assert Errand.objects.get().kind == "measure"


def test_without_a_champion_the_list_says_nothing_of_it(admin):
    a_rule("Refunds", a_category("refund"), "refund")

    assert "Rules and model together" not in shown(admin)


def test_a_certain_rule_lets_a_worker_try_them_again(admin, rule):
    rule.measured_at = rule.changed_at
    rule.is_certain = False
    rule.save()

    admin.post(
        reverse("admin:classifier_keywordrule_change", args=[rule.pk]),
        {
            "name": rule.name, "category": rule.category_id, "any_of": rule.any_of,
            "speaker": "customer", "whole_word": "on", "effect": "assign", "is_active": "on",
            "is_certain": "on",
        },
    )  # fmt: skip

    assert Errand.objects.get().kind == "measure"
