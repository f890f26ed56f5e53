import pytest
from django.urls import reverse

from classifier.models import Category
from sfsync.models import CategoryMapping
from tests import factories as make

pytestmark = pytest.mark.django_db
NO_MAPPING = {
    "salesforce-TOTAL_FORMS": "0",
    "salesforce-INITIAL_FORMS": "0",
    "salesforce-MIN_NUM_FORMS": "1",
    "salesforce-MAX_NUM_FORMS": "1",
}


@pytest.fixture
def admin(client):
    client.force_login(make.make_administrator())
    return client


def test_a_new_category_gets_its_code_from_its_place_in_the_tree(admin):
    billing = make.make_category("Billing")

    admin.post(
        reverse("admin:classifier_category_add"),
        {"label": "Über­zahlung & Co.", "parent": billing.pk, "is_active": "on", **NO_MAPPING},
    )

    assert Category.objects.get(parent=billing).code.startswith("billing.uber")


def test_the_code_and_the_place_stay_when_the_label_changes(admin):
    refund = make.make_category("Refund", make.make_category("Billing"))

    admin.post(
        reverse("admin:classifier_category_change", args=[refund.pk]),
        {"label": "Money back", "parent": "", "is_active": "on", **NO_MAPPING},
    )

    refund.refresh_from_db()
    assert (refund.label, refund.code) == ("Money back", "billing.refund")
    assert refund.parent.label == "Billing"
    assert refund.history.count() == 2


def test_the_form_of_a_new_category_begins_with_the_usual_floor(admin):
    page = admin.get(reverse("admin:classifier_category_add")).content.decode()

    assert '<option value="0.95" selected>95 %</option>' in page


def test_the_form_of_a_category_shows_the_path_of_what_stands_above_it(admin):
    refund = make.make_category("Refund", make.make_category("Card", make.make_category("Pay")))

    page = admin.get(reverse("admin:classifier_category_change", args=[refund.pk]))

    assert "Pay &gt; Card" in page.content.decode()


def test_a_value_and_a_mode_for_salesforce_are_kept(admin):
    refund = make.make_category("Refund")
    values = {
        "salesforce-0-value": "RFD",
        "salesforce-0-mode": "suggest",
        "salesforce-0-id": "",
    }

    admin.post(
        reverse("admin:classifier_category_change", args=[refund.pk]),
        {
            "label": "Refund",
            "is_active": "on",
            **NO_MAPPING,
            "salesforce-TOTAL_FORMS": "1",
            "salesforce-0-category": refund.pk,
            **values,
        },
    )

    mapping = CategoryMapping.objects.get(category=refund)
    assert (mapping.value, mapping.mode) == ("RFD", "suggest")


def test_the_list_is_the_tree(admin):
    billing = make.make_category("Billing")
    make.make_category("Zoo")
    make.make_category("Refund", billing)

    answer = admin.get(reverse("admin:classifier_category_changelist"))

    assert [row.label for row in answer.context["cl"].result_list] == [
        "Billing",
        "Refund",
        "Zoo",
    ]
    assert '--depth: 1">Refund<' in answer.content.decode()


def test_a_category_is_marked_critical_with_its_floor(admin):
    fraud = make.make_category("Fraud")

    admin.post(
        reverse("admin:classifier_category_change", args=[fraud.pk]),
        {
            "label": "Fraud",
            "is_active": "on",
            "is_critical": "on",
            "needs_own_proof": "on",
            "recall_floor": "0.98",
            **NO_MAPPING,
        },
    )

    fraud.refresh_from_db()
    assert (fraud.is_critical, fraud.needs_own_proof, fraud.recall_floor) == (True, True, 0.98)


def test_a_floor_that_no_training_knows_is_refused(admin):
    fraud = make.make_category("Fraud")

    page = admin.post(
        reverse("admin:classifier_category_change", args=[fraud.pk]),
        {"label": "Fraud", "is_active": "on", "recall_floor": "0.5", **NO_MAPPING},
    )

    fraud.refresh_from_db()
    assert fraud.recall_floor == 0.95
    assert "Select a valid choice" in page.content.decode()
