"""A file of categories and rules as a person brings it in: chosen once, looked at, brought in."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from classifier.models import KeywordRule

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = """kind,label,name,category,any_of,must_match
category,Gift card,,,,
rule,,Gift,gift_card,gift card,{example}
"""


@pytest.fixture(autouse=True)
def _static_files_as_they_lie(settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


def test_the_file_that_was_looked_at_is_brought_in_without_choosing_it_again(
    page: Page, watch, tmp_path
):
    wrong, right = tmp_path / "wrong.csv", tmp_path / "right.csv"
    wrong.write_text(ROWS.format(example="a voucher"), encoding="utf-8")
    right.write_text(ROWS.format(example="my gift card is empty"), encoding="utf-8")
    page.goto(reverse("admin:classifier_category_file"))

    page.locator("input[type=file]").set_input_files(wrong)
    page.get_by_role("button", name="Look what it would do").click()
    expect(page.get_by_text("the rule does not find “a voucher”")).to_be_visible()
    expect(page.get_by_role("button", name="Bring it in")).to_have_count(0)
    page.locator("input[type=file]").set_input_files(right)
    page.get_by_role("button", name="Look what it would do").click()
    page.get_by_role("button", name="Bring it in").click()

    expect(page.get_by_text("right.csv was brought in.")).to_be_visible()
    assert KeywordRule.objects.get().category.code == "gift_card"
    assert watch.complaints == []
