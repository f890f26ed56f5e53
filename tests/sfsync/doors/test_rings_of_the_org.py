"""The org rings, the door keeps it, the Case is read: nothing in between is made up."""

from datetime import timedelta

import pytest

from classifier.models import Transcript
from sfsync.cases import CaseUpdate
from sfsync.local_org.outbound import OutboundSender
from sfsync.models import CaseLink, Doorbell
from sfsync.pulling import pull_changed, read_due
from sfsync.ringing import heed_rings
from tests.sfsync.doors.conftest import SECRET


@pytest.fixture
def sender(org, client):
    def post(body):
        answer = client.post(
            f"/doors/salesforce/outbound/{SECRET}/", body, content_type="text/xml"
        )
        return answer.status_code, answer.content

    return OutboundSender(org, post)


def heard():
    return set(Doorbell.objects.values_list("heard", flat=True))


def test_a_case_is_read_because_it_rang(sender, gateway, open_case):
    case_id = open_case("Where is my parcel?")

    acknowledged = sender.run_due()
    heed_rings()
    read_due(gateway)

    assert acknowledged == Doorbell.objects.count() > 0
    assert Transcript.objects.filter(thread=case_id).exists()
    assert heard() == {"hint"}


def test_duplicates_and_disorder_make_no_difference(sender, gateway, open_case):
    sender.faults.duplicates = sender.faults.reordered = True
    cases = {open_case(f"Parcel {number}?") for number in range(30)}

    sender.run_due()
    sender.run_due()
    heed_rings()
    read_due(gateway)

    assert set(Transcript.objects.values_list("thread", flat=True)) == cases
    assert Transcript.objects.count() == len(cases)
    assert heard() == {"hint"}


def test_what_was_sent_while_we_were_away_comes_again(
    sender, gateway, clock, open_case, settings
):
    settings.OUTBOUND_SECRETS = []
    case_id = open_case()
    away = sender.run_due()

    settings.OUTBOUND_SECRETS = [SECRET]
    clock.go_on(minutes=1)
    back = sender.run_due()
    heed_rings()
    read_due(gateway)

    assert (away, back > 0) == (0, True)
    assert Transcript.objects.filter(thread=case_id).exists()


def test_what_was_never_sent_is_found_by_the_poll_and_counted(
    sender, gateway, clock, open_case
):
    open_case()
    sender.run_due()
    heed_rings()
    read_due(gateway)
    Doorbell.objects.update(received_at=clock.now - timedelta(minutes=1))
    sender.faults.loses = 100

    lost = open_case("Nobody rang.")
    sender.run_due()
    pull_changed(gateway)

    found = CaseLink.objects.filter(found_unrung_at__isnull=False)
    assert [link.case_id for link in found] == [lost]


def test_what_we_write_ourselves_does_not_ring(sender, gateway, open_case):
    case_id = open_case()
    sender.run_due()
    rung = Doorbell.objects.count()

    gateway.update_cases([CaseUpdate(case_id, {"Priority": "High"})])
    sender.run_due()

    assert Doorbell.objects.count() == rung
