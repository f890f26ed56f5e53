"""What of a Case becomes a transcript, and what happens to a Case that cannot be read."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
import requests

from classifier import leases
from classifier.models import Transcript
from sfsync.errors import FieldMissing, SalesforceThrottled, SalesforceUnavailable, WrongOrg
from sfsync.gateway import SalesforceGateway
from sfsync.local_org.faults import ALWAYS
from sfsync.local_org.org import LocalOrg
from sfsync.local_org.records import Record, Said
from sfsync.local_org.schema import Field, Kind
from sfsync.models import ApiSpending, CaseLink, Connection, Notice, Source, Watermark
from sfsync.pulling import Pulled, next_read_at, pull_changed
from sfsync.reading import CaseReader
from sfsync.sources import READERS
from sfsync.transport import open_session
from tests.sfsync.conftest import NOON
from tests.sfsync.wires import Tap, answer

pytestmark = pytest.mark.django_db
TALK = (
    Said("customer", "Hello, my card does not work."),
    Said("bot", "I am a bot."),
    Said("representative", "Which card?"),
    Said("customer", "The blue one."),
)


@pytest.fixture
def pull(gateway: SalesforceGateway) -> Callable[[], Pulled]:
    return lambda: pull_changed(gateway)


@pytest.fixture
def tapped(org, credentials) -> Callable[..., SalesforceGateway]:
    return lambda judge: SalesforceGateway(credentials, open_session(Tap(org, judge)))


def transcript(case_id: str) -> Transcript:
    return Transcript.objects.current().get(thread=case_id)


def said(case_id: str) -> list[str]:
    return [turn["text"] for turn in transcript(case_id).turns]


@pytest.mark.parametrize("channel", ["email", "comments", "messaging"])
def test_a_conversation_of_every_channel_arrives_with_its_speakers(pull, org, channel):
    (case_id,) = org.load([Record("talk", TALK, channel, "Card")])

    pull()

    turns = [(turn["speaker"], turn["text"]) for turn in transcript(case_id).turns]
    spoken = [text for _, text in turns]
    places = [next(i for i, text in enumerate(spoken) if one.text in text) for one in TALK]
    assert places == sorted(places)
    assert {speaker for speaker, _ in turns} >= {"customer", "representative"}


def test_what_is_known_around_the_case_comes_along(pull, org, open_case, clock):
    org.deploy_fields([Field("Tier__c", Kind.STRING, length=20)])
    org.access.grant(org.founders.integration, "Case", ["Tier__c"])
    Connection.current()
    Connection.objects.update(extra_case_fields=["Tier__c"])
    case_id = open_case()
    org.people.edit_case(
        case_id,
        {
            "Tier__c": "Gold",
            "Language": "de",
            "Priority": "High",
            "ProductId": org.founders.products[0],
            "RecordTypeId": org.founders.record_types[1],
            "OwnerId": org.founders.queues[2],
        },
    )

    pull()

    stored = transcript(case_id)
    assert (stored.channel, stored.language) == ("Web", "de")
    assert stored.context == {
        "record_type": "Complaint",
        "origin": "Web",
        "status": "New",
        "priority": "High",
        "queue": "Billing Desk",
        "product": "Home",
        "language": "de",
        "Tier__c": "Gold",
    }


def test_a_context_field_that_the_org_lacks_is_told_and_the_rest_is_read(pull, org, open_case):
    Connection.current()
    Connection.objects.update(extra_case_fields=["Teir__c"])
    case_id = open_case()

    pull()

    assert transcript(case_id).context["origin"] == "Web"
    assert "Case has no field Teir__c" in Notice.objects.get(cleared_at=None).text
    Connection.objects.update(extra_case_fields=[])
    open_case()
    pull()
    assert not Notice.objects.filter(cleared_at=None).exists()


def test_the_link_shows_the_case_as_last_read(pull, org, open_case):
    case_id = open_case()
    org.people.edit_case(case_id, {"OwnerId": org.founders.representatives[1]})
    org.people.close_case(case_id)

    pull()

    link = CaseLink.objects.get(case_id=case_id)
    assert (link.owner_name, link.queue, link.is_closed) == ("Ben Cole", "", True)
    assert link.case_created_at == NOON
    assert link.case_number == org.row("Case", case_id)["CaseNumber"]
    assert (link.read_due_at, link.read_error, link.lease_token) == (None, "", None)
    assert link.read_at is not None


def test_the_moment_moves_from_opened_to_replied_to_closed(pull, org, open_case, clock):
    case_id = open_case()
    moments = []
    for step in (
        lambda: None,
        lambda: org.people.reply(case_id, "Which card?"),
        lambda: org.people.close_case(case_id),
    ):
        clock.go_on(minutes=2)
        step()
        pull()
        moments.append(transcript(case_id).moment)

    assert moments == ["opened", "replied", "closed"]


def test_nul_and_lone_surrogates_are_stored_as_any_database_can(tapped, open_case):
    case_id = open_case()
    body = {
        "Id": case_id,
        "CaseNumber": "1",
        "Status": "New",
        "IsClosed": False,
        "Subject": "a\0b",
        "Description": "c\ud800d \ud83d\ude00",
        "CreatedDate": "2026-11-21T12:00:30.000+0000",
        "SystemModstamp": "2026-11-21T12:00:30.000+0000",
        "Origin": "We\0b",
    }
    page = json.dumps({"totalSize": 1, "done": True, "records": [body]})

    def odd(request: requests.PreparedRequest) -> requests.Response | None:
        if "Description" not in str(request.url) or "FROM+Case+" not in str(request.url):
            return None
        return answer(request, 200, page, **{"Content-Type": "application/json"})

    pull_changed(tapped(odd))

    assert said(case_id) == ["ab", "c\ufffdd \N{GRINNING FACE}"]
    assert CaseLink.objects.get(case_id=case_id).origin == "Web"


def test_a_long_conversation_and_a_long_description_are_read(pull, org):
    lines = tuple(Said("customer", f"line {number}") for number in range(5_000))
    (talk,) = org.load([Record("long", lines, "messaging", "Hello")])
    (letter,) = org.load([Record("letter", (Said("customer", "w " * 16_000),), "web", "Long")])

    pull()

    assert len(transcript(talk).turns) >= 5_000
    assert len("".join(said(letter))) >= 31_000


def test_a_case_without_a_word_arrives_too(pull, org):
    (case_id,) = org.load([Record("mute", (Said("customer", ""),), "web", "")])

    pull()

    assert transcript(case_id).turns == []


def test_one_case_that_cannot_be_read_is_shown_and_the_others_go_on(
    tapped, open_case, gateway, clock
):
    good, bad = open_case("good", channel="comments"), open_case("bad", channel="comments")
    row = {
        "Id": "00a000000000001AAA",
        "ParentId": bad,
        "CommentBody": "hello",
        "CreatedDate": "no date",
        "CreatedBy": {"UserType": "Guest"},
    }
    page = json.dumps({"totalSize": 1, "done": True, "records": [row]})

    def odd(request: requests.PreparedRequest) -> requests.Response | None:
        if "CommentBody" not in str(request.url):
            return None
        return answer(request, 200, page, **{"Content-Type": "application/json"})

    pulled = pull_changed(tapped(odd))

    link = CaseLink.objects.get(case_id=bad)
    assert (pulled.cases_read, pulled.unreadable) == (1, 1)
    assert transcript(good)
    assert "not as expected" in link.read_error
    assert "no date" not in link.read_error
    assert link.read_due_at > leases.now()
    assert next_read_at() == link.read_due_at

    CaseLink.objects.update(read_due_at=leases.now())
    pull_changed(gateway)

    link.refresh_from_db()
    assert (link.read_error, link.attempts) == ("", 0)
    assert said(bad)


def test_one_case_that_spoils_a_batch_is_found_by_halving(tapped, open_case):
    ids = [open_case(f"case {number}") for number in range(9)]
    bad = ids[4]

    def odd(request: requests.PreparedRequest) -> requests.Response | None:
        url = str(request.url)
        if "Description" not in url or bad not in url:
            return None
        body = '[{"errorCode":"MALFORMED_QUERY","message":"unexpected token"}]'
        return answer(request, 400, body, **{"Content-Type": "application/json"})

    pulled = pull_changed(tapped(odd))

    assert (pulled.cases_read, pulled.unreadable) == (8, 1)
    assert "MALFORMED_QUERY" in CaseLink.objects.get(case_id=bad).read_error


def test_an_unreadable_case_is_tried_less_and_less_often(tapped, open_case):
    def odd(request: requests.PreparedRequest) -> requests.Response | None:
        if "Description" not in str(request.url):
            return None
        body = '[{"errorCode":"MALFORMED_QUERY","message":"unexpected token"}]'
        return answer(request, 400, body, **{"Content-Type": "application/json"})

    case_id = open_case()
    gateway = tapped(odd)
    waits = []
    for _ in range(9):
        CaseLink.objects.mark_due([case_id], leases.now())
        pull_changed(gateway)
        wait = CaseLink.objects.get().read_due_at - leases.now()
        waits.append(round(wait.total_seconds()))

    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_a_change_that_comes_in_while_reading_stays_due(tapped, open_case):
    case_id = open_case()

    def meanwhile(request: requests.PreparedRequest) -> None:
        if "Description" in str(request.url):
            CaseLink.objects.mark_due([case_id], leases.now())

    pull_changed(tapped(meanwhile), limit=1)

    assert CaseLink.objects.get(case_id=case_id).read_due_at is not None


def test_a_reader_that_lost_its_lease_stores_nothing(tapped, open_case):
    case_id = open_case()

    def overtaken(request: requests.PreparedRequest) -> None:
        if "Description" in str(request.url):
            CaseLink.objects.filter(case_id=case_id).update(epoch=99)

    pulled = pull_changed(tapped(overtaken))

    assert pulled.cases_read == 0
    assert not Transcript.objects.exists()


def test_an_outage_in_mid_batch_frees_the_claimed_cases(pull, org, open_case, tapped):
    case_id = open_case()

    def cut(request: requests.PreparedRequest) -> None:
        if "CommentBody" in str(request.url):
            raise requests.ConnectionError

    with pytest.raises(SalesforceUnavailable):
        pull_changed(tapped(cut))

    link = CaseLink.objects.get(case_id=case_id)
    assert (link.leased_until, link.attempts) == (None, 0)
    assert pull().cases_read == 1


@pytest.mark.parametrize("missing", ["MessagingSession", "EmailMessage", "CaseComment"])
def test_a_source_that_the_org_lacks_goes_off_with_a_message(pull, org, open_case, missing):
    org.remove_sobject(missing)
    case_id = open_case()

    pull()

    (source,) = Source.objects.filter(is_enabled=False)
    assert missing in source.off_because
    assert "read access" in source.off_because
    assert Notice.objects.get(cleared_at=None).text.startswith(source.name)
    assert said(case_id)


def test_a_source_that_goes_missing_between_two_looks_goes_off_too(pull, org, open_case, clock):
    open_case(channel="messaging")
    pull()
    org.remove_sobject("Conversation")
    clock.go_on(minutes=2)
    case_id = open_case(channel="messaging")

    pull()

    assert not Source.objects.get(code="messaging").is_enabled
    assert said(case_id)


def test_a_hidden_field_of_a_source_turns_it_off_and_is_named(pull, org, open_case):
    org.access.hide(org.founders.integration, "EmailMessage", "HtmlBody")
    case_id = open_case()

    pull()

    assert "HtmlBody" in Source.objects.get(code="email").off_because
    assert said(case_id)


def test_a_source_comes_back_by_itself_and_catches_up(
    pull, connect, org, open_case, clock, settings
):
    org.access.hide(org.founders.integration, "CaseComment", "CommentBody")
    case_id = open_case("first")
    org.people.customer_comments(case_id, "second")
    pull()
    assert "second" not in said(case_id)
    org.access._hidden.clear()
    an_hour_ago = leases.now() - timedelta(hours=2)
    Source.objects.update(checked_at=an_hour_ago)

    pull_changed(connect(org))

    assert said(case_id)[-1] == "second"
    assert Source.objects.get(code="comment").off_because == ""
    assert not Notice.objects.filter(cleared_at=None).exists()


def test_a_source_that_a_person_turned_off_stays_off(pull, org, open_case):
    Source.objects.filter(code="comment").update(is_enabled=False)
    case_id = open_case("first")
    org.people.customer_comments(case_id, "second")

    pull()

    assert "second" not in said(case_id)
    assert Source.objects.get(code="comment").checked_at is None


def test_a_case_field_that_everybody_needs_is_asked_for_by_name(pull, org, open_case):
    open_case()
    org.access.hide(org.founders.integration, "Case", "Status")

    with pytest.raises(FieldMissing) as caught:
        pull()

    assert caught.value.fields == ("Status",)
    assert "Status" in Notice.objects.get().text


def test_a_hidden_description_turns_only_its_source_off(pull, org, open_case):
    org.access.hide(org.founders.integration, "Case", "Description")
    case_id = open_case("first")
    org.people.customer_comments(case_id, "second")

    pull()

    assert said(case_id) == ["second"]
    assert "Description" in Source.objects.get(code="description").off_because


def test_the_first_pull_pins_the_org(pull, org, open_case):
    open_case()
    pull()

    connection = Connection.current()
    assert connection.org_id == org.org_id
    assert connection.org_name == "Acme Support"
    assert connection.user_id == org.founders.integration
    assert connection.connected_at is not None


def test_another_org_is_refused_in_one_clear_sentence(pull, clock, credentials, open_case):
    open_case()
    pull()
    other = LocalOrg(clock, number=2)
    other.app.client_id, other.app.client_secret = "id", "secret"
    other.tokens.apps = {"id": other.app}
    secret = type(credentials)("acme.my", "id", client_secret="secret")
    elsewhere = SalesforceGateway(secret, open_session(Tap(other)))
    marks = list(Watermark.objects.values_list("covered_until", flat=True))

    with pytest.raises(WrongOrg, match="nothing is read or written"):
        pull_changed(elsewhere)

    assert list(Watermark.objects.values_list("covered_until", flat=True)) == marks
    assert Notice.objects.get().level == Notice.Level.ERROR


def test_a_failure_makes_one_notice_that_closes_by_itself(pull, org, open_case):
    open_case()
    org.faults.outages = 2
    for _ in range(2):
        with pytest.raises(SalesforceUnavailable):
            pull()
    notice = Notice.objects.get()
    assert (notice.count, notice.level, notice.cleared_at) == (2, Notice.Level.WARNING, None)

    pull()

    notice.refresh_from_db()
    assert notice.cleared_at is not None


def test_nothing_is_asked_while_the_allowance_is_spent(pull, org, open_case):
    open_case()
    org.faults.allowance_spent = ALWAYS
    with pytest.raises(SalesforceThrottled):
        pull()
    calls = org.ledger.api_calls

    assert pull() == Pulled()

    assert org.ledger.api_calls == calls
    Connection.objects.update(calls_stopped_until=leases.now())
    org.faults.allowance_spent = 0
    assert pull().cases_read == 1
    assert not Notice.objects.filter(cleared_at=None).exists()


def test_the_conversations_of_an_hour_run_out_for_their_cases_alone(tapped, open_case):
    chat, mail = open_case(channel="messaging"), open_case(channel="email")

    def used_up(request: requests.PreparedRequest) -> requests.Response | None:
        if "/entries" not in str(request.url):
            return None
        body = '[{"errorCode":"SERVER_UNAVAILABLE","message":"Too many requests"}]'
        return answer(request, 503, body, **{"Content-Type": "application/json"})

    pulled = pull_changed(tapped(used_up))

    assert (pulled.cases_read, pulled.unreadable) == (1, 1)
    assert said(mail)
    assert "SERVER_UNAVAILABLE" in CaseLink.objects.get(case_id=chat).read_error


def test_api_calls_are_counted_by_what_they_are_for_and_for_the_org(pull, org, open_case):
    open_case()

    pulled = pull()

    spent = dict(ApiSpending.objects.values_list("purpose", "calls"))
    assert spent.keys() == {"scan", "fetch"}
    assert sum(spent.values()) == pulled.api_calls == org.ledger.api_calls
    connection = Connection.current()
    assert connection.org_calls_used == org.ledger.api_calls
    assert connection.org_calls_allowed == org.api_allowance


def test_a_run_reads_no_more_than_it_is_told(gateway, open_case):
    for _ in range(5):
        open_case()

    first = pull_changed(gateway, limit=3)
    second = pull_changed(gateway, limit=3)

    assert (first.cases_read, first.is_partial) == (3, True)
    assert second.transcripts_new == 2


def test_a_reader_whose_time_is_up_begins_no_batch(gateway, open_case):
    case_id = open_case()
    CaseLink.objects.mark_due([case_id], leases.now())
    reader = CaseReader(gateway, READERS)

    is_partial = reader.read_due(100, until=0.0)

    assert (is_partial, reader.read.cases) == (True, 0)
    assert CaseLink.objects.get().leased_until is None


def test_a_run_that_reads_all_says_so(pull, open_case):
    open_case()

    assert not pull().is_partial
