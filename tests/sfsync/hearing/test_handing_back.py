"""A Case that a person gives back to automation is decided again; their next word wins again."""

import pytest
from django.conf import settings

from classifier.deciding import decide_waiting
from classifier.models import Decision, Feedback, GoldLabel, KeywordRule
from classifier.settling import settle_feedback
from sfsync.errors import SalesforceUnavailable
from sfsync.handing_back import HandedBack, hand_back
from sfsync.models import CaseLink
from tests.classifier.making import a_category

REASON = "Contact_Reason__c"


@pytest.fixture
def ceded(desk, sets, hear):
    """A Case with a person's reason, and a rule that decides it otherwise."""
    KeywordRule.objects.create(
        name="Refund",
        category=a_category("billing.refund"),
        any_of="refund",
        is_certain=True,
    )
    link = desk.decided_case("billing.refund")
    desk.push()
    sets(link, **{REASON: "delivery.late"})
    hear()
    settle_feedback()
    return link


def give_back(desk, by="ada"):
    return hand_back(desk.gateway, CaseLink.objects.all(), by=by)


def decide_and_push(desk):
    decide_waiting(limit=settings.DECIDE_BATCH)
    return desk.push()


def test_a_case_given_back_is_decided_again_and_its_value_replaced(ceded, desk):
    assert give_back(desk) == HandedBack(cases=1)

    decide_and_push(desk)

    assert desk.on_case(ceded) == "billing.refund"
    assert Decision.objects.standing().get().source == "rules"


def test_who_gave_it_back_and_when_is_kept(ceded, desk, clock):
    give_back(desk)

    ceded.refresh_from_db()
    assert (ceded.ceded_at, ceded.handed_back_by) == (None, "ada")
    assert abs((clock.now - ceded.handed_back_at).total_seconds()) < 120


def test_what_the_person_said_stays_feedback_and_gold(ceded, desk):
    give_back(desk)
    decide_and_push(desk)

    assert Feedback.objects.get().withdrawn_at is None
    assert GoldLabel.objects.get().reasons.get().category.code == "delivery.late"


def test_a_person_who_writes_again_wins_again(ceded, desk, sets, hear):
    give_back(desk)
    decide_and_push(desk)
    sets(ceded, **{REASON: "billing"})

    assert hear() == 1

    ceded.refresh_from_db()
    assert ceded.ceded_at is not None
    assert desk.push().written == 0
    assert desk.on_case(ceded) == "billing"


def test_a_person_who_writes_before_the_new_decision_is_not_overwritten(ceded, desk, sets):
    give_back(desk)
    sets(ceded, **{REASON: "billing"})

    assert decide_and_push(desk).ceded == 1
    assert desk.on_case(ceded) == "billing"


def test_an_older_word_heard_late_does_not_take_it_away_again(desk, sets, hear):
    link = desk.decided_case("billing.refund")
    desk.push()
    sets(link, **{REASON: "delivery.late"})
    desk.decide(link, "delivery")
    desk.push()  # ceded, before the history was read
    sets(link, Priority="High")
    give_back(desk)

    assert hear() == 1

    link.refresh_from_db()
    assert link.ceded_at is None
    assert Feedback.objects.get().person_name == "Ann Bell"
    assert not Decision.objects.standing().exists()


def test_an_emptied_reason_is_filled_again(desk, sets, hear, ceded):
    sets(ceded, **{REASON: None})
    hear()
    give_back(desk)

    decide_and_push(desk)

    assert desk.on_case(ceded) == "billing.refund"


def test_a_case_that_is_not_ceded_is_left_as_it_is(desk):
    desk.decided_case("billing.refund")

    assert give_back(desk) == HandedBack()
    assert Decision.objects.standing().count() == 1


def test_a_case_deleted_meanwhile_is_told(ceded, desk):
    desk.org.people.delete_case(ceded.case_id)

    assert give_back(desk) == HandedBack(gone=1)


def test_while_salesforce_does_not_answer_nothing_is_given_back(ceded, desk):
    desk.org.faults.outages = 9
    with pytest.raises(SalesforceUnavailable):
        give_back(desk)

    ceded.refresh_from_db()
    assert ceded.ceded_at is not None
