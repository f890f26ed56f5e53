"""Comparison: how a candidate does beside the champion, as frozen values and as JSON. Pure.

Both were asked about labelled texts that neither has seen, as they would serve them, with today's
rules and each model's own thresholds, and for their first guess alone. A primary reason is right
where it is true or above a true one; a text out of scope is right where it is left to a person.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from classifier.engine.chance import Measured, Paired, Share

FEW_TEXTS = 100
"""Below, only large differences can show: 100 texts tell 95 % from 87 %, not from 92 %."""
FEW_OF_A_CATEGORY = 10
_NOTHING = Paired(0, 0)
_DIGITS = 6


class Outcome(StrEnum):
    """What the comparison comes to, on primary reasons as they would be served."""

    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no_difference"
    ALONE = "alone"
    NO_TEXTS = "no_texts"


class Change(StrEnum):
    """How a text that is answered otherwise now fares."""

    BETTER = "better"
    WORSE = "worse"
    NEITHER_RIGHT = "neither_right"


class KnownTo(StrEnum):
    """Which of the two models had learnt a category."""

    BOTH = "both"
    CANDIDATE = "candidate"
    CHAMPION = "champion"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Showing:
    """How good one model is."""

    right: Share
    """Of all texts: answered rightly without a person."""
    coverage: Share
    """Of all texts: answered without a person."""
    precision: Share
    """Of those answered: right."""
    out_of_scope: Share
    """Of the texts out of scope: left to a person."""
    first_guess: Share
    """Of the texts in scope: the model's likeliest category is a true one; rules aside."""
    micro_f1: Measured
    """Over all (text, category) pairs as served."""
    macro_f1: Measured
    """Mean of the categories' F1 as served."""
    ece: float
    """Calibration error of the first guess."""


@dataclass(frozen=True, slots=True)
class Score:
    """One model on one category; what lies below counts as the category too."""

    precision: Share
    recall: Share

    @property
    def f1(self) -> float:
        both = self.precision.of + self.recall.of
        return 2 * self.recall.hits / both if both else 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """One category, the two models side by side."""

    category: str
    texts: int
    """That are truly about it."""
    known_to: KnownTo
    candidate: Score
    champion: Score | None
    change: Measured | None
    """Of F1, candidate less champion."""

    @property
    def is_small(self) -> bool:
        return self.texts < FEW_OF_A_CATEGORY

    @property
    def has_lost(self) -> bool:
        """Whether F1 fell, and its whole interval with it."""
        return self.change is not None and self.change.high < 0

    @property
    def has_won(self) -> bool:
        return self.change is not None and self.change.low > 0


@dataclass(frozen=True, slots=True)
class Flip:
    """A text that the candidate answers otherwise than the champion."""

    key: str
    change: Change
    truths: tuple[str, ...]
    """None: out of scope."""
    candidate: tuple[str, ...]
    """Its reasons, the primary one first; none: left to a person."""
    champion: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All figures; made by ``contest.compare``."""

    texts: int
    candidate: Showing | None
    champion: Showing | None = None
    rights: Paired = _NOTHING
    """Answered rightly without a person."""
    mistakes: Paired = _NOTHING
    """Answered wrongly without a person: better means that a mistake is gone."""
    guesses: Paired = _NOTHING
    """First guess of the model alone, texts in scope."""
    common_texts: int = 0
    """Texts all whose categories both models had learnt; the rest is new to one of them."""
    common: Paired = _NOTHING
    """As ``rights``, on those texts alone."""
    changes: Mapping[str, Measured] = field(default_factory=dict)
    """Candidate less champion for ``right``, ``coverage``, ``micro_f1`` and ``macro_f1``."""
    lines: tuple[Line, ...] = ()
    """Per category, the biggest change first."""
    flips: tuple[Flip, ...] = ()

    @property
    def outcome(self) -> Outcome:
        if not self.texts:
            return Outcome.NO_TEXTS
        if self.champion is None:
            return Outcome.ALONE
        if not self.rights.is_beyond_chance:
            return Outcome.NO_DIFFERENCE
        is_better = self.rights.better > self.rights.worse
        return Outcome.BETTER if is_better else Outcome.WORSE

    @property
    def lost(self) -> tuple[Line, ...]:
        """The categories whose F1 fell by more than its interval."""
        return tuple(line for line in self.lines if line.has_lost)

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        found: dict[str, Any] = _rounded(asdict(self))
        return found

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Self:
        """Return what ``to_dict`` wrote.

        Raises:
            KeyError, TypeError, ValueError: it was written by another version.
        """
        return cls(
            texts=found["texts"],
            candidate=_showing(found["candidate"]),
            champion=_showing(found["champion"]),
            rights=Paired(**found["rights"]),
            mistakes=Paired(**found["mistakes"]),
            guesses=Paired(**found["guesses"]),
            common_texts=found["common_texts"],
            common=Paired(**found["common"]),
            changes={name: Measured(**each) for name, each in found["changes"].items()},
            lines=tuple(_line(each) for each in found["lines"]),
            flips=tuple(_flip(each) for each in found["flips"]),
        )


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    return round(value, _DIGITS) if isinstance(value, float) else value


def _showing(found: Mapping[str, Any] | None) -> Showing | None:
    if found is None:
        return None
    shares = ("right", "coverage", "precision", "out_of_scope", "first_guess")
    return Showing(
        **{name: Share(**found[name]) for name in shares},
        micro_f1=Measured(**found["micro_f1"]),
        macro_f1=Measured(**found["macro_f1"]),
        ece=found["ece"],
    )


def _line(found: Mapping[str, Any]) -> Line:
    champion, change = found["champion"], found["change"]
    return Line(
        found["category"],
        found["texts"],
        KnownTo(found["known_to"]),
        _score_of(found["candidate"]),
        _score_of(champion) if champion else None,
        Measured(**change) if change else None,
    )


def _score_of(found: Mapping[str, Any]) -> Score:
    return Score(Share(**found["precision"]), Share(**found["recall"]))


def _flip(found: Mapping[str, Any]) -> Flip:
    return Flip(
        found["key"],
        Change(found["change"]),
        tuple(found["truths"]),
        tuple(found["candidate"]),
        tuple(found["champion"]),
    )
