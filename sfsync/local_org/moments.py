"""Dates and times as they travel on the wire."""

import re
from datetime import UTC, date, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache

Value = str | float | bool | datetime | date | None
"""What one field of one row may hold; times are aware, in UTC, to the second."""

_ZONE = re.compile(r"([+-]\d\d)(\d\d)$")


@lru_cache(maxsize=65536)
def stamp(moment: datetime) -> str:
    """Return ``2022-03-17T16:21:26.000+0000``: milliseconds always, zone without a colon."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + (
        f"{moment.microsecond // 1000:03d}+0000"
    )


def parsed(text: str) -> datetime:
    """Return the aware moment of an ISO text with a zone.

    Raises:
        ValueError: not a moment, or one without a zone.
    """
    moment = datetime.fromisoformat(_ZONE.sub(r"\1:\2", text.strip()))
    if moment.tzinfo is None:
        raise ValueError(f"no time zone: {text}")
    return moment.astimezone(UTC)


def to_second(moment: datetime) -> datetime:
    """Return the moment in UTC cut to the second, the precision of audit fields."""
    return moment.astimezone(UTC).replace(microsecond=0)


def to_minute(moment: datetime) -> datetime:
    """Return the moment cut to the minute, the precision of getUpdated and getDeleted."""
    return moment.replace(second=0, microsecond=0)


def http_date(moment: datetime) -> str:
    """Return the moment as in a ``Date`` header."""
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0), usegmt=True)


def from_http_date(text: str) -> datetime:
    """Return the moment of a ``Date``-like header.

    Raises:
        ValueError: not an HTTP date.
    """
    moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def on_the_wire(value: Value) -> str | float | bool | None:
    """Return a value as JSON carries it."""
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    return value
