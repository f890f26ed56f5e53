"""The time of a Case in each tray."""

from datetime import timedelta

import pytest

from classifier import leases
from sfsync.case_trace import load_trace
from sfsync.models import CaseLink, WriteBack
from tests import factories as make

pytestmark = pytest.mark.django_db
NOON = make.NOON
NOW = NOON + timedelta(hours=1)


def after(seconds):
    return NOON + timedelta(seconds=seconds)


def words(link, **fields):
    return make.make_transcript(
        thread=link.case_id, received_at=after(10), decided_at=after(13), **fields
    )


def decided(link, **fields):
    return make.make_decision(transcript=words(link), decided_at=after(13), **fields)


def written(link, **fields):
    made = {"staged_at": after(14), "outcome": "delivered", "ended_at": after(20), **fields}
    return make.make_write_back(case_link=link, decision=decided(link), **made)


def waits(steps):
    return {step.name: step.waited.total_seconds() for step in steps if step.waited is not None}


def waiting_for(steps):
    return [step.name for step in steps if step.waits_here]


def test_a_case_that_went_all_the_way_tells_how_long_it_waited_at_each_station():
    link = make.make_case_link(noticed_at=NOON)
    written(link, confirmed_at=after(50))

    steps = load_trace(link, NOW)

    assert [step.name for step in steps] == [
        "noticed", "read", "decided", "staged", "sent", "confirmed",
    ]  # fmt: skip
    assert waits(steps) == {"read": 10, "decided": 3, "staged": 1, "sent": 6, "confirmed": 30}
    assert waiting_for(steps) == []


def in_the_first_tray():
    return make.make_case_link(read_due_at=NOON)


def in_the_second_tray():
    link = make.make_case_link(noticed_at=NOON)
    make.make_transcript(thread=link.case_id, received_at=NOON)
    return link


def before_the_third_tray():
    link = make.make_case_link()
    decided(link)
    return link


def in_the_third_tray():
    link = make.make_case_link()
    written(link, outcome="", ended_at=None, due_at=NOON)
    return link


def on_its_way_back():
    link = make.make_case_link()
    written(link)
    return link


@pytest.mark.parametrize(
    ("made", "station"),
    [
        (in_the_first_tray, "read"),
        (in_the_second_tray, "decided"),
        (before_the_third_tray, "staged"),
        (in_the_third_tray, "sent"),
        (on_its_way_back, "confirmed"),
    ],
)
def test_it_waits_at_one_station_at_a_time_up_to_now(made, station):
    steps = load_trace(made(), NOW)

    assert waiting_for(steps) == [station]
    assert 3500 < waits(steps)[station] <= 3600


@pytest.mark.parametrize(
    "ended",
    [
        lambda link: WriteBack.objects.update(outcome="dead"),
        lambda link: CaseLink.objects.update(ceded_at=NOON),
        lambda link: CaseLink.objects.update(gone_at=NOON),
    ],
    ids=["given up", "ceded", "gone"],
)
def test_what_is_over_waits_for_nothing(ended):
    link = make.make_case_link()
    written(link)
    ended(link)
    link.refresh_from_db()

    assert waiting_for(load_trace(link, NOW)) == []


def test_later_words_that_changed_nothing_do_not_turn_the_clock_back():
    link = make.make_case_link(noticed_at=after(100))
    written(link)
    old = link.write_backs.get().decision.transcript
    old.superseded_at = after(110)
    old.save()
    make.make_transcript(thread=link.case_id, received_at=after(110), decided_at=after(13))

    steps = load_trace(link, NOW)

    assert waits(steps)["decided"] == 3
    assert [step.at for step in steps if step.name == "noticed"] == [None]


def test_new_words_begin_a_new_way():
    link = make.make_case_link(noticed_at=after(100))
    written(link)
    old = link.write_backs.get().decision.transcript
    old.superseded_at = after(110)
    old.save()
    make.make_transcript(thread=link.case_id, received_at=after(110), decided_at=None)

    steps = load_trace(link, NOW)

    assert waiting_for(steps) == ["decided"]
    assert [step.name for step in steps if step.at] == ["noticed", "read"]


def test_it_is_told_in_a_fixed_number_of_questions(django_assert_num_queries):
    link = make.make_case_link()
    written(link)
    moment = leases.now()

    with django_assert_num_queries(2):
        load_trace(link, moment)
