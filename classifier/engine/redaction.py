"""Redaction: secrets and personal numbers become placeholders of equal length, so offsets stay."""

import re
import string
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from classifier.engine import answers, cues, detectors
from classifier.engine.answers import asks_for_number, asks_for_password, question_before
from classifier.engine.cues import Place
from classifier.engine.text import Transcript

PLACEHOLDER_FILL = "•"


class Kind(StrEnum):
    """What was found; also the word shown in the placeholder."""

    CARD = "card"
    IBAN = "iban"
    ACCOUNT = "account"
    PHONE = "phone"
    EMAIL = "email"
    SECRET = "secret"  # noqa: S105  a word on a placeholder: password, PIN, one-time code
    KEY = "key"  # API key, token, private key


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was hidden: half-open code-point offsets, true before and after."""

    kind: Kind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text as we may keep it, of the length it had, and what was hidden in it."""

    text: str
    found: tuple[Finding, ...] = ()


PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(Kind)}){PLACEHOLDER_FILL}++\]|{PLACEHOLDER_FILL}++")


def redact(text: str) -> Redacted:
    """Return the text with secrets and personal numbers hidden behind placeholders.

    A placeholder has the length of what it hides (``[card••••••••••]``, or only ``•`` where
    that is too short), so every offset stays true. Doing it twice changes nothing more. Any
    string is taken; the time grows with its length only.
    """
    hidden = without_placeholders(text).translate(_PLAIN)
    found: list[Finding] = []
    for _ in range(_PASSES):
        hidden, more = _pass(hidden)
        if not more:
            break
        found = _with(found, more)
    return Redacted(_rendered(text, found), tuple(found)) if found else Redacted(text)


def redact_all(transcript: Transcript) -> Transcript:
    """Return the transcript with every turn redacted; offsets into it stay true.

    A turn is read as the answer to the one before it: a bare "1234" goes when a PIN was asked.
    """
    turns = transcript.turns
    return replace(
        transcript,
        turns=tuple(
            replace(
                turn, text=_answer(redact(turn.text).text, question_before(turns, position))
            )
            for position, turn in enumerate(turns)
        ),
    )


def _answer(text: str, question: str) -> str:
    """Return a redacted turn without what the question asked for."""
    found: list[Finding] = []
    if question and asks_for_number(question):
        found = [Finding(Kind.SECRET, *place) for place in answers.numbers(text)]
    if question and asks_for_password(question):
        found = _with(found, [Finding(Kind.SECRET, *place) for place in answers.password(text)])
    return _rendered(text, found)


def without_placeholders(text: str) -> str:
    """Return the text with every placeholder filled up, so that none of its letters is a word."""
    if PLACEHOLDER_FILL not in text:
        return text
    return PLACEHOLDER.sub(lambda placeholder: PLACEHOLDER_FILL * len(placeholder[0]), text)


# Hiding one number may bare the edge of its neighbour, so a text with findings is read again.
# Two passes are the rule; the bound keeps the time linear.
_PASSES = 4
# In this order: what spans lines, what follows a telling word, then what is surest by its form.
# Each looks at the text with what was found before filled up.
_DETECTORS: tuple[tuple[Kind, Callable[[str], Iterable[Place]]], ...] = (
    (Kind.KEY, detectors.private_keys),
    (Kind.SECRET, cues.passwords),
    (Kind.KEY, cues.tokens),
    (Kind.KEY, detectors.keys),
    (Kind.SECRET, cues.codes),
    (Kind.EMAIL, detectors.emails),
    (Kind.IBAN, detectors.ibans),
    (Kind.CARD, detectors.cards),
    (Kind.ACCOUNT, cues.accounts),
    (Kind.PHONE, cues.phones),
    (Kind.PHONE, detectors.phones),
)


# Not commas and the like: beside Chinese they end a value, and are never part of one.
_FULL_WIDTH = string.ascii_letters + string.digits + "+-@._"
# One to one, so that offsets stay: the forms in which other keyboards type digits and signs.
_PLAIN: dict[int, str] = {
    **{ord(sign) + 0xFEE0: sign for sign in _FULL_WIDTH},
    **{zero + digit: str(digit) for zero in (0x660, 0x6F0, 0x966) for digit in range(10)},
    **dict.fromkeys((0xA0, 0x202F, 0x205F, 0x3000, *range(0x2000, 0x200B)), " "),
    **dict.fromkeys((*range(0x2010, 0x2016), 0x2212), "-"),
}


def _pass(hidden: str) -> tuple[str, list[Finding]]:
    """Return the text with what every detector found filled up, and the findings."""
    found: list[Finding] = []
    for kind, detect in _DETECTORS:
        places = _joined(detect(hidden))
        if places:
            hidden = _filled_at(hidden, places)
            found = _with(found, [Finding(kind, *place) for place in places])
    return hidden, found


def _joined(places: Iterable[Place]) -> list[Place]:
    """Return the places in order, those that overlap made one."""
    joined: list[Place] = []
    for start, end in sorted(places):
        if joined and start < joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _filled_at(text: str, places: Iterable[Place]) -> str:
    pieces: list[str] = []
    reached = 0
    for start, end in places:
        pieces += text[reached:start], PLACEHOLDER_FILL * (end - start)
        reached = end
    return "".join([*pieces, text[reached:]])


def _with(found: list[Finding], more: list[Finding]) -> list[Finding]:
    """Return both lists as one, in order; findings that overlap are one, of the first's kind."""
    merged: list[Finding] = []
    for finding in sorted([*found, *more], key=lambda each: (each.start, -each.end)):
        if not merged or finding.start >= merged[-1].end:
            merged.append(finding)
        elif finding.end > merged[-1].end:
            merged[-1] = replace(merged[-1], end=finding.end)
    return merged


def _rendered(text: str, found: Iterable[Finding]) -> str:
    pieces: list[str] = []
    reached = 0
    for finding in found:
        pieces += text[reached : finding.start], _placeholder(finding)
        reached = finding.end
    return "".join([*pieces, text[reached:]])


def _placeholder(finding: Finding) -> str:
    length = finding.end - finding.start
    fill = length - len(finding.kind) - len("[]")
    return (
        f"[{finding.kind}{PLACEHOLDER_FILL * fill}]" if fill > 0 else PLACEHOLDER_FILL * length
    )
