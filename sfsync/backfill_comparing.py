"""The dry run of a backfill: what each decision would change. Nothing is written to Salesforce."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from classifier import leases
from classifier.models import Decision
from classifier.models.model_version import LARGE_OF_MODEL
from sfsync import live_first
from sfsync.backfill_writing import end_unwritten
from sfsync.cases import FieldValue, SObjectDescription
from sfsync.decided import to_decided
from sfsync.field_map import MATERIAL_SLOTS, Mode, Slot, fit, missing_value, to_fields, writable
from sfsync.gateway import SalesforceGateway
from sfsync.models import Backfill, BackfillCase, CaseLink, WriteBack
from sfsync.scope import is_in_scope
from sfsync.terms import Terms
from sfsync.write_plan import Footprint, Step, planned

PORTION = 400
UPDATED = ("verdict", "detail", "category", "proposed", "write_back", "queue", "team")
Verdict = BackfillCase.Verdict
Stage = Backfill.Stage


def compare_cases(gateway: SalesforceGateway, backfill: Backfill) -> float:
    """Compare one portion; return the seconds until the next step.

    Raises:
        SalesforceError, StepTakenOver: nothing was lost.
    """
    waiting = list(backfill.cases.filter(verdict="", outcome="").order_by("id")[:PORTION])
    if not waiting:
        return _end(backfill)
    comparison = Comparison(Terms.now(), gateway.describe("Case"))
    links = CaseLink.objects.in_bulk([row.case_id for row in waiting], field_name="case_id")
    standing = _write_backs(links)
    compared = [
        row
        for row in waiting
        if comparison.fill(row, links.get(row.case_id), standing.get(row.case_id))
    ]
    if len(compared) < len(waiting):
        _stage_what_was_no_case_yet([row.case_id for row in waiting if not row.verdict])
    with transaction.atomic():
        backfill.note(
            done=backfill.done + len(compared),
            said="" if compared else "Waits until the Cases that were read are decided.",
        )
        BackfillCase.objects.bulk_update(compared, UPDATED)
        changes = [row.pk for row in compared if row.verdict == Verdict.CHANGE]
        # An earlier backfill may have found that there was nothing to write.
        rows = backfill.cases.filter(pk__in=changes).values("write_back")
        over = WriteBack.objects.filter(pk__in=rows, outcome=WriteBack.Outcome.UNCHANGED)
        over.hold_for_backfill()
    return 0 if compared else live_first.SECONDS


@dataclass(frozen=True)
class Comparison:
    """Judges Cases under the present terms, as if these were automatic."""

    terms: Terms
    description: SObjectDescription

    def fill(
        self, row: BackfillCase, link: CaseLink | None, write_back: WriteBack | None
    ) -> bool:
        """Give a row its verdict; return False where its decision is still to come."""
        if link is not None:
            row.queue, row.team = link.queue, link.team
        if write_back is not None and link is not None:
            self._judge(row, link, write_back)
            return True
        if link is None or link.gone_at is not None:
            row.verdict = Verdict.GONE
        elif link.read_at is None:
            row.verdict, row.detail = Verdict.UNREADABLE, link.read_error[:340]
        return bool(row.verdict)

    def _judge(self, row: BackfillCase, link: CaseLink, write_back: WriteBack) -> None:
        decided = to_decided(write_back.decision, self.terms.book)
        row.write_back, row.category = write_back, write_back.decision.category
        if decided.is_abstention:
            row.verdict = Verdict.UNSURE
            return
        if not is_in_scope(self.terms.connection, link):
            row.verdict, row.detail = Verdict.HELD, "outside the scope set under Connection"
            return
        mode = self.terms.mode_of(decided)
        shown = Mode.AUTOMATIC if mode is Mode.SHADOW else mode
        mapping = writable(self.terms.mapping)
        wanted = fit(to_fields(decided, mapping, self.terms.book, shown), self.description)
        slots = self.terms.slots
        if not any(slots[name] in MATERIAL_SLOTS for name in wanted):
            row.verdict, row.detail = Verdict.HELD, "no mapped field can be written"
        elif missing := missing_value(wanted, slots, self.description):
            row.verdict = Verdict.HELD
            row.detail = f"{missing[0]} lacks the value {missing[1]}"[:340]
        else:
            self._plan(row, link, wanted, slots)

    def _plan(
        self,
        row: BackfillCase,
        link: CaseLink,
        wanted: Mapping[str, FieldValue],
        slots: Mapping[str, Slot],
    ) -> None:
        present = {name: value for name, value in row.present.items() if name in slots}
        plan = planned(wanted, present, Footprint(link.delivered), slots)
        if plan.step is Step.CEDE or link.ceded_at is not None:
            row.verdict = Verdict.PERSON
        elif plan.step is Step.WRITE:
            row.verdict = Verdict.CHANGE
            row.proposed = {
                name: value
                for name, value in plan.send.items()
                if slots[name] in MATERIAL_SLOTS
            }
        else:
            row.verdict = Verdict.SAME


def _write_backs(links: Mapping[str, CaseLink]) -> dict[str, WriteBack]:
    """Return Case id → the write-back of the decision that stands."""
    rows = (
        WriteBack.objects.filter(case_link__in=links.values(), decision__superseded_at=None)
        .select_related(
            "case_link",
            "decision__category",
            "decision__model_version",
            "decision__transcript",
        )
        .defer(*(f"decision__model_version__{name}" for name in LARGE_OF_MODEL))
        .prefetch_related("decision__reasons__category")
        .order_by("id")
    )
    return {row.case_link.case_id: row for row in rows}


def _stage_what_was_no_case_yet(case_ids: list[str]) -> None:
    """Let decisions that were passed by, because nobody knew their Case, be staged after all."""
    passed_by = Decision.objects.standing().filter(
        thread__in=case_ids, staged_at__isnull=False, write_back=None
    )
    passed_by.update(staged_at=None)


def _end(backfill: Backfill) -> float:
    at = leases.now()
    changes = backfill.cases.filter(verdict=Verdict.CHANGE).count()
    if changes:
        backfill.enter(Stage.REVIEW, at)
        backfill.note(due_at=None)
    else:
        said = "There was nothing to change."
        backfill.note(stage=Stage.DONE, ended_at=at, due_at=None, said=said)
        end_unwritten(backfill, at)
    return 0
