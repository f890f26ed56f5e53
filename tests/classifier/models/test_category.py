import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from classifier.engine.criticality import FLOORS
from classifier.models import Category
from classifier.models.category import RecallFloor
from tests.classifier.making import a_category

pytestmark = pytest.mark.django_db


def test_a_missing_path_is_made_level_by_level():
    refund = Category.objects.at_path(["Billing", "Refund"], create=True)

    assert (refund.code, refund.parent.code) == ("billing.refund", "billing")
    assert refund.path_label == "Billing > Refund"


def test_a_known_path_is_found_and_not_made_again():
    refund = Category.objects.at_path(["Billing", "Refund"], create=True)

    assert Category.objects.at_path(["Billing", "Refund"], create=True) == refund
    assert Category.objects.count() == 2


def test_a_missing_path_is_not_made_unasked():
    with pytest.raises(Category.DoesNotExist):
        Category.objects.at_path(["Billing", "Refund"])


def test_a_renamed_category_is_still_found_by_its_old_labels():
    refund = Category.objects.at_path(["Billing", "Refund"], create=True)
    Category.objects.filter(code="billing").update(label="Invoices")

    assert Category.objects.at_path(["Billing", "Refund"], create=True) == refund
    assert Category.objects.at_path(["Invoices", "Refund"]) == refund


def test_labels_that_make_the_same_code_are_different_categories():
    one = Category.objects.at_path(["Re-fund"], create=True)
    other = Category.objects.at_path(["Re fund"], create=True)

    assert one.code == "re_fund"
    assert other.code.startswith("re_fund_")
    assert Category.objects.at_path(["Re fund"], create=True) == other


@pytest.mark.parametrize("path", [[], [""], ["Billing", ""], ["x" * 121]])
def test_a_path_that_cannot_be_a_category_is_refused(path):
    with pytest.raises(ValueError, match="labels of 1 to 120"):
        Category.objects.at_path(path, create=True)


def test_the_taxonomy_leaves_out_inactive_categories_and_rehangs_their_children():
    Category.objects.at_path(["Money", "Billing", "Refund"], create=True)
    Category.objects.filter(code="money.billing").update(is_active=False)

    taxonomy = Category.objects.taxonomy()

    assert [node.code for node in taxonomy] == ["money", "money.billing.refund"]
    assert taxonomy.ancestors("money.billing.refund") == ("money",)


def test_a_category_cannot_stand_below_itself():
    top = a_category("top")
    below = a_category("below", parent=top)
    top.parent = below

    with pytest.raises(ValidationError, match="below itself"):
        top.full_clean()


def test_a_ring_of_parents_stops_nobody():
    top = a_category("top")
    below = a_category("below", parent=top)
    leaf = a_category("leaf", parent=below)
    Category.objects.filter(pk=top.pk).update(parent=below)

    taxonomy = Category.objects.taxonomy()

    assert [taxonomy.ancestors(node.code) for node in taxonomy] == [(), (), ()]
    assert Category.objects.get(pk=leaf.pk).path == ["top", "below", "leaf"]


def test_paths_of_a_list_cost_no_query_each(django_assert_num_queries):
    for name in ("Refund", "Invoice", "Card"):
        Category.objects.at_path(["Money", "Billing", name], create=True)

    with django_assert_num_queries(1):
        labels = [row.path_label for row in Category.objects.with_parents()]

    assert "Money > Billing > Card" in labels


@pytest.mark.parametrize("floor", [0.0, 1.0])
def test_a_floor_is_a_share_that_can_be_kept(floor):
    with pytest.raises(IntegrityError, match="recall_floor"):
        Category.objects.create(code="fraud", label="Fraud", recall_floor=floor)


def test_every_floor_that_can_be_chosen_has_a_bar():
    assert tuple(RecallFloor.values) == FLOORS
