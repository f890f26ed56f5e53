"""An org with a past, rules that decide it, and a worker that goes through a backfill step by step."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from classifier.deciding import decide_waiting
from sfsync import backfilling
from sfsync.gateway import SalesforceGateway
from sfsync.local_org.org import LocalOrg
from sfsync.local_org.records import Record, Said
from sfsync.local_org.state import Change
from sfsync.models import Backfill, BackfillCase, CaseLink, Connection, Mode, WriteBack
from sfsync.pushing import Pace, deliver_due
from sfsync.staging import stage_decisions
from tests.classifier.making import a_category, a_rule
from tests.sfsync.conftest import OrgClock

CODES = ("billing", "delivery")
REASON = "Contact_Reason__c"
PAST = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
WORDS = {
    "billing": "Where is my refund?",
    "delivery": "The parcel is late.",
    "": "Hello, it is me.",
}


class History:
    """Cases of the past in the org, and the worker that backfills them."""

    def __init__(
        self,
        org: LocalOrg,
        clock: OrgClock,
        connect: Callable[[LocalOrg], SalesforceGateway],
    ) -> None:
        self.org, self.clock, self._connect = org, clock, connect
        self.gateway = connect(org)
        billing, delivery = a_category("billing", "Billing"), a_category("delivery", "Delivery")
        a_rule("refund", billing, "refund")
        a_rule("parcel", delivery, "parcel")
        Connection.current()
        self.mode(Mode.AUTOMATIC)

    def mode(self, mode: Mode) -> None:
        Connection.objects.update(mode=mode)

    def cases(self, *reasons: str, created: datetime = PAST, **values: Any) -> list[str]:
        """Let Cases be in the org whose words speak for these reasons (empty: for none)."""
        made = len(list(self.org.table("Case")))
        records = [
            Record(f"past-{made + n}", (Said("customer", WORDS[reason]),), "web", "Hello")
            for n, reason in enumerate(reasons)
        ]
        ids = self.org.load(records)
        old = {"CreatedDate": created, **values}
        self.org.commit([Change("Case", one, old) for one in ids], ())
        return ids

    def ask(self, *, by: User | None = None, **changes: Any) -> Backfill:
        span = {
            "created_from": PAST - timedelta(days=1),
            "created_to": PAST + timedelta(days=1),
        }
        return backfilling.ask(backfilling.Wish(**{**span, **changes}), by=by)

    def new_worker(self) -> None:
        """Forget everything that is in memory."""
        self.gateway = self._connect(self.org)

    def step(self, *, seconds: float = 3) -> Backfill:
        """Do the next step though it may not be due yet, and let the other stations work."""
        self.clock.go_on(seconds=seconds)
        Backfill.objects.filter(due_at__isnull=False).update(due_at=PAST)
        backfilling.step_due(self.gateway)
        decide_waiting(limit=1000)
        stage_decisions()
        return self.backfill

    @property
    def backfill(self) -> Backfill:
        return Backfill.objects.latest("id")

    def deliver(self) -> None:
        deliver_due(self.gateway, pace=Pace(cap_seconds=0.0))

    def go_on_until(self, *stages: str, most: int = 60) -> Backfill:
        for _ in range(most):
            if self.backfill.stage in stages or self.backfill.paused_at:
                return self.backfill
            self.step()
            self.deliver()
        raise AssertionError(f"still {self.backfill.stage}: {self.backfill.said}")

    def to_review(self) -> Backfill:
        return self.go_on_until("review", "done", "cancelled")

    def to_end(self) -> Backfill:
        return self.go_on_until("done", "cancelled")

    def verdicts(self) -> dict[str, str]:
        return dict(BackfillCase.objects.values_list("case_id", "verdict"))

    def outcomes(self) -> dict[str, str]:
        return dict(BackfillCase.objects.values_list("case_id", "outcome"))

    def reason(self, case_id: str) -> object:
        row = self.org.row("Case", case_id)
        assert row is not None
        return row.get(REASON)

    def writes(self) -> dict[str, int]:
        return dict(self.org.ledger.writes_by_case())

    def row(self, case_id: str) -> WriteBack:
        return WriteBack.objects.get(case_link__case_id=case_id)

    def link(self, case_id: str) -> CaseLink:
        return CaseLink.objects.get(case_id=case_id)


@pytest.fixture
def org(clock: OrgClock) -> LocalOrg:
    org = LocalOrg(clock)
    org.deploy_contact_reason(CODES)
    return org


@pytest.fixture
def history(
    org: LocalOrg,
    clock: OrgClock,
    connect: Callable[[LocalOrg], SalesforceGateway],
    db: None,
) -> History:
    return History(org, clock, connect)


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob")
