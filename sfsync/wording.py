"""Why a decision was made, in plain words for the person who reads the Case."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from unicodedata import category

from classifier.models import Decision, DecisionReason
from sfsync.field_map import CategoryBook

QUOTES_PER_REASON = 3
QUOTE_CHARACTERS = 160  # about two lines in the width of a Case page
DIGEST_CHARACTERS = 8  # enough to tell rule books apart at a glance, as short git hashes do

SPEAKERS = {
    "customer": "the customer wrote",
    "representative": "the representative wrote",
    "bot": "the bot wrote",
}
UNSPEAKABLE = {"Cc", "Cs"}  # Unicode's names for control characters and surrogates
SENTENCE_END = re.compile(r"[.!?]\s|\n")


def evidence_text(decision: Decision, book: CategoryBook) -> str:
    """Return why ``decision`` was made: one line per reason, with the words that speak for it.

    The words are the transcript's own, and those are redacted before they are stored. Needs
    the decision's transcript and its reasons with their categories loaded.
    """
    if decision.source == Decision.Source.PERSON and decision.category is not None:
        return f"{book.label_path(decision.category.code)}: a reviewer decided."
    reasons = [reason for reason in decision.reasons.all() if not reason.is_suggestion]
    turns = decision.transcript.turns
    lines = [_reason_line(reason, turns, book) for reason in reasons]
    if decision.category is None:
        lines.insert(0, _doubt_line(decision))
    return "\n".join(lines)


def version_text(decision: Decision) -> str:
    """Return which model and which rules decided, empty where a person did."""
    parts = []
    if decision.model_version is not None:
        parts.append(f"model {decision.model_version.number}")
    if decision.rulebook_digest:
        parts.append(f"rules {decision.rulebook_digest[:DIGEST_CHARACTERS]}")
    return ", ".join(parts)


def _doubt_line(decision: Decision) -> str:
    return f"A person should look: {decision.get_doubt_display() or 'not sure enough'}."


def _reason_line(
    reason: DecisionReason, turns: Sequence[Mapping[str, Any]], book: CategoryBook
) -> str:
    sure = "" if reason.score is None else f" ({reason.score:.0%})"
    head = f"{book.label_path(reason.category.code)}{sure}"
    grounds = list(
        dict.fromkeys(
            ground for one in reason.evidence if (ground := _ground(one, turns)) is not None
        )
    )
    if not grounds:
        return f"{head}: the conversation as a whole."
    return f"{head}: {'; '.join(grounds[:QUOTES_PER_REASON])}."


def _ground(evidence: Mapping[str, Any], turns: Sequence[Mapping[str, Any]]) -> str | None:
    if not 0 <= evidence["turn"] < len(turns):
        return None
    turn = turns[evidence["turn"]]
    said = quoted(turn["text"], evidence["start"], evidence["end"])
    who = SPEAKERS.get(turn["speaker"], "it says")
    because = f" (rule “{evidence['rule']}”)" if evidence.get("rule") else ""
    return f"{who} “{said}”{because}"


def quoted(text: str, start: int, end: int) -> str:
    """Return the sentence around ``text[start:end]``, cut at words to ``QUOTE_CHARACTERS``."""
    room = max(QUOTE_CHARACTERS - (end - start), 0) // 2
    begins = [found.end() for found in SENTENCE_END.finditer(text, 0, start)]
    left = begins[-1] if begins else 0
    if left < start - room:
        left = _word_start(text, start - room, start)
    stop = SENTENCE_END.search(text, end)
    right = stop.start() if stop else len(text)
    if right > end + room:
        right = _word_end(text, end + room, end)
    shown = " ".join(_spoken(text[left:right]).split())
    if len(shown) > QUOTE_CHARACTERS:
        return f"{shown[: QUOTE_CHARACTERS - 1].rstrip()}…"
    return shown.rstrip(".!?")


def _spoken(text: str) -> str:
    """Return ``text`` without control characters and lone surrogates, which no field takes."""
    return "".join(mark for mark in text if mark.isspace() or category(mark) not in UNSPEAKABLE)


def _word_start(text: str, left: int, start: int) -> int:
    """Return where the first whole word at or after ``left`` begins, ``start`` at the latest."""
    while 0 < left < start and not text[left - 1].isspace():
        left += 1
    return left


def _word_end(text: str, right: int, end: int) -> int:
    while end < right < len(text) and not text[right].isspace():
        right -= 1
    return right
