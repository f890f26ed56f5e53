"""People work on Cases, customers write again, the same way for the same seed."""

import re

import pytest

from sfsync.local_org.errors import Refusal
from sfsync.local_org.org import LocalOrg
from sfsync.local_org.records import Record, Said


@pytest.fixture
def case_id(org):
    [case_id] = org.load([Record("r", (Said("customer", "x"),), "web")])
    return case_id


def test_a_representative_writes_without_field_security_but_within_the_picklist(org, case_id):
    org.deploy_contact_reason(["billing"])

    org.people.edit_case(case_id, {"Contact_Reason__c": "billing"}, by="Ben Cole")

    assert org.row("Case", case_id)["Contact_Reason__c"] == "billing"
    with pytest.raises(Refusal, match="restricted picklist"):
        org.people.edit_case(case_id, {"Contact_Reason__c": "weather"})


def test_a_person_keeps_the_owner(org, case_id):
    before = org.row("Case", case_id)["OwnerId"]

    org.people.edit_case(case_id, {"Priority": "Low"})

    assert org.row("Case", case_id)["OwnerId"] == before


def test_mail_of_the_customer_comes_in_and_mail_of_the_desk_goes_out(sf, org, case_id):
    org.people.customer_emails(case_id, "Any news?")
    org.people.reply(case_id, "Soon.", by="Ann Bell")

    rows = sf.query("SELECT Incoming, TextBody, ParentId, CreatedBy.Name FROM EmailMessage")
    assert [
        (row["Incoming"], row["TextBody"], row["CreatedBy"]["Name"]) for row in rows["records"]
    ] == [(True, "Any news?", "Automated Process"), (False, "Soon.", "Ann Bell")]
    assert {row["ParentId"] for row in rows["records"]} == {case_id}


def test_comments_tell_customers_from_representatives_by_their_user(sf, org, case_id):
    org.people.customer_comments(case_id, "Any news?")
    org.people.comment(case_id, "Soon.")

    rows = sf.query("SELECT CommentBody, CreatedBy.UserType FROM CaseComment ORDER BY Id")

    assert [row["CreatedBy"]["UserType"] for row in rows["records"]] == [
        "CspLitePortal",
        "Standard",
    ]


def test_a_message_joins_the_session_and_touches_it(sf, org, clock):
    [case_id] = org.load([Record("m", (Said("customer", "Hello"),), "messaging")])
    [before] = sf.query("SELECT Id, SystemModstamp FROM MessagingSession")["records"]

    session_id = org.people.customer_messages(case_id, "Are you there?")

    [after] = sf.query("SELECT Id, SystemModstamp FROM MessagingSession")["records"]
    assert before["Id"] == after["Id"] == session_id
    assert after["SystemModstamp"] > before["SystemModstamp"]
    [entries] = org.entries.values()
    assert entries[-1].text == "Are you there?"


def test_a_message_about_another_case_opens_a_session(sf, org, case_id):
    org.people.customer_messages(case_id, "Hello")

    [row] = sf.query("SELECT CaseId, Status FROM MessagingSession")["records"]
    [entries] = org.entries.values()
    assert row["CaseId"] == case_id
    assert [one.text for one in entries if one.text] == ["Hello"]


def test_thirty_messages_go_on_in_the_same_chat(sf, org, clock):
    [case_id] = org.load([Record("c", (Said("customer", "Hello"),), "chat")])
    [before] = sf.query("SELECT Id, SystemModstamp FROM LiveChatTranscript")["records"]
    turns = [Said(("customer", "representative")[n % 2], f"word {n}") for n in range(30)]
    clock.go_on(minutes=1)

    chat_id = org.people.chat_on(case_id, turns)

    [after] = sf.query("SELECT Id, Body, SystemModstamp FROM LiveChatTranscript")["records"]
    assert before["Id"] == after["Id"] == chat_id
    assert after["SystemModstamp"] > before["SystemModstamp"]
    said = re.findall(r"\) ([^:<>]+): (.*?)<br>", after["Body"])
    assert [text for _, text in said] == ["Hello", *(turn.text for turn in turns)]
    agent = re.search(r"Agent ([^<]+)<", after["Body"])[1]
    assert [name for name, _ in said[-2:]] == ["Visitor", agent]


def test_somebody_unknown_is_an_error(org, case_id):
    with pytest.raises(KeyError):
        org.people.edit_case(case_id, {"Priority": "Low"}, by="Nobody")


def test_the_same_seed_gives_the_same_days(clock):
    def days(seed):
        org = LocalOrg(clock, seed=seed)
        org.load([Record(f"r{n}", (Said("customer", "x"),)) for n in range(30)])
        return [org.people.act() for _ in range(25)]

    assert days(1) == days(1)
    assert days(1) != days(2)


def test_an_org_without_cases_leaves_people_nothing_to_do(org):
    with pytest.raises(Refusal):
        org.people.act()


def test_automated_work_moves_one_stamp_only(sf, org, clock, case_id):
    before = sf.Case.get(case_id)
    clock.go_on(minutes=1)

    org.people.system_touches(case_id)

    after = sf.Case.get(case_id)
    assert after["SystemModstamp"] == "2026-11-21T12:01:30.000+0000"
    assert after["LastModifiedDate"] == before["LastModifiedDate"]
    assert history_of(sf, case_id) == []


def history_of(sf, case_id):
    return sf.query(f"SELECT Id FROM CaseHistory WHERE CaseId = '{case_id}'")["records"]
