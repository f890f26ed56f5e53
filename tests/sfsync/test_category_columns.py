from datetime import UTC, datetime

import pytest

from classifier.exchanging import FORMS, bring_in, plan_of, taxonomy_file
from sfsync.models import CategoryMapping
from tests import factories as make

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_values_and_modes_go_out_and_come_back():
    make.make_category_mapping(
        category=make.make_category("Refund"), value="RF", mode="suggest"
    )
    make.make_category("Other")
    content = taxonomy_file(FORMS["csv"])
    assert not plan_of(content, "a.csv").news
    CategoryMapping.objects.all().delete()

    plan = bring_in(content, "a.csv", at=AT)

    assert plan.added_cells == {
        "refund": {"salesforce_value": "RF", "salesforce_mode": "suggest"}
    }
    mapping = CategoryMapping.objects.get()
    assert (mapping.value, mapping.mode) == ("RF", "suggest")


def test_an_empty_cell_takes_the_value_back_and_the_mode_stays():
    refund = make.make_category("Refund")
    mapping = make.make_category_mapping(category=refund, value="RF", mode="suggest")

    bring_in(b"code,salesforce_value\nrefund,\n", "a.csv", at=AT)

    mapping.refresh_from_db()
    assert (mapping.value, mapping.mode) == ("", "suggest")


def test_a_wrong_value_or_mode_is_named():
    make.make_category("Refund")

    plan = plan_of(b"code,salesforce_value,salesforce_mode\nrefund,a;b,fast\n", "a.csv")

    assert [(m.column, m.place) for m in plan.mistakes] == [
        ("salesforce_value", "line 2"), ("salesforce_mode", "line 2"),
    ]  # fmt: skip
