"""Takes the pictures of the README and the docs from a running demo: ``make screenshots``.

Start ``make demo`` in another terminal, then ``python -m docs.screenshots LINK`` with the sign-in
link it printed (or set SIGN_IN_LINK). Writes docs/images/<page>-<width>-<light|dark>.png.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import ARGUMENTS, find_chromium

WIDTHS = (1280, 400)
SHORTEST, TALLEST = 800, 2400  # pixels
SCHEMES = ("light", "dark")
PAGES = {
    "dashboard": "/admin/",
    "categories": "/admin/classifier/category/",
    "rule": "first:/admin/classifier/keywordrule/",
    "decisions": "/admin/classifier/decision/",
    "conversation": "first:/admin/classifier/decision/?q=00001004",
    "waiting": "first:/admin/classifier/decision/?waiting=yes",
    "write-backs": "/admin/sfsync/writeback/",
    "write-back": "first:/admin/sfsync/writeback/",
    "feedback": "/admin/classifier/feedback/",
    "models": "/admin/classifier/modelversion/",
    "connection": "first:/admin/sfsync/connection/",
}
"""Name → path; ``first:`` opens the first row of that list."""
TRIED = "I sent it back, so where is my money? I want a refund, my parcel has not arrived."


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("link", nargs="?", default=os.environ.get("SIGN_IN_LINK"))
    parser.add_argument("--to", type=Path, default=Path(__file__).parent / "images")
    parser.add_argument("--only", nargs="*", default=[], help="names of pages")
    options = parser.parse_args()
    chromium = find_chromium()
    if not options.link or not chromium:
        missing = "the sign-in link that `make demo` prints" if chromium else "Chromium"
        sys.stderr.write(f"Screenshots need {missing}.\n")
        return 1
    options.to.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        for name in take(browser, options.link, options.to, options.only):
            sys.stdout.write(f"{name}\n")
        browser.close()
    return 0


def take(browser: Browser, link: str, folder: Path, only: list[str]) -> Iterator[str]:
    """Write the pictures and yield each file's name; signs in once."""
    context = browser.new_context()
    context.new_page().goto(link)
    signed_in = context.storage_state()
    for scheme in SCHEMES:
        for width in WIDTHS:
            context = browser.new_context(
                storage_state=signed_in,
                viewport={"width": width, "height": 900},
                color_scheme="dark" if scheme == "dark" else "light",
            )
            page = context.new_page()
            for name, path in PAGES.items():
                if only and name not in only:
                    continue
                open_page(page, link, path)
                file = folder / f"{name}-{width}-{scheme}.png"
                picture(page, width, file)
                yield file.name
            context.close()


def picture(page: Page, width: int, file: Path) -> None:
    """Take the whole page in a window as tall as it: bars that stick would cover the middle."""
    tall = int(page.evaluate("document.documentElement.scrollHeight"))
    page.set_viewport_size({"width": width, "height": min(max(tall, SHORTEST), TALLEST)})
    page.screenshot(path=file)
    page.set_viewport_size({"width": width, "height": SHORTEST})


def open_page(page: Page, link: str, path: str) -> None:
    page.goto(urljoin(link, path.removeprefix("first:")))
    if path.startswith("first:"):
        row = page.locator("#result_list tbody th a").first
        if row.count():
            page.goto(urljoin(link, row.get_attribute("href") or ""))
    box = page.locator("#try_text")
    if box.count():
        box.fill(TRIED)
        with page.expect_response("**/try/"):
            page.get_by_role("button", name="Try it").click()
    page.wait_for_load_state("networkidle")


if __name__ == "__main__":
    sys.exit(main())
