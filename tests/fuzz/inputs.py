"""Inputs that break things: seeded, so that every run tries the same."""

import random

WORDS = (
    "refund", "charged twice", "my parcel is late", "I cannot sign in", "money back",
    "password is ", "pin: ", "card ", "iban ", "account number ", "order number ",
    "call me ", "my", "the", "not", "can't", "won't",
    "退款還沒到帳", "我想退錢", "パスワードは", "환불해 주세요",
    "Rückerstattung", "résiliation", "استرداد", "ที่ไม่ได้", "हिन्दी", "İstanbul", "Straße",
)  # fmt: skip
SECRETS = (
    "4111 1111 1111 1111", "4111111111111111", "DE89370400440532013000",
    "GB29 NWBK 6016 1331 9268 19", "+44 20 7946 0958", "0171 2345678", "a@b.example",
    "sk_live_51H8aBcDeFgHiJkLmNoP", "eyJhbGciOi.eyJzdWIi.x", "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----", "https://u:p@host/", "AKIAIOSFODNN7EXAMPLE", "2024-05-01",
    "1.5.24", "12:30", "£12.50", "[card••••••••••]", "•", "[email•",
)  # fmt: skip
SIGNS = (
    "\0", "\n", "\r\n", "\t", " ", "  ", "\u00a0", "\u3000", "\u200b", "\u200d", "\u200f",
    "\u202e", "\u2066", "\u0301", "\u0327", "\u20e3", "\ufe0f", "\ufeff", "\ufffd",
    "\ufdd0", "\ufdd1", "\ufdd2", "\ud800", "\udfff", "\u1100", "\u1161", "\u11a8", "가",
    "ㅋ", "ß", "ﬁ", "ﷺ", "½", "👩\u200d💻", "🇬🇧", "😡", "e\u0301", "か\u3099", "-", "—", "'",
    "’", '"', "“", "(", ")", "[", "]", "{", "}", "<b>", "&amp;", ",", ".", ":", "/", "\\",
    "@", "+", "*", "?", "|", "^", "$", "~", "#", "%", "_", "=", "0", "1", "00", "9" * 20,
    "\U0010ffff", "\U000e0001",
)  # fmt: skip
SYNTAX = (
    '"refund"', '"money back*"', "any(", "all(", "none(", "at_least(2, ", "words(", "near(",
    "fuzzy(", "number(", "regex(", "field(", "tag(", "similar_to(", ")", ", ", " and ", " or ",
    " not ", " by bot", " by anybody", " in one sentence", " in one turn", " before ", " after ",
    " at least 2 times", " in last 1 turn", " in first 3 turns", " in subject", " not inside ",
    " inside words", " in language de", "ordered", "50..99.5", "..5", '"€"', "NOT", "AND",
)  # fmt: skip
RULES = (
    '"a" and "b" or "c"', '"a" AND NOT ("b" OR "c")', '("a" and "b") in one turn',
    '"a" before "b" by bot', 'all("refund", none("policy" by representative))',
    'at_least(2, "a", "b", "c")', 'fuzzy("cancellation", 2)', 'number(50..99.5, "€")',
    'near("card", words("lost", "stolen"), 5, ordered)', 'number(..5, "days")',
    '"credit" not inside "credit card" not inside "credit union"', 'near("退", "款", 2)',
    'regex("order \\d{6}")', 'words("fee", "fees") inside words',
    '"a" before ("b" by bot) at least 2 times in last 1 turn in subject',
    'near("card", "lost", 0) in one conversation', 'field("channel", "chat")',
)  # fmt: skip
_LONG = 0.004  # share of inputs in which something is said again and again
_LONGEST = 4_000  # characters of such a repetition


def text(chance: random.Random) -> str:
    pieces = [_piece(chance) for _ in range(chance.randrange(1, 14))]
    if chance.random() < _LONG:
        again = chance.choice(pieces) or "x"
        pieces.append(again * (chance.randrange(1, _LONGEST) // len(again) + 1))
    return ("" if chance.random() < 0.5 else " ").join(pieces)


def _piece(chance: random.Random) -> str:
    match chance.randrange(8):
        case 0 | 1:
            return chance.choice(WORDS)
        case 2:
            return _slipped(chance, chance.choice(SECRETS))
        case 3 | 4:
            return chance.choice(SIGNS) * chance.choice((1, 1, 1, 2, 3, 40))
        case 5:
            return chance.choice(SYNTAX)
        case 6:
            return "".join(chr(chance.randrange(0x110000)) for _ in range(chance.randrange(4)))
        case _:
            return "".join(chr(chance.randrange(0x250)) for _ in range(chance.randrange(9)))


def _slipped(chance: random.Random, secret: str) -> str:
    """Return it, or with a sign put in, taken out or exchanged somewhere."""
    at = chance.randrange(len(secret))
    match chance.randrange(4):
        case 0:
            return secret[:at] + chance.choice(SIGNS) + secret[at:]
        case 1:
            return secret[:at] + secret[at + 1 :]
        case _:
            return secret


def rule(chance: random.Random) -> str:
    """Return what somebody might type as a rule: some are right, some nearly, some not at all."""
    pieces = [chance.choice(RULES)]
    for _ in range(chance.choice((0, 0, 1, 1, 2, 6))):
        pieces.insert(
            chance.randrange(len(pieces) + 1),
            chance.choice(RULES) if chance.random() < 0.2 else _syntax(chance),
        )
    typed = chance.choice(("", " ", " and ", " or ")).join(pieces)
    return _slipped(chance, typed)


def _syntax(chance: random.Random) -> str:
    return _piece(chance) if chance.random() < 0.2 else chance.choice(SYNTAX)


def value(chance: random.Random, found: object, depth: int = 0) -> object:
    """Return JSON values like those found, some of them exchanged, put in or left out."""
    if chance.random() < 0.03 or depth > 20:
        return chance.choice(
            (None, True, 0, -1, 1e308, 10**40, "", "x", [], {}, _piece(chance))
        )
    if isinstance(found, dict):
        return {
            (_piece(chance) if chance.random() < 0.01 else key): value(chance, one, depth + 1)
            for key, one in found.items()
            if chance.random() > 0.02
        }
    if isinstance(found, list):
        return [
            value(chance, one, depth + 1)
            for one in found
            for _ in range(chance.choice((1, 1, 1, 1, 2)))
        ]
    return found


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Return the bytes with some exchanged, cut out, put in, said again, or cut off."""
    found = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 5, 30))):
        at = chance.randrange(len(found) + 1)
        match chance.randrange(6):
            case 0 if at < len(found):
                found[at] ^= 1 << chance.randrange(8)
            case 1 if at < len(found):
                found[at] = chance.randrange(256)
            case 2:
                del found[at : at + chance.choice((1, 2, 8, 200))]
            case 3:
                found[at:at] = chance.randbytes(chance.choice((1, 2, 8)))
            case 4:
                found[at:at] = found[at : at + chance.randrange(40)]
            case _:
                digits = str(chance.choice((0, -1, 2**31, 2**63, 10**30, 1e308))).encode()
                found[at : at + len(digits)] = digits
    return bytes(found)
