"""The weekly look at every Case of 30 days: what the pull missed is counted, and read."""

from datetime import timedelta

import pytest

from classifier.models import Transcript
from sfsync import reconciling
from sfsync.models import CaseLink, Connection, Notice, Reconciliation, Watermark
from sfsync.pulling import pull_changed
from tests.sfsync.conftest import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def pulled(gateway, clock):
    """The pull has worked for a while: the first one reached back to before all Cases."""

    def pull(**later):
        clock.go_on(**(later or {"minutes": 5}))
        pull_changed(gateway)

    pull(seconds=1)
    Connection.objects.update(connected_at=NOON)
    return pull


@pytest.fixture
def look(gateway):
    def look():
        reconciling.begin()
        for _ in range(20):
            Reconciliation.objects.filter(ended_at=None).update(due_at=NOON - timedelta(days=9))
            reconciling.step_due(gateway)
            if not Reconciliation.objects.filter(ended_at=None).exists():
                break
        return Reconciliation.objects.latest("id")

    return look


def weeks_pass():
    Reconciliation.objects.update(started_at=NOON - timedelta(days=8))


def hide(org, open_case):
    """Let a Case be committed late, while Salesforce says that everything is covered."""
    org.faults.forgets_in_flight = True
    org.faults.commit_delay = timedelta(hours=1)
    case_id = open_case()
    org.faults.commit_delay = timedelta(0)
    return case_id


def test_where_nothing_was_missed_the_figure_is_nought(pulled, look, open_case):
    for _ in range(3):
        open_case()
    pulled()
    pulled(minutes=30)

    run = look()

    assert (run.looked_at, run.missed, run.gone) == (3, 0, 0)
    assert run.calls > 0
    assert not Notice.objects.filter(key=reconciling.MISSED).exists()


def test_a_case_that_was_committed_later_than_salesforce_told_is_counted_and_read(
    pulled, look, org, open_case
):
    missed = hide(org, open_case)
    for _ in range(4):
        pulled(minutes=20)
    pulled(minutes=20)
    assert not CaseLink.objects.filter(case_id=missed).exists()

    run = look()
    pulled()

    assert (run.missed, run.gone) == (1, 0)
    assert Transcript.objects.current().filter(thread=missed).exists()
    notice = Notice.objects.get(key=reconciling.MISSED, cleared_at=None)
    assert "missed 1 of them" in notice.text


def test_a_change_that_the_pull_missed_is_counted_too(pulled, look, org, open_case, clock):
    case_id = open_case()
    pulled()
    org.faults.forgets_in_flight = True
    org.faults.commit_delay = timedelta(hours=1)
    org.people.edit_case(case_id, {"Priority": "High"})
    org.faults.commit_delay = timedelta(0)
    pulled(minutes=30)
    pulled(minutes=70)

    run = look()

    assert run.missed == 1
    assert CaseLink.objects.get().read_due_at is not None


def test_the_notice_goes_once_a_later_look_finds_nothing(pulled, look, org, open_case):
    hide(org, open_case)
    for _ in range(5):
        pulled(minutes=20)
    assert look().missed == 1
    weeks_pass()
    pulled()
    pulled(minutes=30)

    run = look()

    assert run.missed == 0
    assert not Notice.objects.filter(key=reconciling.MISSED, cleared_at=None).exists()


def test_a_case_that_waits_to_be_read_was_not_missed(pulled, look, open_case):
    case_id = open_case()
    pulled()
    CaseLink.objects.filter(case_id=case_id).update(modstamp=None, read_due_at=NOON)
    Watermark.objects.filter(sobject="Case").update(covered_until=NOON + timedelta(hours=1))

    assert look().missed == 0


def test_a_case_that_went_without_a_word_is_counted_as_gone(pulled, look, org, open_case):
    case_id = open_case()
    pulled()
    pulled(minutes=30)
    org.people.delete_case(case_id)

    run = look()

    assert (run.missed, run.gone) == (0, 1)
    assert CaseLink.objects.get().gone_at is not None


def test_it_goes_on_where_it_was_after_an_outage(pulled, look, org, gateway, open_case):
    open_case()
    pulled()
    pulled(minutes=30)
    reconciling.begin()
    org.faults.outages = 1

    reconciling.step_due(gateway)
    assert Reconciliation.objects.get().ended_at is None

    assert look().looked_at == 1


def test_a_span_that_holds_too_much_is_halved(pulled, gateway, open_case):
    for _ in range(4):
        open_case()
        pulled()
    pulled(minutes=30)
    reconciling.begin()

    for _ in range(40):
        reconciling.step_due(gateway, at_most=2)

    run = Reconciliation.objects.get()
    assert (run.looked_at, run.missed) == (4, 0)
    assert run.slice_seconds < reconciling.SLICE.total_seconds()


def test_once_a_week_is_enough_and_without_a_pull_there_is_nothing_to_look_at(
    pulled, look, open_case
):
    pulled(minutes=30)
    look()

    assert reconciling.begin() is None
    weeks_pass()
    Watermark.objects.update(covered_until=None)
    assert reconciling.begin() is None
