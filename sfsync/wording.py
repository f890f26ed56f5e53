"""Why a decision was made, in plain words for the person who reads the Case."""

from collections.abc import Mapping, Sequence
from typing import Any
from unicodedata import category

from classifier.engine.redaction import PLACEHOLDER, PLACEHOLDER_FILL
from classifier.models import Decision, DecisionReason
from sfsync.field_map import CategoryBook

EVIDENCE_CHARACTERS = 255
"""A text field of Salesforce holds so many UTF-16 units; the sentence fits one."""
QUOTE_CHARACTERS = 60  # of one quotation: a phrase and not the letter around it
NAME_CHARACTERS = 40  # of a rule's name
DIGEST_CHARACTERS = 8  # enough to tell rule books apart at a glance, as short git hashes do

UNSPEAKABLE = {"Cc", "Cf", "Cs"}  # control characters, direction marks and surrogates


def evidence_text(decision: Decision, book: CategoryBook) -> str:
    """Return why ``decision`` was made, of up to ``EVIDENCE_CHARACTERS``: reasons, words, numbers.

    The words are the transcript's own, and those are redacted before they are stored; each has
    the rule that found it, or what the model counts it, as on the decision's page and in the
    API. What speaks against a reason is left out. Needs the decision's transcript and its
    reasons with their categories loaded.
    """
    if decision.source == Decision.Source.PERSON and decision.category is not None:
        return _cut(f"{book.label_path(decision.category.code)}: a reviewer decided.")
    reasons = [reason for reason in decision.reasons.all() if not reason.is_suggestion]
    if decision.category is None:
        return _cut(_doubt_line(decision))
    told = ""
    for reason in reasons:
        joint = " Also " if told else ""
        told += _reason_told(reason, decision.transcript.turns, book, joint, told)
    return _cut(told)


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


def _reason_told(
    reason: DecisionReason,
    turns: Sequence[Mapping[str, Any]],
    book: CategoryBook,
    joint: str,
    before: str,
) -> str:
    """Return what is told of one reason, as much as fits after ``before``; maybe nothing."""
    sure = "" if reason.score is None else f" ({reason.score:.0%})"
    head = f"{joint}{book.label_path(reason.category.code)}{sure}"
    if before and not _fits(f"{before}{head}."):
        return ""
    grounds: list[str] = []
    for ground in _grounds(reason.evidence, turns):
        if not _fits(f"{before}{head}: {', '.join([*grounds, ground])}."):
            break
        grounds.append(ground)
    if grounds:
        return f"{head}: {', '.join(grounds)}."
    whole = f"{head}: the conversation as a whole."
    return whole if not reason.evidence and _fits(before + whole) else f"{head}."


def _grounds(
    evidence: Sequence[Mapping[str, Any]], turns: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return each piece of evidence that speaks for a reason, once, those of rules first."""
    found = [one for one in evidence if one.get("rule") or one.get("weight", 0) > 0]
    ranked = sorted(found, key=lambda one: not one.get("rule"))
    told = (_ground(one, turns) for one in ranked)
    return list(dict.fromkeys(ground for ground in told if ground))


def _ground(evidence: Mapping[str, Any], turns: Sequence[Mapping[str, Any]]) -> str:
    if not 0 <= evidence["turn"] < len(turns):
        return ""
    text = str(turns[evidence["turn"]]["text"])
    said = quoted(text[evidence["start"] : evidence["end"]])
    if not said:
        return ""
    rule = evidence.get("rule")
    because = (
        f"rule {_shortened(rule, NAME_CHARACTERS)}" if rule else f"{evidence['weight']:+.2f}"
    )
    return f"“{said}” ({because})"


def quoted(words: str) -> str:
    """Return words as a field takes them, in one line, of up to ``QUOTE_CHARACTERS``.

    What was hidden is named and not shown: ``[card]``.
    """
    shown = PLACEHOLDER.sub(lambda hidden: hidden[0].replace(PLACEHOLDER_FILL, ""), words)
    spoken = "".join(mark if mark.isspace() else _spoken(mark) for mark in shown)
    return _shortened(" ".join(spoken.split()), QUOTE_CHARACTERS)


def _spoken(mark: str) -> str:
    return "" if category(mark) in UNSPEAKABLE else mark


def _shortened(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


def _fits(text: str) -> bool:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2 <= EVIDENCE_CHARACTERS


def _cut(text: str) -> str:
    """Return the text, or as much of its beginning as fits, with a mark that it was cut."""
    if _fits(text):
        return text
    kept = text[: EVIDENCE_CHARACTERS - 1]
    while not _fits(f"{kept}…"):
        kept = kept[:-1]
    return f"{kept.rstrip()}…"
