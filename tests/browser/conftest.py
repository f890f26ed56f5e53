"""Chromium for the browser tests, signed in, and a watch on what the pages do."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from contactreason.sign_in import sign_in_path
from tests import factories as make
from tests.browser.chromium import ARGUMENTS, find_chromium

PATIENCE_MILLISECONDS = 10_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("no Chromium found on this machine; on Debian: apt install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield running
        running.close()


@dataclass
class Watch:
    """What a page complained about, and whom it asked."""

    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, watch: Watch) -> Iterator[Page]:
    """A page signed in as an administrator, by a one-time link."""
    context = browser.new_context(base_url=live_server.url)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MILLISECONDS)
    page.on(
        "console",
        lambda said: (
            watch.complaints.append(f"{said.text} {said.location}")
            if said.type == "error"
            else None
        ),
    )
    page.on("pageerror", lambda error: watch.complaints.append(str(error)))
    page.on("request", lambda asked: watch.hosts.add(asked.url.split("/")[2]))
    page.goto(sign_in_path(make.make_administrator(username="ada")))
    yield page
    context.close()
