"""Building SOQL: names and ids are checked, long id lists are cut."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice

API_NAME = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*")
RECORD_ID = re.compile(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?")
IDS_PER_QUERY = 400
"""An id costs 27 bytes in a URI ('…',), and Salesforce takes 16,384 with headers and fields."""


def select(
    fields: Sequence[str], sobject: str, *conditions: str, order_by: str = "", limit: int = 0
) -> str:
    """Return a query. ``conditions`` are joined by AND; build them with the functions below.

    ``order_by`` is a field, newest or highest first where a minus stands before it.

    Raises:
        ValueError: a field or object is not an API name.
    """
    names = ", ".join(checked_name(field) for field in fields)
    parts = [f"SELECT {names} FROM {checked_name(sobject)}"]  # noqa: S608 -- names are checked
    if wanted := [condition for condition in conditions if condition]:
        parts.append("WHERE " + " AND ".join(wanted))
    if order_by:
        direction = " DESC" if order_by.startswith("-") else ""
        parts.append(f"ORDER BY {checked_name(order_by.removeprefix('-'))}{direction}")
    if limit:
        parts.append(f"LIMIT {limit:d}")
    return " ".join(parts)


def is_one_of(field: str, ids: Iterable[str]) -> str:
    """Return the condition that ``field`` holds one of these record ids.

    Raises:
        ValueError: one of them is not a record id.
    """
    listed = ", ".join(f"'{checked_id(record_id)}'" for record_id in ids)
    return f"{checked_name(field)} IN ({listed})"


def is_named(field: str, names: Iterable[str]) -> str:
    """Return the condition that ``field`` holds one of these API names.

    Raises:
        ValueError: one of them is not an API name.
    """
    listed = ", ".join(f"'{checked_name(name)}'" for name in names)
    return f"{checked_name(field)} IN ({listed})"


def is_one_word_of(field: str, words: Iterable[str]) -> str:
    """Return the condition that ``field`` holds one of these plain words.

    Raises:
        ValueError: one of them is more than letters and digits.
    """
    listed = ", ".join(f"'{_checked_word(word)}'" for word in words)
    return f"{checked_name(field)} IN ({listed})"


def is_text_of(field: str, values: Iterable[str]) -> str:
    """Return the condition that ``field`` holds one of these texts; nothing where there is none."""
    listed = ", ".join(f"'{_escaped(value)}'" for value in values)
    return f"{checked_name(field)} IN ({listed})" if listed else ""


def is_true(field: str) -> str:
    return f"{checked_name(field)} = true"


def is_there(field: str) -> str:
    """Return the condition that ``field`` holds anything."""
    return f"{checked_name(field)} != null"


def comes_after(record_id: str) -> str:
    """Return the condition that continues a list ordered by Id; nothing for the first page."""
    return f"Id > '{checked_id(record_id)}'" if record_id else ""


def comes_before(record_id: str) -> str:
    """Return the condition that continues a list whose highest Id comes first."""
    return f"Id < '{checked_id(record_id)}'" if record_id else ""


def is_since(field: str, moment: datetime) -> str:
    """Return the condition that ``field`` is at or after ``moment``."""
    return f"{checked_name(field)} >= {literal(moment)}"


def is_before(field: str, moment: datetime) -> str:
    """Return the condition that ``field`` is before ``moment``."""
    return f"{checked_name(field)} < {literal(moment)}"


def literal(moment: datetime) -> str:
    """Return an aware datetime as SOQL writes it, to the second as Salesforce stores it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def in_portions(ids: Iterable[str], size: int = IDS_PER_QUERY) -> Iterator[list[str]]:
    """Yield distinct ids, in order, in lists short enough for one query."""
    distinct = iter(dict.fromkeys(ids))
    while portion := list(islice(distinct, size)):
        yield portion


def _escaped(text: str) -> str:
    """Return a text as it stands between quotes in SOQL (SOQL reference, "Quoted String Escapes")."""
    for sign, escaped in (("\\", "\\\\"), ("'", "\\'"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(sign, escaped)
    return text


def checked_name(name: str) -> str:
    if not API_NAME.fullmatch(name):
        raise ValueError(f"not an API name: {name!r}")
    return name


def checked_id(record_id: str) -> str:
    if not RECORD_ID.fullmatch(record_id):
        raise ValueError("not a Salesforce record id")
    return record_id


def _checked_word(word: str) -> str:
    if not word.isascii() or not word.isalnum():
        raise ValueError(f"not a plain word: {word!r}")
    return word
