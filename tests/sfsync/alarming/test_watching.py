"""What somebody should hear of before a customer does."""

from datetime import timedelta

import pytest

from classifier import leases
from sfsync.models import Connection, Notice
from sfsync.watching import watch
from tests import factories as make

pytestmark = pytest.mark.django_db
OLD, YOUNG = timedelta(minutes=16), timedelta(minutes=14)


def open_notices():
    return dict(Notice.objects.still_open().values_list("key", "text"))


def in_tray(tray, age):
    since = leases.now() - age
    match tray:
        case "tray:read":
            make.make_case_link(read_due_at=since)
        case "tray:decide":
            make.make_transcript(received_at=since)
        case "tray:stage":
            make.make_decision(decided_at=since)
        case "tray:write":
            make.make_write_back(
                decision=make.make_decision(staged_at=since), staged_at=since, due_at=since
            )


@pytest.mark.parametrize("tray", ["tray:read", "tray:decide", "tray:stage", "tray:write"])
def test_a_tray_whose_oldest_row_is_old_rings_and_falls_silent_when_it_moves(tray):
    in_tray(tray, YOUNG)
    assert watch(leases.now()) == 0

    assert watch(leases.now() + OLD - YOUNG) == 1

    assert list(open_notices()) == [tray]
    notice = Notice.objects.get()
    assert notice.is_ringing
    assert "One Case waits" in notice.text
    assert "worker" in notice.text
    watch(leases.now())
    assert open_notices() == {}


def test_a_case_that_is_put_off_is_not_late():
    make.make_case_link(read_due_at=leases.now() + timedelta(minutes=5), read_error="x")

    assert watch(leases.now()) == 0


def test_writing_that_is_paused_on_purpose_is_no_alarm():
    in_tray("tray:write", OLD)
    make.make_connection(paused_at=leases.now())

    assert watch(leases.now()) == 0


def test_a_write_that_fails_again_and_again_is_as_old_as_its_first_failure():
    moment = leases.now()
    decision = make.make_decision(staged_at=moment)
    make.make_write_back(
        decision=decision, due_at=moment + timedelta(minutes=4), first_failed_at=moment - OLD
    )

    watch(moment)

    assert "tray:write" in open_notices()


def test_what_is_decided_again_at_somebodys_wish_came_in_long_ago_and_is_not_late():
    words = make.make_transcript(received_at=leases.now() - timedelta(days=3))
    make.make_decision(transcript=words, staged_at=leases.now())

    assert watch(leases.now()) == 0


def test_what_was_given_up_is_counted_with_its_commonest_reason():
    for code in ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "X"):
        decision = make.make_decision(staged_at=leases.now())
        make.make_write_back(decision=decision, outcome="dead", error_code=code)

    watch(leases.now())

    told = open_notices()["write-backs-dead"]
    assert told.startswith("3 write-backs were given up")
    assert "because of FIELD_CUSTOM_VALIDATION_EXCEPTION (2)" in told


@pytest.mark.parametrize(
    "of_no_use",
    [
        lambda row: setattr(row, "closed_at", leases.now()),
        lambda row: setattr(row.decision, "superseded_at", leases.now()),
        lambda row: setattr(row.case_link, "gone_at", leases.now()),
    ],
    ids=["closed", "replaced", "Case gone"],
)
def test_what_was_given_up_and_matters_no_more_is_no_alarm(of_no_use):
    decision = make.make_decision(staged_at=leases.now())
    row = make.make_write_back(decision=decision, outcome="dead", error_code="X")
    of_no_use(row)
    for each in (row, row.decision, row.case_link):
        each.save()

    assert watch(leases.now()) == 0


def test_cases_that_cannot_be_read_for_an_hour_are_told():
    make.make_case_link(read_error="odd", attempts=5)
    assert watch(leases.now()) == 0

    make.make_case_link(read_error="odd", attempts=6)
    watch(leases.now())

    assert "cannot be" in open_notices()["cases-unreadable"]


def test_looking_asks_the_same_number_of_questions_however_much_waits(
    django_assert_num_queries,
):
    Connection.current()
    with django_assert_num_queries(14):
        watch(leases.now())
