"""The live test of a source, ready for its template."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from classifier.admin.words import SPEAKERS
from classifier.engine.text import Turn
from sfsync.sampling import Sample, SampledCase

TURNS_SHOWN = 40
CHARACTERS_SHOWN = 1_000


@dataclass(frozen=True, slots=True)
class TrialTurn:
    """One utterance, cut where it is long."""

    speaker: str
    who: str
    text: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class TrialCase:
    """One Case of the test."""

    number: str
    url: str
    turns: Sequence[TrialTurn] = ()
    more: int = 0
    """Turns that are not shown."""
    words: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class TrialPage:
    """What the test shows."""

    cases: Sequence[TrialCase] = ()
    problem: str = ""
    mistakes: Sequence[str] = field(default_factory=tuple)
    """What is wrong in the form, so that nothing was asked."""


def trial_page(sample: Sample, url_of: Callable[[str], str]) -> TrialPage:
    """Return the page; ``url_of`` leads from a Case's id to its page in Salesforce."""
    cases = [_case(one, url_of(one.case_id)) for one in sample.cases]
    return TrialPage(cases, sample.problem)


def _case(case: SampledCase, url: str) -> TrialCase:
    shown = [_turn(turn) for turn in case.turns[:TURNS_SHOWN]]
    return TrialCase(
        number=case.number,
        url=url,
        turns=shown,
        more=len(case.turns) - len(shown),
        words=sum(len(turn.text.split()) for turn in case.turns),
        problem=case.problem,
    )


def _turn(turn: Turn) -> TrialTurn:
    text = turn.text
    if len(text) > CHARACTERS_SHOWN:
        text = f"{text[:CHARACTERS_SHOWN]} […]"
    return TrialTurn(turn.speaker, SPEAKERS[turn.speaker], text, turn.at)
