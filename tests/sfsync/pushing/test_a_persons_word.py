import pytest

from classifier.models import Category, Decision, Feedback
from sfsync.models import Mode, WriteBack
from sfsync.pushing import Delivery, deliver_again
from sfsync.staging import stage_decisions
from tests.sfsync.pushing.conftest import NOON

Outcome = WriteBack.Outcome


def test_a_value_that_was_there_before_we_came_is_left_alone(desk):
    link = desk.decided_case("billing.refund")
    desk.person_sets(link, Contact_Reason__c="delivery.late")

    delivery = desk.push()

    assert (delivery, desk.writes()) == (Delivery(ceded=1), [])
    assert desk.row(link).outcome == Outcome.CEDED
    link.refresh_from_db()
    assert link.ceded_at is not None


def test_a_persons_other_value_is_heard_as_a_correction(desk):
    link = desk.decided_case("billing.refund")
    desk.person_sets(link, Contact_Reason__c="delivery.late")

    desk.push()

    word = Feedback.objects.get()
    assert (word.verdict, word.category.code, word.said_value, word.source) == (
        "corrected",
        "delivery.late",
        "delivery.late",
        "salesforce",
    )


def test_a_persons_equal_value_is_heard_as_a_confirmation(desk):
    link = desk.decided_case("billing.refund")
    desk.person_sets(link, Contact_Reason__c="billing.refund")

    desk.push()

    assert desk.writes() == []
    assert Feedback.objects.get().verdict == "confirmed"


def test_a_persons_word_on_an_unsure_case_tells_the_reason(desk):
    link = desk.decided_case()
    desk.person_sets(link, Contact_Reason__c="delivery.late")

    desk.push()

    assert Feedback.objects.get().category.code == "delivery.late"
    assert desk.on_case(link, "Contact_Reason_Source__c") is None


def test_a_word_in_another_reason_field_cedes_the_whole_case(desk):
    link = desk.decided_case("billing.refund")
    desk.person_sets(link, Contact_Reasons__c="delivery.late")

    desk.push()

    assert desk.writes() == []


def test_a_person_who_changes_our_value_later_keeps_theirs(desk):
    link = desk.decided_case("billing.refund")
    desk.push()
    desk.person_sets(link, Contact_Reason__c="delivery.late")
    desk.decide(link, "delivery")

    delivery = desk.push()

    assert delivery == Delivery(ceded=1)
    assert (desk.on_case(link), len(desk.writes())) == ("delivery.late", 1)


def test_a_person_who_empties_our_value_keeps_it_empty(desk):
    link = desk.decided_case("billing.refund")
    desk.push()
    desk.person_sets(link, Contact_Reason__c=None)
    desk.decide(link, "delivery")

    desk.push()

    assert desk.on_case(link) is None
    assert (Feedback.objects.get().verdict, Feedback.objects.get().category) == (
        "corrected",
        None,
    )


def test_once_ceded_later_decisions_are_not_even_looked_at(desk):
    link = desk.decided_case("billing.refund")
    desk.person_sets(link, Contact_Reason__c="delivery.late")
    desk.push()
    calls = desk.org.ledger.api_calls
    desk.decide(link, "delivery")

    desk.push()

    assert desk.row(link).outcome == Outcome.CEDED
    assert desk.org.ledger.api_calls == calls
    assert Feedback.objects.count() == 1


def test_in_suggest_mode_a_case_with_a_persons_reason_gets_no_suggestion(desk):
    desk.mode(Mode.SUGGEST)
    link = desk.decided_case("billing.refund")
    desk.person_sets(link, Contact_Reason__c="delivery.late")

    desk.push()

    assert desk.writes() == []


def test_a_suggestion_that_a_person_changed_is_heard_as_their_word(desk):
    desk.mode(Mode.SUGGEST)
    link = desk.decided_case("billing.refund")
    desk.push()
    desk.person_sets(link, Contact_Reason_Suggestion__c="delivery.late")
    desk.decide(link, "delivery")

    desk.push()

    assert desk.on_case(link, "Contact_Reason_Suggestion__c") == "delivery.late"
    word = Feedback.objects.get()
    assert (word.verdict, word.category.code) == ("corrected", "delivery.late")


def test_a_person_who_takes_the_suggestion_confirms_it(desk):
    desk.mode(Mode.SUGGEST)
    link = desk.decided_case("billing.refund")
    desk.push()
    desk.person_sets(link, Contact_Reason__c="billing.refund")
    desk.decide(link, "billing.refund", "delivery.late")

    desk.push()

    assert len(desk.writes()) == 1
    assert Feedback.objects.get().verdict == "confirmed"


def test_a_reviewers_correction_is_written_as_a_persons(desk):
    link = desk.decided_case("billing.refund")
    desk.push()
    category = Category.objects.get(code="delivery.late")
    Decision.objects.stand_by_person(link.case_id, [category], at=NOON)

    assert desk.push() == Delivery(written=1)

    assert desk.on_case(link) == "delivery.late"
    assert desk.on_case(link, "Contact_Reason_Source__c") == "Person"
    assert desk.on_case(link, "Contact_Reason_Confidence__c") is None


def test_a_persons_edit_of_another_field_is_no_word_on_the_reason(desk):
    link = desk.decided_case("billing.refund")
    desk.push()
    desk.person_sets(link, Priority="High")
    desk.decide(link, "delivery.late")

    desk.push()

    assert desk.on_case(link) == "delivery.late"


def test_our_own_value_may_change_and_unchanged_fields_are_left_out(desk):
    link = desk.decided_case("billing.refund")
    desk.push()
    desk.decide(link, "delivery.late")

    desk.push()

    assert desk.writes(link)[1] == {
        "Contact_Reason__c": "delivery.late",
        "Contact_Reasons__c": "delivery.late",
        "Contact_Reason_Suggestion__c": "delivery.late",
        "Contact_Reason_Evidence__c": desk.on_case(link, "Contact_Reason_Evidence__c"),
    }


def test_a_decision_that_changes_only_confidence_is_not_written(desk):
    link = desk.decided_case("billing.refund")
    desk.push()
    desk.decide(link, "billing.refund", score=0.88)

    delivery = desk.push()

    assert delivery == Delivery(unchanged=1)
    assert (len(desk.writes()), desk.row(link).outcome) == (1, Outcome.UNCHANGED)


def test_the_owner_of_a_case_is_not_stolen(desk):
    link = desk.decided_case("billing.refund")
    owner = desk.on_case(link, "OwnerId")

    desk.push()

    assert (desk.on_case(link, "OwnerId"), len(desk.writes())) == (owner, 1)


def test_delivering_again_a_ceded_case_looks_afresh(desk):
    link = desk.decided_case("billing.refund")
    desk.person_sets(link, Contact_Reason__c="delivery.late")
    desk.push()
    desk.person_sets(link, Contact_Reason__c=None)

    assert deliver_again(WriteBack.objects.all()) == 1
    desk.push()

    assert desk.on_case(link) == "billing.refund"


def test_delivering_again_writes_where_a_person_took_their_word_back(desk):
    link = desk.decided_case("billing.refund")
    desk.push()
    desk.person_sets(link, Contact_Reason__c="delivery.late")
    desk.decide(link, "delivery")
    desk.push()
    desk.person_sets(link, Contact_Reason__c=None)

    deliver_again(WriteBack.objects.filter(outcome=Outcome.CEDED))
    desk.push()

    assert desk.on_case(link) == "delivery"


def test_delivering_again_what_was_written_before_never_overwrites_either(desk):
    link = desk.decided_case("billing.refund")
    desk.push()
    desk.person_sets(link, Contact_Reason__c="delivery.late")
    desk.decide(link, "delivery")
    desk.push()

    deliver_again(WriteBack.objects.filter(outcome=Outcome.CEDED))

    assert desk.push() == Delivery(ceded=1)
    assert desk.on_case(link) == "delivery.late"


def test_delivering_again_never_overwrites_either(desk):
    link = desk.decided_case("billing.refund")
    desk.person_sets(link, Contact_Reason__c="delivery.late")
    desk.push()

    deliver_again(WriteBack.objects.all())
    delivery = desk.push()

    assert delivery == Delivery(ceded=1)
    assert Feedback.objects.count() == 1


def test_what_a_newer_decision_replaced_is_not_delivered_again(desk):
    link = desk.decided_case("billing.refund")
    stage_decisions()
    desk.decide(link, "delivery.late")
    stage_decisions()

    assert deliver_again(WriteBack.objects.filter(outcome=Outcome.SUPERSEDED)) == 0


@pytest.mark.parametrize("slots", [("level_1", "level_2"), ("level_1", "level_2", "level_3")])
def test_one_picklist_per_level_is_written_together(desk, slots):
    desk.use_levels(*slots)
    desk.deploy_levels(*slots)
    link = desk.decided_case("billing.refund")

    desk.push()

    assert desk.on_case(link, "Reason_Level_1__c") == "billing"
    assert desk.on_case(link, "Reason_Level_2__c") == "billing.refund"


def test_a_level_that_may_not_be_written_keeps_all_levels_unwritten(desk):
    desk.use_levels("level_1", "level_2")
    desk.deploy_levels("level_1")
    link = desk.decided_case("billing.refund")

    desk.push()

    (written,) = desk.writes(link)
    assert "Reason_Level_1__c" not in written
    assert written["Contact_Reasons__c"] == "billing.refund"


def test_a_word_in_the_deepest_level_tells_the_category(desk):
    desk.use_levels("level_1", "level_2")
    desk.deploy_levels("level_1", "level_2")
    link = desk.decided_case("billing.refund")
    desk.person_sets(link, Reason_Level_1__c="delivery", Reason_Level_2__c="delivery.late")

    desk.push()

    assert Feedback.objects.get().category.code == "delivery.late"
