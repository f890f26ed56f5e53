"""History tells who changed a tracked field, as far as Salesforce does."""

from datetime import timedelta

import pytest
from simple_salesforce.exceptions import SalesforceMalformedRequest

from sfsync.local_org.records import Record, Said

QUIET = {"Sforce-Auto-Assign": "FALSE"}
QUERY = "SELECT Field, OldValue, NewValue, DataType, CreatedById, CreatedDate FROM CaseHistory"


@pytest.fixture
def case_id(org):
    org.deploy_contact_reason(["billing", "refund"])
    [case_id] = org.load([Record("r", (Said("customer", "x"),), "web")])
    return case_id


def history(sf):
    rows = sf.query(f"{QUERY} ORDER BY CreatedDate, Id")["records"]
    return [(row["Field"], row["OldValue"], row["NewValue"]) for row in rows]


def test_a_tracked_field_is_told_apart_by_user(sf, org, clock, case_id):
    sf.Case.update(case_id, {"Contact_Reason__c": "billing"}, headers=QUIET)
    clock.go_on(seconds=1)
    org.people.edit_case(case_id, {"Contact_Reason__c": "refund"}, by="Ann Bell")

    rows = sf.query(f"{QUERY} ORDER BY CreatedDate")["records"]
    assert [row["NewValue"] for row in rows] == ["billing", "refund"]
    assert rows[1]["OldValue"] == "billing"
    assert [row["CreatedById"] for row in rows] == [
        org.founders.integration,
        org.founders.representatives[0],
    ]


def test_nothing_is_recorded_where_a_case_is_made_or_stays_as_it_is(sf, org, case_id):
    made = sf.Case.create({"Subject": "x", "Contact_Reason__c": "billing"}, headers=QUIET)

    sf.Case.update(made["id"], {"Contact_Reason__c": "billing"}, headers=QUIET)

    assert history(sf) == []


def test_an_untracked_field_leaves_no_trace(sf, case_id):
    sf.Case.update(case_id, {"Subject": "y"}, headers=QUIET)

    assert history(sf) == []


def test_a_multi_select_is_recorded_without_its_values(sf, case_id):
    sf.Case.update(case_id, {"Contact_Reasons__c": "billing;refund"}, headers=QUIET)

    assert history(sf) == [("Contact_Reasons__c", None, None)]


def test_a_new_owner_is_recorded_by_name_and_by_id(sf, org, case_id):
    ann, ben = org.founders.representatives[:2]
    org.people.edit_case(case_id, {"OwnerId": ann})
    before = len(history(sf))

    org.people.edit_case(case_id, {"OwnerId": ben})

    assert history(sf)[before:] == [("Owner", "Ann Bell", "Ben Cole"), ("Owner", ann, ben)]


def test_history_tells_who_and_is_found_by_field_and_time(sf, org, clock, case_id):
    org.people.change_reason(case_id, "billing", by="Ann Bell")
    clock.go_on(minutes=1)
    since = "2026-11-21T12:01:00Z"
    sf.Case.update(case_id, {"Contact_Reason__c": "refund", "Priority": "Low"}, headers=QUIET)
    clock.go_on(seconds=1)
    org.people.automation_edits(case_id, {"Contact_Reason__c": "billing"})

    rows = sf.query(
        "SELECT CaseId, OldValue, NewValue, CreatedBy.Username, CreatedBy.UserType"
        " FROM CaseHistory WHERE Field IN ('Contact_Reason__c', 'Contact_Reasons__c')"
        f" AND CreatedDate >= {since} AND CreatedBy.IsActive = true ORDER BY CreatedDate, Id"
    )["records"]

    assert [
        (row["OldValue"], row["NewValue"], row["CreatedBy"]["Username"]) for row in rows
    ] == [
        ("billing", "refund", "integration@acme.example"),
        ("refund", "billing", "automated.process@acme.example"),
    ]
    assert [row["CreatedBy"]["UserType"] for row in rows] == ["Standard", "AutomatedProcess"]
    assert {row["CaseId"] for row in rows} == {case_id}


def test_changes_of_history_are_listed_like_those_of_cases(sf, org, clock, case_id):
    org.people.change_reason(case_id, "billing")
    clock.go_on(minutes=2)

    window = (clock.now - timedelta(minutes=5), clock.now)

    assert len(sf.CaseHistory.updated(*window)["ids"]) == 1


def test_old_and_new_values_cannot_be_filtered(sf):
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.query(f"{QUERY} WHERE NewValue = 'billing'")

    assert refused.value.content[0]["errorCode"] == "INVALID_FIELD"


def test_the_history_of_one_case_is_found_by_its_case(sf, org, case_id):
    org.people.close_case(case_id)

    rows = sf.query(f"SELECT Field FROM CaseHistory WHERE CaseId = '{case_id}'")["records"]

    assert [row["Field"] for row in rows] == ["Status"]
