"""From the training button to the rollback, in a real browser."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from classifier.models import Errand, ModelVersion
from classifier.tasks import run_errands
from tests import factories as make
from tests.classifier.making import a_champion, a_model_without, gold_labels

pytestmark = pytest.mark.django_db(transaction=True)
MODELS = "admin:classifier_modelversion_changelist"


@pytest.fixture(autouse=True)
def _static_files_as_they_lie(settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


def test_a_click_trains_the_page_follows_and_the_comparison_opens(page: Page, watch):
    gold_labels()
    a_champion(1, a_model_without("login"))
    page.goto(reverse(MODELS))

    page.get_by_role("button", name="Train a candidate").click()
    expect(page.get_by_text("Waits for a worker")).to_be_visible()
    run_errands()

    expect(
        page.get_by_role("link", name="Model 2")
    ).to_be_visible()  # the page came anew by itself
    page.goto(reverse("admin:classifier_errand_result", args=[Errand.objects.get().pk]))
    expect(page.get_by_role("heading", name="Side by side")).to_be_visible()
    expect(page.get_by_role("button", name="Propose for promotion")).to_be_visible()
    assert watch.complaints == []


def test_a_rollback_asks_first_and_says_what_stands_then(page: Page):
    a_champion(1)
    ModelVersion.objects.update(stage="retired", promoted_at=make.NOON)
    a_champion(2)
    page.goto(reverse(MODELS))

    page.get_by_role("button", name="Roll back to model 1").click()
    expect(page.get_by_text("Model 2 stops deciding.")).to_be_visible()
    page.get_by_role("button", name="Keep model 2").click()
    assert ModelVersion.objects.champions().get().number == 2
    page.get_by_role("button", name="Roll back to model 1").click()
    page.get_by_role("button", name="Roll back now").click()

    expect(page.get_by_text("Model 1 decides again")).to_be_visible()
    assert ModelVersion.objects.champions().get().number == 1
