"""Record ids: 15 characters that tell capitals apart, and 3 more for programs that do not."""

import re
import string

_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?", re.ASCII)
_CHECKSUM = string.ascii_uppercase + string.digits[:6]


def full_id(text: str) -> str:
    """Return the 18-character form of a record id, so that two spellings of one id compare.

    The last three characters say which of five letters each are capitals (article 000383751
    of Salesforce's help); those that came along are not believed but made anew.

    Raises:
        ValueError: it is no record id.
    """
    if not _SHAPE.fullmatch(text):
        raise ValueError("not a record id of 15 or 18 letters and digits")
    short = text[:15]
    groups = (short[start : start + 5] for start in (0, 5, 10))
    return short + "".join(
        _CHECKSUM[sum(1 << place for place, letter in enumerate(group) if letter.isupper())]
        for group in groups
    )
