"""Answers: "1234" alone tells nothing, but after "What is your PIN?" it is one; to redact it."""

import re
from collections.abc import Iterator

from classifier.engine import cues
from classifier.engine.cues import Place
from classifier.engine.text import Turn

TURNS_BACK = 3  # a question may be followed by a second message, or by "sure, one moment"
_ANSWER_CHARACTERS = 80  # a longer turn is a story, not the answer to "your PIN, please?"


def question_before(turns: tuple[Turn, ...], position: int) -> str:
    """Return the last words somebody else said shortly before that turn; empty if none."""
    speaker = turns[position].speaker
    before = turns[max(0, position - TURNS_BACK) : position]
    return next((turn.text for turn in reversed(before) if turn.speaker is not speaker), "")


def asks_for_number(question: str) -> bool:
    """Say whether a PIN, a code, an account, a card or a phone number is asked for."""
    return _ASKS.search(question) is not None and cues.names_number(question)


def asks_for_password(question: str) -> bool:
    return _ASKS.search(question) is not None and cues.names_password(question)


_ASKS = re.compile(
    r"[?？]|\b(?:please|provide|enter|give|tell|type|confirm|need|send|require"
    r"|bitte|por favor|veuillez|merci de)\b|请|請|輸入|输入|提供",
    re.IGNORECASE,
)


def numbers(answer: str) -> Iterator[Place]:
    """Yield the numbers of four digits or more in a short answer, but no date and no price."""
    if len(answer) > _ANSWER_CHARACTERS:
        return
    for found in _NUMBER.finditer(answer):
        if not cues.is_date(found[0]):
            yield found.span()


_NUMBER = re.compile(
    r"(?<![A-Za-z0-9.,/$€£¥])\d(?:[ \-]?\d){3,}+(?![A-Za-z0-9%]|[.,/]\d| ?[€$£¥])"
)


def password(answer: str) -> Iterator[Place]:
    """Yield an answer that is one word with a digit or a sign within it."""
    found = _PASSWORD.fullmatch(answer)
    if found:
        yield found.span("value")


_PASSWORD = re.compile(
    r"\s*+(?P<value>(?=[^\s•]{4,64}\s*+$)(?=\S{0,63}?[^A-Za-z\s'?!.,])\S++)\s*+"
)
