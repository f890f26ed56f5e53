"""Nothing that changes is missed, and nothing is read without need."""

from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from classifier import leases
from classifier.models import Transcript
from sfsync.calls import OpenGate
from sfsync.errors import SalesforceError, SalesforceUnavailable
from sfsync.finding import find_changes
from sfsync.gateway import SalesforceGateway
from sfsync.local_org.records import Record, Said
from sfsync.models import CaseLink, Connection, Watermark
from sfsync.pulling import Pulled, pull_changed
from sfsync.transport import open_session
from tests.sfsync.conftest import NOON
from tests.sfsync.wires import Judge, Tap, answer

pytestmark = pytest.mark.django_db


@pytest.fixture
def pull(gateway: SalesforceGateway) -> Callable[[], Pulled]:
    return lambda: pull_changed(gateway)


def words_of(case_id: str) -> list[str]:
    return [turn["text"] for turn in Transcript.objects.current().get(thread=case_id).turns]


def test_a_case_opened_this_very_second_arrives(pull, open_case):
    case_id = open_case("My card is broken.", subject="Card")

    pulled = pull()

    assert pulled.transcripts_new == 1
    assert words_of(case_id) == ["Card", "My card is broken."]


def test_a_case_opened_in_the_same_minute_as_the_last_pull_arrives(pull, open_case, clock):
    open_case()
    pull()
    clock.go_on(seconds=10)

    later = open_case()

    assert pull().transcripts_new == 1
    assert CaseLink.objects.filter(case_id=later).exists()


def test_a_case_opened_within_the_second_of_the_last_pull_arrives(pull, open_case):
    open_case()
    pull()

    tie = open_case()

    pull()
    assert words_of(tie)


def test_a_case_that_changes_again_within_its_second_is_read_again(pull, open_case, org, clock):
    case_id = open_case()
    pull()

    org.people.edit_case(case_id, {"Subject": "Changed", "Description": "Other words"})
    clock.go_on(seconds=30)
    pull()

    assert words_of(case_id) == ["Changed", "Other words"]


@pytest.mark.parametrize("delay_minutes", [1, 3, 10, 45])
def test_a_case_that_commits_late_arrives(pull, open_case, org, clock, delay_minutes):
    open_case("early")
    pull()
    org.faults.commit_delay = timedelta(minutes=delay_minutes)
    late = open_case("late")
    org.faults.commit_delay = timedelta(0)
    for _ in range(delay_minutes + 1):
        clock.go_on(minutes=1)
        open_case("meanwhile")
        pull()

    assert words_of(late) == ["Hello", "late"]


def test_the_watermark_never_passes_a_transaction_under_way(pull, open_case, org, clock):
    org.faults.commit_delay = timedelta(minutes=20)
    open_case("late")
    clock.go_on(minutes=10)
    pull()

    watermark = Watermark.objects.get(sobject="Case")
    assert watermark.covered_until <= NOON


def test_the_watermark_never_passes_the_orgs_own_time(pull, open_case):
    open_case()
    pull()

    marks = list(Watermark.objects.values_list("covered_until", flat=True))
    assert len(marks) == 9
    assert max(marks) <= NOON + timedelta(seconds=5)


@pytest.mark.parametrize("what", ["reply", "comment", "customer_emails", "customer_comments"])
def test_a_child_that_changes_makes_its_case_be_read_again(pull, open_case, org, clock, what):
    case_id = open_case("first")
    pull()
    clock.go_on(minutes=5)
    modstamp = org.row("Case", case_id)["SystemModstamp"]

    getattr(org.people, what)(case_id, "A new word about it.")
    pulled = pull()

    assert org.row("Case", case_id)["SystemModstamp"] == modstamp
    assert pulled.transcripts_new == 1
    assert "A new word about it." in words_of(case_id)


def test_a_conversation_that_goes_on_makes_its_case_be_read_again(pull, open_case, org, clock):
    case_id = open_case("first", channel="messaging")
    pull()
    clock.go_on(minutes=5)

    org.people.customer_messages(case_id, "and another thing")
    pull()

    assert words_of(case_id)[-1] == "and another thing"


def test_what_has_not_changed_is_not_read_again(pull, open_case, org, clock):
    open_case()
    pull()
    clock.go_on(seconds=30)
    pull()  # the first pull was too close to the change to be sure
    clock.go_on(seconds=30)

    pulled = pull()

    assert (pulled.cases_changed, pulled.cases_read) == (0, 0)
    assert pulled.api_calls <= 6


def test_our_own_write_is_read_and_changes_nothing(pull, open_case, org, clock, gateway):
    case_id = open_case()
    pull()
    clock.go_on(minutes=2)
    version = Transcript.objects.current().get(thread=case_id).pk

    org.people.edit_case(case_id, {"Priority": "Low"}, by="Contact Reason")
    pulled = pull()

    assert (pulled.cases_read, pulled.transcripts_new) == (1, 0)
    assert Transcript.objects.current().get(thread=case_id).pk == version


def test_the_first_pull_goes_back_as_far_as_told_open_and_closed(pull, org):
    words = (Said("customer", "Hello"),)
    ids = org.load(Record(f"r{number}", words, "web") for number in range(40))
    Connection.current()
    Connection.objects.update(first_pull_days=10)

    pull()

    def is_young(case_id: str) -> bool:
        return org.row("Case", case_id)["SystemModstamp"] >= NOON - timedelta(days=10)

    pulled = set(Transcript.objects.values_list("thread", flat=True))
    assert pulled == {case_id for case_id in ids if is_young(case_id)}
    assert 0 < len(pulled) < 40
    assert set(CaseLink.objects.values_list("is_closed", flat=True)) == {True, False}


def test_a_first_pull_of_90_days_reaches_further_than_salesforce_lists(pull, org, clock):
    words = (Said("customer", "Hello"),)
    ids = org.load(Record(f"r{number}", words, "web") for number in range(10))
    clock.go_on(days=60)
    Connection.current()
    Connection.objects.update(first_pull_days=90)

    assert pull().transcripts_new == len(ids)


def test_a_long_span_is_gone_through_in_parts_and_goes_on_after_a_break(
    org, connect, credentials
):
    words = (Said("customer", "Hello"),)
    ids = org.load(Record(f"r{number}", words, "web") for number in range(60))
    pages = []

    def cut_at_fifth_part(request: requests.PreparedRequest) -> None:
        url = str(request.url)
        pages.append(url) if "SystemModstamp+%3E%3D" in url else None
        if len(pages) == 9:
            raise requests.ConnectionError

    broken = SalesforceGateway(credentials, open_session(Tap(org, cut_at_fifth_part)))
    with pytest.raises(SalesforceUnavailable):
        find_changes(broken, [], at_most=10)
    done = CaseLink.objects.count()
    covered = Watermark.objects.get().covered_until

    find_changes(connect(org), [], at_most=10)

    assert 0 < done < len(ids)
    assert NOON - timedelta(days=30) < covered < NOON - timedelta(days=1)
    assert CaseLink.objects.count() == len(ids)
    assert Watermark.objects.get().covered_until > NOON - timedelta(minutes=2)


def test_more_rows_than_fit_a_part_in_one_minute_are_taken_all_the_same(open_case, gateway):
    ids = [open_case() for _ in range(12)]

    find_changes(gateway, [], at_most=5)

    assert CaseLink.objects.count() == len(ids)


def test_a_gap_of_two_months_is_caught_up(pull, open_case, clock):
    open_case()
    pull()
    clock.go_on(days=20)
    meanwhile = open_case("while we were away")
    clock.go_on(days=40)

    pull()

    assert words_of(meanwhile) == ["Hello", "while we were away"]


def test_an_object_whose_changes_salesforce_does_not_list_is_queried(
    pull, open_case, org, clock
):
    case_id = open_case("first")
    org.sobject("CaseComment").is_replicateable = False
    pull()
    clock.go_on(minutes=5)

    org.people.customer_comments(case_id, "second")
    pull()

    assert words_of(case_id)[-1] == "second"


def test_an_org_that_allows_no_window_into_the_future_is_asked_up_to_now(
    org, credentials, open_case, clock
):
    def no_future(request: requests.PreparedRequest) -> requests.Response | None:
        asked = parse_qs(urlsplit(str(request.url)).query).get("end")
        if asked is None or datetime.fromisoformat(asked[0]) <= org.now():
            return None
        refusals.append(request)
        body = '[{"errorCode":"INVALID_REPLICATION_DATE","message":"endDate"}]'
        return answer(request, 400, body, **{"Content-Type": "application/json"})

    refusals = []
    gateway = SalesforceGateway(credentials, open_session(Tap(org, no_future)))
    pull_changed(gateway)
    clock.go_on(minutes=6)
    case_id = open_case()
    clock.go_on(minutes=2)

    pull_changed(gateway)

    assert words_of(case_id)
    assert refusals


def test_a_deleted_case_is_noted(pull, open_case, org, clock):
    case_id = open_case()
    pull()
    clock.go_on(minutes=3)

    org.people.delete_case(case_id)
    pulled = pull()

    assert pulled.gone == 1
    assert CaseLink.objects.get(case_id=case_id).gone_at is not None
    assert pull().gone == 0


def test_a_case_deleted_between_finding_and_reading_is_noted(pull, open_case, org, gateway):
    case_id = open_case()
    CaseLink.objects.mark_due([case_id, "500000000000001AAA"], leases.now())

    pull()

    assert CaseLink.objects.get(case_id="500000000000001AAA").gone_at is not None


def test_two_workers_do_not_pull_the_same_object_at_once(pull, open_case):
    open_case()
    assert Watermark.claim("Case") is not None

    pulled = pull()

    assert pulled.cases_changed == 0
    assert Watermark.objects.get(sobject="Case").covered_until is None


def test_a_pull_that_fails_leaves_the_watermark_and_is_free_at_once(
    pull, open_case, org, clock
):
    open_case()
    pull()
    before = Watermark.objects.get(sobject="Case").covered_until
    clock.go_on(minutes=5)
    case_id = open_case()
    org.faults.outages = 1

    with pytest.raises(SalesforceUnavailable):
        pull()

    assert Watermark.objects.get(sobject="Case").covered_until == before
    assert pull().transcripts_new == 1
    assert words_of(case_id)


def cut_after(calls: int) -> Judge:
    left = iter(range(calls))

    def cut(request: requests.PreparedRequest) -> None:
        if next(left, None) is None:
            raise requests.ConnectionError

    return cut


def test_an_outage_at_any_call_loses_nothing(open_case, org, credentials, clock):
    """Cut the line at the first call, then at the second, and so on, until one run is whole."""
    channels = ("web", "email", "comments", "messaging")
    ids = [open_case("hello", channel=channel) for channel in channels]
    failures = 0
    for allowed in range(200):
        wire = Tap(org, cut_after(allowed))  # behind an open gate: no breaker spares it
        gateway = SalesforceGateway(credentials, open_session(wire), OpenGate())
        try:
            pull_changed(gateway)
        except SalesforceError:
            failures += 1
        else:
            break

    assert failures > 10
    assert all(words_of(case_id) for case_id in ids)
    assert Transcript.objects.count() == len(ids)
