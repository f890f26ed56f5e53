"""The rule book: every keyword rule compiled into one automaton, matched in one pass."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from classifier.engine.errors import RuleInvalid
from classifier.engine.grammar import Condition, Effect
from classifier.engine.matching import SPANS_KEPT, Hit, Matcher
from classifier.engine.rulelang import Expression, says
from classifier.engine.rulelang.canon import canonical
from classifier.engine.rulelang.heard import Span
from classifier.engine.text import Transcript

__all__ = ["SPANS_KEPT", "Effect", "Hit", "Rule", "RuleBook", "Span"]

UNTRIED = 0.5  # what is reckoned with until labels say more: right as often as wrong
_DIGEST_FORMAT = 3  # raised when folding or matching changes what a rule book says


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition in the rule language with an effect on a category.

    Raises:
        RuleInvalid: no name, no category, a strength outside [0, 1], or a condition that holds
            for silence.
    """

    name: str
    category: str
    """The category's code."""
    condition: Condition | Expression
    """As an admin gave it: typed into boxes, or in the whole language (``rulelang.parse``)."""
    effect: Effect = Effect.ASSIGN
    strength: float | None = None
    """Share of gold transcripts the rule hits that truly belong there, in [0, 1], measured and
    shrunk towards one half (``strength.Strength``); None: never measured."""
    is_certain: bool = False
    """An admin stated it: an assigning rule decides alone, however little is measured. Never
    turned into a figure: what rests on it alone has no confidence."""

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.category.strip():
            raise RuleInvalid("a rule needs a name and a category")
        if self.strength is not None and not 0 <= self.strength <= 1:
            raise RuleInvalid(f"a strength lies between 0 and 1, not at {self.strength}")
        if not isinstance(self.condition, Condition):
            says(self.condition)

    @property
    def expression(self) -> Expression:
        """The condition in the whole language."""
        if isinstance(self.condition, Condition):
            return self.condition.to_expression()
        return self.condition

    @property
    def weight(self) -> float:
        """What is reckoned with, in [0, 1]: the strength, or one half where none was measured."""
        return UNTRIED if self.strength is None else self.strength


class RuleBook:
    """All active rules, compiled once, matched many times; never changed, so threads may share it.

    ``digest`` is the SHA-256 (hexadecimal) of what the rules say, whatever their order.
    """

    __slots__ = ("_matcher", "digest", "rules")

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = tuple(rules)
        self.digest = _digest(self.rules)
        self._matcher = Matcher(self.rules)

    def match(self, transcript: Transcript) -> tuple[Hit, ...]:
        """Return the rules that hold, in the order of the book, with spans in original offsets."""
        return self.match_all([transcript])[0]

    def match_all(self, transcripts: Iterable[Transcript]) -> list[tuple[Hit, ...]]:
        """Return the hits of each transcript, in the order given."""
        if not self.rules:
            return [() for _ in transcripts]
        return self._matcher.match(transcripts)


def _digest(rules: Iterable[Rule]) -> str:
    lines = sorted(json.dumps(_canonical(rule), ensure_ascii=True) for rule in rules)
    return hashlib.sha256("\n".join([str(_DIGEST_FORMAT), *lines]).encode()).hexdigest()


def _canonical(rule: Rule) -> list[object]:
    """Return what a rule says, equal for rules that say the same."""
    return [
        rule.name,
        rule.category,
        rule.effect,
        rule.strength,
        rule.is_certain,
        canonical(rule.expression),
    ]
