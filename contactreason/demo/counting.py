"""How far the demo has come, counted in the database and in the org's own ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q

from classifier.models import Decision
from sfsync.models import CaseLink, WriteBack


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the Cases stand at one moment."""

    pulled: int
    decided: int
    finished: int
    """Cases whose every write-back has ended well."""
    written: int

    def has_all(self, cases: int) -> bool:
        return self.finished >= cases


@dataclass(frozen=True, slots=True)
class Summary:
    """What the demo tells at its end."""

    cases: int
    channels: Mapping[str, int]
    """Channel of the org → Cases that came in by it."""
    pulled: int
    by_rules: int
    by_model: int
    by_both: int
    waiting: int
    written: int
    ceded: int
    failed: int
    lost: int
    api_calls: int
    most_writes_of_a_case: int
    seconds: float
    seconds_to_first: float | None
    """From the start of the command (of make, where it set up first) to the first Case written."""


def standing() -> Standing:
    """Return the counts of this moment, four indexed queries."""
    mine = WriteBack.objects.filter(case_link=OuterRef("pk"))
    is_finished = Exists(
        mine.filter(ended_at__isnull=False).exclude(outcome=WriteBack.Outcome.DEAD)
    ) & ~Exists(mine.filter(Q(ended_at=None) | Q(outcome=WriteBack.Outcome.DEAD)))
    return Standing(
        pulled=CaseLink.objects.filter(read_at__isnull=False).count(),
        decided=Decision.objects.filter(superseded_at=None).count(),
        finished=CaseLink.objects.filter(is_finished).count(),
        written=_cases_with(WriteBack.Outcome.DELIVERED),
    )


def summary(
    *, ledger: Mapping[str, Any], seconds: float, seconds_to_first: float | None
) -> Summary:
    """Return the final figures; ``ledger`` is what the org itself counted."""
    now = standing()
    by_source = dict(
        Decision.objects.filter(superseded_at=None)
        .values_list("source")
        .annotate(decisions=Count("id"))
        .values_list("source", "decisions")
    )
    return Summary(
        cases=ledger["cases"],
        channels=dict(sorted(ledger["cases_by_channel"].items(), key=lambda one: -one[1])),
        pulled=now.pulled,
        by_rules=by_source.get(Decision.Source.RULES, 0),
        by_model=by_source.get(Decision.Source.MODEL, 0),
        by_both=by_source.get(Decision.Source.BOTH, 0),
        waiting=by_source.get(Decision.Source.NOBODY, 0),
        written=now.written,
        ceded=_cases_with(WriteBack.Outcome.CEDED),
        failed=_cases_with(WriteBack.Outcome.DEAD),
        lost=max(0, ledger["cases"] - now.finished),
        api_calls=ledger["api_calls"],
        most_writes_of_a_case=ledger["most_writes_of_a_case"],
        seconds=round(seconds, 1),
        seconds_to_first=None if seconds_to_first is None else round(seconds_to_first, 1),
    )


def _cases_with(outcome: WriteBack.Outcome) -> int:
    return WriteBack.objects.filter(outcome=outcome).values("case_link").distinct().count()
