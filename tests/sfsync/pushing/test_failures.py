from datetime import timedelta

import pytest

from classifier import leases
from sfsync.errors import SalesforceDenied, WrongOrg
from sfsync.local_org.faults import RowError
from sfsync.local_org.org import LocalOrg
from sfsync.models import (
    ApiSpending,
    CategoryMapping,
    Connection,
    FieldMapping,
    Notice,
    WriteBack,
)
from sfsync.pushing import Delivery, Pace, deliver_due, look_again, next_due_at
from sfsync.staging import stage_decisions
from tests.classifier.making import a_category
from tests.sfsync.pushing.conftest import CODES, Desk

Hold = WriteBack.Hold
Outcome = WriteBack.Outcome


def open_notices() -> list[Notice]:
    return list(Notice.objects.filter(cleared_at=None))


def test_three_of_two_hundred_rows_fail_and_the_others_are_written_in_one_call(guarded):
    desk = guarded
    links = [desk.decided_case("billing") for _ in range(200)]
    refusal = RowError("FIELD_CUSTOM_VALIDATION_EXCEPTION", "A region is needed.")
    desk.org.faults.row_errors = {link.case_id: refusal for link in links[:3]}

    delivery = desk.push()

    assert delivery == Delivery(written=197, failed=3)
    assert desk.org.ledger.calls["PATCH composite/sobjects"] == 1
    assert desk.row(links[0]).outcome == Outcome.DEAD
    assert desk.row(links[0]).error_text == "A region is needed."


def test_a_value_that_salesforce_echoes_is_not_kept(desk):
    link = desk.decided_case("billing")
    echo = RowError("STRING_TOO_LONG", "Why: data value too large: my secret (max length=9)")
    desk.org.faults.row_errors = {link.case_id: echo}

    desk.push()

    assert desk.row(link).error_code == "STRING_TOO_LONG"
    assert "secret" not in desk.row(link).error_text


def test_a_locked_row_is_written_later(desk):
    locked, free = desk.decided_case("billing"), desk.decided_case("billing")
    desk.org.faults.locked = {locked.case_id}
    assert desk.push() == Delivery(written=1, retried=1)

    desk.org.faults.locked = set()

    assert desk.push() == Delivery(written=1)
    assert (len(desk.writes(locked)), len(desk.writes(free))) == (1, 1)


def test_a_trigger_that_met_a_lock_is_tried_again(desk):
    link = desk.decided_case("billing")
    words = "CaseTrigger: execution of AfterUpdate caused by: UNABLE_TO_LOCK_ROW, record"
    desk.org.faults.row_errors = {
        link.case_id: RowError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", words)
    }

    assert desk.push() == Delivery(retried=1)


def test_a_locked_row_is_never_given_up_before_a_day(desk):
    link = desk.decided_case("billing")
    desk.org.faults.locked = {link.case_id}
    desk.push()
    almost_a_day = leases.now() - timedelta(hours=23, minutes=59)
    WriteBack.objects.update(first_failed_at=almost_a_day, attempts=5000)

    assert desk.push() == Delivery(retried=1)


def test_a_row_locked_for_a_whole_day_is_given_up(desk):
    link = desk.decided_case("billing")
    desk.org.faults.locked = {link.case_id}
    desk.push()
    WriteBack.objects.update(first_failed_at=leases.now() - timedelta(hours=24))

    assert desk.push() == Delivery(failed=1)
    assert desk.row(link).error_code == "UNABLE_TO_LOCK_ROW"


def test_a_row_put_off_waits_before_it_is_tried_again(desk):
    link = desk.decided_case("billing")
    desk.org.faults.locked = {link.case_id}

    desk.push(Pace(chance=lambda: 0.0))

    assert desk.row(link).due_at > leases.now()
    assert desk.push() == Delivery()
    assert next_due_at() == desk.row(link).due_at


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 30), (900, 30)]
)
def test_waits_double_up_to_the_cap(attempts, seconds):
    shortest, longest = Pace(30, lambda: 0.0), Pace(30, lambda: 1.0)

    assert longest.delay(attempts) == timedelta(seconds=seconds)
    assert shortest.delay(attempts) == timedelta(seconds=seconds / 2)


def test_an_outage_puts_all_rows_off_and_loses_none(desk):
    links = [desk.decided_case("billing") for _ in range(3)]
    desk.org.faults.outages = 1

    assert desk.push() == Delivery(retried=3)
    assert [notice.key for notice in open_notices()] == ["salesforce-unavailable"]

    assert desk.push() == Delivery(written=3)
    assert open_notices() == []
    assert all(desk.on_case(link) == "billing" for link in links)


def test_an_outage_between_claim_and_write_frees_the_rows(desk):
    desk.decided_case("billing")
    desk.push()
    link = desk.decided_case("delivery")
    desk.org.faults.outages = 1

    assert desk.push() == Delivery(retried=1)
    assert desk.row(link).lease_token is None


def test_an_answer_lost_after_the_write_is_written_once(desk):
    link = desk.decided_case("billing.refund")
    desk.org.faults.lost_answers = 1

    first, second = desk.push(), desk.push()

    assert (first, second) == (Delivery(retried=1), Delivery(written=1))
    assert desk.row(link).outcome == Outcome.DELIVERED
    assert len(desk.writes(link)) == 1


def test_an_abstention_whose_answer_was_lost_is_written_once(desk):
    link = desk.decided_case()
    desk.org.faults.lost_answers = 1

    desk.push()
    desk.push()

    assert (desk.row(link).outcome, len(desk.writes(link))) == (Outcome.DELIVERED, 1)


def test_a_newer_decision_after_a_lost_answer_knows_the_value_as_ours(desk):
    link = desk.decided_case("billing.refund")
    desk.org.faults.lost_answers = 1
    desk.push()
    desk.decide(link, "delivery.late")

    delivery = desk.push()

    assert delivery == Delivery(written=1)
    assert desk.on_case(link) == "delivery.late"


def test_a_person_after_a_lost_answer_keeps_their_word(desk):
    link = desk.decided_case("billing.refund")
    desk.org.faults.lost_answers = 1
    desk.push()
    desk.person_sets(link, Contact_Reason__c="delivery")

    assert desk.push() == Delivery(ceded=1)


def test_a_settled_attempt_does_not_make_a_persons_word_ours(desk):
    link = desk.decided_case("billing.refund")
    desk.org.faults.lost_answers = 1
    desk.push()
    desk.decide(link, "delivery.late")
    desk.push()
    desk.person_sets(link, Contact_Reason__c="billing.refund")
    desk.decide(link, "billing")

    assert desk.push() == Delivery(ceded=1)


def test_a_spent_allowance_stops_all_calls_for_a_quarter_of_an_hour(desk):
    desk.decided_case("billing")
    desk.push()
    link = desk.decided_case("billing")
    desk.org.faults.allowance_spent = 1

    assert desk.push() == Delivery(retried=1)
    calls = desk.org.ledger.api_calls
    desk.decided_case("delivery")
    assert desk.push() == Delivery()

    assert desk.org.ledger.api_calls == calls
    assert [notice.key for notice in open_notices()] == ["salesforce-throttled"]
    wait = next_due_at() - leases.now()
    assert timedelta(minutes=14) < wait <= timedelta(minutes=15)
    assert (desk.row(link).outcome, desk.row(link).attempts) == ("", 0)


def test_writing_goes_on_when_the_quarter_of_an_hour_is_over(desk):
    desk.decided_case("billing")
    desk.push()
    desk.decided_case("billing")
    desk.org.faults.allowance_spent = 1
    desk.push()
    earlier = leases.now() - timedelta(minutes=16)
    Connection.objects.update(calls_stopped_until=earlier)
    WriteBack.objects.unended().update(due_at=earlier)

    assert desk.push() == Delivery(written=1)
    assert open_notices() == []


def test_an_outage_met_while_cases_only_wait_for_a_value_is_not_told_for_ever(desk):
    desk.org.deploy_contact_reason(["billing"])
    desk.connect()
    desk.decided_case("delivery.late")
    desk.push()
    desk.connect()
    desk.org.faults.outages = 1
    desk.push()
    assert len(open_notices()) == 2

    desk.push()

    (notice,) = open_notices()
    assert "“delivery.late”" in notice.text


def test_too_many_calls_at_once_is_tried_again_soon(desk):
    desk.decided_case("billing")
    desk.push()
    desk.decided_case("billing")
    desk.org.faults.too_many_at_once = 1

    assert desk.push() == Delivery(retried=1)
    assert desk.push() == Delivery(written=1)


def test_many_cases_wait_for_a_missing_picklist_value_with_one_notice(desk):
    desk.org.deploy_contact_reason(["billing"])
    desk.connect()
    links = [desk.decided_case("delivery.late") for _ in range(4)]

    assert desk.push() == Delivery(held=4)

    (notice,) = open_notices()
    assert "“delivery.late”" in notice.text
    assert "salesforce_metadata DIR" in notice.text
    assert {desk.row(link).held_because for link in links} == {Hold.PICKLIST}
    assert desk.writes() == []


def test_waiting_cases_are_written_once_the_picklist_has_the_value(desk):
    desk.org.deploy_contact_reason(["billing"])
    desk.connect()
    link = desk.decided_case("delivery.late")
    desk.push()

    desk.org.deploy_contact_reason(CODES)
    desk.connect()
    desk.push()

    assert desk.on_case(link) == "delivery.late"
    assert open_notices() == []


def test_the_longest_value_that_salesforce_allows_is_waited_for_too(desk):
    value = "x" * 255
    CategoryMapping.objects.create(category=a_category("delivery.late"), value=value)
    link = desk.decided_case("delivery.late")
    assert desk.push() == Delivery(held=1)

    desk.org.deploy_contact_reason([*CODES, value])
    desk.connect()
    desk.push()

    assert desk.on_case(link) == value


def test_a_value_taken_away_a_moment_ago_is_tried_again_not_given_up(desk):
    desk.decided_case("billing")
    desk.push()  # our description of the org is fresh from here on
    link = desk.decided_case("delivery.late")
    desk.org.deploy_contact_reason(["billing"])

    assert desk.push() == Delivery(retried=1)
    desk.connect()
    assert desk.push() == Delivery(held=1)
    assert desk.row(link).held_because == Hold.PICKLIST


def test_a_field_we_may_not_write_is_left_out_and_the_others_go_on(desk):
    desk.org.access.freeze(
        desk.org.founders.integration, "Case", "Contact_Reason_Confidence__c"
    )
    link = desk.decided_case("billing")

    assert desk.push() == Delivery(written=1)

    assert desk.on_case(link) == "billing"
    assert desk.on_case(link, "Contact_Reason_Confidence__c") is None
    (notice,) = open_notices()
    assert "Contact_Reason_Confidence__c" in notice.text


def test_a_field_that_the_org_lacks_is_left_out(desk):
    desk.org.remove_field("Case", "Contact_Reason_Model__c")
    desk.decided_case("billing")

    assert desk.push() == Delivery(written=1)
    paused = FieldMapping.objects.get(field="Contact_Reason_Model__c")
    assert paused.paused_because.startswith("Case has no field")


def test_a_case_written_without_its_reason_is_completed_when_the_field_is_granted(desk):
    desk.org.remove_field("Case", "Contact_Reason__c")
    link = desk.decided_case("billing")
    desk.push()
    desk.org.deploy_contact_reason(CODES)
    desk.connect()
    desk.decided_case("delivery")

    desk.push()  # finds the field, which makes the older row due again
    desk.push()

    assert desk.writes(link)[1] == {"Contact_Reason__c": "billing"}
    assert open_notices() == []


def test_a_field_refused_a_moment_after_we_looked_is_paused(desk):
    desk.decided_case("billing")
    desk.push()  # our description of the org is fresh from here on
    integration = desk.org.founders.integration
    desk.org.access.freeze(integration, "Case", "Contact_Reason_Model__c")
    desk.org.access.freeze(integration, "Case", "Contact_Reason_Confidence__c")
    link = desk.decided_case("delivery")

    desk.push()
    desk.push()

    assert desk.on_case(link) == "delivery"
    assert FieldMapping.objects.exclude(paused_because="").exists()


def test_in_an_org_without_our_fields_cases_wait_until_they_are_deployed(db):
    desk = Desk(LocalOrg())
    link = desk.decided_case("billing")
    assert desk.push() == Delivery(held=1)
    assert desk.row(link).held_because == Hold.FIELD

    desk.org.deploy_contact_reason(CODES)
    desk.connect()

    assert desk.push() == Delivery(written=1)
    assert desk.on_case(link) == "billing"


def test_cases_that_wait_are_written_when_the_category_gets_a_value_that_the_org_has(desk):
    desk.org.deploy_contact_reason(["billing", "Late parcel"])
    desk.connect()
    link = desk.decided_case("delivery.late")
    desk.push()

    category = a_category("delivery.late")
    CategoryMapping.objects.create(category=category, value="Late parcel")
    assert look_again() == 1
    assert open_notices() == []

    assert desk.push() == Delivery(written=1)
    assert desk.on_case(link) == "Late parcel"


def test_a_value_that_is_still_missing_is_told_again(desk):
    desk.org.deploy_contact_reason(["billing"])
    desk.connect()
    desk.decided_case("delivery.late")
    desk.push()

    look_again()

    assert desk.push() == Delivery(held=1)
    assert len(open_notices()) == 1


@pytest.mark.parametrize("change", ["dropped", "mapped to another field"])
def test_a_field_that_is_no_longer_mapped_is_no_longer_told(desk, change):
    desk.org.remove_field("Case", "Contact_Reason_Model__c")
    desk.decided_case("billing")
    desk.push()
    row = FieldMapping.objects.get(field="Contact_Reason_Model__c")
    if change == "dropped":
        row.delete()
    else:
        row.field = "Description"
        row.save()
    desk.decided_case("billing")

    desk.push()

    assert open_notices() == []


def test_a_deleted_case_ends_its_row(desk):
    link = desk.decided_case("billing")
    desk.org.people.delete_case(link.case_id)

    assert desk.push() == Delivery(gone=1)

    link.refresh_from_db()
    assert link.gone_at is not None
    assert desk.row(link).outcome == Outcome.GONE


def test_a_case_deleted_between_look_and_write_ends_its_row(desk):
    link = desk.decided_case("billing")
    desk.org.faults.row_errors = {
        link.case_id: RowError("ENTITY_IS_DELETED", "entity is deleted")
    }

    assert desk.push() == Delivery(gone=1)


def test_a_refused_login_puts_rows_off_and_tells_the_operator(desk):
    link = desk.decided_case("billing")
    desk.org.app.client_secret = "changed"

    with pytest.raises(SalesforceDenied):
        desk.push()

    assert desk.row(link).outcome == ""
    assert [notice.key for notice in open_notices()] == ["breaker-login"]


def test_a_database_that_belongs_to_another_org_writes_nothing(desk):
    Connection.objects.update(org_id="00D000000000099AAA")
    desk.decided_case("billing")

    with pytest.raises(WrongOrg):
        desk.push()

    assert desk.writes() == []


def test_a_late_worker_changes_nothing(desk):
    link = desk.decided_case("billing")
    stage_decisions()
    (late,) = leases.take(WriteBack.objects.due(leases.now()), limit=1, seconds=60)
    desk.lease_runs_out(link)
    deliver_due(desk.gateway)

    changed = WriteBack.objects.settle(late, due_at=leases.now(), error_code="LATE")

    assert changed is False
    assert (desk.row(link).outcome, desk.row(link).error_code) == (Outcome.DELIVERED, "")


def test_a_row_under_way_keeps_the_cases_next_one_waiting(desk):
    link = desk.decided_case("billing")
    stage_decisions()
    (under_way,) = leases.take(WriteBack.objects.due(leases.now()), limit=1, seconds=60)
    desk.decide(link, "delivery")

    assert desk.push() == Delivery()
    WriteBack.objects.settle_written(under_way, leases.now(), sent_fields={})
    assert desk.push() == Delivery(written=1)


def test_a_killed_workers_row_comes_back_by_itself(desk):
    link = desk.decided_case("billing")
    stage_decisions()
    leases.take(WriteBack.objects.due(leases.now()), limit=1, seconds=60)
    assert desk.push() == Delivery()

    desk.lease_runs_out(link)

    assert desk.push() == Delivery(written=1)


def test_calls_are_counted_by_what_they_are_for(desk):
    desk.decided_case("billing")

    desk.push()

    spent = ApiSpending.objects.get()
    assert (spent.purpose, spent.calls) == ("write", desk.org.ledger.api_calls)
    assert Connection.current().org_calls_allowed == desk.org.api_allowance
