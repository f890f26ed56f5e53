import pytest

from classifier.deciding import decide_waiting
from classifier.engine.rulelang import parse, to_json
from classifier.models import Decision, KeywordRule, Transcript
from tests.classifier.making import LATER, a_category, a_rule, a_transcript

pytestmark = pytest.mark.django_db

PARCEL = "my parcel has not arrived, the tracking says nothing"


def standing(thread: str) -> Decision:
    return Decision.objects.standing().get(thread=thread)


def a_typed_rule(name: str, text: str, code: str) -> None:
    KeywordRule.objects.create(
        name=name,
        category=a_category(code),
        expression=to_json(parse(text)),
        is_certain=True,
    )


def test_rules_may_ask_for_channel_queue_and_fields_of_the_case():
    a_typed_rule("Mail", 'field("channel", "Email") and field("queue", "VIP*")', "mail")
    a_typed_rule("Gold", 'field("Tier__c", "gold")', "gold")
    a_transcript("t1", PARCEL, channel="Email", queue="VIP desk")
    a_transcript("t2", PARCEL, context={"Tier__c": "Gold"})
    a_transcript("t3", PARCEL, channel="Phone", context={"Tier__c": "silver"})

    decide_waiting(limit=10)

    assert standing("t1").category.code == "mail"
    assert standing("t2").category.code == "gold"
    assert standing("t3").category is None


def test_rules_may_ask_for_a_reason_that_the_case_had_before():
    a_rule("Parcel", a_category("delivery"), "parcel")
    a_typed_rule("Again", 'tag("delivery") and "money"', "refund")
    first = a_transcript("t1", PARCEL)
    decide_waiting(limit=10)
    Transcript.objects.filter(pk=first.pk).update(superseded_at=LATER)
    a_transcript("t1", "I want my money")
    a_transcript("t2", "I want my money")

    decide_waiting(limit=10)

    assert standing("t1").category.code == "refund"
    assert standing("t2").category is None


def test_a_rule_that_nobody_measured_only_suggests():
    a_rule("Parcel", a_category("delivery"), "parcel", is_certain=False)
    a_transcript("t1", PARCEL)

    decide_waiting(limit=10)

    decision = standing("t1")
    assert decision.category is None
    assert decision.reasons.get().is_suggestion


def test_a_stated_rule_writes_no_confidence_and_a_measured_one_its_strength():
    a_rule("Parcel", a_category("delivery"), "parcel")
    a_rule("Card", a_category("card"), "card", is_certain=False, strength=0.97)
    a_transcript("t1", PARCEL)
    a_transcript("t2", "my card is gone")

    decide_waiting(limit=10)

    assert standing("t1").confidence is None
    assert standing("t2").confidence == 0.97
