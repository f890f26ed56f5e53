"""Han: Simplified and Traditional Chinese characters, and regional forms, become one."""

import re
from functools import lru_cache
from typing import Protocol


def merged(text: str) -> str:
    """Return the text with every Han character as mainland China writes it, one for one.

    Character by character, so offsets stay: which of several traditional characters a simplified
    one stood for (``后``: queen or after) is not told apart, in the rules as in the words that
    they are looked for in. Hong Kong's and Taiwan's forms are merged as well (``衞``, ``著``).
    Japanese and Korean ideographs are Han, too. The tables are OpenCC's (Apache License 2.0).
    """
    return _HAN.sub(lambda found: _simplified(found[0]), text)


# Extension A, the common block, the compatibility ideographs, and all planes of ideographs.
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_REMEMBERED = 32_768  # more than are in use; OpenCC needs 4 µs for one


@lru_cache(maxsize=_REMEMBERED)
def _simplified(char: str) -> str:
    found = char
    for converter in _converters():
        found = converter.convert(found)
    return found


class _Converter(Protocol):
    def convert(self, text: str) -> str:
        """Return the text in the other script."""


@lru_cache(maxsize=1)
def _converters() -> tuple[_Converter, ...]:
    """Return what is applied in turn; made when the first Han character is met (20 ms, 10 MB)."""
    from opencc import OpenCC  # noqa: PLC0415  most desks never need it, and starts stay quick

    return OpenCC("hk2s"), OpenCC("tw2s"), OpenCC("t2s")
