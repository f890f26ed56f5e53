"""Long lists on a page: found by words, shown in portions, with the ways on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page


@dataclass(frozen=True, slots=True)
class Pages:
    """Where one is in a list."""

    number: int
    last: int
    total: int
    """Rows on all pages."""
    earlier: str
    """Address; empty: this is the first page."""
    later: str


def pages(page: "Page[Any]", address: Callable[[str], str]) -> Pages:
    """Return where ``page`` is; ``address`` makes a page's address of its number."""
    return Pages(
        page.number,
        page.paginator.num_pages,
        page.paginator.count,
        address(str(page.previous_page_number())) if page.has_previous() else "",
        address(str(page.next_page_number())) if page.has_next() else "",
    )


def is_called(text: str, words: str) -> bool:
    """Say whether every one of ``words`` stands in the text, in small or capital letters."""
    text = text.casefold()
    return all(word in text for word in words.casefold().split())
