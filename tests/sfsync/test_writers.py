"""Writing slows down with Salesforce, and becomes quicker again step by step."""

from datetime import timedelta

import pytest

from classifier import leases
from sfsync import writers
from sfsync.calls import Operation, Outcome
from sfsync.errors import SalesforceBusy
from sfsync.local_org.faults import ALWAYS
from sfsync.local_org.org import LocalOrg
from sfsync.models import ApiSpending, Connection, Writer, WritingPace
from sfsync.pushing import Delivery
from sfsync.writers import STEPS, Speed, a_writer, speed
from tests.sfsync.conftest import NOON
from tests.sfsync.pushing.conftest import CODES, Desk

pytestmark = pytest.mark.django_db

READ, WRITE = Operation.READ, Operation.WRITE
MINUTE = timedelta(minutes=1)
CROWDED = Outcome(0.1, SalesforceBusy("busy", code="CONCURRENT_REQUESTS"))


@pytest.fixture
def desk() -> Desk:
    org = LocalOrg()
    org.deploy_contact_reason(CODES)
    return Desk(org)


def answers(*seconds: float, at: object = NOON, operation: Operation = WRITE) -> None:
    for each in seconds:
        writers.note(operation, Outcome(each), at)


def test_it_begins_with_four_writers_of_two_hundred_rows():
    assert speed() == Speed(4, 200)


def test_slow_answers_halve_writers_and_rows():
    answers(11, 11, 11, 11)
    assert speed() == Speed(4, 200)

    answers(11)

    assert speed() == Speed(2, 100)


@pytest.mark.parametrize(("slow", "expected"), [(1, Speed(4, 200)), (2, Speed(2, 100))])
def test_one_slow_answer_of_twenty_is_borne_and_two_are_not(slow, expected):
    answers(*[1.0] * (20 - slow))
    answers(*[11.0] * slow)

    assert speed() == expected


def test_a_slow_question_is_no_reason():
    answers(*[30.0] * 20, operation=READ)

    assert speed() == Speed(4, 200)


def test_a_crowded_org_halves_at_once_whatever_was_asked():
    writers.note(READ, CROWDED, NOON)

    assert speed() == Speed(2, 100)


def test_it_never_falls_below_one_writer_of_ten_rows():
    for _ in range(20):
        writers.note(WRITE, CROWDED, NOON)

    assert speed() == Speed(1, 10)


def test_quick_answers_bring_it_back_one_step_a_minute():
    for _ in range(20):
        writers.note(WRITE, CROWDED, NOON)
    seen = []
    for minute in range(1, 7):
        answers(*[1.0] * 10, at=NOON + minute * MINUTE)
        seen.append(speed())

    assert seen == [Speed(*step) for step in STEPS[-2::-1]] + [Speed(4, 200)]


def test_no_more_write_at_the_same_time_than_may():
    with a_writer() as first, a_writer(), a_writer(), a_writer() as fourth, a_writer() as fifth:
        assert (first, fourth, fifth) == (200, 200, 0)

    with a_writer() as rows:
        assert rows == 200


def test_a_worker_that_finds_all_places_taken_leaves_the_rows(desk):
    desk.decided_case("billing")
    with a_writer():
        pass  # the places are made
    leases.take(Writer.objects.all(), limit=4)

    assert desk.push() == Delivery()
    Writer.objects.update(leased_until=leases.now())
    assert desk.push() == Delivery(written=1)


def test_an_org_that_answers_slowly_is_sent_fewer_rows_at_once(desk):
    desk.org.faults.slow_answers = ALWAYS
    desk.org.faults.slow_seconds = 11.0
    for _ in range(5):
        desk.decided_case("billing")
        desk.push()
    assert speed() == Speed(2, 100)
    desk.org.faults.slow_answers = 0
    for _ in range(120):
        desk.decided_case("billing")

    assert desk.push() == Delivery(written=100)


# Confirming


def test_a_write_without_an_answer_is_looked_for_while_writing_must_wait(desk):
    desk.decided_case("billing")
    desk.push()  # the first write shows what protects people's words
    link = desk.decided_case("billing")
    desk.org.faults.lost_answers = 1
    desk.push()
    use_up(0.82)

    assert desk.push() == Delivery(written=1)

    assert ApiSpending.objects.filter(purpose="confirm").exists()
    assert len(desk.writes(link)) == 1


def test_what_never_arrived_waits_until_writing_is_free(desk):
    desk.decided_case("billing")
    desk.push()
    link = desk.decided_case("billing")
    desk.org.faults.outages = 1
    desk.push()
    row = desk.row(link)
    row.sent_fields = {"Contact_Reason__c": "billing"}
    row.save()
    fresh = desk.decided_case("billing")
    use_up(0.82)

    assert desk.push() == Delivery(retried=1)

    assert desk.row(link).due_at > leases.now() + 10 * MINUTE
    assert (desk.writes(link), desk.row(fresh).attempts) == ([], 0)


def test_from_85_per_cent_on_nothing_is_looked_for_either(desk):
    desk.decided_case("billing")
    desk.org.faults.lost_answers = 1
    desk.push()
    calls = desk.org.ledger.api_calls
    use_up(0.86)

    assert desk.push() == Delivery()
    assert desk.org.ledger.api_calls == calls


def use_up(share: float) -> None:
    Connection.objects.update(
        org_calls_used=int(share * 100_000),
        org_calls_allowed=100_000,
        org_calls_told_at=leases.now(),
    )


def test_the_pace_is_kept_in_one_row():
    answers(1.0, 2.0)

    assert WritingPace.objects.get().seconds == [1.0, 2.0]
