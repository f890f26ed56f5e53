"""What the gateway asks, and what it makes of the answers, against the local org."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sfsync.calls import OpenGate
from sfsync.cases import CaseUpdate
from sfsync.errors import (
    FieldMissing,
    LimitExceeded,
    ObjectMissing,
    RecordGone,
    SalesforceBusy,
    SalesforceDenied,
    SalesforceThrottled,
    SalesforceUnavailable,
)
from sfsync.gateway import COLLECTION_LIMIT, SalesforceGateway
from sfsync.local_org.faults import ALWAYS, RowError
from sfsync.local_org.records import Record, Said
from sfsync.local_org.schema import Field, Kind
from sfsync.transport import open_session
from tests.sfsync.conftest import NOON
from tests.sfsync.wires import Tap, answer, is_login

MINUTE = timedelta(minutes=1)
GONE_ID = "500000000000001AAA"


@pytest.fixture
def many_cases(org) -> list[str]:
    words = (Said("customer", "Hello"),)
    return org.load(Record(f"r{number}", words, "web") for number in range(450))


@pytest.fixture
def tapped(org, credentials) -> Callable[..., tuple[SalesforceGateway, Tap]]:
    def made(**options) -> tuple[SalesforceGateway, Tap]:
        tap = Tap(org, **options)
        return SalesforceGateway(credentials, open_session(tap), OpenGate()), tap

    return made


def test_it_knows_which_org_this_is_and_who_it_is_there_and_asks_once(gateway, org):
    identity = gateway.identity()
    calls = gateway.calls

    assert (identity.org_id, identity.org_name) == (org.org_id, "Acme Support")
    assert identity.user_id == org.founders.integration
    assert identity.instance_host == "acme.my.salesforce.com"
    assert not identity.is_sandbox
    assert gateway.identity() == identity
    assert gateway.calls == calls


def test_its_clock_is_the_orgs(gateway, clock):
    assert abs(gateway.now() - NOON) < timedelta(seconds=5)
    clock.go_on(hours=3)
    gateway.describe("Case")

    assert abs(gateway.now() - NOON) >= timedelta(hours=3)


def test_an_org_that_tells_no_time_is_an_outage(tapped):
    token = '{"access_token": "t", "instance_url": "https://acme.my.salesforce.com"}'
    gateway, _ = tapped(
        judge=lambda request: answer(request, 200, token if is_login(request) else "{}")
    )

    with pytest.raises(SalesforceUnavailable) as caught:
        gateway.now()

    assert caught.value.code == "NO_DATE"


def test_the_orgs_use_of_its_allowance_is_known_from_the_last_answer(gateway, org):
    assert gateway.api_use() is None
    gateway.describe("Case")

    use = gateway.api_use()

    assert (use.used, use.allowed) == (org.ledger.api_calls, org.api_allowance)


def test_a_description_says_what_may_be_written_and_picked(gateway, org):
    org.deploy_contact_reason(["billing", "delivery"])

    described = gateway.describe("Case")

    reason = described.fields["Contact_Reason__c"]
    assert (reason.type, reason.is_updateable, reason.is_restricted) == ("picklist", True, True)
    assert reason.picklist_values == ("billing", "delivery")
    assert described.fields["Subject"].length == 255
    assert described.is_replicateable


def test_a_description_is_believed_for_a_while(gateway):
    gateway.describe("Case")
    calls = gateway.calls

    gateway.describe("Case")

    assert gateway.calls == calls


def test_a_description_is_asked_for_again_after_a_minute(org, credentials, db):
    seconds = 0.0
    gateway = SalesforceGateway(credentials, open_session(Tap(org), clock=lambda: seconds))
    gateway.describe("Case")
    calls = gateway.calls

    seconds = 61.0
    gateway.describe("Case")

    assert gateway.calls == calls + 1


def test_a_missing_object_is_told_apart_from_a_missing_record(gateway, org):
    org.remove_sobject("MessagingSession")

    with pytest.raises(ObjectMissing, match="MessagingSession"):
        gateway.describe("MessagingSession")
    with pytest.raises(ObjectMissing):
        gateway.rows("MessagingSession", ["Id"], "CaseId", [GONE_ID])


def test_a_hidden_field_is_named_and_says_how_to_mend_it(gateway, org, open_case):
    case_id = open_case()
    org.access.hide(org.founders.integration, "Case", "Status")

    with pytest.raises(FieldMissing, match="permission set") as caught:
        gateway.cases([case_id])

    assert caught.value.fields == ("Status",)


def test_cases_are_read_with_everything_around_them(gateway, org, open_case):
    case_id = open_case(subject="Card")

    (case,) = gateway.cases([case_id])

    row = org.row("Case", case_id)
    owner_type = "Group" if case.queue else "User"
    assert (case.case_id, case.subject, case.origin) == (case_id, "Card", "Web")
    assert case.owner_name == org.row(owner_type, row["OwnerId"])["Name"]
    assert case.record_type in {"Support", "Complaint"}
    assert case.created_at == NOON
    assert case.modstamp.tzinfo is UTC


def test_a_queue_is_told_from_a_person(gateway, org, open_case):
    case_id = open_case()
    org.people.edit_case(case_id, {"OwnerId": org.founders.queues[0]})
    (queued,) = gateway.cases([case_id])
    org.people.edit_case(case_id, {"OwnerId": org.founders.representatives[0]})
    (taken,) = gateway.cases([case_id])

    assert (queued.queue, queued.owner_name) == ("Triage", "Triage")
    assert (taken.queue, taken.owner_name) == ("", "Ann Bell")


def test_a_persons_role_is_the_team_of_the_case_and_a_queue_has_none(gateway, org, open_case):
    case_id = open_case()
    org.people.edit_case(case_id, {"OwnerId": org.founders.queues[0]})
    (queued,) = gateway.cases([case_id])
    org.people.edit_case(case_id, {"OwnerId": org.founders.representatives[1]})
    (taken,) = gateway.cases([case_id])

    assert (queued.team, taken.team) == ("", "Delivery team")


def test_cases_are_read_without_team_where_roles_are_hidden_from_us(gateway, org, open_case):
    org.remove_sobject("UserRole")
    case_id = open_case()
    org.people.edit_case(case_id, {"OwnerId": org.founders.representatives[1]})

    (case,) = gateway.cases([case_id])

    assert (case.owner_name, case.team) == ("Ben Cole", "")


def test_fields_that_an_org_lacks_are_left_out(gateway, org, open_case):
    case_id = open_case()
    for name in ("Language", "ProductId", "RecordTypeId", "Priority"):
        org.remove_field("Case", name)

    (case,) = gateway.cases([case_id], extra_fields=["Nope__c"])

    assert (case.language, case.product, case.record_type, case.priority) == ("", "", "", "")
    assert case.extra == {}


def test_fields_that_an_admin_names_come_along_as_text(gateway, org, open_case):
    org.deploy_fields([Field("Tier__c", Kind.STRING, length=20)])
    org.access.grant(org.founders.integration, "Case", ["Tier__c"])
    case_id = open_case()
    org.people.edit_case(case_id, {"Tier__c": "Gold", "IsEscalated": True})

    (case,) = gateway.cases([case_id], extra_fields=["Tier__c", "IsEscalated"])

    assert case.extra == {"Tier__c": "Gold", "IsEscalated": "True"}


def test_a_case_that_is_gone_is_absent(gateway, org, open_case):
    gone, there = open_case(), open_case()
    org.people.delete_case(gone)

    assert [case.case_id for case in gateway.cases([gone, there, GONE_ID])] == [there]


def test_rows_come_in_pages_of_any_size(gateway, org, many_cases):
    org.faults.shrinking_pages = Random(7)

    rows = gateway.rows("Case", ["Id"], "Id", many_cases)

    assert [row["Id"] for row in rows] == sorted(many_cases)


def test_long_lists_of_ids_stay_below_the_longest_address(tapped, many_cases):
    gateway, tap = tapped()

    few = gateway.rows("Case", ["Id", "Subject"], "Id", many_cases[:400])
    asked = len(tap.sent)
    rows = gateway.rows("Case", ["Id", "Subject"], "Id", many_cases * 2)

    assert (len(few), len(rows)) == (400, 450)
    assert 10_000 < max(len(url) for url in tap.urls("/query")) < 16_000
    assert len(tap.sent) == asked + 1, "two lists are asked for in one envelope"
    assert max(len(url) for url in tap.urls()) < 16_000


def test_a_session_that_expires_between_two_pages_loses_nothing(tapped, org, many_cases):
    org.faults.page_size = 100
    pages = []

    def expire_at_second_page(request: requests.PreparedRequest) -> None:
        if "/query/01g" in str(request.url):
            pages.append(request.url)
            if len(pages) == 2:
                org.tokens.revoke_all()

    gateway, _ = tapped(judge=expire_at_second_page)

    rows = gateway.rows("Case", ["Id"], "Id", many_cases)

    assert [row["Id"] for row in rows] == sorted(many_cases)


def test_a_locator_that_another_reader_pushed_out_is_begun_again(
    tapped, connect, org, many_cases
):
    org.faults.page_size = 100
    org.faults.open_cursors = 1
    greedy = connect(org)
    pages = []

    def push_out_at_second_page(request: requests.PreparedRequest) -> None:
        if "/query/01g" in str(request.url):
            pages.append(request.url)
            if len(pages) == 2:
                greedy.rows("Case", ["Id"], "Id", many_cases[:150])

    gateway, _ = tapped(judge=push_out_at_second_page)

    rows = gateway.rows("Case", ["Id"], "Id", many_cases)

    assert [row["Id"] for row in rows] == sorted(many_cases)


def test_what_keeps_failing_in_mid_page_is_told(tapped, org, many_cases):
    org.faults.page_size = 100

    def no_second_page(request: requests.PreparedRequest) -> requests.Response | None:
        if "/query/01g" not in str(request.url):
            return None
        body = '[{"errorCode":"INVALID_QUERY_LOCATOR","message":"invalid query locator"}]'
        return answer(request, 400, body, **{"Content-Type": "application/json"})

    gateway, tap = tapped(judge=no_second_page)

    with pytest.raises(SalesforceUnavailable, match="INVALID_QUERY_LOCATOR"):
        gateway.rows("Case", ["Id"], "Id", many_cases)

    assert len(tap.urls("/query/01g")) == 2


@pytest.mark.parametrize(
    "ask",
    [
        lambda gateway: gateway.rows("Case", ["Id"], "Id", ["500' OR Id != '"]),
        lambda gateway: gateway.rows("Case", ["Id FROM User"], "Id", [GONE_ID]),
        lambda gateway: gateway.rows("Case, User", ["Id"], "Id", [GONE_ID]),
        lambda gateway: gateway.conversation_entries("../../limits"),
        lambda gateway: gateway.describe("Case/../User"),
    ],
)
def test_nothing_but_names_and_ids_gets_into_a_question(gateway, ask):
    with pytest.raises(ValueError, match="not a"):
        ask(gateway)

    assert gateway.calls == 0


def test_changes_of_the_present_minute_are_found(gateway, clock, open_case):
    case_id = open_case()

    changes = gateway.changed("Case", NOON - MINUTE, NOON + 2 * MINUTE)

    assert changes.ids == (case_id,)
    assert changes.covered_until <= NOON


def test_a_window_of_more_than_30_days_is_asked_in_parts(tapped):
    def all_covered(request: requests.PreparedRequest) -> requests.Response | None:
        if "/updated/" not in str(request.url):
            return None
        end = parse_qs(urlsplit(str(request.url)).query)["end"][0]
        body = json.dumps({"ids": [end], "latestDateCovered": end})
        return answer(request, 200, body, **{"Content-Type": "application/json"})

    gateway, _ = tapped(judge=all_covered)

    changes = gateway.changed("Case", NOON - timedelta(days=70), NOON)

    assert changes.ids == (
        "2026-10-12T12:00:30Z",
        "2026-11-11T12:00:30Z",
        "2026-11-21T12:00:30Z",
    )
    assert changes.covered_until == NOON


def test_a_window_with_too_many_ids_is_halved(tapped, open_case):
    case_id = open_case()
    asked = []

    def too_many(request: requests.PreparedRequest) -> requests.Response | None:
        if "/updated/" in str(request.url):
            asked.append(request.url)
            if len(asked) == 1:
                body = '[{"errorCode":"EXCEEDED_ID_LIMIT","message":"too many ids"}]'
                return answer(request, 400, body, **{"Content-Type": "application/json"})
        return None

    gateway, _ = tapped(judge=too_many)

    changes = gateway.changed("Case", NOON - 10 * MINUTE, NOON + 2 * MINUTE)

    assert changes.ids == (case_id,)
    assert len(asked) == 3


def test_a_minute_that_alone_holds_too_many_ids_is_told(tapped):
    def too_many(request: requests.PreparedRequest) -> requests.Response | None:
        if "/updated/" not in str(request.url):
            return None
        body = '[{"errorCode":"EXCEEDED_ID_LIMIT","message":"too many ids"}]'
        return answer(request, 400, body, **{"Content-Type": "application/json"})

    gateway, _ = tapped(judge=too_many)

    with pytest.raises(LimitExceeded):
        gateway.changed("Case", NOON - 10 * MINUTE, NOON)


def test_windows_after_one_that_is_not_covered_yet_are_not_asked(tapped, org, open_case):
    org.faults.commit_delay = timedelta(minutes=5)
    open_case()
    gateway, tap = tapped()

    changes = gateway.changed("Case", NOON - 29 * 24 * 60 * MINUTE, NOON + timedelta(days=2))

    assert changes.ids == ()
    assert changes.covered_until <= NOON
    assert len(tap.urls("/updated/")) == 1


def test_deleted_records_are_listed(gateway, org, open_case):
    case_id = open_case()
    org.people.delete_case(case_id)

    assert gateway.deleted("Case", NOON - MINUTE, NOON + 2 * MINUTE).ids == (case_id,)


def test_stamps_name_the_case_of_a_child(gateway, org, open_case):
    case_id = open_case()
    email_id = org.people.reply(case_id, "We help.")

    (stamp,) = gateway.stamps("EmailMessage", [email_id], "ParentId")
    (same,) = gateway.stamps_between("EmailMessage", "ParentId", NOON - MINUTE, None)

    assert (stamp.record_id, stamp.case_id, stamp.modstamp) == (email_id, case_id, NOON)
    assert same == stamp


def test_a_conversation_is_read_over_all_its_pages(tapped, org, open_case):
    case_id = open_case("one", channel="messaging")
    for number in range(1_200):
        org.people.customer_messages(case_id, f"line {number}")
    (session,) = [row for row in org.table("MessagingSession") if row["CaseId"] == case_id]
    identifier = org.row("Conversation", session["ConversationId"])["ConversationIdentifier"]
    gateway, tap = tapped()

    entries = gateway.conversation_entries(identifier)

    lines = {entry.get("messageText") for entry in entries}
    assert {f"line {number}" for number in range(1_200)} <= lines
    assert len(tap.urls("/entries")) == 2


def test_an_unknown_conversation_is_gone(gateway):
    with pytest.raises(RecordGone):
        gateway.conversation_entries("no-such-conversation")


def test_present_values_are_read_and_a_gone_case_is_absent(gateway, org, open_case):
    case_id = open_case()
    org.people.edit_case(case_id, {"Priority": "Low"})

    values = gateway.field_values([case_id, GONE_ID], ["Priority", "Reason"])

    assert values == {case_id: {"Priority": "Low", "Reason": None}}


def test_each_row_of_a_write_has_its_own_outcome_in_the_order_given(gateway, org, open_case):
    ids = [open_case() for _ in range(4)]
    org.people.delete_case(ids[1])
    org.faults.locked.add(ids[2])
    org.faults.row_errors[ids[3]] = RowError("STRING_TOO_LONG", "my secret", ("Subject",))

    results = gateway.update_cases([CaseUpdate(one, {"Priority": "Low"}) for one in ids])

    assert [one.case_id for one in results] == ids
    assert [one.error_code for one in results] == [
        "",
        "ENTITY_IS_DELETED",
        "UNABLE_TO_LOCK_ROW",
        "STRING_TOO_LONG",
    ]
    assert results[0].success
    assert results[3].error_fields == ("Subject",)
    assert "secret" not in results[3].error_text
    assert org.row("Case", ids[0])["Priority"] == "Low"


def test_a_write_of_nothing_costs_nothing(gateway):
    assert gateway.update_cases([]) == []
    assert gateway.calls == 0


def test_more_rows_than_fit_one_call_are_refused(gateway):
    updates = [CaseUpdate(GONE_ID, {})] * (COLLECTION_LIMIT + 1)

    with pytest.raises(ValueError, match="fit one call"):
        gateway.update_cases(updates)


@pytest.mark.parametrize("body", ["[]", '[{"success":true}]', "{}", '[{"id":"x"},{"id":"y"}]'])
def test_a_short_answer_to_a_write_is_an_unknown_outcome(tapped, body):
    gateway, _ = tapped(
        judge=lambda request: answer(request, 200, body) if request.method == "PATCH" else None
    )

    with pytest.raises(SalesforceUnavailable):
        gateway.update_cases([CaseUpdate(GONE_ID, {}), CaseUpdate(GONE_ID, {})])


def test_an_answer_lost_after_the_write_is_an_unknown_outcome(gateway, org, open_case):
    case_id = open_case()
    org.faults.lost_answers = 1

    with pytest.raises(SalesforceUnavailable):
        gateway.update_cases([CaseUpdate(case_id, {"Priority": "Low"})])

    assert org.row("Case", case_id)["Priority"] == "Low"


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        ("outages", SalesforceUnavailable),
        ("allowance_spent", SalesforceThrottled),
        ("too_many_at_once", SalesforceBusy),
    ],
)
def test_bad_days_of_the_org_have_their_own_errors(gateway, org, fault, meaning):
    setattr(org.faults, fault, ALWAYS)

    with pytest.raises(meaning) as caught:
        gateway.describe("Case")

    assert type(caught.value) is meaning


def test_a_revoked_app_is_an_operators_matter(gateway, org):
    gateway.identity()
    org.tokens.revoke_all()
    org.app.approved.clear()

    with pytest.raises(SalesforceDenied):
        gateway.describe("Case")


def test_datetimes_are_asked_for_in_utc(tapped):
    gateway, tap = tapped()

    gateway.changed("Case", datetime(2026, 11, 21, 12, 0, tzinfo=UTC), NOON + 2 * MINUTE)

    (url,) = tap.urls("/updated/")
    assert "start=2026-11-21T12%3A00%3A00Z" in url
