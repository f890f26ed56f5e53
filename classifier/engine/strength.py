"""How often rules are right, measured on labelled texts; kept apart from the model's probability."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from classifier.engine.chance import Paired
from classifier.engine.rules import Effect, Hit, Rule
from classifier.engine.taxonomy import Taxonomy

PRIOR_RIGHT = 1.0
PRIOR_WRONG = 1.0
"""The prior is Beta(1, 1), every share as likely as any other: a rule that was never tried stands
at one half, and it takes 18 right out of 18 to stand at 95 %."""

_JUDGED = frozenset({"assign", "boost", "veto", "penalise"})
_SPEAKS_AGAINST = frozenset({"veto", "penalise"})


@dataclass(frozen=True, slots=True)
class Strength:
    """So many of the labelled texts that a rule found were as the rule says."""

    right: int = 0
    found: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.right <= self.found:
            raise ValueError(f"not a count of texts: {self.right} of {self.found}")

    @property
    def share(self) -> float:
        """The mean of what is known of the share: shrunk towards one half while texts are few."""
        return (self.right + PRIOR_RIGHT) / (self.found + PRIOR_RIGHT + PRIOR_WRONG)


@dataclass(frozen=True, slots=True)
class RuleRecord:
    """What labelled texts say of one rule."""

    strength: Strength
    against_model: Paired | None = None
    """On texts that the model has not learnt from and the rule found: ``better`` counts those
    where the model alone was right, ``worse`` those where the rule alone was. None: not compared."""

    @property
    def is_overtaken(self) -> bool:
        """Whether the model is right more often than the rule where it speaks, beyond chance."""
        paired = self.against_model
        return bool(paired and paired.better > paired.worse and paired.is_beyond_chance)


def is_right(rule: Rule, truths: Iterable[str], taxonomy: Taxonomy) -> bool:
    """Say whether a text with these true categories is as a rule that found it says.

    A rule for a category is right where the text belongs there or below, one against it where it
    does not.
    """
    belongs = rule.category in taxonomy and taxonomy.is_right(rule.category, frozenset(truths))
    return belongs is not (rule.effect in _SPEAKS_AGAINST)


def measure(
    hits: Sequence[Sequence[Hit]], truths: Sequence[Iterable[str]], taxonomy: Taxonomy
) -> dict[str, Strength]:
    """Return the strength of each rule, by name, that found at least one of the texts.

    ``hits[i]`` are the rules that hold for text i, ``truths[i]`` its true categories.
    """
    counts: dict[str, list[int]] = {}
    for found, true in zip(hits, truths, strict=True):
        known = frozenset(true)
        for hit in found:
            if hit.rule.effect not in _JUDGED:
                continue
            count = counts.setdefault(hit.rule.name, [0, 0])
            count[0] += is_right(hit.rule, known, taxonomy)
            count[1] += 1
    return {name: Strength(right, found) for name, (right, found) in counts.items()}


def against_model(
    hits: Sequence[Sequence[Hit]],
    answers: Sequence[str],
    truths: Sequence[Iterable[str]],
    taxonomy: Taxonomy,
) -> dict[str, Paired]:
    """Return for each assigning rule, by name, how the model does on the texts that it found.

    ``answers[i]`` is the likeliest category of a model that has not learnt from text i.
    """
    counts: dict[str, list[int]] = {}
    for found, answer, true in zip(hits, answers, truths, strict=True):
        known = frozenset(true)
        model = answer in taxonomy and taxonomy.is_right(answer, known)
        for hit in found:
            if hit.rule.effect is not Effect.ASSIGN:
                continue
            rule = is_right(hit.rule, known, taxonomy)
            count = counts.setdefault(hit.rule.name, [0, 0])
            count[0] += model and not rule
            count[1] += rule and not model
    return {name: Paired(better, worse) for name, (better, worse) in counts.items()}


def with_strengths(
    hits: Sequence[Sequence[Hit]], strength_of: Callable[[str], Strength | None]
) -> list[tuple[Hit, ...]]:
    """Return the hits, each rule with the strength that was measured for its name."""
    known: dict[str, Rule] = {}

    def told(hit: Hit) -> Hit:
        rule = hit.rule
        if rule.name not in known:
            strength = strength_of(rule.name)
            known[rule.name] = replace(rule, strength=strength.share if strength else None)
        return hit._replace(rule=known[rule.name])

    return [tuple(told(hit) for hit in found) for found in hits]


def strengths_told(strengths: Mapping[str, Strength]) -> dict[str, dict[str, float]]:
    """Return what JSON can hold, by name of the rule."""
    return {
        name: {"right": one.right, "found": one.found, "strength": round(one.share, 4)}
        for name, one in sorted(strengths.items())
    }
