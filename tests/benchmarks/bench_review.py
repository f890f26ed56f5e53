"""How long a reviewer waits from Enter until the next Case is painted; run by hand.

python -m pytest -q -s tests/benchmarks/bench_review.py

A real Chromium, the real server, the database of the test run (DATABASE_URL picks PostgreSQL),
1,000 categories and 2,000 questions. Nothing is asserted about time.
"""

import sys
from datetime import timedelta
from statistics import quantiles

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from classifier.models import Category, Feedback
from tests import factories as make
from tests.browser import desk
from tests.browser.conftest import browser, page, watch  # noqa: F401  fixtures of this file too
from tests.browser.world import SAID

pytestmark = pytest.mark.django_db(transaction=True)
ANSWERS = 200
QUESTIONS = 2_000
CATEGORIES = 1_000
PAINTED = """() => new Promise((done) => {
  const place = document.getElementById("review-case");
  const before = performance.now();
  new MutationObserver((_, watch) => {
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - before), 0));
  }).observe(place, { childList: true });
  const press = { key: "Enter", code: "Enter", bubbles: true };
  document.body.dispatchEvent(new KeyboardEvent("keydown", press));
})"""


def test_from_enter_to_the_next_case_painted(page: Page, settings) -> None:  # noqa: F811
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    fill()
    with page.expect_response("**/reasons/"):
        page.goto(reverse("review"))
    waits = []
    for _ in range(ANSWERS):
        page.keyboard.press("1")
        waits.append(page.evaluate(PAINTED))
    expect(page.locator("#review-told")).to_contain_text("Kept")
    assert Feedback.objects.count() == ANSWERS
    cuts = quantiles(waits, n=100)
    sys.stdout.write(
        f"\n{ANSWERS} answers, {QUESTIONS:,} questions, {CATEGORIES:,} categories: "
        f"p50 {cuts[49]:.0f} ms, p95 {cuts[94]:.0f} ms, longest {max(waits):.0f} ms\n"
    )


def fill() -> None:
    now = timezone.now()
    with transaction.atomic():
        found = desk.tree()
        tops = [make.make_category(f"Area {number}") for number in range(50)]
        for number in range(CATEGORIES - Category.objects.count()):
            make.make_category(f"Reason {number}", tops[number % 50], guideline="Text. " * 20)
        names = sorted(SAID)
        for number in range(QUESTIONS):
            name = names[number % len(names)]
            at = now - timedelta(minutes=number)
            desk.unsure_case(found, name, at, *dict.fromkeys((name, "Late parcel", "Fault")))
