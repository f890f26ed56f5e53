"""Record ids as Salesforce makes them: 15 characters, and 3 that make them case-safe."""

import re
import string
from functools import lru_cache

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_CHECKSUM = string.ascii_uppercase + "012345"
_POD = "Hu0"
"""Characters 4 to 6 name the instance and are reserved; every org of ours uses these."""
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?\Z")


def new_id(prefix: str, number: int) -> str:
    """Return the 18-character id of the ``number``-th record of a key prefix."""
    tail = ""
    for _ in range(9):
        number, digit = divmod(number, 62)
        tail = _DIGITS[digit] + tail
    short = prefix + _POD + tail
    return short + checksum(short)


@lru_cache(maxsize=65536)
def checksum(short: str) -> str:
    """Return the 3 characters that say which letters of a 15-character id are capitals."""
    groups = (short[0:5], short[5:10], short[10:15])
    return "".join(
        _CHECKSUM[sum(1 << place for place, letter in enumerate(group) if letter.isupper())]
        for group in groups
    )


def long_id(text: object) -> str | None:
    """Return the 18-character form of an id of 15 or 18 characters, None for anything else."""
    if not isinstance(text, str) or not _SHAPE.match(text):
        return None
    return text[:15] + checksum(text[:15])
