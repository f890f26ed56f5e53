"""Bulk API 2.0, asked by the client's own bulk2 and by plain REST calls."""

import csv
import io
from datetime import timedelta

import pytest
import requests
from simple_salesforce.exceptions import (
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

from sfsync.local_org.bulk import BulkJobs
from sfsync.local_org.errors import Refusal
from sfsync.local_org.faults import RowError
from sfsync.local_org.records import Record, Said
from sfsync.local_org.schema import Field, Kind

REASON = "Contact_Reason__c"


@pytest.fixture
def ids(org):
    org.deploy_contact_reason(["billing", "delivery"])
    words = (Said("customer", 'He said "no",\nthen left.'),)
    return org.load([Record(f"r{n}", words, "web", f"No. {n}") for n in range(7)])


def post(sf, kind, **body):
    return sf.restful(f"jobs/{kind}", method="POST", json=body)


def an_update(sf, **more):
    body = {"operation": "update", "object": "Case", "contentType": "CSV", "lineEnding": "LF"}
    return post(sf, "ingest", **body, **more)["id"]


def put(sf, job, text):
    client = sf.bulk2.Case._client
    client.upload_job_data(job, text)


def complete(sf, job):
    sf.restful(f"jobs/ingest/{job}", method="PATCH", json={"state": "UploadComplete"})


def state(sf, kind, job):
    return sf.restful(f"jobs/{kind}/{job}")


def results(sf, job, which):
    text = sf.bulk2.Case._client.get_ingest_results(job, which)
    return list(csv.DictReader(io.StringIO(text)))


def run(sf, clock, text, **more):
    job = an_update(sf, **more)
    put(sf, job, text)
    complete(sf, job)
    clock.go_on(seconds=5)
    return state(sf, "ingest", job)


def page(sf, job, **params):
    answer = sf.session.get(
        f"{sf.base_url}jobs/query/{job}/results",
        headers={"Authorization": f"Bearer {sf.session_id}"},
        params=params,
    )
    return list(csv.reader(io.StringIO(answer.text))), answer.headers


def test_an_ingest_job_goes_through_its_states_in_the_orgs_time(sf, org, clock, ids):
    job = an_update(sf)
    put(sf, job, f"Id,Priority\n{ids[0]},High\n")
    states = [state(sf, "ingest", job)["state"]]
    complete(sf, job)
    for seconds in (0, 2, 4):
        clock.go_on(seconds=seconds)
        states.append(state(sf, "ingest", job)["state"])

    assert states == ["Open", "UploadComplete", "InProgress", "JobComplete"]
    assert org.row("Case", ids[0])["Priority"] == "High"
    told = state(sf, "ingest", job)
    assert (told["numberRecordsProcessed"], told["numberRecordsFailed"]) == (1, 0)


def test_rows_of_an_ingest_job_succeed_and_fail_alone_in_another_order(sf, org, clock, ids):
    org.faults.locked = {ids[2]}
    org.faults.row_errors = {ids[3]: RowError("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No.")}
    lines = "".join(f"{one},billing\n" for one in ids[:4]) + f"{ids[4]},nonsense\n"

    told = run(sf, clock, f"Id,{REASON}\n{lines}")

    assert told["state"] == "JobComplete"
    assert told["numberRecordsFailed"] == 3
    failed = {row["Id"]: row["sf__Error"] for row in results(sf, told["id"], "failedResults")}
    assert failed[ids[2]].startswith("UNABLE_TO_LOCK_ROW:")
    assert failed[ids[3]] == "FIELD_CUSTOM_VALIDATION_EXCEPTION:No.: --"
    assert failed[ids[4]].startswith("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:")
    assert failed[ids[4]].endswith(f":{REASON} --")
    done = results(sf, told["id"], "successfulResults")
    assert {row["sf__Id"] for row in done} == set(ids[:2])
    assert {row["sf__Created"] for row in done} == {"false"}
    assert results(sf, told["id"], "unprocessedRecords") == []


def test_results_come_shuffled(sf, clock, ids):
    told = run(sf, clock, "Id,Priority\n" + "".join(f"{one},Low\n" for one in ids))

    order = [row["sf__Id"] for row in results(sf, told["id"], "successfulResults")]
    assert sorted(order) == sorted(ids)
    assert order != ids


def test_an_empty_cell_leaves_a_field_alone_and_na_empties_it(sf, org, clock, ids):
    run(sf, clock, f"Id,{REASON},Priority\n{ids[0]},billing,High\n{ids[1]},billing,High\n")
    run(sf, clock, f"Id,{REASON},Priority\n{ids[0]},,Low\n{ids[1]},#N/A,\n")

    first, second = org.row("Case", ids[0]), org.row("Case", ids[1])
    assert (first[REASON], first["Priority"]) == ("billing", "Low")
    assert (second[REASON], second["Priority"]) == (None, "High")


def test_quotes_commas_and_line_breaks_travel_both_ways(sf, org, clock, ids):
    run(sf, clock, f'Id,Subject\n{ids[0]},"a ""b"", c\nd"\n')

    assert org.row("Case", ids[0])["Subject"] == 'a "b", c\nd'
    job = post(sf, "query", operation="query", query="SELECT Id, Subject FROM Case")["id"]
    clock.go_on(seconds=5)
    rows, _ = page(sf, job)
    assert [row[1] for row in rows if row[0] == ids[0]] == ['a "b", c\nd']


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("Id,Nonsense__c\n{},x\n", "InvalidBatch : Field name not found : Nonsense__c"),
        ("Id,Priority\r\n{},x\r\n", "ClientInputError : LineEnding is invalid on user data."),
        ("Id,Priority\n{},x,y\n", "InvalidBatch : The row has another number of columns"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_fails_the_job_unprocessed(
    sf, org, clock, ids, text, error
):
    told = run(sf, clock, text.format(ids[0]))

    assert told["state"] == "Failed"
    assert told["errorMessage"].startswith(error)
    assert len(results(sf, told["id"], "unprocessedRecords")) == 1
    assert org.ledger.api_writes() == []


def test_the_assignment_rule_runs_only_where_the_job_asks_for_it(sf, org, clock, ids):
    owner = org.row("Case", ids[0])["OwnerId"]
    run(sf, clock, f"Id,Priority\n{ids[0]},Low\n")
    assert org.row("Case", ids[0])["OwnerId"] == owner

    run(sf, clock, f"Id,Priority\n{ids[0]},High\n", assignmentRuleId="01Q000000000001AAA")
    assert org.row("Case", ids[0])["OwnerId"] != owner


def test_a_field_without_permission_fails_its_rows(sf, org, clock, ids):
    org.deploy_fields([Field("Hidden__c", Kind.STRING, length=20)])

    told = run(sf, clock, f"Id,Hidden__c\n{ids[0]},billing\n")

    [row] = results(sf, told["id"], "failedResults")
    assert row["sf__Error"].startswith("INVALID_FIELD_FOR_INSERT_UPDATE:")


def test_an_upload_is_taken_once_and_an_aborted_job_writes_nothing(sf, org, clock, ids):
    job = an_update(sf)
    put(sf, job, f"Id,Priority\n{ids[0]},Low\n")
    with pytest.raises(SalesforceMalformedRequest):
        put(sf, job, f"Id,Priority\n{ids[1]},Low\n")

    sf.restful(f"jobs/ingest/{job}", method="PATCH", json={"state": "Aborted"})
    with pytest.raises(SalesforceMalformedRequest):
        complete(sf, job)
    clock.go_on(seconds=5)

    assert state(sf, "ingest", job)["state"] == "Aborted"
    assert org.ledger.api_writes() == []


def test_a_job_left_open_is_aborted_by_its_age(sf, clock, ids):
    job = an_update(sf)
    clock.go_on(days=8)

    assert state(sf, "ingest", job)["state"] == "Aborted"


def test_a_query_comes_in_pages_by_locator_the_last_one_saying_null(sf, org, clock, ids):
    query = "SELECT Id, CaseNumber, Owner.Name, CreatedDate, IsClosed FROM Case"
    job = post(sf, "query", operation="query", query=query)["id"]
    with pytest.raises(SalesforceMalformedRequest):
        sf.bulk2.Case._client.get_query_results(job)
    clock.go_on(seconds=5)

    assert state(sf, "query", job)["numberRecordsProcessed"] == 7
    seen, locators, locator = [], [], ""
    while locator != "null":
        rows, headers = page(sf, job, maxRecords=3, **({"locator": locator} if locator else {}))
        assert rows[0] == ["Id", "CaseNumber", "Owner.Name", "CreatedDate", "IsClosed"]
        assert headers["Sforce-NumberOfRecords"] == str(len(rows) - 1)
        seen += rows[1:]
        locator = headers["Sforce-Locator"]
        locators.append(locator)
    assert [row[0] for row in seen] == ids
    assert len(locators) == 3
    assert seen[0][3] == org.row("Case", ids[0])["CreatedDate"].strftime(
        "%Y-%m-%dT%H:%M:%S.000Z"
    )
    assert seen[0][4] == "false"


def test_the_clients_own_bulk_query_reads_the_same_rows(sf, org, clock, ids):
    org.faults.bulk_queued_for = org.faults.bulk_running_for = timedelta(0)

    [text] = list(sf.bulk2.Case.query("SELECT Id FROM Case", max_records=50, wait=0))

    assert [row["Id"] for row in csv.DictReader(io.StringIO(text))] == ids


def test_the_clients_own_bulk_update_writes_rows(sf, org, clock, ids):
    org.faults.bulk_queued_for = org.faults.bulk_running_for = timedelta(0)

    [done] = sf.bulk2.Case.update(records=[{"Id": ids[0], "Priority": "Low"}], wait=0)

    assert done["numberRecordsProcessed"] == 1
    assert org.row("Case", ids[0])["Priority"] == "Low"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT COUNT(Id) FROM Case",
        "SELECT Id, (SELECT Id FROM CaseComments) FROM Case",
        "SELECT Id FROM Case LIMIT 5 OFFSET 5",
        "SELECT Nonsense FROM Case",
    ],
)
def test_a_query_that_bulk_does_not_know_makes_no_job(sf, ids, query):
    with pytest.raises(SalesforceMalformedRequest):
        post(sf, "query", operation="query", query=query)

    assert sf.restful("jobs/query")["records"] == []


def test_a_job_is_there_for_its_maker_alone(org):
    jobs, (ann, bob) = BulkJobs(org), ("005000000000001AAA", "005000000000002AAA")
    job = jobs.create("query", {"operation": "query", "query": "SELECT Id FROM Case"}, ann, 66)

    assert [one["id"] for one in jobs.listed("query", ann)] == [job["id"]]
    assert jobs.listed("query", bob) == jobs.listed("ingest", ann) == []
    with pytest.raises(Refusal):
        jobs.find("query", str(job["id"]), bob)


def test_each_bulk_call_counts_and_the_days_jobs_are_limited(sf, org, ids):
    before = org.ledger.api_calls
    an_update(sf)

    limits = sf.restful("limits")

    assert org.ledger.api_calls == before + 2
    assert limits["DailyBulkApiBatches"] == {"Max": 15000, "Remaining": 14999}
    assert limits["DailyBulkV2QueryJobs"]["Remaining"] == 10000


def test_results_ask_for_the_jobs_own_api_version(sf, clock, ids):
    job = post(sf, "query", operation="query", query="SELECT Id FROM Case")["id"]
    clock.go_on(seconds=5)
    sf.base_url = sf.base_url.replace("/v66.0/", "/v65.0/")

    answer = sf.session.get(
        f"{sf.base_url}jobs/query/{job}/results",
        headers={"Authorization": f"Bearer {sf.session_id}"},
    )

    assert answer.status_code == 409


def test_a_stuck_job_runs_and_runs_until_the_org_recovers(sf, org, clock, ids):
    org.faults.bulk_stuck = True
    told = run(sf, clock, f"Id,Priority\n{ids[0]},Low\n")
    clock.go_on(hours=9)
    assert state(sf, "ingest", told["id"])["state"] == "InProgress"

    org.faults.bulk_stuck = False

    assert state(sf, "ingest", told["id"])["state"] == "JobComplete"


def test_a_job_may_fail_as_a_whole_and_results_may_be_forgotten(sf, org, clock, ids):
    org.faults.bulk_failures = 1
    failed = run(sf, clock, f"Id,Priority\n{ids[0]},Low\n")
    fine = run(sf, clock, f"Id,Priority\n{ids[1]},Low\n")
    org.faults.bulk_results_expired = True

    assert (failed["state"], fine["state"]) == ("Failed", "JobComplete")
    with pytest.raises((SalesforceResourceNotFound, SalesforceGeneralError)):
        results(sf, fine["id"], "successfulResults")


@pytest.mark.parametrize("kind", ["POST jobs/ingest", "PATCH jobs/ingest/*"])
def test_an_answer_is_lost_at_the_step_that_is_named(sf, org, ids, kind):
    org.faults.lost_answers_to[kind] = 1

    with pytest.raises(requests.ConnectionError):
        complete(sf, an_update(sf))

    jobs = sf.restful("jobs/ingest")["records"]
    assert [job["state"] for job in jobs] == [
        "Open" if kind.startswith("POST") else "UploadComplete"
    ]
