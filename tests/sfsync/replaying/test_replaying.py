"""What was given up is grouped, tried out, sent again once, or closed."""

from datetime import timedelta

import pytest

from classifier import leases
from sfsync import replaying
from sfsync.local_org.faults import RowError
from sfsync.models import CaseLink, Connection, Mode, Notice, WriteBack
from tests import factories as make

pytestmark = pytest.mark.django_db
RULE = "FIELD_CUSTOM_VALIDATION_EXCEPTION"


def refuse(desk, *links, code=RULE, words="A region is needed."):
    desk.org.faults.row_errors |= {link.case_id: RowError(code, words) for link in links}


def given_up(desk, number=1, code=RULE):
    links = [desk.decided_case("billing") for _ in range(number)]
    refuse(desk, *links, code=code)
    desk.push()
    assert WriteBack.objects.filter(case_link__in=links, outcome="dead").count() == number
    return links


def mend(desk):
    desk.org.faults.row_errors = {}


def dead():
    return WriteBack.objects.dead_letters()


def test_what_was_given_up_is_grouped_by_its_reason_with_an_example_and_advice(desk):
    given_up(desk, 3)
    given_up(desk, 1, code="SOMETHING_NEW")

    rule, new = replaying.groups(dead())

    assert (rule.code, rule.number, new.number) == (RULE, 3, 1)
    assert rule.oldest <= rule.newest
    assert rule.example.error_text == "A region is needed."
    assert "validation rule" in rule.advice
    assert "API guide" in new.advice


def test_an_example_holds_no_value_that_salesforce_echoed(desk):
    link = desk.decided_case("billing")
    refuse(desk, link, code="STRING_TOO_LONG", words="Why: data value too large: my secret (9)")
    desk.push()

    (group,) = replaying.groups(dead())

    assert "secret" not in group.example.error_text


def test_a_dry_run_tells_what_would_become_of_each_and_changes_nothing(desk):
    _, to_cede, to_hold, done, gone = given_up(desk, 5)
    mend(desk)
    desk.person_sets(to_cede, Contact_Reason__c="delivery")
    desk.person_sets(done, Contact_Reason__c="billing")
    CaseLink.objects.filter(pk=done.pk).update(delivered={"Contact_Reason__c": "billing"})
    desk.org.people.delete_case(gone.case_id)
    Connection.objects.update(scope_record_types=["Support"])
    CaseLink.objects.exclude(pk=to_hold.pk).update(record_type="Support")
    before = list(WriteBack.objects.order_by("id").values())
    writes = len(desk.writes())

    told = replaying.rehearse(desk.gateway, dead())

    assert (told.chosen, told.looked_at) == (5, 5)
    assert (told.ceded, told.gone, told.held) == (1, 1, {"outside the scope": 1})
    assert told.sent + told.unchanged == 2
    assert told.left_alone == 0
    assert list(WriteBack.objects.order_by("id").values()) == before
    assert len(desk.writes()) == writes
    assert not Notice.objects.still_open().exists()


def test_a_dry_run_tells_the_truth(desk):
    links = given_up(desk, 4)
    mend(desk)
    desk.person_sets(links[0], Contact_Reason__c="delivery")
    told = replaying.rehearse(desk.gateway, dead())

    replaying.replay(dead(), by="ada")
    delivery = desk.push()

    assert (delivery.written, delivery.ceded) == (told.sent, told.ceded) == (3, 1)


def test_in_shadow_mode_a_dry_run_says_that_all_would_be_held(desk):
    given_up(desk, 2)
    desk.mode(Mode.SHADOW)

    assert replaying.rehearse(desk.gateway, dead()).held == {"shadow mode": 2}


def test_a_dry_run_of_nothing_asks_nobody(desk):
    calls = desk.gateway.calls

    assert replaying.rehearse(desk.gateway, dead()).chosen == 0
    assert desk.gateway.calls == calls


def test_a_dry_run_says_that_all_writing_is_paused(desk):
    given_up(desk)
    Connection.objects.update(paused_at=leases.now())

    assert replaying.rehearse(desk.gateway, dead()).is_paused


def test_what_is_sent_again_says_by_whom_and_is_written_once(desk):
    (link,) = given_up(desk)
    mend(desk)

    assert replaying.replay(dead(), by="ada") == 1
    assert replaying.replay(dead(), by="bob") == 0
    desk.push()
    desk.push()

    row = desk.row(link)
    assert (row.outcome, row.replays, row.replayed_by) == ("delivered", 1, "ada")
    assert len(desk.writes(link)) == 1


def test_a_cause_that_is_not_mended_gives_up_again_and_the_count_goes_on(desk):
    (link,) = given_up(desk)

    for _ in range(2):
        replaying.replay(dead(), by="ada")
        desk.push()

    assert (desk.row(link).outcome, desk.row(link).replays) == ("dead", 2)


def test_many_are_sent_again_in_portions(desk):
    links = given_up(desk, 3)
    rows = dead()

    assert sum(map(len, replaying._portions(rows))) == len(links)
    assert replaying.replay(rows, by="ada") == 3


def test_what_is_closed_with_a_note_is_no_dead_letter_any_more_and_stays_unwritten(desk):
    (link,) = given_up(desk)

    assert replaying.close(dead(), by="ada", note="Test Case.") == 1
    assert replaying.close(dead(), by="bob", note="Again.") == 0

    row = desk.row(link)
    assert (row.outcome, row.closed_by, row.closed_note) == ("dead", "ada", "Test Case.")
    assert replaying.groups(dead()) == []
    desk.push()
    assert desk.writes(link) == []


def test_one_that_was_replaced_by_a_newer_decision_is_no_dead_letter(desk):
    (link,) = given_up(desk)
    desk.decide(link, "delivery")

    assert replaying.groups(dead()) == []


def test_cases_that_cannot_be_read_are_grouped_and_read_again_at_once(desk):
    later = leases.now() + timedelta(hours=1)
    for _ in range(2):
        make.make_case_link(read_error="odd", read_due_at=later, attempts=9)
    make.make_case_link(read_error="other", read_due_at=later)

    odd, other = replaying.unreadable(CaseLink.objects.all())
    assert (odd.because, odd.number, other.number) == ("odd", 2, 1)

    assert replaying.read_again(CaseLink.objects.filter(read_error="odd")) == 2
    assert CaseLink.objects.due(leases.now()).count() == 2
