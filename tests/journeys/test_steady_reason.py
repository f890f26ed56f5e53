"""A conversation that goes on and on about the same matter: its reason is written and stays.

Without ``engine.steadiness`` it fails: the reason is taken away in the course of the small talk.
"""

import pytest

from classifier.models import Category, Decision, KeywordRule

pytestmark = pytest.mark.django_db(transaction=True)
LATE = "Where is my parcel? The courier promised delivery on Tuesday, tracking says delayed."
CUSTOMER = (
    "Hello, are you there?", "ok", "It was no store pickup.", "I am still waiting for it.",
    "Yes, that is right.", "I paid for it weeks ago.", "Sorry, I was away for a minute.",
    "Can you check again?", "It is the same as I said before: it is late.",
    "It is in my account under orders.", "Yes please", "Thank you for looking into it.",
    "The receipt says Tuesday.", "I understand.", "Thanks, bye",
)  # fmt: skip
"""Small talk, and words that the model knows from refunds."""
REPRESENTATIVE = (
    "Hello, I will look into it.", "One moment please while I check.", "Thank you for waiting.",
    "I have noted that down.", "Can you tell me since when?", "I am asking my colleague.",
    "I can see it in your account.", "Is there anything else?", "You will hear from us.",
    "Let me see.", "It takes a moment.", "Right.", "I have the receipt here.", "Understood.",
    "Have a nice day.",
)  # fmt: skip


def test_thirty_more_messages_of_unchanged_meaning_cost_no_second_reason(
    trained, org, contact, command
):
    KeywordRule.objects.create(
        name="Somewhat",
        category=Category.objects.get(code="delivery.late"),
        any_of="waiting",
        effect="boost",
        strength=0.8,
    )
    command("set_mode", "automatic")
    case_id = contact(LATE)
    command("sync", "--once")

    for said, answered in zip(CUSTOMER, REPRESENTATIVE, strict=True):
        org.people.customer_emails(case_id, said)
        org.people.reply(case_id, answered)
        command("sync", "--once")

    reasons = Decision.objects.filter(thread=case_id).values_list("category__code", flat=True)
    assert len(reasons) > 10
    assert set(reasons) == {"delivery.late"}
    assert org.row("Case", case_id)["Contact_Reason__c"] == "delivery.late"
    assert org.ledger.writes_by_case()[case_id] <= 2
