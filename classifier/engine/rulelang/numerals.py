"""Numerals: the numbers that a folded text says in digits, with their places."""

import re
from collections.abc import Iterator, Sequence

_NUMERAL = re.compile(r"\d++(?:[.,']\d++)*+")
_DIGITS = 15  # up to here a float is exact; a longer run of digits is a name, not a number
_THOUSANDS = 3


def numbers(text: str) -> Iterator[tuple[int, int, float]]:
    """Yield half-open spans and values of numbers: ``1,200.50``, ``1.200,50`` and ``1200`` alike.

    A separator before three last digits parts thousands, any other one decimals. Digits that
    touch letters before them (``covid19``), and parts of dates, times and addresses, are none.
    """
    for found in _NUMERAL.finditer(text):
        start, end = found.span()
        if _is_part(text, start, end):
            continue
        value = value_of(found[0])
        if value is not None:
            yield start, end, value


def value_of(numeral: str) -> float | None:
    """Return the value of digits and separators; None where they are no number."""
    groups = re.split(r"[.,']", numeral)
    signs = [char for char in numeral if not char.isdigit()]
    if sum(map(len, groups)) > _DIGITS:
        return None
    decimals = ""
    if signs and (
        (len(set(signs)) > 1 and signs.count(signs[-1]) == 1)
        or (len(signs) == 1 and (len(groups[-1]) != _THOUSANDS or groups[0] == "0"))
    ):
        decimals = groups.pop()
        signs.pop()
    if len(set(signs)) > 1 or any(len(group) != _THOUSANDS for group in groups[1:]):
        return None
    return float(f"{''.join(groups)}.{decimals or 0}")


def with_unit(text: str, start: int, end: int, units: Sequence[str]) -> tuple[int, int] | None:
    """Return the span of a number with one of the units right before or after it, if there is."""
    for unit in units:
        for at in (end, end + 1):
            after = at + len(unit)
            if text.startswith(unit, at) and _is_beside(text[end:at]) and _ends(text, after):
                return start, after
        for at in (start, start - 1):
            before = at - len(unit)
            if (
                before >= 0
                and text.startswith(unit, before)
                and _is_beside(text[at:start])
                and _begins(text, before)
            ):
                return before, end
    return None


def _is_beside(between: str) -> bool:
    return between in ("", " ")


def _ends(text: str, at: int) -> bool:
    return at >= len(text) or not (text[at - 1].isalnum() and text[at].isalnum())


def _begins(text: str, at: int) -> bool:
    return at == 0 or not (text[at - 1].isalnum() and text[at].isalnum())


def _is_part(text: str, start: int, end: int) -> bool:
    """Say whether digits are part of a name, a date or a time."""
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    if before in {"/", ":", "_", "#"} or (before.isascii() and before.isalpha()):
        return True
    return after in {"/", ":"} and text[end + 1 : end + 2].isdigit()
