"""What stands between our write and a person's, in orgs of three kinds."""

from datetime import timedelta

import pytest

from classifier import leases
from classifier.models import Feedback
from sfsync import guard
from sfsync.handing_back import HandedBack, hand_back
from sfsync.local_org.faults import RowError
from sfsync.models import CaseLink, Connection, FieldMapping, WriteBack
from sfsync.pushing import Delivery
from sfsync.staging import stage_decisions
from tests.sfsync.pushing.conftest import WRITE

Outcome = WriteBack.Outcome
REASON, SOURCE = "Contact_Reason__c", "Contact_Reason_Source__c"
COLLECTION, COMPOSITE = "PATCH composite/sobjects", "POST composite"


@pytest.fixture
def conditional(desk):
    """An org that heeds conditions, as the first write has shown."""
    desk.decided_case("billing")
    assert desk.push() == Delivery(written=1)
    return desk


@pytest.fixture
def looked(desk):
    """An org that does not, as the first write has shown."""
    desk.org.honours_conditions_in_composite = False
    desk.decided_case("billing")
    assert desk.push() == Delivery(written=1)
    return desk


@pytest.fixture(params=["guarded", "conditional", "looked"])
def any_org(request):
    return request.getfixturevalue(request.param)


def calls(desk, kind):
    return desk.org.ledger.calls[kind]


# Everywhere


def test_each_case_is_written_once(any_org):
    links = [any_org.decided_case("billing.refund") for _ in range(30)]

    assert any_org.push() == Delivery(written=30)

    assert [len(any_org.writes(link)) for link in links] == [1] * 30


def test_no_write_lets_the_assignment_rule_take_a_case(any_org):
    links = [any_org.decided_case("billing") for _ in range(2)]
    owners = [any_org.on_case(link, "OwnerId") for link in links]

    any_org.push()

    assert [any_org.on_case(link, "OwnerId") for link in links] == owners
    headers = [write.headers for write in any_org.org.ledger.api_writes()]
    assert {one["sforce-auto-assign"] for one in headers} == {"FALSE"}


def test_a_token_that_dies_before_the_write_costs_no_header(any_org, door):
    link = any_org.decided_case("billing")
    owner = any_org.on_case(link, "OwnerId")
    door.before(WRITE, any_org.org.tokens.revoke_all)

    assert any_org.push() == Delivery(written=1)

    assert any_org.on_case(link, "OwnerId") == owner
    (write,) = (one for one in any_org.org.ledger.api_writes() if one.record_id == link.case_id)
    assert write.headers["sforce-auto-assign"] == "FALSE"


def test_a_lost_answer_is_read_back_before_anything_is_sent_again(any_org):
    link = any_org.decided_case("billing")
    any_org.org.faults.lost_answers = 1

    assert any_org.push() == Delivery(retried=1)
    assert any_org.push() == Delivery(written=1)

    assert len(any_org.writes(link)) == 1
    assert any_org.row(link).outcome == Outcome.DELIVERED


def test_after_a_lost_answer_what_a_person_set_since_is_theirs(any_org):
    link = any_org.decided_case("billing")
    any_org.org.faults.lost_answers = 1
    any_org.push()
    any_org.person_sets(link, Contact_Reason__c="delivery")

    assert any_org.push() == Delivery(ceded=1)

    assert any_org.on_case(link) == "delivery"


# Conditions


def test_a_reason_that_a_person_sets_before_our_write_arrives_is_theirs(conditional, door):
    link = conditional.decided_case("billing")
    door.before(WRITE, lambda: conditional.person_sets(link, Contact_Reason__c="delivery"))

    assert conditional.push() == Delivery(ceded=1)

    assert (conditional.on_case(link), conditional.writes(link)) == ("delivery", [])
    assert Feedback.objects.get().said_value == "delivery"
    assert conditional.row(link).sent_fields == {}


def test_a_case_that_changed_elsewhere_is_looked_at_again_and_written(conditional, door):
    link = conditional.decided_case("billing")
    before = calls(conditional, COMPOSITE)
    door.before(WRITE, lambda: conditional.person_sets(link, Priority="High"))

    # Within the second of that edit, nothing is written: another one would not be seen.
    assert conditional.push() == Delivery(retried=1)
    WriteBack.objects.unended().update(due_at=leases.now())
    assert conditional.push() == Delivery(written=1)

    assert conditional.on_case(link) == "billing"
    assert calls(conditional, COMPOSITE) == before + 2


def test_a_case_that_others_change_each_time_waits(conditional, door, clock):
    link = conditional.decided_case("billing")

    def change_again() -> None:
        conditional.person_sets(link, Priority="High")
        clock.go_on(seconds=3)
        door.before(WRITE, change_again)

    door.before(WRITE, change_again)
    before = calls(conditional, COMPOSITE)

    assert conditional.push() == Delivery(retried=1)

    assert calls(conditional, COMPOSITE) == before + 3
    row = conditional.row(link)
    assert (row.error_code, row.outcome, row.sent_fields) == ("MODIFIED_MEANWHILE", "", {})
    assert conditional.writes(link) == []


def test_a_case_changed_within_this_second_waits_for_the_next(conditional):
    link = conditional.decided_case("billing")
    conditional.person_sets(link, Priority="High")

    assert conditional.push_at_once() == Delivery(retried=1)

    row = conditional.row(link)
    assert (row.attempts, row.error_code, conditional.writes(link)) == (0, "", [])
    assert timedelta(0) < row.due_at - leases.now() < timedelta(seconds=3)

    WriteBack.objects.unended().update(due_at=leases.now())
    assert conditional.push() == Delivery(written=1)


def test_one_changed_case_leaves_the_others_of_its_call_alone(conditional, door):
    links = [conditional.decided_case("billing") for _ in range(3)]
    changed = {"Contact_Reason__c": "delivery"}
    door.before(WRITE, lambda: conditional.person_sets(links[1], **changed))

    assert conditional.push() == Delivery(written=2, ceded=1)


def test_a_locked_row_is_tried_again_alone(conditional):
    links = [conditional.decided_case("billing") for _ in range(3)]
    conditional.org.faults.locked = {links[1].case_id}

    assert conditional.push() == Delivery(written=2, retried=1)

    assert conditional.row(links[1]).error_code == "UNABLE_TO_LOCK_ROW"


def test_twenty_five_cases_are_written_in_one_call(conditional):
    for _ in range(26):
        conditional.decided_case("billing")
    before = calls(conditional, COMPOSITE)

    conditional.push()

    assert calls(conditional, COMPOSITE) == before + 2


# What protects is tried out


def test_the_first_write_shows_that_conditions_are_heeded(desk):
    link = desk.decided_case("billing")

    assert desk.push() == Delivery(written=1)

    assert Connection.current().heeds_conditions is True
    assert (len(desk.writes(link)), calls(desk, COMPOSITE)) == (1, 2)


def test_the_first_write_shows_that_conditions_are_not_heeded(desk):
    desk.org.honours_conditions_in_composite = False
    links = [desk.decided_case("billing") for _ in range(3)]

    assert desk.push() == Delivery(written=3)

    assert Connection.current().heeds_conditions is False
    assert (calls(desk, COMPOSITE), calls(desk, COLLECTION)) == (1, 1)
    assert [len(desk.writes(link)) for link in links] == [1] * 3


def test_where_nothing_else_protects_the_gap_between_look_and_write_is_kept(looked):
    link = looked.decided_case("billing")

    looked.push()

    assert looked.row(link).gap_ms is not None
    assert 0 <= looked.row(link).gap_ms < 5_000


def test_where_something_protects_no_gap_is_kept(conditional):
    link = conditional.decided_case("billing")

    conditional.push()

    assert conditional.row(link).gap_ms is None


def test_a_first_write_that_fails_tells_nothing(desk):
    desk.org.honours_conditions_in_composite = False
    link = desk.decided_case("billing")
    desk.org.faults.locked = {link.case_id}

    assert desk.push() == Delivery(retried=1)

    assert Connection.current().protection_tried_at is None


def test_it_is_tried_out_again_after_a_day(conditional):
    conditional.org.honours_conditions_in_composite = False
    Connection.objects.update(protection_tried_at=leases.now() - timedelta(hours=25))
    conditional.decided_case("billing")

    conditional.push()

    assert Connection.current().heeds_conditions is False


def test_the_first_write_shows_that_the_guard_runs(guarded):
    links = [guarded.decided_case("billing") for _ in range(30)]
    before = calls(guarded, COMPOSITE)

    assert guarded.push() == Delivery(written=30)

    assert (calls(guarded, COMPOSITE), calls(guarded, COLLECTION)) == (before, 1)
    assert guarded.on_case(links[0], guard.FIELD) == Connection.current().guard_mark


def test_a_guard_whose_flow_is_switched_off_is_not_relied_upon(guarded):
    (flow,) = guarded.org.automations.flows
    guarded.org.automations.flows.pop(flow)
    Connection.objects.update(protection_tried_at=leases.now() - timedelta(hours=25))
    guarded.decided_case("billing")
    guarded.push()
    guarded.decided_case("billing")
    before = calls(guarded, COMPOSITE)

    guarded.push()

    assert Connection.current().guard_mark == ""
    assert calls(guarded, COMPOSITE) == before + 1


def test_a_guard_that_does_not_watch_a_mapped_field_is_not_relied_upon(guarded):
    FieldMapping.objects.create(slot="level_1", field="Reason_Level_1__c")
    guarded.deploy_levels("level_1")
    guarded.connect()
    guarded.decided_case("billing")
    before = calls(guarded, COMPOSITE)

    guarded.push()

    assert calls(guarded, COMPOSITE) == before + 1


def test_a_guard_that_is_deployed_later_is_noticed_with_the_next_write(conditional, request):
    guarded = request.getfixturevalue("guarded")

    assert Connection.current().guard_mark
    assert guarded is conditional


# The guard


def test_the_guard_refuses_what_no_condition_would_notice(guarded, door):
    link = guarded.decided_case("billing")
    guarded.person_sets(link, Priority="High")
    door.before(WRITE, lambda: guarded.person_sets(link, Contact_Reason__c="delivery"))

    assert guarded.push_at_once() == Delivery(ceded=1)

    assert (guarded.on_case(link), guarded.on_case(link, SOURCE)) == ("delivery", guard.STAMP)
    assert Feedback.objects.get().said_value == "delivery"
    row = guarded.row(link)
    assert (row.outcome, row.sent_fields) == (Outcome.CEDED, {})


def test_an_abstention_is_refused_too_where_a_person_was_quicker(guarded, door):
    link = guarded.decided_case()
    door.before(WRITE, lambda: guarded.person_sets(link, Contact_Reason__c="delivery"))

    assert guarded.push() == Delivery(ceded=1)

    assert guarded.on_case(link, SOURCE) == guard.STAMP


def test_another_rule_of_the_org_is_not_taken_for_the_guard(guarded):
    link = guarded.decided_case("billing")
    rule = RowError("FIELD_CUSTOM_VALIDATION_EXCEPTION", "A region is needed.")
    guarded.org.faults.row_errors = {link.case_id: rule}

    assert guarded.push() == Delivery(failed=1)


def test_a_person_who_confirms_our_value_by_hand_is_left_with_it(guarded):
    link = guarded.decided_case("billing")
    guarded.push()
    guarded.person_sets(link, Contact_Reason__c="delivery")
    guarded.person_sets(link, Contact_Reason__c="billing")
    guarded.decide(link, "delivery")

    assert guarded.push() == Delivery(ceded=1)

    assert guarded.on_case(link) == "billing"


@pytest.fixture
def ceded(guarded):
    link = guarded.decided_case("billing")
    guarded.person_sets(link, Contact_Reason__c="delivery")
    guarded.push()
    return link


def test_giving_a_case_back_takes_the_guards_stamp_away(guarded, ceded, clock):
    clock.go_on(seconds=3)
    links = CaseLink.objects.filter(pk=ceded.pk)

    assert hand_back(guarded.gateway, links, by="ann") == HandedBack(cases=1)
    guarded.decide(ceded, "billing.refund")

    assert guarded.push() == Delivery(written=1)
    assert guarded.on_case(ceded) == "billing.refund"


def test_a_case_that_a_person_changes_while_it_is_given_back_stays_theirs(
    guarded, ceded, clock, door
):
    clock.go_on(seconds=3)
    door.before(WRITE, lambda: guarded.person_sets(ceded, Contact_Reason__c="billing"))

    told = hand_back(guarded.gateway, CaseLink.objects.filter(pk=ceded.pk), by="ann")

    assert told == HandedBack(changed=1)
    ceded.refresh_from_db()
    assert ceded.ceded_at is not None
    assert guarded.on_case(ceded, SOURCE) == guard.STAMP


def test_a_thousand_cases_are_one_delivery_of_six_calls(guarded):
    for _ in range(1_000):
        guarded.decided_case("billing")
    while stage_decisions():
        pass
    before = guarded.org.ledger.api_calls

    assert guarded.push() == Delivery(written=1_000)

    assert guarded.org.ledger.api_calls - before == 6
