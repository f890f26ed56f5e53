"""The org can have a bad day, and keeps an honest account of it."""

import contextlib

import pytest
import requests
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceRefusedRequest,
)

from sfsync.local_org.faults import Storm
from sfsync.local_org.records import Record, Said

QUIET = {"Sforce-Auto-Assign": "FALSE", "Sforce-Call-Options": "client=contact-reason"}


@pytest.fixture
def case_id(org):
    [case_id] = org.load([Record("r", (Said("customer", "x"),), "web")])
    return case_id


def test_a_spent_allowance_and_a_crowd_share_a_code_but_not_a_message(sf, org):
    org.faults.allowance_spent = org.faults.too_many_at_once = 1
    refused = []
    for _ in range(2):
        with pytest.raises(SalesforceRefusedRequest) as one:
            sf.query("SELECT COUNT() FROM Case")
        refused.append(one.value.content[0])

    assert {one["errorCode"] for one in refused} == {"REQUEST_LIMIT_EXCEEDED"}
    assert refused[0]["message"] == "TotalRequests Limit exceeded."
    assert refused[1]["message"].startswith("ConcurrentRequests")
    assert sf.query("SELECT COUNT() FROM Case")["totalSize"] == 0


def test_the_allowance_really_runs_out(sf, org):
    org.api_allowance = 2
    for _ in range(2):
        sf.query("SELECT COUNT() FROM Case")

    with pytest.raises(SalesforceRefusedRequest):
        sf.query("SELECT COUNT() FROM Case")


def test_a_lost_answer_leaves_the_write_in_the_ledger(sf, org, case_id):
    org.faults.lost_answers = 1
    record = {"attributes": {"type": "Case"}, "id": case_id, "Priority": "Low"}

    with pytest.raises(requests.ConnectionError):
        sf.restful("composite/sobjects", method="PATCH", json={"records": [record]})

    assert org.ledger.writes_by_case() == {case_id: 1}


def test_a_storm_hits_a_share_of_calls_and_the_same_ones_each_time(sf, org):
    org.faults.storm = Storm(outage=0.3)
    outcomes = []
    for _ in range(60):
        try:
            sf.query("SELECT COUNT() FROM Case")
            outcomes.append(True)
        except SalesforceGeneralError:
            outcomes.append(False)

    assert 8 <= outcomes.count(False) <= 30


def test_the_ledger_knows_who_wrote_what_with_which_headers(sf, org, case_id):
    sf.Case.update(case_id, {"Priority": "Low"}, headers=QUIET)
    org.people.edit_case(case_id, {"Priority": "High"}, by="Ann Bell")

    ours, theirs = org.ledger.writes
    assert (ours.by_api, ours.user_id) == (True, org.founders.integration)
    assert ours.fields == {"Priority": "Low"}
    assert ours.headers["sforce-auto-assign"] == "FALSE"
    assert ours.headers["sforce-call-options"] == "client=contact-reason"
    assert (theirs.by_api, theirs.user_id) == (False, org.founders.representatives[0])
    assert org.ledger.writes_by_case() == {case_id: 1}


def test_a_refused_row_is_not_in_the_ledger(sf, org, case_id):
    org.faults.locked = {case_id}
    record = {"attributes": {"type": "Case"}, "id": case_id, "Priority": "Low"}

    sf.restful("composite/sobjects", method="PATCH", json={"records": [record]})

    assert org.ledger.api_writes() == []


def test_calls_are_counted_by_kind(sf, org):
    sf.query("SELECT COUNT() FROM Case")
    sf.limits()

    assert org.ledger.calls == {"GET query": 1, "GET limits": 1}
    assert (org.ledger.api_calls, org.ledger.logins) == (2, 1)


def test_tokens_and_rows_fail_in_a_storm_as_well(sf, org, case_id):
    org.faults.storm = Storm(expired_token=0.5, locked_row=0.5)
    record = {"attributes": {"type": "Case"}, "id": case_id, "Priority": "Low"}

    rows = []
    for _ in range(20):
        with contextlib.suppress(SalesforceExpiredSession):
            rows += sf.restful("composite/sobjects", method="PATCH", json={"records": [record]})

    assert {row["success"] for row in rows} == {True, False}
    assert org.ledger.logins > 1
    assert org.ledger.writes_by_case().total() == sum(row["success"] for row in rows)
