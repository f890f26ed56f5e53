"""Messages come from the Connect API, in no particular order."""

import pytest
from simple_salesforce.exceptions import (
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

from sfsync.local_org import conversations
from sfsync.local_org.records import Record, Said

TURNS = (
    Said("bot", "Hi, I am a bot"),
    Said("customer", "My bill is wrong"),
    Said("representative", "Let me see"),
    *(Said("customer", f"word {number}") for number in range(40)),
)


@pytest.fixture
def identifier(sf, org):
    """Found as a client finds it: Case, session, conversation, identifier."""
    [case_id] = org.load([Record("r", TURNS, "messaging")])
    session = sf.query(f"SELECT ConversationId FROM MessagingSession WHERE CaseId='{case_id}'")
    conversation = session["records"][0]["ConversationId"]
    found = sf.query(
        f"SELECT ConversationIdentifier FROM Conversation WHERE Id='{conversation}'"
    )
    return found["records"][0]["ConversationIdentifier"]


def entries(sf, identifier, **asked):
    return sf.restful(f"connect/conversation/{identifier}/entries", params=asked)


def in_order(page):
    found = sorted(page["conversationEntries"], key=lambda one: one["serverReceivedTimestamp"])
    return [one for one in found if "messageText" in one]


def test_every_word_is_there_with_its_speaker_once_sorted(sf, identifier):
    page = entries(sf, identifier, recordLimit=1000)

    said = [(one["sender"]["role"], one["messageText"]) for one in in_order(page)]
    assert said[:3] == [
        ("Bot", "Hi, I am a bot"),
        ("EndUser", "My bill is wrong"),
        ("Agent", "Let me see"),
    ]
    assert len(said) == 43
    assert page["hasMore"] is False


def test_entries_are_shuffled_and_some_hold_no_words(sf, identifier):
    page = entries(sf, identifier, recordLimit=1000)["conversationEntries"]

    times = [one["serverReceivedTimestamp"] for one in page]
    assert times != sorted(times)
    assert [one["sender"]["role"] for one in page if "messageText" not in one] == ["System"]


def test_25_entries_a_page_are_the_default_and_the_rest_has_an_address(sf, identifier):
    page = entries(sf, identifier, queryDirection="FromStart")
    url = f"https://{sf.sf_instance}{page['nextPageUrl']}"

    rest = sf.session.get(url, headers=sf.headers).json()

    assert (len(page["conversationEntries"]), page["hasMore"]) == (25, True)
    assert len(rest["conversationEntries"]) == 19
    assert rest["hasMore"] is False
    assert in_order(page)[0]["messageText"] == "Hi, I am a bot"


def test_the_newest_come_first_by_default(sf, identifier):
    assert in_order(entries(sf, identifier))[-1]["messageText"] == "word 39"


def test_a_window_of_time_cuts_the_entries(sf, identifier):
    everything = in_order(entries(sf, identifier, recordLimit=1000))

    page = entries(sf, identifier, startTimestamp=everything[-3]["clientTimestamp"])

    assert [one["messageText"] for one in in_order(page)] == ["word 37", "word 38", "word 39"]


def test_the_words_are_not_in_soql(sf, identifier):
    assert sf.query("SELECT Message FROM ConversationEntry")["totalSize"] == 0


def test_an_unknown_conversation_is_not_found(sf):
    with pytest.raises(SalesforceResourceNotFound):
        entries(sf, "00000000-0000-4000-8000-000000000000")


@pytest.mark.parametrize("limit", ["0", "1001", "many"])
def test_a_limit_out_of_range_is_refused(sf, identifier, limit):
    with pytest.raises(SalesforceMalformedRequest):
        entries(sf, identifier, recordLimit=limit)


def test_a_thousand_calls_an_hour_are_allowed(sf, org, clock, identifier):
    org.connect_calls.extend([clock.now] * conversations.CALLS_PER_HOUR)

    with pytest.raises(SalesforceGeneralError) as refused:
        entries(sf, identifier)
    clock.go_on(hours=1)

    assert refused.value.status == 503
    assert len(in_order(entries(sf, identifier))) == 25
