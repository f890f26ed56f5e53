import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from classifier.models import Category
from tests import factories as make

pytestmark = pytest.mark.django_db
CHOICES = "admin:classifier_category_choices"
FIELD = {"app_label": "classifier", "model_name": "keywordrule", "field_name": "category"}


@pytest.fixture
def editor(client):
    client.force_login(
        make.make_user("classifier.view_keywordrule", "classifier.add_keywordrule")
    )
    return client


def found(client, words: str) -> list[str]:
    answer = client.get(reverse(CHOICES), {**FIELD, "term": words}).json()
    return [one["text"] for one in answer["results"]]


def leaves(number: int) -> None:
    top = make.make_category("Billing")
    Category.objects.bulk_create(
        Category(label=f"Leaf {n}", parent=top, code=f"billing.leaf_{n}") for n in range(number)
    )


def queries_of(client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize("words", ["refund", "bill ref", "Billing > Refund", "REFUND billing"])
def test_a_category_is_found_by_any_letters_of_its_path(editor, words):
    billing = make.make_category("Billing")
    make.make_category("Refund", billing)
    make.make_category("Refund", make.make_category("Travel"))

    assert "Billing > Refund" in found(editor, words)


def test_words_of_two_branches_find_nothing(editor):
    make.make_category("Refund", make.make_category("Billing"))
    make.make_category("Visa", make.make_category("Travel"))

    assert found(editor, "billing visa") == []


def test_a_label_in_another_script_is_found_by_its_parent_too(editor):
    make.make_category("退款", make.make_category("帳單"))

    assert found(editor, "帳單 退款") == ["帳單 > 退款"]


def test_what_is_not_active_is_said(editor):
    make.make_category("Refund", is_active=False)

    assert found(editor, "refund") == ["Refund (not active)"]


def test_who_has_nothing_to_do_with_reasons_is_told_no_category(client):
    client.force_login(make.make_user("auth.view_user"))

    assert client.get(reverse(CHOICES), {**FIELD, "term": ""}).status_code == 403


def test_the_rule_form_shows_the_chosen_category_by_its_path(client):
    client.force_login(make.make_administrator())
    refund = make.make_category("Refund", make.make_category("Billing"))
    rule = make.make_rule(category=refund)

    page = client.get(reverse("admin:classifier_keywordrule_change", args=[rule.pk]))

    assert f'<option value="{refund.pk}" selected>Billing &gt; Refund</option>' in (
        page.content.decode()
    )


@pytest.mark.parametrize("name", ["classifier_keywordrule_add", "classifier_category_add"])
def test_a_form_holds_no_list_of_all_categories(client, name):
    client.force_login(make.make_administrator())
    leaves(50)

    page = client.get(reverse(f"admin:{name}")).content.decode()

    assert "Leaf 7" not in page


def test_the_rule_form_asks_no_more_for_more_categories(client):
    client.force_login(make.make_administrator())
    rule = make.make_rule(category=make.make_category("Refund"))
    address = reverse("admin:classifier_keywordrule_change", args=[rule.pk])
    few = queries_of(client, address)
    leaves(50)

    assert queries_of(client, address) == few


@pytest.mark.parametrize("name", ["keywordrule", "decision", "feedback"])
def test_a_list_narrowed_to_a_category_says_its_path(client, name):
    client.force_login(make.make_administrator())
    refund = make.make_category("Refund", make.make_category("Billing"))

    address = reverse(f"admin:classifier_{name}_changelist")
    page = client.get(address, {"category__id__exact": refund.pk}).content.decode()

    assert f'<option value="{refund.pk}" selected>Billing &gt; Refund</option>' in page
