"""The admin as a person meets it, in a real browser."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from classifier.models import Feedback, ModelVersion
from sfsync.models import Connection, WriteBack
from tests import factories as make
from tests.browser.world import lively

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = (
    "index",
    "classifier_decision_reasons",
    "classifier_category_file",
    "classifier_category_changelist",
    "classifier_keywordrule_add",
    "classifier_decision_changelist",
    "classifier_feedback_changelist",
    "sfsync_writeback_changelist",
    "sfsync_connection_changelist",
)


@pytest.fixture(autouse=True)
def _static_files_as_they_lie(settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


def test_the_link_signs_in_and_the_dashboard_shows_the_trays(page: Page):
    expect(page.get_by_role("heading", name="Waiting for a decision")).to_be_visible()
    expect(page.get_by_role("heading", name="Waiting to be written")).to_be_visible()
    expect(page.get_by_role("heading", name="Waiting for a person")).to_be_visible()


def test_one_click_pauses_writing_and_one_resumes(page: Page):
    make.make_connection(mode="automatic")
    page.reload()

    page.get_by_role("button", name="Pause all writing").click()

    expect(page.get_by_role("heading", name="Writing is paused")).to_be_visible()
    assert Connection.current().paused_at is not None
    page.get_by_role("button", name="Resume writing").click()
    expect(page.get_by_role("heading", name="Automatic mode")).to_be_visible()
    assert Connection.current().paused_at is None


def test_the_rule_form_tells_the_rule_back_and_tries_it(page: Page):
    make.make_category("Refund")
    page.goto(reverse("admin:classifier_keywordrule_add"))

    page.get_by_label("Any of these phrases").fill("money back")
    page.get_by_label("Text to try it on").fill("Where is my MONEY back?")
    page.get_by_role("button", name="Try it").click()

    expect(
        page.locator("#trial-answer").get_by_text("When the customer says “money back”")
    ).to_be_visible()
    expect(page.locator("#trial-answer mark")).to_have_text("MONEY back")


def test_a_category_is_chosen_by_a_few_letters_and_told_back(page: Page, watch):
    make.make_category("Refund", make.make_category("Billing"))
    page.goto(reverse("admin:classifier_keywordrule_add"))
    page.get_by_label("Any of these phrases").fill("money back")

    page.locator(".field-category .select2-selection").click()
    page.locator(".select2-search__field").fill("bill ref")
    page.get_by_role("option", name="Billing > Refund").click()

    expect(
        page.locator("#trial-answer").get_by_text("“money back”: assign Billing > Refund.")
    ).to_be_visible()
    assert watch.complaints == []


def test_the_echo_follows_what_is_typed(page: Page):
    page.goto(reverse("admin:classifier_keywordrule_add"))

    box = page.get_by_label("Any of these phrases")
    box.fill("re*fund")
    box.blur()

    expect(
        page.locator("#trial-answer").get_by_text("a star may only stand at the end")
    ).to_be_visible()


def test_a_conversation_shows_the_evidence_in_the_customers_words(page: Page):
    decision = lively(timezone.now())

    page.goto(reverse("admin:classifier_decision_change", args=[decision.pk]))

    expect(page.get_by_role("heading", name="Billing > Refund").first).to_be_visible()
    expect(page.locator(".cr-customer mark").last).to_have_text(re.compile("money back"))
    expect(page.get_by_role("link", name="Open the Case in Salesforce")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 400])
def test_pages_keep_the_policy_ask_no_other_host_and_fit_the_window(
    page: Page, watch, live_server, width
):
    decision = lively(timezone.now())
    page.set_viewport_size({"width": width, "height": 800})
    addresses = [reverse(f"admin:{name}") for name in PAGES]
    addresses.append(reverse("admin:classifier_decision_change", args=[decision.pk]))
    addresses += [
        reverse(f"admin:{table._meta.label_lower.replace('.', '_')}_change", args=[row.pk])
        for table in (Feedback, ModelVersion, WriteBack)
        if (row := table.objects.order_by("pk").last())
    ]
    assert len(addresses) == len(PAGES) + 4

    too_wide = []
    for address in addresses:
        page.goto(address, wait_until="networkidle")
        if page.evaluate("document.documentElement.scrollWidth") > width:
            too_wide.append(address)

    assert watch.complaints == []
    assert watch.hosts == {live_server.url.removeprefix("http://")}
    assert too_wide == []


def test_a_script_in_a_conversation_does_not_run(page: Page, watch):
    transcript = make.make_transcript(
        "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    )

    page.goto(reverse("admin:classifier_transcript_change", args=[transcript.pk]))

    expect(page.get_by_text("<img src=x onerror=")).to_be_visible()
    assert page.title() != "owned"
    assert watch.complaints == []
