"""What the engine says about one transcript: its contact reasons, with grounds. Frozen values."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Self


class Ground(StrEnum):
    """What a verdict, or one of its reasons, rests on."""

    RULES = "rules"
    MODEL = "model"
    BOTH = "both"
    NOTHING = "nothing"


class Doubt(StrEnum):
    """Why the engine abstained: shown to the person who must look."""

    NO_WORDS = "no_words"
    NO_MODEL = "no_model"
    UNSURE = "unsure"
    RULES_CONTRADICT = "rules_contradict"
    RULE_ASKS = "rule_asks"
    OUT_OF_SCOPE = "out_of_scope"
    CRITICAL = "critical"
    """A critical category may be meant, and it is not sure enough to be written."""


class _Ground(NamedTuple):
    category: str
    turn: int
    start: int
    end: int
    rule: str = ""
    """Name of the keyword rule that matched here; empty for a model term."""
    term: str = ""
    """The model's term (word or words); empty for a rule."""
    weight: float = 0.0
    """Rule: its weight in [0, 1]. Model: what the term added to the category's score (logits)."""


class Evidence(_Ground):
    """One ground to believe in a category: a span of the conversation's own words.

    ``start`` and ``end`` are half-open code-point offsets into ``turns[turn].text`` as
    received (not as normalised), so the slice is exactly what a reviewer sees. A tuple, which is
    made in a third of the time of a dataclass: every verdict has several.
    """

    __slots__ = ()

    def __new__(
        cls,
        category: str,
        turn: int,
        start: int,
        end: int,
        rule: str = "",
        term: str = "",
        weight: float = 0.0,
    ) -> Self:
        if turn < 0 or not 0 <= start < end:
            raise ValueError(f"not a span: turn {turn}, {start}:{end}")
        return tuple.__new__(cls, (category, turn, start, end, rule, term, weight))


class Reason(NamedTuple):
    """One contact reason of a verdict, its three scores kept apart."""

    category: str
    score: float
    """Final confidence, a calibrated probability in [0, 1]."""
    rule_score: float | None
    """Measured strength of the strongest rule that spoke; None where none spoke or was measured."""
    model_score: float | None
    """The model's calibrated probability; None where there is no model."""
    ground: Ground
    evidence: tuple[Evidence, ...] = ()
    is_ruled: bool = False
    """Whether a rule that may decide alone assigned it."""

    @property
    def confidence(self) -> float | None:
        """The score where something measured stands behind it.

        None: it rests on rules alone that an admin stated and no label has tried.
        """
        is_stated = self.ground is Ground.RULES and self.rule_score is None
        return None if is_stated else self.score


@dataclass(frozen=True, slots=True)
class Verdict:
    """The contact reasons of one transcript, primary first; no reasons means: abstained.

    ``suggestions`` are what the engine would have guessed (best first), also when it abstained:
    they help a person, and are never written as a reason.
    """

    reasons: tuple[Reason, ...] = ()
    suggestions: tuple[Reason, ...] = ()
    doubt: Doubt | None = None

    def __post_init__(self) -> None:
        if bool(self.reasons) == (self.doubt is not None):
            raise ValueError("a verdict has reasons or a doubt, never both and never neither")

    @property
    def primary(self) -> Reason | None:
        return self.reasons[0] if self.reasons else None

    @property
    def is_abstention(self) -> bool:
        return not self.reasons

    @property
    def ground(self) -> Ground:
        """What the primary reason rests on."""
        return self.reasons[0].ground if self.reasons else Ground.NOTHING
