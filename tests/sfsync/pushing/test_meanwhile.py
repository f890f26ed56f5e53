"""What others do while a batch is under way, told by a door that lets them act in between."""

from datetime import timedelta

import pytest

from classifier import leases
from classifier.models import Feedback
from sfsync.local_org.faults import RowError
from sfsync.mode_setting import pause, set_mode
from sfsync.models import CaseLink, FieldMapping, Mode, WriteBack
from sfsync.pushing import Delivery, deliver_due
from sfsync.staging import stage_decisions
from tests.classifier.making import NOON
from tests.sfsync.pushing.conftest import LOOK, WRITE

Outcome = WriteBack.Outcome


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
