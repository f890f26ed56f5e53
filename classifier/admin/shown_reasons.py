"""The reasons of a decision with their scores and what speaks for and against each, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from classifier.admin.shown_text import visible
from classifier.admin.words import GROUNDS
from classifier.models import DecisionReason, KeywordRule

TERMS_SHOWN = 12  # terms of the model per reason; each further one says next to nothing


@dataclass(frozen=True, slots=True)
class ShownGround:
    """One piece of evidence in a line: what was found, and what it counted."""

    name: str
    quote: str
    weight: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class ShownReason:
    """One contact reason with its scores apart, each in per cent or absent."""

    label: str
    code: str
    is_suggestion: bool
    ground: str
    score: float | None
    rule_score: float | None
    model_score: float | None
    rules: Sequence[ShownGround]
    terms: Sequence[ShownGround]
    terms_against: Sequence[ShownGround]


def shown_reasons(
    reasons: Sequence[DecisionReason],
    turns: Sequence[Mapping[str, Any]],
    labels: Mapping[int, str],
) -> list[ShownReason]:
    """Return ``reasons`` with their scores and evidence in words.

    ``labels`` holds what people read for each category's id.
    """
    rule_urls = _rule_urls(reasons)
    return [
        ShownReason(
            label=labels.get(reason.category_id, reason.category.code),
            code=reason.category.code,
            is_suggestion=reason.is_suggestion,
            ground=GROUNDS.get(reason.ground, reason.ground),
            score=_in_percent(reason.score),
            rule_score=_in_percent(reason.rule_score),
            model_score=_in_percent(reason.model_score),
            rules=_rule_grounds(reason.evidence, turns, rule_urls),
            terms=_term_grounds(reason.evidence, 1),
            terms_against=_term_grounds(reason.evidence, -1),
        )
        for reason in reasons
    ]


def _in_percent(share: float | None) -> float | None:
    return None if share is None else share * 100


def _rule_urls(reasons: Sequence[DecisionReason]) -> dict[str, str]:
    names = {one["rule"] for reason in reasons for one in reason.evidence if one.get("rule")}
    if not names:
        return {}
    rules = KeywordRule.objects.filter(name__in=names).values_list("name", "pk")
    return {
        name: reverse("admin:classifier_keywordrule_change", args=[pk]) for name, pk in rules
    }


def _rule_grounds(
    evidence: Sequence[Mapping[str, Any]],
    turns: Sequence[Mapping[str, Any]],
    urls: Mapping[str, str],
) -> list[ShownGround]:
    quotes: dict[str, dict[str, None]] = {}
    for one in evidence:
        if one.get("rule"):
            quotes.setdefault(one["rule"], {})[f"“{_quote(one, turns)}”"] = None
    return [
        ShownGround(rule, ", ".join(found), "", urls.get(rule, ""))
        for rule, found in quotes.items()
    ]


def _quote(evidence: Mapping[str, Any], turns: Sequence[Mapping[str, Any]]) -> str:
    if not 0 <= evidence["turn"] < len(turns):
        return "…"
    text = str(turns[evidence["turn"]].get("text", ""))
    return visible(" ".join(text[evidence["start"] : evidence["end"]].split()))


def _term_grounds(evidence: Sequence[Mapping[str, Any]], sign: int) -> list[ShownGround]:
    """Return what the model counts for a reason, or against it where ``sign`` is negative."""
    weights: dict[str, float] = {}
    for one in evidence:
        if one.get("term") and one.get("weight", 0.0) * sign > 0:
            # The same term found twice carries its whole weight at each place.
            weights[one["term"]] = one.get("weight", 0.0)
    strongest = sorted(weights.items(), key=lambda pair: -abs(pair[1]))[:TERMS_SHOWN]
    return [ShownGround(visible(term), "", f"{weight:+.2f}") for term, weight in strongest]
