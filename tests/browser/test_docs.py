"""The API's own page, in a real browser: the site's content security policy must let it work."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watch

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _static_files_as_they_lie(settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


def test_the_docs_page_shows_every_address_and_asks_nobody_else(page: Page, watch: Watch):
    page.goto("/api/v1/docs")

    expect(page.get_by_role("heading", name="Contact Reason")).to_be_visible()
    for address in ("classify", "categories", "decisions", "feedback"):
        expect(page.locator(f"[data-path='/api/v1/{address}']").first).to_be_visible()
    assert watch.complaints == []
    assert len(watch.hosts) == 1
