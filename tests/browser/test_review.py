"""The review desk as a reviewer works at it: with the keyboard alone."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from classifier.models import Decision, Feedback, Review
from tests.browser import desk

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _static_files_as_they_lie(settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def reviews(db) -> list[Review]:
    """Three conversations that wait, the first one longest."""
    found = desk.tree()
    now = timezone.now()
    return [
        desk.unsure_case(
            found, name, now - timedelta(hours=hours), name, "Late parcel", "Fault"
        )
        for hours, name in ((3, "Refund"), (2, "Wrong address"), (1, "Cannot sign in"))
    ]


def open_desk(page: Page) -> None:
    with page.expect_response("**/reasons/"):
        page.goto(reverse("review"))
    expect(page.locator("#review-guideline, [data-empty]").first).to_be_attached()


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def said(page: Page) -> None:
    """Wait until the page says that an answer was kept."""
    expect(page.locator("#review-told")).to_contain_text("Kept")


def shown(page: Page) -> str:
    return page.locator("[data-review]").get_attribute("data-review") or ""


def test_a_suggestion_is_confirmed_with_two_keys_and_the_next_case_comes(page: Page, reviews):
    open_desk(page)
    expect(page.get_by_text("Nothing was sure enough")).to_be_visible()
    expect(page.locator(".cr-customer mark").first).to_be_visible()
    expect(page.get_by_text("The customer wants money back")).to_be_visible()

    press(page, "1", "Enter")
    said(page)

    word = Feedback.objects.get()
    assert (word.category.label, word.verdict, word.person) == ("Refund", "confirmed", "ada")
    assert shown(page) == str(reviews[1].pk)
    expect(page.locator(".cr-waiting b")).to_have_text("2")
    expect(page.get_by_role("link", name="Review 2")).to_be_visible()
    expect(page.locator("#review-guideline")).to_contain_text("Wrong address")


def test_a_reason_that_nobody_suggested_is_found_by_typing(page: Page, reviews):
    open_desk(page)

    press(page, "/")
    page.keyboard.type("acc clo")
    expect(page.locator("[role=option][aria-selected=true]")).to_have_text(
        "Account > Close the account"
    )
    press(page, "Enter", "Enter")
    said(page)

    word = Feedback.objects.get()
    assert (word.category.label, word.verdict) == ("Close the account", "corrected")


def test_all_reasons_can_be_looked_through_before_a_letter_is_typed(page: Page, reviews):
    open_desk(page)

    press(page, "/", "Enter")
    expect(page.locator("#review-chosen")).to_have_text("Nothing chosen yet")
    expect(page.get_by_role("option", name="Account", exact=True)).to_be_visible()
    press(page, "ArrowDown", "Enter")
    expect(page.locator("#review-found")).to_be_hidden()

    expect(page.locator("#review-chosen button")).to_have_count(1)


def test_several_reasons_with_one_in_front(page: Page, reviews):
    open_desk(page)

    press(page, "2", "Shift+Digit1", "+")
    page.keyboard.type("invoice")
    press(page, "Enter")
    expect(page.locator("#review-chosen button")).to_have_count(3)
    press(page, "Enter")
    said(page)

    assert [one.label for one in Feedback.objects.get().named] == [
        "Late parcel",
        "Refund",
        "Invoice question",
    ]


def test_none_and_unclear_are_answers_too(page: Page, reviews):
    open_desk(page)

    press(page, "n", "Enter")
    said(page)
    expect(page.locator("[data-review]")).to_have_attribute("data-review", str(reviews[1].pk))
    press(page, "w")
    page.keyboard.type("Half of it is missing.")
    press(page, "Escape", "u", "Enter")
    expect(page.locator("#review-told")).to_contain_text("unclear")

    assert list(Feedback.objects.order_by("id").values_list("verdict", "note")) == [
        ("out_of_scope", ""),
        ("unclear", "Half of it is missing."),
    ]


def test_a_skipped_case_comes_back_only_by_undo(page: Page, reviews):
    open_desk(page)

    press(page, "s")
    expect(page.locator("[data-review]")).to_have_attribute("data-review", str(reviews[1].pk))
    press(page, "z")
    expect(page.locator("[data-review]")).to_have_attribute("data-review", str(reviews[0].pk))

    assert not reviews[0].skipped_by.exists()


def test_undo_takes_the_word_back_and_shows_what_was_chosen(page: Page, reviews):
    open_desk(page)
    press(page, "2", "Enter")
    said(page)

    press(page, "z")
    expect(page.locator("#review-told")).to_contain_text("Taken back")
    expect(page.locator("#review-chosen button")).to_have_text(["Delivery > Late parcel"])
    press(page, "1", "Enter")
    said(page)

    words = Feedback.objects.order_by("id")
    assert [word.withdrawn_at is None for word in words] == [False, True]
    standing = Decision.objects.standing().get(thread=reviews[0].thread)
    assert standing.category.label == "Refund"


def test_enter_without_a_choice_sends_nothing(page: Page, reviews):
    open_desk(page)

    press(page, "Enter")

    expect(page.get_by_text("Choose a reason first")).to_be_visible()
    assert not Feedback.objects.exists()


def test_a_blind_audit_tells_nothing_of_what_was_thought(page: Page):
    found = desk.tree()
    review = desk.audited_case(found, "Refund", timezone.now())
    open_desk(page)
    expect(page.get_by_text("Drawn at random for a blind audit")).to_be_visible()

    case = page.locator("#review-case")
    html, text = case.inner_html(), case.inner_text()
    assert not [word for word in ("billing", "Refund", "<mark", "Said plainly") if word in html]
    assert not re.search(r"\b97\b", text)  # a Case's number or a moment may well hold it
    press(page, "/")
    page.keyboard.type("refund")
    press(page, "Enter", "Enter")
    said(page)

    word = Feedback.objects.get()
    assert (word.is_blind, word.verdict) == (True, "confirmed")
    review.refresh_from_db()
    assert review.outcome == "confirmed"


def test_a_case_lost_to_somebody_else_is_told_and_the_next_one_comes(page: Page, reviews):
    open_desk(page)
    Review.objects.filter(pk=reviews[0].pk).update(closed_at=timezone.now(), outcome="obsolete")

    press(page, "1", "Enter")

    expect(page.get_by_text("Somebody else has that Case by now")).to_be_visible()
    assert shown(page) == str(reviews[1].pk)
    assert not Feedback.objects.exists()


def test_a_choice_outlives_the_session(page: Page, reviews):
    open_desk(page)
    cookies = page.context.cookies()
    page.context.clear_cookies(name="sessionid")

    press(page, "1", "Enter")
    expect(page.get_by_text("You were signed out")).to_be_visible()
    page.context.add_cookies(cookies)
    press(page, "Enter")
    said(page)

    assert Feedback.objects.get().category.label == "Refund"


@pytest.mark.parametrize("width", [1280, 400])
def test_the_desk_keeps_the_policy_and_fits_the_window(
    page: Page, reviews, watch, live_server, width
):
    page.set_viewport_size({"width": width, "height": 800})
    open_desk(page)

    press(page, "?")
    expect(page.get_by_role("dialog")).to_be_visible()
    press(page, "Escape", "1", "Enter")
    said(page)

    assert watch.complaints == []
    assert watch.hosts == {live_server.url.removeprefix("http://")}
    assert page.evaluate("document.documentElement.scrollWidth") <= width
