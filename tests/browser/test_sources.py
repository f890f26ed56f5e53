"""A source of one's own, as an administrator adds and tries it in a real browser."""

import os
from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from sfsync import gateway as gateways
from sfsync.local_org.http_door import HttpDoor
from sfsync.local_org.org import LocalOrg
from sfsync.local_org.records import Record, Said
from sfsync.models import Source
from sfsync.sources import READERS
from tests.browser.conftest import Watch

pytestmark = pytest.mark.django_db(transaction=True)
TALK = (
    Said("representative", "How can I help you today?"),
    Said("customer", "My blue card 4111 1111 1111 1111 does not work."),
)


@pytest.fixture(autouse=True)
def _static_files_as_they_lie(settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def org(settings, transactional_db) -> Iterator[LocalOrg]:
    org = LocalOrg()
    # What migrations made may be gone after another browser test (see tests.environment).
    for reader in READERS:
        Source.objects.get_or_create(code=reader.code, defaults={"name": reader.name})
    settings.SALESFORCE_DOMAIN = "acme.my"
    settings.SALESFORCE_CLIENT_ID = org.app.client_id
    settings.SALESFORCE_CLIENT_SECRET = org.app.client_secret
    settings.SALESFORCE_USERNAME = settings.SALESFORCE_PRIVATE_KEY = ""
    with HttpDoor(org) as door:
        settings.SALESFORCE_LOCAL_ORIGIN = door.origin
        gateways.close()
        yield org
    gateways.close()


def test_a_source_is_tried_before_it_is_saved(page: Page, org: LocalOrg, watch: Watch):
    org.people.open_case(Record("talk", TALK, "custom_object", "Card"))
    page.goto(reverse("admin:sfsync_source_add"))
    page.locator("#id_speaker_rule").select_option("field")
    for name, value in (
        ("name", "Call notes"),
        ("sobject", "Call_Note__c"),
        ("case_field", "Case__c"),
        ("text_field", "Word__c"),
        ("time_field", "Said_At__c"),
        ("speaker_field", "Speaker__c"),
    ):
        page.locator(f"#id_{name}").fill(value)

    page.get_by_role("button", name="Test now").click()
    expect(page.get_by_text("it has Words__c")).to_be_visible()
    page.locator("#id_text_field").fill("Words__c")
    page.get_by_role("button", name="Test now").click()

    expect(page.get_by_text("How can I help you today?")).to_be_visible()
    expect(page.get_by_text("4111")).to_have_count(0)
    picture(page, "own")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="Call notes").last).to_be_visible()
    assert Source.objects.get(kind="object").text_field == "Words__c"
    assert watch.complaints == []
    picture(page, "list")
    page.goto(reverse("admin:sfsync_source_change", args=[Source.objects.get(code="voice").pk]))
    page.get_by_role("button", name="Test now").click()
    expect(page.get_by_text("No Case has words here")).to_be_visible()
    picture(page, "voice")


def picture(page: Page, name: str) -> None:
    folder = os.environ.get("PICTURES")
    if folder:
        for width in (1280, 400):
            for scheme in ("light", "dark"):
                page.set_viewport_size({"width": width, "height": 1000})
                page.emulate_media(color_scheme=scheme)
                page.screenshot(path=f"{folder}/{name}-{width}-{scheme}.png", full_page=True)


def test_a_field_of_case_is_asked_for_no_object(page: Page, org: LocalOrg, watch: Watch):
    page.goto(reverse("admin:sfsync_source_add"))
    expect(page.locator("#id_sobject")).to_be_visible()

    page.locator("#id_kind").select_option("case_field")
    page.locator("#id_speaker_rule").select_option("customer")

    expect(page.locator("#id_sobject")).to_be_hidden()
    expect(page.locator("#id_speaker_field")).to_be_hidden()
    expect(page.locator("#id_text_field")).to_be_visible()
    assert watch.complaints == []


def test_the_last_row_stays_within_reach_of_a_selection(page: Page, org: LocalOrg):
    page.set_viewport_size({"width": 1280, "height": 700})
    page.goto(reverse("admin:sfsync_source_changelist"))
    boxes = page.locator("#result_list input.action-select")
    boxes.first.check()

    boxes.last.check()

    expect(boxes.last).to_be_checked()
