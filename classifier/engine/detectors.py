"""Detectors: numbers, addresses and keys that show by their own form what they are, to redact them."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate, pairwise

from classifier.engine.cues import Place, is_date

_GAP = r"[ \t\-]"


def cards(text: str) -> Iterator[Place]:
    """Yield payment card numbers: 13 to 19 digits that satisfy Luhn, in one piece or in groups."""
    for run in _DIGIT_RUN.finditer(text):
        groups = [group.span() for group in _DIGITS.finditer(text, *run.span())]
        yield from _cards_among(text, groups)


_DIGIT_RUN = re.compile(rf"\d(?:{_GAP}{{0,3}}\d){{12,}}+")
_DIGITS = re.compile(r"\d++")
_CARD_LENGTHS = range(13, 20)  # ISO/IEC 7812; 13 is old Visa


def _cards_among(text: str, groups: list[Place]) -> Iterator[Place]:
    """Yield the longest card that begins at each group, then go on behind it."""
    digits = "".join(text[start:end] for start, end in groups)
    sums = _luhn_sums(digits)
    offsets = [0, *accumulate(end - start for start, end in groups)]
    first = 0
    while first < len(groups):
        last = _card_end(digits, sums, offsets, first)
        if last is None:
            first += 1
            continue
        yield groups[first][0], groups[last - 1][1]
        first = last


def _luhn_sums(digits: str) -> tuple[list[int], list[int]]:
    """Return running sums with every odd, and with every even, digit doubled as Luhn asks.

    So any stretch is checked in one subtraction, and a megabyte of digits costs what it should.
    """
    plain = [int(digit) for digit in digits]
    doubled = [sum(divmod(2 * digit, 10)) for digit in plain]
    pairs = list(zip(plain, doubled, strict=True))
    return tuple(  # type: ignore[return-value]  # two parities, two lists
        [0, *accumulate(pair[(position + parity) % 2] for position, pair in enumerate(pairs))]
        for parity in (0, 1)
    )


def _card_end(
    digits: str, sums: tuple[list[int], list[int]], offsets: list[int], first: int
) -> int | None:
    """Return the group after the longest card number that begins with group ``first``."""
    start = offsets[first]
    if digits[start] not in _CARD_INDUSTRIES:
        return None
    found = None
    for last in range(first + 1, min(first + _CARD_LENGTHS[-1] + 1, len(offsets))):
        end = offsets[last]
        if end - start > _CARD_LENGTHS[-1]:
            break
        running = sums[(end - 1) % 2]
        if (
            end - start in _CARD_LENGTHS
            and (running[end] - running[start]) % 10 == 0
            and _is_grouped_like_a_card(offsets[first : last + 1])
            and not (end - start == _CARD_LENGTHS[0] and digits[start] == "1")  # a time in ms
        ):
            found = last
    return found


_CARD_INDUSTRIES = "1234568"  # ISO/IEC 7812: airlines to banks; no card begins with 0, 7 or 9


def _is_grouped_like_a_card(offsets: list[int]) -> bool:
    """Tell 4-4-4-4, 4-6-5 or digit by digit from a row of dates (4-2-2 4-2-2)."""
    sizes = [end - start for start, end in pairwise(offsets)]
    if len(set(sizes)) == 1:
        return True
    return sizes[0] >= _CARD_FIRST_GROUP and min(sizes[1:-1], default=3) >= _CARD_GROUP


_CARD_FIRST_GROUP, _CARD_GROUP = 4, 3


def ibans(text: str) -> Iterator[Place]:
    """Yield international bank account numbers of the registered lengths (ISO 7064 mod 97)."""
    for run in _IBAN_START.finditer(text):
        length = _IBAN_LENGTHS.get(run["country"].upper())
        whole = length and _iban_of(length).match(text, run.start())
        if not whole:
            continue
        is_named = _IBAN_NAMED.search(text, max(0, run.start() - 30), run.start())
        if is_named or _is_iban(re.sub(r"[\W_]", "", whole[0])):
            yield whole.span()


_IBAN_START = re.compile(r"(?<![^\W_])(?P<country>[A-Za-z]{2})\d\d")
_IBAN_NAMED = re.compile(
    r"\biban\b[\s:#=.]{0,9}(?:(?:number|nummer|no|is|ist|es|est)[\s:#.]{0,9}){0,2}$",
    re.IGNORECASE,
)
# Registered lengths, from the SWIFT IBAN Registry.
_IBAN_COUNTRIES = {
    15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST", 26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HN HU LB NI PL SV", 29: "BR EG PS QA UA",
    30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
}  # fmt: skip
_IBAN_LENGTHS = {
    country: length
    for length, several in _IBAN_COUNTRIES.items()
    for country in several.split()
}


@lru_cache
def _iban_of(length: int) -> "re.Pattern[str]":
    return re.compile(
        rf"[A-Za-z0-9](?:{_GAP}{{0,2}}[A-Za-z0-9]){{{length - 1}}}(?![A-Za-z0-9])"
    )


def _is_iban(number: str) -> bool:
    turned = number[4:] + number[:4]
    return int("".join(str(int(char, 36)) for char in turned)) % 97 == 1


def emails(text: str) -> Iterator[Place]:
    """Yield e-mail addresses, and the user and password within a URL."""
    reached = 0
    at = text.find("@")
    while at >= 0:
        domain = _DOMAIN.match(text, at + 1)
        before = text[max(reached, at - _LOCAL_CHARACTERS) : at]
        local = _LOCAL_BACKWARDS.match(before[::-1])
        if domain and local:
            yield at - local.end(), domain.end()
            reached = domain.end()
        at = text.find("@", max(at + 1, reached))


_LOCAL_CHARACTERS = 256  # RFC 5321 allows 64; beyond, we would rather hide too much
_LOCAL_BACKWARDS = re.compile(r"(?:[^\W_]|[!#$%&'*+/=?^`{|}~.:_\-])++")
_DOMAIN = re.compile(r"(?:(?:[^\W_]|-){1,63}+\.){1,20}[^\W\d_]{2,24}(?![^\W_])")


def phones(text: str) -> Iterator[Place]:
    """Yield phone numbers: international, and national ones whose form is like no other number."""
    for found in _INTERNATIONAL.finditer(text):
        yield found.span()
    for found in _NATIONAL.finditer(text):
        count = sum(char.isdigit() for char in found[0])
        if count in _NATIONAL_DIGITS and not _is_other_number(text, found.start()):
            yield found.span()


_BETWEEN = r"[ .()/\-]"
_INTERNATIONAL = re.compile(
    rf"(?:(?<![A-Za-z_+])\+{_BETWEEN}{{0,2}}|(?<![\w.,/+\-])00{_BETWEEN}?(?=[1-9]\d?{_BETWEEN}))"
    rf"[1-9](?:{_BETWEEN}{{0,3}}\d){{6,14}}(?![\d%]|[.,]\d)"
)
_NATIONAL = re.compile(
    r"(?<![\w.,/+\-$€£¥])(?:"
    r"(?:1[ .\-])?\(?[2-9]\d\d(?:\)[ .\-]?|[ .\-]{1,2})[2-9]\d\d[ .\-]?\d{4}"  # North America
    r"|\(?0[1-9]\d{0,4}\)?(?:[ ./\-]{1,3}\d{2,8}){1,5}"  # Europe, with the trunk zero
    r"|0[1-9]\d{7,10}"
    r"|[679]\d\d(?:[ .\-]\d{3}){2}(?!\s?[€$£])|[679]\d\d(?:[ .\-]\d\d){3}"  # Spain
    r"|(?<!\d[ \-])[5-9]\d{3}[ \-]\d{4}(?![ \-]\d)"  # Hong Kong
    r"|1[3-9]\d(?:\d{8}|[ \-]\d{4}[ \-]\d{4})"  # mobile in mainland China
    r")(?![\w%]|[.,/\-]\d)"
)
_NATIONAL_DIGITS = range(8, 13)


def _is_other_number(text: str, start: int) -> bool:
    """Say whether it is a date, or follows a word such as "order"."""
    return is_date(text, start) or bool(_ORDER.search(text, max(0, start - 40), start))


_ORDER = re.compile(
    r"(?:order|case|ticket|invoice|reference|ref|tracking|booking|reservation|parcel|shipment"
    r"|serial|item|product|article|policy|bestellung|auftrag|rechnung|sendung|pedido|factura"
    r"|commande|facture|订单|訂單|单号|單號|编号|編號)[\s:#.]{0,9}"
    r"(?:(?:number|numbers|num|no|nr|id|is|code|nummer|número|numéro|号|號)[\s:#.]{0,9}){0,3}$",
    re.IGNORECASE,
)


def private_keys(text: str) -> Iterator[Place]:
    """Yield private keys from their first line to their last, or to the end of the text."""
    reached = 0
    while begun := _KEY_BEGIN.search(text, reached):
        ended = _KEY_END.search(text, begun.end())
        reached = ended.end() if ended else len(text)  # cut off: what is there is secret too
        yield begun.start(), reached


_KEY_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----")
_KEY_END = re.compile(r"-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----")


def keys(text: str) -> Iterator[Place]:
    """Yield tokens with a known beginning, logins in URLs, and long strings that look random."""
    for found in _KNOWN_KEY.finditer(text):
        yield found.span()
    for found in _LOGIN_IN_URL.finditer(text):
        yield found.span("login")
    for found in _LONG_TOKEN.finditer(text):
        yield from _random_parts(text, found)


_KNOWN_KEY = re.compile(
    r"(?<![A-Za-z0-9_\-])(?:"
    r"(?:sk|pk|rk)[_\-](?:live|test|proj|ant|or)?[_\-]?[\w\-]{16,}+"  # Stripe, OpenAI, Anthropic
    r"|(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}"  # Amazon
    r"|gh[pousr]_\w{20,}+|github_pat_\w{20,}+|glpat-[\w\-]{16,}+"  # GitHub, GitLab
    r"|xox[abeprs]-[\w\-]{10,}+|xapp-[\w\-]{10,}+"  # Slack
    r"|AIza[\w\-]{30,}+|ya29\.[\w\-]{20,}+|GOCSPX-[\w\-]{20,}+"  # Google
    r"|SG\.[\w\-]{16,}+\.[\w\-]{16,}+|key-[0-9a-z]{32}|npm_\w{30,}+|hf_\w{30,}+|dop_v1_\w{40,}+"
    r"|shp(?:at|ca|pa|ss)_\w{20,}+|whsec_\w{20,}+|pypi-[\w\-]{30,}+"
    r"|00D[A-Za-z0-9]{12,15}![\w.]{40,}+"  # Salesforce session
    r"|eyJ[\w\-]{8,}+\.[\w\-]{8,}+(?:\.[\w\-]*+)?"  # JSON web token
    r")"
)
_LOGIN_IN_URL = re.compile(r"://(?P<login>[^\s/@:•]{1,64}:[^\s/@•]{1,128})@")
_LONG_TOKEN = re.compile(r"(?<![A-Za-z0-9+/_=\-])[A-Za-z0-9+/_=\-]{24,}+")


def _random_parts(text: str, found: "re.Match[str]") -> Iterator[Place]:
    """Yield the token if it looks random; of a path only the parts that do."""
    is_path = text[max(0, found.start() - 1) : found.start()] in {".", ":"} or "//" in found[0]
    pattern = _PATH_PART if is_path or found[0].startswith("/") else _LONG_TOKEN
    for part in pattern.finditer(text, *found.span()):
        if _looks_random(part[0]):
            yield part.span()


_PATH_PART = re.compile(r"[A-Za-z0-9+_=\-]{24,}+")


def _looks_random(token: str) -> bool:
    """Tell keys from long words, slugs and UUIDs: by kinds of characters and their entropy."""
    if _UUID.fullmatch(token) or _is_wordy(token):
        return False
    upper, lower, digits = (
        sum(map(test, token)) for test in (str.isupper, str.islower, str.isdigit)
    )
    if _HEX_KEY.fullmatch(token):
        return digits > 0 and upper + lower > 0
    is_mixed = min(upper, lower) >= _KIND_CHARACTERS and digits > 0
    is_long = len(token) >= _LONG_CHARACTERS and digits >= _LONG_CHARACTERS // 8
    is_wordless = _WORD_RUN.search(token) is None
    return is_wordless and (is_mixed or is_long) and _entropy(token) >= _RANDOM_BITS


def _is_wordy(token: str) -> bool:
    """Say whether it is mostly words and numbers joined by signs: ``Summer-Sale_2024/EndOfLine``."""
    words = sum(len(word[0]) for word in _WORD.finditer(token))
    return words > _WORDY_SHARE * sum(map(str.isalnum, token))


_WORD = re.compile(r"[A-Z]?[a-z]{3,}+|(?<![A-Za-z0-9])(?:[A-Z]++|\d++)(?![A-Za-z0-9])")
_WORDY_SHARE = 0.75  # random base 62 of 40 characters has 0.18, and 0.68 at most in 3,000
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_HEX_KEY = re.compile(r"[0-9A-Fa-f]{32,}+")
_WORD_RUN = re.compile(r"[a-z]{9}|[A-Z]{16}")  # fewer than 1 % of random keys have one
_KIND_CHARACTERS = 2
_LONG_CHARACTERS = 32
_RANDOM_BITS = (
    3.7  # per character; English words in a slug have 3 to 3.5, random base 64 4 to 5
)


def _entropy(token: str) -> float:
    """Return the Shannon entropy of the token's characters, in bits per character."""
    return -sum(n / len(token) * math.log2(n / len(token)) for n in Counter(token).values())
