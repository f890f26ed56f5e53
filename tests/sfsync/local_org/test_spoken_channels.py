"""Chats, calls, call logs, files, own rows and posts hold what was said, in Salesforce's shapes."""

import html
import json
import re
from datetime import timedelta

import pytest
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceResourceNotFound

from sfsync.local_org import chats
from sfsync.local_org.moments import parsed
from sfsync.local_org.records import Record, Said
from sfsync.local_org.speech import FILLERS, LONG_CALL_WORDS
from tests.sfsync.local_org.conftest import NOW

TURNS = (
    Said("bot", "Hi, I am Pip"),
    Said("customer", 'It says: "<error> & more", I can\'t log in\nwhy?'),
    Said("representative", "Which page?"),
    Said("customer", "The äöü page — 第二頁，謝謝 🙂 for 48.90"),
    Said("representative", "One moment"),
)
KEYS = [f"key-{number}" for number in range(40)]
TURN = re.compile(r"\( ((?:\d+h )?(?:\d+m )?\d+s) \) ([^:<]+): (.*?)<br>", re.DOTALL)


def rows(sf, question):
    return sf.query_all(question)["records"]


def load(org, channel, keys=("key",), turns=TURNS, language="en"):
    return org.load([Record(key, turns, channel, language=language) for key in keys])


# Chats


def bodies(sf, org):
    load(org, "chat", KEYS)
    return [row["Body"] for row in rows(sf, "SELECT Body FROM LiveChatTranscript")]


def test_a_chat_holds_every_turn_with_offset_and_name(sf, org):
    for body in bodies(sf, org):
        turns = TURN.findall(body)
        assert [html.unescape(words) for _, _, words in turns] == [turn.text for turn in TURNS]
        assert [name for _, name, _ in turns][:2] == ["Chatbot", "Visitor"]
        assert turns[0][0] == "5s"
        assert turns[3][0] == "2m 5s"


def test_the_head_of_a_chat_is_centred_and_names_the_agent(sf, org):
    for body in bodies(sf, org):
        heads = re.findall(r'<(?:p|div) align="center">(.*?)</(?:p|div)>', body)
        assert re.fullmatch(
            r"Chat Started: \w+, \w+ \d\d, \d{4}, \d\d:\d\d:\d\d \(\+0000\)", heads[0]
        )
        assert heads[1:3] == ["Chat Origin: Live Chat Button", "Agent Chatbot"]
        agents = {name for _, name, _ in TURN.findall(body)} - {"Visitor"}
        assert {f"Agent {name}" for name in agents} <= set(heads)


def test_chats_are_as_untidy_as_real_ones(sf, org):
    found = bodies(sf, org)

    assert any(re.search(r"<br>\( (\d+m )?\d+s \)\Z", body) for body in found)
    assert any(body.endswith("<br>") for body in found)
    assert any('<div align="center">' in body for body in found)
    assert any(body.count("Chat Transferred From") > 1 for body in found)
    assert any("File transfer succeeded" in body for body in found)
    assert all("can&#39;t" in body and "&quot;&lt;error&gt; &amp;" in body for body in found)


def test_the_row_of_a_chat_tells_case_owner_and_times(sf, org):
    [case_id] = load(org, "chat")

    [row] = rows(
        sf,
        "SELECT CaseId, ChatKey, Owner.Type, Status, StartTime, EndTime, CreatedBy.UserType"
        " FROM LiveChatTranscript",
    )

    assert (row["CaseId"], row["Owner"]["Type"], row["Status"]) == (
        case_id,
        "User",
        "Completed",
    )
    assert parsed(row["StartTime"]) < parsed(row["EndTime"]) <= NOW
    with pytest.raises(SalesforceMalformedRequest, match="can not be filtered"):
        sf.query("SELECT Id FROM LiveChatTranscript WHERE Body LIKE '%login%'")


@pytest.mark.parametrize(
    ("seconds", "shown"), [(5, "( 5s )"), (73, "( 1m 13s )"), (3_723, "( 1h 2m 3s )")]
)
def test_offsets_are_told_in_hours_minutes_and_seconds(seconds, shown):
    assert chats.time_of(timedelta(seconds=seconds)) == shown


# Calls


def entries(sf, call):
    identifier = call["Conversation"]["ConversationIdentifier"]
    page = sf.restful(
        f"connect/conversation/{identifier}/entries", params={"recordLimit": 1000}
    )
    found = sorted(page["conversationEntries"], key=lambda one: one["serverReceivedTimestamp"])
    return [one for one in found if "messageText" in one]


CALLS = (
    "SELECT Id, RelatedRecordId, CallStartDateTime, CallEndDateTime, CallDurationInSeconds,"
    " Conversation.ConversationIdentifier FROM VoiceCall ORDER BY Id"
)


def test_a_call_is_heard_as_a_machine_hears_it(sf, org):
    [case_id] = load(org, "voice", ["short"])

    [call] = rows(sf, CALLS)
    said = entries(sf, call)

    assert call["RelatedRecordId"] == case_id
    assert [one["sender"]["role"] for one in said] == [
        "Bot",
        "EndUser",
        "Agent",
        "EndUser",
        "Agent",
    ]
    assert {record for one in said for record in one["relatedRecords"]} == {call["Id"]}
    words = " ".join(one["messageText"] for one in said)
    assert words == words.lower()
    assert not re.search(r"[?!\"<,，]", words)
    assert "48.90" in words


def letters(text, *, heard):
    words = [word for word in text.lower().split() if not (heard and word in FILLERS)]
    return "".join(filter(str.isalnum, "".join(words)))


def test_no_letter_of_a_call_is_lost_and_noise_comes_in(sf, org):
    turns = (Said("customer", "my subscription renewed itself without permission " * 20),)
    load(org, "voice", KEYS[:8], turns, "nl")

    heard = [entries(sf, call)[0]["messageText"] for call in rows(sf, CALLS)]

    for text in heard:
        assert letters(text, heard=True) == letters(turns[0].text, heard=False)
    words = {word for text in heard for word in text.split()}
    assert words & set(FILLERS)
    assert "subscr" in words


def test_some_calls_are_very_long_and_lie_in_the_past_all_the_same(sf, org):
    load(org, "voice", KEYS)

    long = []
    for call in rows(sf, CALLS):
        said = entries(sf, call)
        assert parsed(call["CallEndDateTime"]) <= NOW
        assert said[-1]["clientTimestamp"] <= NOW.timestamp() * 1000
        if sum(len(one["messageText"].split()) for one in said) >= LONG_CALL_WORDS:
            long.append(call)
    assert 1 <= len(long) <= len(KEYS) / 3


def test_a_call_has_words_only_after_it_has_ended(sf, org, clock):
    [case_id] = org.load([Record("r", (Said("customer", "x"),), "web")])
    call_id = org.people.take_call(case_id, [Said("customer", "My bill is wrong")])
    [before] = rows(sf, CALLS)

    with pytest.raises(SalesforceResourceNotFound):
        entries(sf, before)
    clock.go_on(minutes=4)
    org.people.hang_up(call_id)

    [after] = rows(sf, CALLS)
    assert (before["CallEndDateTime"], after["CallDurationInSeconds"]) == (None, 240)
    [said] = entries(sf, after)
    assert letters(said["messageText"], heard=True) == "mybilliswrong"


# Call logs


def test_a_call_is_logged_as_a_task_among_others_that_are_none(sf, org):
    case_ids = load(org, "call_log", KEYS)

    tasks = rows(
        sf,
        "SELECT WhatId, What.Type, TaskSubtype, CallType, CallDurationInSeconds, Description,"
        " Subject, Status, ActivityDate FROM Task",
    )

    calls = [task for task in tasks if task["TaskSubtype"] == "Call"]
    assert {task["WhatId"] for task in calls} == set(case_ids)
    assert {task["What"]["Type"] for task in tasks} == {"Case"}
    assert {task["CallType"] for task in calls} == {"Inbound", "Outbound"}
    assert all(task["CallDurationInSeconds"] > 0 for task in calls)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", task["ActivityDate"]) for task in tasks)
    assert calls[0]["Description"].startswith('Bot: Hi, I am Pip\nCustomer: It says: "<error>')
    others = [task for task in tasks if task["TaskSubtype"] == "Task"]
    assert others
    assert {task["CallType"] for task in others} == {None}


def test_a_long_call_log_goes_on_in_a_second_task(sf, org):
    load(org, "call_log", turns=(Said("customer", "x" * 40_000),))

    tasks = rows(sf, "SELECT Description FROM Task WHERE TaskSubtype = 'Call' ORDER BY Id")

    assert [len(task["Description"]) for task in tasks] == [32_000, 8_010]


# Files

LATEST = (
    "SELECT Id, Title, FileExtension, FileType, ContentSize, VersionNumber, VersionData,"
    " ContentDocumentId FROM ContentVersion WHERE IsLatest = true"
)


def content(sf, version):
    answer = sf.session.get(
        f"https://{sf.sf_instance}{version['VersionData']}", headers=sf.headers
    )
    return answer.content


def test_transcripts_are_attached_as_text_captions_and_json_in_turn(sf, org):
    load(org, "attachment", KEYS[:6])

    versions = rows(sf, f"{LATEST} AND FileExtension != 'png' ORDER BY Id")
    found = [content(sf, version) for version in versions]

    assert [row["FileExtension"] for row in versions] == ["txt", "vtt", "json"] * 2
    assert [row["ContentSize"] for row in versions] == [len(one) for one in found]
    text, captions, data = (one.decode() for one in found[:3])
    assert text.splitlines()[2:] == [
        "why?",
        "Agent: Which page?",
        f"Customer: {TURNS[3].text}",
        "Agent: One moment",
    ]
    cues = captions.split("\n\n")
    assert cues[0] == "WEBVTT"
    assert cues[2] == (
        "2\n00:00:12.000 --> 00:00:24.000\n"
        '<v Customer>It says: "&lt;error&gt; &amp; more", I can\'t log in\nwhy?</v>'
    )
    segments = json.loads(data)["segments"]
    assert [one["text"] for one in segments] == [turn.text for turn in TURNS]
    assert segments[1]["speaker"] == "Customer"


def test_files_of_a_case_are_found_through_their_links(sf, org):
    case_ids = load(org, "attachment", KEYS[:3])

    links = rows(
        sf,
        "SELECT LinkedEntityId, ContentDocument.LatestPublishedVersionId, ShareType"
        f" FROM ContentDocumentLink WHERE LinkedEntityId IN ('{case_ids[0]}', '{case_ids[1]}')",
    )

    assert {link["LinkedEntityId"] for link in links} == set(case_ids[:2])
    versions = {row["Id"] for row in rows(sf, LATEST)}
    assert {one["ContentDocument"]["LatestPublishedVersionId"] for one in links} <= versions


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "WHERE SystemModstamp > 2026-01-01T00:00:00Z",
        "WHERE LinkedEntityId != null",
        "WHERE LinkedEntityId = '{id}' OR ContentDocumentId = '{id}'",
        "WHERE LinkedEntityId IN ('{id}') AND SystemModstamp > 2026-01-01T00:00:00Z",
    ],
)
def test_links_are_not_told_without_the_filter_that_salesforce_demands(sf, org, condition):
    [case_id] = load(org, "attachment")

    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.query(f"SELECT Id FROM ContentDocumentLink {condition.format(id=case_id)}")

    [error] = refused.value.content
    assert error["errorCode"] == "MALFORMED_QUERY"
    assert error["message"].startswith("Implementation restriction: ")


def test_a_file_gets_a_new_version_and_the_link_stays(sf, org, clock):
    [case_id] = org.load([Record("r", (Said("customer", "x"),), "web")])
    document_id = org.people.attach(case_id, "Call", "txt", b"Customer: one")
    [link] = rows(sf, f"SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId = '{case_id}'")
    [first] = rows(sf, LATEST)
    clock.go_on(minutes=5)

    org.people.replace_file(document_id, b"Customer: one\nAgent: two")

    [second] = rows(sf, LATEST)
    everything = rows(
        sf, f"SELECT Id, IsLatest FROM ContentVersion WHERE ContentDocumentId = '{document_id}'"
    )
    assert (first["VersionNumber"], second["VersionNumber"]) == ("1", "2")
    assert content(sf, second) == b"Customer: one\nAgent: two"
    assert content(sf, first) == b"Customer: one"
    assert [row["IsLatest"] for row in everything] == [False, True]
    assert [link] == rows(
        sf, f"SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId = '{case_id}'"
    )
    [document] = rows(sf, "SELECT ContentSize, SystemModstamp FROM ContentDocument")
    assert document["ContentSize"] == 24
    assert document["SystemModstamp"] == "2026-11-21T12:05:30.000+0000"


# The org's own, and posts


def test_the_orgs_own_object_has_a_row_for_each_turn(sf, org):
    [case_id] = load(org, "custom_object")

    notes = rows(
        sf,
        "SELECT Words__c, Speaker__c, Said_At__c, Case__r.CaseNumber FROM Call_Note__c"
        f" WHERE Case__c = '{case_id}' ORDER BY Said_At__c",
    )
    [case] = rows(sf, "SELECT CaseNumber, (SELECT Id FROM Call_Notes__r) FROM Case")

    assert [note["Words__c"] for note in notes] == [turn.text for turn in TURNS]
    assert [note["Speaker__c"] for note in notes][:3] == ["Bot", "Customer", "Agent"]
    assert {note["Case__r"]["CaseNumber"] for note in notes} == {case["CaseNumber"]}
    assert case["Call_Notes__r"]["totalSize"] == 5


def test_a_long_text_field_of_the_case_holds_a_whole_call(sf, org):
    [case_id] = load(org, "case_field")

    text = sf.Case.get(case_id)["Call_Transcript__c"]

    assert text.startswith("Bot: Hi, I am Pip\nCustomer: It says")
    with pytest.raises(SalesforceMalformedRequest, match="can not be filtered"):
        sf.query("SELECT Id FROM Case WHERE Call_Transcript__c != null")


def test_posts_come_in_and_go_out(sf, org):
    load(org, "social", turns=TURNS[1:])

    posts = rows(
        sf,
        "SELECT Content, IsOutbound, Handle, Provider, MessageType, Persona.RealName"
        " FROM SocialPost ORDER BY Posted, Id",
    )

    assert [post["Content"] for post in posts] == [turn.text for turn in TURNS[1:]]
    assert [post["IsOutbound"] for post in posts] == [False, True, False, True]
    assert posts[1]["Handle"] == "acme_support"
    assert posts[0]["Persona"]["RealName"].lower().replace(" ", "_") == posts[0]["Handle"]
    assert posts[0]["MessageType"] in {"Tweet", "Post"}
    assert {post["MessageType"] for post in posts[1:]} <= {"Comment", "Direct"}


# What the org says of them

REPLICATED = {
    "LiveChatTranscript": True,
    "VoiceCall": True,
    "Task": True,
    "SocialPost": True,
    "Call_Note__c": True,
    "ContentDocument": True,
    "ContentVersion": False,
    "ContentDocumentLink": False,
}


@pytest.mark.parametrize(("name", "is_replicated"), REPLICATED.items())
def test_changes_are_listed_where_salesforce_lists_them(sf, org, clock, name, is_replicated):
    case_id = org.people.open_case(Record("r", (Said("customer", "x"),), "web"))
    people = org.people
    people.hear_more(case_id, [Said("customer", "x")], "chat")
    people.hear_more(case_id, [Said("customer", "x")], "call_log")
    people.hear_more(case_id, [Said("customer", "x")], "social")
    people.hear_more(case_id, [Said("customer", "x")], "custom_object")
    people.hear_more(case_id, [Said("customer", "x")], "voice")
    people.hear_more(case_id, [Said("customer", "x")], "attachment")
    clock.go_on(minutes=2)
    window = (clock.now - timedelta(minutes=10), clock.now)

    described = getattr(sf, name).describe()

    assert described["replicateable"] is is_replicated
    if is_replicated:
        assert len(getattr(sf, name).updated(*window)["ids"]) >= 1
    else:
        with pytest.raises(SalesforceResourceNotFound):
            getattr(sf, name).updated(*window)


def test_a_deleted_case_takes_tasks_and_links_along(sf, org):
    [case_id] = load(org, "call_log")
    org.people.attach(case_id, "Call", "txt", b"x")

    org.people.delete_case(case_id)

    link = f"SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId = '{case_id}'"
    assert rows(sf, link) == []
    assert rows(sf, "SELECT Id FROM Task") == []
