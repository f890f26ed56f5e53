"""Composite: many calls in one, each with headers and an outcome of its own."""

from datetime import timedelta

import pytest
from simple_salesforce.exceptions import SalesforceMalformedRequest

from sfsync.local_org.moments import http_date
from sfsync.local_org.records import Record, Said

BASE = "/services/data/v66.0"
FALSE = {"Sforce-Auto-Assign": "FALSE"}


@pytest.fixture
def ids(org):
    return org.load([Record(f"r{n}", (Said("customer", "Help"),), "web") for n in range(3)])


def patch(case_id, number=0, headers=FALSE, **fields):
    return {
        "method": "PATCH",
        "url": f"{BASE}/sobjects/Case/{case_id}",
        "referenceId": f"case{number}",
        "httpHeaders": headers,
        "body": fields or {"Priority": "Low"},
    }


def query(number=0):
    text = "SELECT+Id+FROM+Case+ORDER+BY+Id"
    return {"method": "GET", "url": f"{BASE}/query?q={text}", "referenceId": f"query{number}"}


def post(sf, parts, **rest):
    body = {"compositeRequest": parts, **rest}
    return sf.restful("composite", method="POST", json=body)["compositeResponse"]


def unmodified_since(org, case_id, **later):
    moment = org.row("Case", case_id)["LastModifiedDate"] + timedelta(**later)
    return {**FALSE, "If-Unmodified-Since": http_date(moment)}


def statuses(parts):
    return [part["httpStatusCode"] for part in parts]


def test_subrequests_succeed_and_fail_alone_in_the_order_given(sf, org, ids):
    org.people.delete_case(ids[1])

    parts = post(sf, [patch(one, n) for n, one in enumerate(ids)])

    assert statuses(parts) == [204, 404, 204]
    assert [part["referenceId"] for part in parts] == ["case0", "case1", "case2"]
    assert parts[0]["body"] is None
    assert parts[1]["body"][0]["errorCode"] == "ENTITY_IS_DELETED"
    assert sf.Case.get(ids[2])["Priority"] == "Low"


def test_a_composite_counts_as_one_call(sf, org, ids):
    before = org.ledger.api_calls

    post(sf, [patch(one, n) for n, one in enumerate(ids)])

    assert org.ledger.api_calls == before + 1


def test_twenty_five_subrequests_fit_and_one_more_does_not(sf, org, ids):
    assert statuses(post(sf, [patch(ids[0], n) for n in range(25)])) == [204] * 25

    with pytest.raises(SalesforceMalformedRequest):
        post(sf, [patch(ids[0], n) for n in range(26)])

    assert org.ledger.writes_by_case()[ids[0]] == 25


def test_five_of_them_may_be_queries_or_collections(sf, org, ids):
    records = [{"attributes": {"type": "Case"}, "id": ids[0], "Priority": "Low"}]
    rows = {
        "method": "PATCH",
        "url": f"{BASE}/composite/sobjects",
        "referenceId": "rows",
        "httpHeaders": FALSE,
        "body": {"records": records},
    }
    five = [*(query(n) for n in range(4)), rows]

    parts = post(sf, five)

    assert statuses(parts) == [200] * 5
    assert [row["Id"] for row in parts[0]["body"]["records"]] == sorted(ids)
    assert parts[4]["body"] == [{"id": ids[0], "success": True, "errors": []}]
    with pytest.raises(SalesforceMalformedRequest):
        post(sf, [*five, query(5)])


def test_a_subrequest_without_the_header_loses_the_case_to_the_assignment_rule(sf, org, ids):
    owners = [org.row("Case", one)["OwnerId"] for one in ids[:2]]
    sf.session.headers["Sforce-Auto-Assign"] = "FALSE"  # the outer one does not count

    post(sf, [patch(ids[0], 0), patch(ids[1], 1, headers={})])

    (triage,) = (row["Id"] for row in org.table("Group") if row["Name"] == "Triage")
    assert org.row("Case", ids[0])["OwnerId"] == owners[0]
    assert org.row("Case", ids[1])["OwnerId"] == triage


def test_all_or_none_rolls_everything_back(sf, org, ids):
    was = [org.row("Case", one) for one in ids]

    parts = post(sf, [patch(ids[0], 0), patch(ids[1], 1, Nothing__c="x")], allOrNone=True)

    assert [part["body"][0]["errorCode"] for part in parts] == [
        "PROCESSING_HALTED",
        "INVALID_FIELD",
    ]
    assert [org.row("Case", one) for one in ids] == was
    assert org.ledger.api_writes() == []


def test_a_new_row_that_is_rolled_back_is_gone(sf, org, ids):
    comment = {
        "method": "POST",
        "url": f"{BASE}/sobjects/CaseComment",
        "referenceId": "comment",
        "body": {"ParentId": ids[0], "CommentBody": "Hello"},
    }

    post(sf, [comment, patch(ids[1], 1, Nothing__c="x")], allOrNone=True)

    assert len(org.table("CaseComment")) == 0
    assert org.table("CaseComment").find("ParentId", [ids[0]]) == []


def test_a_later_subrequest_may_name_what_came_of_an_earlier_one(sf, org, ids):
    comment = {
        "method": "POST",
        "url": f"{BASE}/sobjects/CaseComment",
        "referenceId": "comment",
        "body": {"ParentId": "@{found.records[0].Id}", "CommentBody": "Hello"},
    }

    parts = post(sf, [query() | {"referenceId": "found"}, comment])
    lost = post(sf, [patch(ids[0], 0, Nothing__c="x"), patch("@{case0.id}", 1)])

    assert statuses(parts) == [200, 201]
    assert len(org.table("CaseComment").find("ParentId", [min(ids)])) == 1
    assert lost[1]["body"][0]["errorCode"] == "PROCESSING_HALTED"


# Conditions


def test_a_case_changed_since_is_left_alone_with_412(sf, org, clock, ids):
    known = [unmodified_since(org, one) for one in ids[:2]]
    clock.go_on(seconds=1)
    org.people.edit_case(ids[0], {"Priority": "High"})

    parts = post(sf, [patch(one, n, known[n]) for n, one in enumerate(ids[:2])])

    assert statuses(parts) == [412, 204]
    assert org.row("Case", ids[0])["Priority"] == "High"


def test_an_edit_within_the_same_second_passes_the_condition(sf, org, clock, ids):
    org.people.edit_case(ids[0], {"Priority": "High"})
    known = unmodified_since(org, ids[0])
    org.people.edit_case(ids[0], {"Priority": "Medium"})

    assert statuses(post(sf, [patch(ids[0], 0, known)])) == [204]


def test_an_org_may_not_heed_conditions_inside_composite(sf, org, clock, ids):
    org.honours_conditions_in_composite = False
    stale = unmodified_since(org, ids[0], days=-1)

    assert statuses(post(sf, [patch(ids[0], 0, stale)])) == [204]


def test_a_date_that_is_none_fails_its_subrequest(sf, ids):
    parts = post(sf, [patch(ids[0], 0, {**FALSE, "If-Unmodified-Since": "soon"})])

    assert statuses(parts) == [400]


def test_a_read_of_what_did_not_change_is_304_without_a_body(sf, org, ids):
    headers = {"If-Modified-Since": unmodified_since(org, ids[0])["If-Unmodified-Since"]}
    url = f"{BASE}/sobjects/Case/{ids[0]}"
    get = {"method": "GET", "url": url, "referenceId": "it", "httpHeaders": headers}

    (part,) = post(sf, [get])

    assert (part["httpStatusCode"], part["body"]) == (304, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"referenceId": "1st"},
        {"referenceId": None},
        {"method": "BREW"},
        {"url": "/services/data/v66.0/composite"},
        {"url": "https://elsewhere.example/"},
        {"httpHeaders": {"Authorization": "Bearer x"}},
        {"httpHeaders": "x"},
    ],
)
def test_a_malformed_subrequest_fails_the_whole_call(sf, org, ids, wrong):
    with pytest.raises(SalesforceMalformedRequest):
        post(sf, [patch(ids[0], 0), patch(ids[1], 1) | wrong])

    assert org.ledger.api_writes() == []


@pytest.mark.parametrize("parts", [None, [], "x", [1]])
def test_there_must_be_subrequests(sf, parts):
    with pytest.raises(SalesforceMalformedRequest):
        post(sf, parts)


def test_references_are_given_once(sf, ids):
    with pytest.raises(SalesforceMalformedRequest):
        post(sf, [patch(ids[0]), patch(ids[1])])
