"""A file of categories and rules as a person brings it in: chosen once, looked at, brought in."""

import os

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


def test_a_file_that_was_mended_under_the_page_is_asked_for_once_more(page: Page, tmp_path):
    file = tmp_path / "rules.csv"
    file.write_text(ROWS.format(example="a voucher"), encoding="utf-8")
    page.goto(reverse("admin:classifier_category_file"))
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Look what it would do").click()
    expect(page.get_by_text("save it, and choose it once more")).to_be_visible()

    file.write_text(ROWS.format(example="again my gift card is empty"), encoding="utf-8")
    os.utime(file, (file.stat().st_mtime + 10,) * 2)  # browsers compare whole seconds
    page.get_by_role("button", name="Look what it would do").click()

    expect(page.get_by_role("alert")).to_contain_text("changed after it was chosen")
