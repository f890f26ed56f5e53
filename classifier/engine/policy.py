"""Policy: what rules and the model say about a transcript becomes one verdict."""

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from classifier.engine.redaction import without_placeholders
from classifier.engine.rules import Hit
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.text import Transcript
from classifier.engine.thresholds import Thresholds
from classifier.engine.verdict import Doubt, Evidence, Verdict
from classifier.engine.voting import Vote

Explain = Callable[[str], tuple[Evidence, ...]]
"""Gives the model's terms that speak for a category."""


@dataclass(frozen=True)
class Policy:
    """How verdicts are reached: the categories that may be answered, and from when on."""

    taxonomy: Taxonomy
    """Only these are answered; what rules or the model say of others is left out."""
    thresholds: Thresholds = field(default_factory=Thresholds)
    """Of the model in use: its probabilities mean nothing beside another's thresholds."""
    decisive: float = 0.95
    """Measured strength from which on an assign rule decides alone; a weaker one only boosts.

    As high as the precision that is promised by default: a rule may not break the promise.
    What an admin stated as certain decides alone, whatever was measured.
    """
    boost: float = 2.0
    """What a boost rule of strength 1 adds to the model's log-odds: odds times 7.

    Less than its strength alone would justify, because the model has read the same words.
    """
    suggestions: int = 3
    audit_share: float = 0.01
    """Share of decisions that a person judges blind, in [0, 1]."""
    own_proof: frozenset[str] = frozenset()
    """Categories that the model may decide only where their own texts prove that it may."""
    critical: Mapping[str, float] = field(default_factory=dict)
    """Share of its true texts, by category, that must be tagged or come before a person."""

    def __post_init__(self) -> None:
        if not (0 <= self.decisive <= 1 and 0 <= self.audit_share <= 1):
            raise ValueError("decisive and audit_share lie between 0 and 1")
        if self.boost < 0 or self.suggestions < 0:
            raise ValueError("boost and suggestions are not negative")
        if not all(0 < floor < 1 for floor in self.critical.values()):
            raise ValueError("the floor of a critical category lies between 0 and 1")

    def accepts(self, category: str, probability: float, lead: float = 1.0) -> bool:
        """Say whether the model alone may decide for a category."""
        if category in self.own_proof:
            return self.thresholds.accepts_alone(category, probability, lead)
        return self.thresholds.accepts(category, probability, lead)

    def adds(self, category: str, probability: float) -> bool:
        """Say whether the model alone may name a category besides another."""
        if category not in self.own_proof:
            return self.thresholds.adds(category, probability)
        second = self.thresholds.exclusive or self.thresholds.adds(category, probability)
        return second and self.accepts(category, probability)

    def backs_off(self, category: str, probability: float) -> bool:
        """Say whether an ancestor may be answered; no ancestor has a proof of its own."""
        return category not in self.own_proof and self.thresholds.backs_off(probability)

    @cached_property
    def least_to_add(self) -> float:
        """The lowest probability that ``adds`` may say yes to."""
        thresholds = self.thresholds
        asked = [thresholds.secondary]
        if thresholds.exclusive:
            asked = [thresholds.accept, *thresholds.by_category.values()]
        return min((least for least in asked if least is not None), default=math.inf)

    def audits(self, key: str) -> bool:
        """Say whether the decision of this key is drawn for audit: a random share, yet stable."""
        digest = hashlib.sha256(f"audit:{key}".encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") < self.audit_share * 2**64


def settle(
    transcript: Transcript,
    hits: Sequence[Hit],
    probabilities: Mapping[str, float] | None,
    policy: Policy,
    *,
    explain: Explain | None = None,
) -> Verdict:
    """Return the reasons of one transcript, or why a person must look.

    A veto takes its category, and all below, out of the vote. Then decisive rules win: the
    deepest of them, if they are of one line. If they are not, two teams contradict each other and
    a person must look, unless the model confirms every one of them: then the customer has several.
    Without decisive rules the model's likeliest category stands, its odds raised by boosting (and
    weaker assigning) rules, if it passes its threshold; else the likeliest ancestor, if that
    passes. Further categories that pass the threshold for further reasons and are not of a line
    with one taken are further reasons. Last, whatever is taken, a critical category that may be
    meant and is none of the reasons brings the transcript before a person, and so does a rule that
    asks for one.

    ``probabilities`` maps category codes to calibrated probabilities; None: there is no model.
    """
    found = outcome(transcript, hits, probabilities, policy)
    return found.verdict(map(explain or _no_terms, found.explained_by))


class Outcome(NamedTuple):
    """What becomes of one transcript, nothing of it explained as yet."""

    vote: Vote | None
    """None: it has no words."""
    taken: tuple[str, ...] = ()
    suggested: tuple[str, ...] = ()
    doubt: Doubt | None = None
    """Why nothing is taken."""

    @property
    def explained_by(self) -> list[str]:
        """The labels whose terms explain what is taken, and then what is suggested."""
        if self.vote is None:
            return []
        return [self.vote.explained_by(code) for code in (*self.taken, *self.suggested)]

    def verdict(self, terms: Iterable[Sequence[Evidence]]) -> Verdict:
        """Return the verdict; ``terms`` are the model's for each of ``explained_by``."""
        if self.vote is None:
            return Verdict(doubt=self.doubt)
        codes = (*self.taken, *self.suggested)
        reasons = [self.vote.reason(code, its) for code, its in zip(codes, terms, strict=True)]
        count = len(self.taken)
        return Verdict(tuple(reasons[:count]), tuple(reasons[count:]), self.doubt)


def outcome(
    transcript: Transcript,
    hits: Sequence[Hit],
    probabilities: Mapping[str, float] | None,
    policy: Policy,
) -> Outcome:
    """Return what ``settle`` decides; so a whole batch can be explained at once."""
    if not hits and not _has_words(transcript):
        return Outcome(None, doubt=Doubt.NO_WORDS)
    vote = Vote(hits, probabilities, policy)
    contradict = vote.is_contradiction
    taken = () if contradict else vote.decisive or vote.model_choice()
    if taken:
        taken += vote.further(taken)
    doubt = None
    if policy.critical and vote.missed_critical(taken):
        doubt = Doubt.CRITICAL
    elif vote.asked:
        doubt = Doubt.RULE_ASKS
    elif not taken:
        doubt = Doubt.RULES_CONTRADICT if contradict else vote.doubt()
    if doubt:
        taken = ()
    return Outcome(vote, taken, vote.suggested_besides(taken), doubt)


def scores_after_rules(
    hits: Sequence[Hit], probabilities: Mapping[str, float], policy: Policy
) -> dict[str, float]:
    """Return what ``settle`` holds against the thresholds, for every label, in [0, 1].

    The model's probabilities, raised and vetoed by the rules. What decisive rules assign has 1,
    because no threshold is asked then; where they contradict each other, or ask for a person,
    everything has 0. So thresholds chosen from these scores count what the rules decide, right or
    wrong.
    """
    vote = Vote(hits, probabilities, policy)
    if vote.asked or vote.is_contradiction:
        return dict.fromkeys(vote.leaves, 0.0)
    if vote.decisive and policy.thresholds.exclusive:
        return dict.fromkeys(vote.leaves, 0.0) | dict.fromkeys(vote.decisive, 1.0)
    return dict(vote.leaves) | dict.fromkeys(vote.decisive, 1.0)


def _has_words(transcript: Transcript) -> bool:
    return any(
        char.isalnum() for turn in transcript.turns for char in without_placeholders(turn.text)
    )


def _no_terms(_category: str) -> tuple[Evidence, ...]:
    return ()
