"""What others do while a batch is under way, told by a door that lets them act in between."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import requests

from classifier import leases
from classifier.models import Feedback
from sfsync import gateway as edge
from sfsync.credentials import Credentials
from sfsync.local_org.door import InProcessDoor
from sfsync.local_org.faults import RowError
from sfsync.local_org.org import LocalOrg
from sfsync.mode_setting import pause, set_mode
from sfsync.models import CaseLink, FieldMapping, Mode, WriteBack
from sfsync.pushing import Delivery, deliver_due
from sfsync.staging import stage_decisions
from sfsync.transport import open_session
from tests.classifier.making import NOON

Outcome = WriteBack.Outcome


class DoorWithVisitors(InProcessDoor):
    """Lets somebody act just before the next call of a kind is answered, once."""

    def __init__(self, org: LocalOrg) -> None:
        super().__init__(org)
        self._visitors: dict[str, Callable[[], object]] = {}

    def before(self, kind: str, act: Callable[[], object]) -> None:
        """``kind`` is a part of the address, such as ``composite/sobjects``."""
        self._visitors[kind] = act

    def send(self, request: requests.PreparedRequest, *args: object, **rest: object):
        for kind in [kind for kind in self._visitors if kind in (request.url or "")]:
            self._visitors.pop(kind)()
        return super().send(request, *args, **rest)


LOOK, WRITE = "Contact_Reason__c", "composite/sobjects"


@pytest.fixture
def door(desk, org) -> DoorWithVisitors:
    door = DoorWithVisitors(org)
    app = org.app
    secret = Credentials("acme.my", app.client_id, client_secret=app.client_secret)
    desk.gateway = edge.SalesforceGateway(secret, open_session(door))
    return door


def test_a_pause_between_look_and_write_keeps_the_write_back(desk, door):
    link = desk.decided_case("billing")
    door.before(LOOK, pause)

    assert desk.push() == Delivery()

    assert desk.writes() == []
    row = desk.row(link)
    assert (row.outcome, row.lease_token, row.attempts, row.sent_fields) == ("", None, 0, {})


def test_a_mode_lowered_between_look_and_write_counts(desk, door):
    link = desk.decided_case("billing")
    door.before(LOOK, lambda: set_mode(Mode.SHADOW))

    desk.push()
    desk.push()

    assert desk.writes() == []
    assert desk.row(link).held_because == WriteBack.Hold.SHADOW


def test_a_decision_replaced_between_look_and_write_is_not_sent(desk, door):
    link = desk.decided_case("billing")

    def replace() -> None:
        desk.decide(link, "delivery")
        stage_decisions()

    door.before(LOOK, replace)
    desk.push()
    desk.push()

    assert [written["Contact_Reason__c"] for written in desk.writes(link)] == ["delivery"]


def test_a_decision_replaced_while_it_is_being_written_is_recorded_as_written(desk, door):
    link = desk.decided_case("billing")

    def replace() -> None:
        desk.decide(link, "delivery")
        stage_decisions()

    door.before(WRITE, replace)
    desk.push()
    first = WriteBack.objects.order_by("id").first()
    desk.push()

    assert first.outcome == Outcome.DELIVERED
    assert (desk.on_case(link), desk.row(link).outcome) == ("delivery", Outcome.DELIVERED)
    link.refresh_from_db()
    assert link.ceded_at is None


def test_a_worker_whose_row_was_taken_over_before_the_write_sends_nothing(desk, door):
    link = desk.decided_case("billing")

    def take_over() -> None:
        desk.lease_runs_out(link)
        leases.take(WriteBack.objects.due(leases.now()), limit=1, seconds=60)

    door.before(LOOK, take_over)

    assert desk.push() == Delivery()
    assert desk.writes() == []


def test_a_worker_whose_row_was_taken_over_during_the_write_records_nothing(desk, door):
    link = desk.decided_case("billing")

    def take_over() -> None:
        desk.lease_runs_out(link)
        leases.take(WriteBack.objects.due(leases.now()), limit=1, seconds=60)

    door.before(WRITE, take_over)

    assert desk.push() == Delivery()
    assert desk.row(link).outcome == ""

    desk.lease_runs_out(link)
    assert desk.push() == Delivery(written=1)
    assert len(desk.writes(link)) == 1


def test_a_case_deleted_between_look_and_write_is_gone(desk, door):
    link = desk.decided_case("billing")
    door.before(WRITE, lambda: desk.org.people.delete_case(link.case_id))

    assert desk.push() == Delivery(gone=1)
    assert desk.row(link).outcome == Outcome.GONE


def test_a_refused_call_leaves_no_trace_that_a_person_could_be_mistaken_for(desk, door):
    link = desk.decided_case("billing")
    door.before(WRITE, lambda: setattr(desk.org.faults, "too_many_at_once", 1))
    assert desk.push() == Delivery(retried=1)

    desk.person_sets(link, Contact_Reason__c="billing")

    assert desk.push() == Delivery(ceded=1)
    assert Feedback.objects.get().verdict == "confirmed"


def test_a_field_that_goes_away_while_we_look_is_paused_and_the_others_go_on(desk, door):
    desk.decided_case("billing")
    desk.push()  # our description of the org is fresh from here on
    link = desk.decided_case("delivery")
    desk.org.remove_field("Case", "Contact_Reason_Model__c")

    assert desk.push() == Delivery(retried=1)
    assert desk.push() == Delivery(written=1)

    assert desk.on_case(link) == "delivery"
    assert FieldMapping.objects.exclude(paused_because="").get().slot == "model"


@pytest.mark.parametrize(
    ("known", "delivery"),
    [({"ceded_at": NOON}, Delivery(ceded=1)), ({"gone_at": NOON}, Delivery(gone=1))],
)
def test_what_became_of_the_case_while_the_row_waited_counts(desk, known, delivery):
    link = desk.decided_case("billing")
    stage_decisions()
    CaseLink.objects.filter(pk=link.pk).update(**known)

    assert desk.push() == delivery
    assert desk.writes() == []


def test_a_decision_that_no_longer_stands_is_not_written(desk):
    link = desk.decided_case("billing")
    stage_decisions()
    desk.decide(link, "delivery")

    assert deliver_due(desk.gateway) == Delivery(gone=1)
    assert desk.writes() == []


def test_a_value_that_the_record_type_refuses_is_given_up_in_the_end(desk):
    link = desk.decided_case("billing")
    desk.org.faults.row_errors = {
        link.case_id: RowError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "bad value")
    }
    assert desk.push() == Delivery(retried=1)
    WriteBack.objects.update(first_failed_at=leases.now() - timedelta(minutes=3))

    assert desk.push() == Delivery(failed=1)
