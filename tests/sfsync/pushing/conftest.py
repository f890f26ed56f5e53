"""An org with its fields deployed, the real client in front of it, and Cases we know."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
import requests
from django.core.management import call_command

from classifier.models import Decision, Transcript
from sfsync.credentials import Credentials
from sfsync.gateway import SalesforceGateway
from sfsync.local_org.door import InProcessDoor
from sfsync.local_org.moments import Value
from sfsync.local_org.org import LocalOrg
from sfsync.local_org.records import Record, Said
from sfsync.local_org.schema import Field, Kind, PicklistValue
from sfsync.models import CaseLink, Connection, FieldMapping, Mode, WriteBack
from sfsync.pushing import Delivery, Pace, deliver_due
from sfsync.staging import stage_decisions
from sfsync.transport import open_session
from tests.classifier.making import a_category, a_transcript, sure_of, unsure

CODES = ("billing", "billing.refund", "delivery", "delivery.late")
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
AT_ONCE = Pace(cap_seconds=0.0)
"""Rows put off are due again at once, so that no test waits."""


LOOK, WRITE = r"composite/sobjects/Case$", r"/composite(/sobjects)?$"
"""How the addresses end by which Cases are looked at, and written."""


class PassingClock:
    """The org's time: this machine's, and what a test lets pass besides."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def go_on(self, **span: float) -> None:
        self._ahead += timedelta(**span)


class Desk:
    """Cases of the org and our decisions on them, in the words of the tests."""

    def __init__(self, org: LocalOrg, clock: PassingClock | None = None) -> None:
        self.org = org
        self.clock = clock or PassingClock()
        self._opened = 0
        self.gateway = self.connect()
        for code in CODES:
            parent, _, _ = code.rpartition(".")
            a_category(code, code.title(), parent=a_category(parent) if parent else None)
        self.mode(Mode.AUTOMATIC)

    def connect(self) -> SalesforceGateway:
        """A new process: nothing of the org is remembered."""
        app = self.org.app
        secret = Credentials("acme.my", app.client_id, client_secret=app.client_secret)
        self.gateway = SalesforceGateway(secret, open_session(InProcessDoor(self.org)))
        return self.gateway

    def mode(self, mode: Mode) -> None:
        Connection.current()
        Connection.objects.update(mode=mode)

    def case(self, **known: object) -> CaseLink:
        self._opened += 1
        words = (Said("customer", "Where is my refund?"),)
        record = Record(f"case-{self._opened}", words, "web", "Refund")
        (case_id,) = self.org.load([record])
        return CaseLink.objects.create(case_id=case_id, **known)

    def decide(self, link: CaseLink, *codes: str, score: float = 0.97) -> Decision:
        verdict = sure_of(*codes, score=score) if codes else unsure("billing")
        decision = Decision.objects.stand(self._words(link), verdict, at=NOON)
        assert decision is not None
        return decision

    def decided_case(self, *codes: str, **known: object) -> CaseLink:
        link = self.case(**known)
        self.decide(link, *codes)
        return link

    def push(self, pace: Pace = AT_ONCE) -> Delivery:
        """Deliver, some seconds after whatever happened before."""
        self.clock.go_on(seconds=3)
        return self.push_at_once(pace)

    def push_at_once(self, pace: Pace = AT_ONCE) -> Delivery:
        stage_decisions()
        return deliver_due(self.gateway, pace=pace)

    def on_case(self, link: CaseLink, field: str = "Contact_Reason__c") -> Value:
        row = self.org.row("Case", link.case_id)
        assert row is not None
        return row.get(field)

    def person_sets(self, link: CaseLink, **fields: object) -> None:
        self.org.people.edit_case(link.case_id, fields)

    def writes(self, link: CaseLink | None = None) -> list[dict[str, Value]]:
        """Fields of each write through the API, oldest first."""
        return [
            dict(write.fields)
            for write in self.org.ledger.api_writes()
            if link is None or write.record_id == link.case_id
        ]

    def row(self, link: CaseLink) -> WriteBack:
        """The Case's newest write-back, as it stands in the table."""
        row = WriteBack.objects.filter(case_link=link).order_by("-id").first()
        assert row is not None
        return row

    def use_levels(self, *slots: str) -> None:
        """Map one picklist per level in place of the primary reason."""
        FieldMapping.objects.filter(slot=FieldMapping.Slot.PRIMARY).delete()
        for slot in slots:
            FieldMapping.objects.create(slot=slot, field=f"Reason_{slot.title()}__c")

    def deploy_levels(self, *slots: str) -> None:
        """Give the org a restricted picklist per level, open to our user."""
        values = tuple(PicklistValue(code, code) for code in CODES)
        fields = [
            Field(f"Reason_{slot.title()}__c", Kind.PICKLIST, values=values, is_restricted=True)
            for slot in slots
        ]
        self.org.deploy_fields(fields)
        names = [field.name for field in fields]
        self.org.access.grant(self.org.founders.integration, "Case", names)

    def lease_runs_out(self, link: CaseLink) -> None:
        past = NOON - timedelta(days=1)
        WriteBack.objects.filter(case_link=link).update(leased_until=past, due_at=past)

    def _words(self, link: CaseLink) -> Transcript:
        known = Transcript.objects.current().filter(thread=link.case_id).first()
        return known or a_transcript(link.case_id)


class DoorWithVisitors(InProcessDoor):
    """Lets somebody act just before the next call of a kind is answered, once."""

    def __init__(self, org: LocalOrg) -> None:
        super().__init__(org)
        self._visitors: dict[str, Callable[[], object]] = {}

    def before(self, kind: str, act: Callable[[], object]) -> None:
        """``kind`` is how the address ends, in the language of regular expressions."""
        self._visitors[kind] = act

    def send(self, request: requests.PreparedRequest, *args: object, **rest: object):
        for kind in [kind for kind in self._visitors if re.search(kind, request.url or "")]:
            self._visitors.pop(kind)()
        return super().send(request, *args, **rest)


@pytest.fixture
def clock() -> PassingClock:
    return PassingClock()


@pytest.fixture
def org(clock: PassingClock) -> LocalOrg:
    org = LocalOrg(clock)
    org.deploy_contact_reason(CODES)
    return org


@pytest.fixture
def desk(org: LocalOrg, clock: PassingClock, db: None) -> Desk:
    return Desk(org, clock)


@pytest.fixture
def door(desk: Desk, org: LocalOrg) -> DoorWithVisitors:
    door = DoorWithVisitors(org)
    app = org.app
    secret = Credentials("acme.my", app.client_id, client_secret=app.client_secret)
    desk.gateway = SalesforceGateway(secret, open_session(door))
    return door


@pytest.fixture
def guarded(desk: Desk, tmp_path: Path) -> Desk:
    """The desk of an org with our guard; the first write has shown that it runs."""
    call_command("salesforce_metadata", str(tmp_path / "package"), stdout=StringIO())
    desk.org.deploy(tmp_path / "package")
    desk.org.assign("Contact_Reason_Integration")
    desk.connect()
    desk.decided_case("billing")
    assert desk.push() == Delivery(written=1)
    return desk
