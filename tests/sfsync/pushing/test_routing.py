"""A Flow that starts from the change field runs once for each change of reason, never twice."""

from itertools import pairwise

import pytest

from classifier import leases
from classifier.models import Decision
from sfsync.cases import CaseUpdate
from sfsync.models import CaseLink, FieldMapping, Mode, WriteBack
from sfsync.pushing import Delivery, deliver_again
from tests.sfsync.pushing.conftest import WRITE

CHANGE = "Contact_Reason_Change__c"


@pytest.fixture
def routed(desk):
    """An org that routes by the change field; what protects people's words is known."""
    FieldMapping.objects.filter(slot=FieldMapping.Slot.CHANGE).update(is_active=True)
    desk.decided_case("billing")
    desk.push()
    return desk


def started(desk, link):
    """How often ``ISCHANGED`` of the field was true: the Case's saves in their order."""
    values = [None]
    for write in desk.org.ledger.writes:
        if write.record_id == link.case_id:
            values.append(write.fields.get(CHANGE, values[-1]))
    return sum(one != other for one, other in pairwise(values))


def test_the_change_travels_with_the_reason_in_one_write(routed):
    link = routed.decided_case("billing")

    routed.push()

    (written,) = routed.writes(link)
    assert written["Contact_Reason__c"] == "billing"
    assert len(written[CHANGE]) == 16


def test_each_change_of_reason_starts_it_once(routed):
    link = routed.decided_case("billing")
    routed.push()
    for code in ("delivery", "billing", "delivery"):
        routed.decide(link, code)
        routed.push()

    assert started(routed, link) == 4


def test_what_changes_no_reason_does_not_start_it(routed):
    link = routed.decided_case()  # needs review: who decided is written, no reason
    routed.push()
    assert (len(routed.writes(link)), started(routed, link)) == (1, 0)

    routed.decide(link, "billing")
    routed.push()
    routed.decide(link, "billing", score=0.88)
    routed.push()

    assert started(routed, link) == 1


def test_a_suggestion_does_not_start_it(routed):
    routed.mode(Mode.SUGGEST)
    link = routed.decided_case("billing")

    routed.push()

    assert (len(routed.writes(link)), started(routed, link)) == (1, 0)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_lost_answers_do_not_start_it_twice(routed, times):
    link = routed.decided_case("billing")
    for _ in range(times):
        routed.org.faults.lost_answers = 1
        routed.push()
    routed.org.faults.lost_answers = 0
    routed.push()

    assert routed.row(link).outcome == WriteBack.Outcome.DELIVERED
    assert started(routed, link) == 1


def test_a_write_that_arrives_a_second_time_does_not_start_it_again(routed):
    link = routed.decided_case("billing")
    routed.push()
    (written,) = routed.writes(link)
    sent = {name: value for name, value in written.items() if isinstance(value, str)}

    routed.gateway.update_cases([CaseUpdate(link.case_id, sent)])

    assert (len(routed.writes(link)), started(routed, link)) == (2, 1)


def test_a_worker_killed_before_it_wrote_down_the_outcome_does_not_start_it_twice(routed, door):
    link = routed.decided_case("billing")

    def take_over() -> None:
        routed.lease_runs_out(link)
        leases.take(WriteBack.objects.due(leases.now()), limit=1, seconds=60)

    door.before(WRITE, take_over)
    assert routed.push() == Delivery()
    routed.lease_runs_out(link)

    assert routed.push() == Delivery(written=1)

    assert started(routed, link) == 1


def test_delivering_again_does_not_start_it_again(routed):
    link = routed.decided_case("billing")
    routed.push()

    deliver_again(WriteBack.objects.filter(case_link=link))

    assert routed.push() == Delivery(unchanged=1)
    assert started(routed, link) == 1


def test_a_database_of_yesterday_does_not_start_it_again(routed):
    link = routed.decided_case("billing")
    routed.push()
    link.write_backs.all().delete()
    CaseLink.objects.filter(pk=link.pk).update(delivered={})
    Decision.objects.filter(transcript__thread=link.case_id).update(staged_at=None)

    assert routed.push() == Delivery(ceded=1)  # whose word it is, nobody knows any more

    assert started(routed, link) == 1


def test_switched_off_nothing_of_it_is_sent(desk):
    link = desk.decided_case("billing")

    desk.push()

    assert CHANGE not in desk.writes(link)[0]
