"""A record becomes a Case whose every customer word can be read through the API."""

import gzip
import html
import json
import re
from datetime import timedelta

import pytest
from simple_salesforce.exceptions import SalesforceMalformedRequest

from sfsync.local_org.door import InProcessDoor
from sfsync.local_org.moments import parsed
from sfsync.local_org.org import LocalOrg
from sfsync.local_org.records import CHANNELS, Record, Said, read_records
from tests.sfsync.local_org.conftest import NOW

TURNS = (
    Said("customer", 'It says "<error> & more"\n\nwhy?'),
    Said("representative", "Which page?"),
    Said("customer", "The äöü page — 第二頁 🙂"),
    Said("bot", "One moment"),
    Said("customer", "x" * 9000),
)


def words_of(sf, case_id):
    """Return all text of a Case as a client can read it, by source."""
    case = sf.Case.get(case_id)
    mails = sf.query(
        "SELECT TextBody, HtmlBody FROM EmailMessage"
        f" WHERE ParentId = '{case_id}' ORDER BY MessageDate, Id"
    )
    comments = sf.query(
        f"SELECT CommentBody FROM CaseComment WHERE ParentId = '{case_id}' ORDER BY Id"
    )
    texts = [case["Description"] or ""]
    for row in mails["records"]:
        body = row["HtmlBody"] and re.sub("<[^>]+>", "", row["HtmlBody"].replace("<br>", "\n"))
        texts.append(row["TextBody"] or html.unescape(body))
    texts.append("".join(row["CommentBody"] for row in comments["records"]))
    sessions = sf.query(
        "SELECT Conversation.ConversationIdentifier FROM MessagingSession"
        f" WHERE CaseId = '{case_id}'"
    )
    for row in sessions["records"]:
        identifier = row["Conversation"]["ConversationIdentifier"]
        page = sf.restful(
            f"connect/conversation/{identifier}/entries", params={"recordLimit": 1000}
        )
        texts += [one.get("messageText", "") for one in page["conversationEntries"]]
    return texts


@pytest.mark.parametrize("channel", ["email", "web", "comments", "messaging"])
@pytest.mark.parametrize("key", ["one", "two", "three", "four"])
def test_every_customer_word_is_there_in_every_channel(sf, org, channel, key):
    [case_id] = org.load([Record(key, TURNS, channel)])

    texts = words_of(sf, case_id)

    for turn in TURNS:
        assert any(turn.text in text for text in texts), turn.text[:20]


@pytest.mark.parametrize("channel", ["email", "web", "comments"])
def test_a_text_over_every_limit_is_spread_not_cut(sf, org, channel):
    text = " ".join(str(number) for number in range(40_000))
    [case_id] = org.load([Record("long", (Said("customer", text),), channel)])

    description, *rest = words_of(sf, case_id)

    assert len(description) == 32_000
    assert text == ("".join(rest) if channel == "email" else description + "".join(rest))


def test_email_repeats_the_first_words_in_the_description_and_quotes_at_times(sf, org):
    turns = (Said("customer", "first"), Said("representative", "second")) * 10
    [case_id] = org.load([Record("q", turns, "email")])

    rows = sf.query(
        f"SELECT TextBody, HtmlBody, Incoming FROM EmailMessage WHERE ParentId = '{case_id}'"
    )["records"]

    bodies = [row["TextBody"] or "" for row in rows]
    assert sf.Case.get(case_id)["Description"] == "first"
    assert [row["Incoming"] for row in rows] == [True, False] * 10
    assert any("wrote:\n> " in body for body in bodies)
    assert any(body in {"first", "second"} for body in bodies)
    assert any(row["TextBody"] is None and row["HtmlBody"] for row in rows)


def test_portal_comments_are_written_by_the_users_who_said_them(sf, org):
    org.load([Record("c", TURNS[:4], "comments")])

    rows = sf.query("SELECT CreatedBy.UserType FROM CaseComment ORDER BY CreatedDate, Id")

    assert [row["CreatedBy"]["UserType"] for row in rows["records"]] == [
        "Standard",
        "CspLitePortal",
        "AutomatedProcess",
    ]


def test_the_past_is_spread_over_the_days_before_now_and_nothing_is_ahead(sf, org):
    org.load([Record(f"r{n}", TURNS[:3]) for n in range(200)])

    for sobject in ("Case", "EmailMessage", "CaseComment", "MessagingSession"):
        rows = sf.query_all(f"SELECT CreatedDate, SystemModstamp FROM {sobject}")["records"]
        created = [parsed(row["CreatedDate"]) for row in rows]
        assert rows
        assert max(created) <= NOW
        assert min(created) >= NOW - timedelta(days=25)
        assert max(parsed(row["SystemModstamp"]) for row in rows) <= NOW
    assert max(created) - min(created) > timedelta(days=15)


def test_some_cases_are_closed_some_lie_in_queues_some_have_no_subject(sf, org):
    org.load([Record(f"r{n}", TURNS[:1]) for n in range(200)])

    def share(condition):
        return sf.query(f"SELECT COUNT() FROM Case WHERE {condition}")["totalSize"] / 200

    assert 0.1 < share("IsClosed = true") < 0.5
    assert share("IsClosed = true AND ClosedDate = null") == 0
    assert 0.2 < share("Owner.Type = 'Queue'") < 0.6
    assert 0.02 < share("Subject = null") < 0.35
    for origin in ("Email", "Web", "Portal", "Messaging", "Chat", "Phone", "Social"):
        assert share(f"Origin = '{origin}'") > 0.04


def test_an_unknown_or_missing_channel_is_drawn_so_that_all_occur(org):
    records = [
        {"id": f"r{n}", "text": "x", "channel": "pigeon" if n % 2 else ""} for n in range(99)
    ]

    org.load(Record.parse(one) for one in records)

    assert set(org.ledger.cases_by_channel) == set(CHANNELS)
    assert sum(org.ledger.cases_by_channel.values()) == 99


def test_an_org_without_a_feature_gets_no_words_through_it(org, clock, connect):
    bare = LocalOrg(clock, lacks=("LiveChatTranscript", "VoiceCall", "SocialPost"))
    bare.tokens.rename_app(org.app.client_id, org.app.client_secret)
    bare.load(Record(f"r{n}", TURNS[:1]) for n in range(99))

    assert set(CHANNELS) - set(bare.ledger.cases_by_channel) == {"chat", "voice", "social"}
    with pytest.raises(SalesforceMalformedRequest) as refused:
        connect(InProcessDoor(bare)).query("SELECT Id FROM VoiceCall")
    assert refused.value.content[0]["errorCode"] == "INVALID_TYPE"


def test_a_web_form_tells_name_address_and_number(sf, org):
    org.load([Record("w", TURNS[:1], "web")])

    [case] = sf.query("SELECT Origin, SuppliedName, SuppliedEmail, SuppliedPhone FROM Case")[
        "records"
    ]

    assert case["Origin"] == "Web"
    assert case["SuppliedName"] == "Max Noor"
    assert case["SuppliedEmail"] == "max.noor@mail.example"
    assert case["SuppliedPhone"].startswith("+44 7700")


def test_the_same_file_makes_the_same_org(clock):
    def rows():
        org = LocalOrg(clock, seed=5)
        org.load([Record(f"r{n}", TURNS) for n in range(40)])
        return {name: list(table) for name, table in org.tables.items()}

    assert rows() == rows()


def test_a_case_that_comes_in_now_is_stamped_now(sf, org):
    org.people.open_case(Record("n", TURNS[:3], "email"))

    [case] = sf.query("SELECT CreatedDate, IsClosed FROM Case")["records"]
    mails = sf.query("SELECT CreatedDate FROM EmailMessage")["records"]

    assert case == {**case, "CreatedDate": "2026-11-21T12:00:30.000+0000", "IsClosed": False}
    assert {row["CreatedDate"] for row in mails} == {"2026-11-21T12:00:30.000+0000"}


def test_the_subject_of_a_record_is_kept(sf, org):
    org.load([Record("s", TURNS, "web", subject="Broken page")])

    assert sf.query("SELECT Subject FROM Case")["records"][0]["Subject"] == "Broken page"


def test_a_record_without_a_word_is_a_case_without_a_word(sf, org):
    [case_id] = org.load([Record("empty", ())])

    assert "".join(words_of(sf, case_id)) == ""


@pytest.mark.parametrize("name", ["cases.jsonl", "cases.jsonl.gz"])
def test_a_file_is_read_plain_or_packed_and_by_split(tmp_path, name):
    lines = [
        {"id": "1", "text": "one", "labels": ["a"], "split": "train"},
        {"id": "2", "turns": [{"speaker": "bot", "text": "two"}], "split": "test"},
    ]
    text = "\n".join(json.dumps(line) for line in lines) + "\n\n"
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())

    every, test = list(read_records(path)), list(read_records(path, "test"))

    assert [one.turns for one in every] == [(Said("customer", "one"),), (Said("bot", "two"),)]
    assert [one.key for one in test] == ["2"]


@pytest.mark.parametrize("line", ["{}", "nonsense", "[]"])
def test_a_line_that_is_no_record_is_named(tmp_path, line):
    path = tmp_path / "cases.jsonl"
    path.write_text('{"id": "1", "text": "fine"}\n' + line + "\n")

    with pytest.raises(ValueError, match="line 2"):
        list(read_records(path))
