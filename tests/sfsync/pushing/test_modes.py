import pytest

from classifier import leases
from classifier.models import Category
from sfsync.models import CategoryMapping, Connection, Mode, WriteBack
from sfsync.pushing import Delivery, deliver_due, release_held
from sfsync.staging import stage_decisions

Hold = WriteBack.Hold


def category_mode(code: str, mode: Mode) -> None:
    CategoryMapping.objects.create(category=Category.objects.get(code=code), mode=mode)


def test_shadow_mode_writes_nothing_and_shows_what_it_would_have_written(desk):
    desk.mode(Mode.SHADOW)
    link = desk.decided_case("billing.refund")

    desk.push()

    assert desk.writes() == []
    assert desk.row(link).held_because == Hold.SHADOW
    assert desk.row(link).fields["Contact_Reason__c"] == "billing.refund"


def test_suggest_mode_writes_the_suggestion_alone(desk):
    desk.mode(Mode.SUGGEST)
    desk.decided_case("billing.refund")

    delivery = desk.push()

    assert delivery == Delivery(written=1)
    assert desk.writes() == [{"Contact_Reason_Suggestion__c": "billing.refund"}]


def test_automatic_mode_writes_every_mapped_field_in_one_row(desk):
    link = desk.decided_case("billing.refund", "delivery.late")

    desk.push()

    (written,) = desk.writes()
    assert written.keys() == {
        "Contact_Reason__c",
        "Contact_Reasons__c",
        "Contact_Reason_Suggestion__c",
        "Contact_Reason_Confidence__c",
        "Contact_Reason_Source__c",
        "Contact_Reason_Evidence__c",
        "Contact_Reason_At__c",
    }
    assert written["Contact_Reasons__c"] == "billing.refund;delivery.late"
    assert written.keys() == desk.row(link).sent_fields.keys()


def test_a_paused_connection_claims_nothing_and_calls_nobody(desk):
    link = desk.decided_case("billing.refund")
    Connection.objects.update(paused_at=leases.now())

    delivery = desk.push()

    assert delivery == Delivery()
    assert (desk.org.ledger.api_calls, desk.row(link).attempts) == (0, 0)


def test_a_category_may_reach_less_far_than_the_connection(desk):
    category_mode("billing.refund", Mode.SUGGEST)
    desk.decided_case("billing.refund")

    desk.push()

    assert desk.writes() == [{"Contact_Reason_Suggestion__c": "billing.refund"}]


def test_a_category_never_reaches_further_than_the_connection(desk):
    desk.mode(Mode.SHADOW)
    category_mode("billing.refund", Mode.AUTOMATIC)
    desk.decided_case("billing.refund")

    desk.push()

    assert desk.writes() == []


def test_the_mode_counts_as_it_is_at_delivery(desk):
    link = desk.decided_case("billing.refund")
    stage_decisions()
    desk.mode(Mode.SHADOW)

    desk.push()

    assert desk.writes() == []
    assert desk.row(link).held_because == Hold.SHADOW


def test_rows_held_in_shadow_are_written_once_the_mode_allows_it(desk):
    desk.mode(Mode.SHADOW)
    link = desk.decided_case("billing.refund")
    desk.push()

    desk.mode(Mode.AUTOMATIC)
    desk.push()

    assert desk.on_case(link) == "billing.refund"


def test_a_silent_category_stays_held_when_the_connection_opens(desk):
    desk.mode(Mode.SHADOW)
    category_mode("billing.refund", Mode.SHADOW)
    desk.decided_case("billing.refund")
    desk.decided_case("delivery.late")
    desk.push()

    desk.mode(Mode.AUTOMATIC)

    assert release_held() == 1


def test_an_abstention_is_written_as_needing_review_without_a_reason(desk):
    link = desk.decided_case()

    desk.push()

    assert desk.on_case(link, "Contact_Reason_Source__c") == "Needs review"
    assert desk.on_case(link) is None


@pytest.mark.parametrize(
    ("scope", "known"),
    [
        ({"scope_record_types": ["Complaint"]}, {"record_type": "Support"}),
        ({"scope_origins": ["Email"]}, {"origin": "Web"}),
        ({"scope_queues": ["Tier 1"]}, {"queue": ""}),
        ({"scope_created_after": "2026-01-01T00:00:00Z"}, {}),
    ],
)
def test_a_case_outside_the_scope_is_held(desk, scope, known):
    Connection.objects.update(**scope)
    link = desk.decided_case("billing.refund", **known)

    desk.push()

    assert (desk.writes(), desk.row(link).held_because) == ([], Hold.SCOPE)


def test_a_case_that_comes_into_scope_is_written(desk):
    Connection.objects.update(scope_queues=["Tier 1"])
    link = desk.decided_case("billing.refund", queue="Triage")
    desk.push()

    link.queue = "Tier 1"
    link.save()
    desk.push()

    assert desk.on_case(link) == "billing.refund"


def test_a_case_in_scope_is_written(desk):
    Connection.objects.update(scope_origins=["Email", "Web"])
    link = desk.decided_case("billing.refund", origin="Web")

    desk.push()

    assert desk.on_case(link) == "billing.refund"


def test_no_more_rows_than_asked_for_are_claimed(desk):
    for _ in range(3):
        desk.decided_case("billing")
    stage_decisions()

    delivery = deliver_due(desk.gateway, limit=2)

    assert delivery == Delivery(written=2)
    assert WriteBack.objects.unended().count() == 1
