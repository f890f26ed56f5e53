"""Handing back: a ceded Case is given back to automation by a person."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from classifier import leases
from classifier.models import Decision, Transcript
from sfsync import guard
from sfsync.calls import Purpose, under
from sfsync.case_writes import COMPOSITE_LIMIT
from sfsync.cases import CaseUpdate, FieldValue, Looked
from sfsync.field_map import NAMING_SLOTS, Slot, is_blank
from sfsync.gateway import SalesforceGateway
from sfsync.models import CaseLink, Connection
from sfsync.terms import Terms

logger = logging.getLogger(__name__)

BY_CHARACTERS = 150


@dataclass(frozen=True, slots=True)
class HandedBack:
    """What became of the Cases: numbers."""

    cases: int = 0
    """Given back: their words are decided again."""
    gone: int = 0
    """Deleted in Salesforce meanwhile."""
    changed: int = 0
    """Changed by somebody at this very moment: still theirs."""


def hand_back(gateway: SalesforceGateway, links: QuerySet[CaseLink], *, by: str) -> HandedBack:
    """Give those of the Cases that are ceded back to automation; return what became of them.

    ``by`` names who does it. What stands in the reason fields at this moment counts as ours
    from now on, so that a new decision may replace it; whatever a person writes later is theirs
    again. The words are decided anew; what people said so far stays feedback, and gold.

    Raises:
        SalesforceError: the Cases could not be looked at; nothing is given back.
    """
    ceded = list(links.filter(ceded_at__isnull=False, gone_at=None).order_by("id"))
    if not ceded:
        return HandedBack()
    with under(Purpose.WRITE):
        Connection.pin(gateway.identity())
        looked = gateway.look([link.case_id for link in ceded], _fields(gateway))
        moment = gateway.now()
        present = looked.values
        theirs = _still_stamped(gateway, looked)
    with transaction.atomic():
        gone = [link.case_id for link in ceded if link.case_id not in present]
        CaseLink.objects.mark_gone(gone, leases.now())
        here = [link for link in ceded if link.case_id in present.keys() - theirs]
        done = [
            link.case_id
            for link in here
            if _give_back(link, present[link.case_id], by[:BY_CHARACTERS], moment)
        ]
        _decide_again(done)
    logger.info("handed_back=%d gone=%d", len(done), len(gone))
    return HandedBack(len(done), len(gone), len(theirs))


def _still_stamped(gateway: SalesforceGateway, looked: Looked) -> set[str]:
    """Take the guard's stamp off the Cases; return the ids of those where that failed.

    Making the source field blank is all that the guard lets us change there. It is done under
    a condition, so that what a person writes at this moment stays stamped.
    """
    slots = Terms.now().slots
    stamped = [one for one, values in looked.values.items() if guard.has_stamp(values, slots)]
    sources = [name for name, slot in slots.items() if slot is Slot.SOURCE]
    updates = [
        CaseUpdate(case_id, dict.fromkeys(sources), looked.modified[case_id])
        for case_id in stamped
    ]
    results = [
        result
        for start in range(0, len(updates), COMPOSITE_LIMIT)
        for result in gateway.update_unmodified(updates[start : start + COMPOSITE_LIMIT])
    ]
    return {result.case_id for result in results if not result.success}


def _fields(gateway: SalesforceGateway) -> list[str]:
    described = gateway.describe("Case").fields
    slots = Terms.now().slots
    wanted = NAMING_SLOTS | {Slot.SOURCE}
    return [name for name, slot in slots.items() if slot in wanted and name in described]


def _give_back(
    link: CaseLink, values: Mapping[str, FieldValue], by: str, moment: datetime
) -> bool:
    """Return False where somebody else was quicker."""
    slots = Terms.now().slots
    ours = {
        name: value
        for name, value in values.items()
        if slots[name] in NAMING_SLOTS and not is_blank(value)
    }
    given = CaseLink.objects.filter(pk=link.pk, ceded_at=link.ceded_at).update(
        ceded_at=None, handed_back_at=moment, handed_back_by=by, delivered=ours
    )
    if given:
        link.write_backs.supersede(leases.now())
    return bool(given)


def _decide_again(threads: Sequence[str]) -> None:
    standing = Decision.objects.standing().filter(thread__in=threads)
    standing.update(superseded_at=leases.now())
    Transcript.objects.decide_again(threads)
