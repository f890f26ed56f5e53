"""Staging: a decision that stands becomes a write-back on its way to Salesforce."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from classifier import leases
from classifier.models import Decision
from classifier.models.model_version import LARGE_OF_MODEL
from sfsync.decided import to_decided
from sfsync.field_map import Decided
from sfsync.models import CaseLink, WriteBack
from sfsync.terms import Terms

STAGE_BATCH = 500  # rows in one transaction: short enough for other writers to wait for


def stage_decisions(limit: int = STAGE_BATCH) -> int:
    """Turn standing decisions into write-backs; return how many decisions were taken over.

    One transaction: the decision's stamp, its write-back, and the end of the Case's older open
    write-backs stand together or not at all. A decision on a thread that is no Case is stamped
    and skipped.
    """
    terms = Terms.now()
    with transaction.atomic():
        decisions = _unstaged(limit)
        moment = leases.now()
        links = CaseLink.objects.in_bulk(
            [decision.thread for decision in decisions], field_name="case_id"
        )
        of_cases = [decision for decision in decisions if decision.thread in links]
        WriteBack.objects.filter(case_link__in=links.values()).supersede(moment)
        WriteBack.objects.bulk_create(
            _write_back(decision, links[decision.thread], terms, moment)
            for decision in of_cases
        )
        _stamp(decisions, moment)
    return len(decisions)


def _unstaged(limit: int) -> list[Decision]:
    waiting = (
        Decision.objects.standing()
        .filter(staged_at=None)
        .order_by("id")
        # Two workers share the tray; where there are no row locks, transactions are serial.
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("category", "model_version", "transcript")
        .defer(*(f"model_version__{name}" for name in LARGE_OF_MODEL))
        .prefetch_related("reasons__category")
    )
    return list(waiting[:limit])


def _write_back(
    decision: Decision, link: CaseLink, terms: Terms, moment: datetime
) -> WriteBack:
    decided = to_decided(decision, terms.book)
    return WriteBack(
        case_link=link,
        decision=decision,
        fields=terms.would_write(decided),
        staged_at=moment,
        **_tray(decided, link, terms, moment),
    )


def _tray(decided: Decided, link: CaseLink, terms: Terms, moment: datetime) -> dict[str, Any]:
    """Return where the new row waits, or how it ended before it began."""
    if link.ceded_at is not None:
        return {"ended_at": moment, "outcome": WriteBack.Outcome.CEDED}
    if link.gone_at is not None:
        return {"ended_at": moment, "outcome": WriteBack.Outcome.GONE}
    if hold := terms.hold_of(decided, link):
        return {"held_because": hold}
    return {"due_at": moment}


def _stamp(decisions: Iterable[Decision], moment: datetime) -> None:
    Decision.objects.filter(pk__in=[decision.pk for decision in decisions]).update(
        staged_at=moment
    )
