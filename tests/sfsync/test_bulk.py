"""Bulk jobs as the product sees them, in front of the local org."""

import pytest

from sfsync.bulk import BulkJobs, Kind, State, to_csv, to_failure
from sfsync.cases import CaseUpdate
from sfsync.errors import LimitExceeded, RecordGone, SalesforceRejected, SalesforceUnavailable
from sfsync.local_org.faults import RowError

pytestmark = pytest.mark.django_db
QUESTION = "SELECT Id, Subject FROM Case"


@pytest.fixture
def jobs(gateway):
    return BulkJobs(gateway)


def done(jobs, clock, *updates):
    job = jobs.start_update("Case")
    jobs.upload(job.job_id, updates)
    jobs.complete(job.job_id)
    clock.go_on(seconds=5)
    return jobs.find(Kind.INGEST, job.job_id)


def test_rows_of_a_query_come_page_by_page_until_the_last_one_says_null(
    jobs, org, clock, open_case
):
    ids = [open_case() for _ in range(5)]
    job = jobs.start_query(QUESTION)
    assert job.state is State.UPLOADED
    clock.go_on(seconds=5)

    assert jobs.find(Kind.QUERY, job.job_id).processed == 5
    pages = [jobs.page(job.job_id, "", 2)]
    while pages[-1].locator:
        pages.append(jobs.page(job.job_id, pages[-1].locator, 2))
    assert [len(page.rows) for page in pages] == [2, 2, 1]
    assert [row["Id"] for page in pages for row in page.rows] == ids


def test_results_are_matched_by_id_whatever_their_order(jobs, org, clock, open_case):
    ids = [open_case() for _ in range(6)]
    org.faults.row_errors = {ids[1]: RowError("FIELD_CUSTOM_VALIDATION_EXCEPTION", "a: b")}
    org.faults.locked = {ids[4]}

    job = done(jobs, clock, *(CaseUpdate(one, {"Priority": "Low"}) for one in ids))
    results = jobs.results(job.job_id)

    assert (job.state, job.processed, job.failed) == (State.DONE, 6, 2)
    assert {one for one, result in results.items() if result.success} == set(ids) - {
        ids[1],
        ids[4],
    }
    assert results[ids[1]].error_code == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    assert results[ids[1]].error_text == "a: b"
    assert results[ids[4]].error_code == "UNABLE_TO_LOCK_ROW"


def test_a_field_is_emptied_by_none_and_left_alone_where_a_row_leaves_it_out(
    jobs, org, clock, open_case
):
    first, second = open_case(), open_case()
    done(
        jobs,
        clock,
        CaseUpdate(first, {"Subject": None}),
        CaseUpdate(second, {"Priority": "Low"}),
    )

    assert org.row("Case", first)["Subject"] is None
    assert org.row("Case", second)["Subject"] == "Hello"


def test_a_row_without_an_answer_is_in_no_result(jobs, org, clock, open_case):
    org.faults.bulk_failures = 1
    job = done(jobs, clock, CaseUpdate(open_case(), {"Priority": "Low"}))

    assert job.state is State.FAILED
    assert jobs.results(job.job_id) == {}


def test_a_job_whose_id_was_lost_with_the_answer_is_found_among_ours(jobs, org, gateway):
    since = gateway.now().replace(microsecond=0)
    org.faults.lost_answers_to["POST jobs/query"] = 1
    with pytest.raises(SalesforceUnavailable):
        jobs.start_query(QUESTION)

    (job,) = jobs.mine_since(Kind.QUERY, since)

    assert (job.sobject, job.operation) == ("Case", "query")


def test_a_token_that_ran_out_is_renewed_and_the_rows_go_along_again(
    jobs, org, clock, open_case
):
    case_id = open_case()
    job = jobs.start_update("Case")
    org.tokens.revoke_all()

    jobs.upload(job.job_id, [CaseUpdate(case_id, {"Priority": "Low"})])

    jobs.complete(job.job_id)
    clock.go_on(seconds=5)
    assert jobs.find(Kind.INGEST, job.job_id).processed == 1


def test_forgotten_results_and_wrong_states_are_typed(jobs, org, clock, open_case):
    job = jobs.start_query(QUESTION)
    with pytest.raises(SalesforceRejected):
        jobs.page(job.job_id, "", 10)
    clock.go_on(seconds=5)
    org.faults.bulk_results_expired = True

    with pytest.raises(RecordGone):
        jobs.page(job.job_id, "", 10)


def test_an_outage_in_html_is_one_that_passes(jobs, org):
    org.faults.outages = 1
    with pytest.raises(SalesforceUnavailable):
        jobs.start_query(QUESTION)
    job = jobs.start_update("Case")
    org.faults.outages = 1

    with pytest.raises(SalesforceUnavailable):
        jobs.upload(job.job_id, [])


def test_more_than_salesforce_takes_is_not_sent(jobs, org):
    job = jobs.start_update("Case")
    before = org.ledger.api_calls

    with pytest.raises(LimitExceeded):
        jobs.upload(
            job.job_id, [CaseUpdate("500Hu0000000001IAA", {"Subject": "x" * 80_000_001})]
        )

    assert org.ledger.api_calls == before


def test_rows_are_written_as_rfc_4180_with_lf():
    text = to_csv(
        [
            CaseUpdate("1", {"A": 'say "x", then\ngo', "B": None}),
            CaseUpdate("2", {"B": 97.5}),
        ]
    )

    assert text == 'Id,A,B\n1,"say ""x"", then\ngo",#N/A\n2,,97.5\n'


@pytest.mark.parametrize(
    ("text", "code", "fields"),
    [
        ("STRING_TOO_LONG:Reason: data value too large: x (max length=1):A__c --",
         "STRING_TOO_LONG", ("A__c",)),
        ("UNABLE_TO_LOCK_ROW:unable to obtain exclusive access:--", "UNABLE_TO_LOCK_ROW", ()),
        ("ENTITY_IS_DELETED:entity is deleted:A__c, B__c --", "ENTITY_IS_DELETED",
         ("A__c", "B__c")),
        ("", "UNKNOWN", ()),
    ],
)  # fmt: skip
def test_a_refused_rows_text_is_taken_apart(text, code, fields):
    failure = to_failure("1", text)

    assert (failure.error_code, failure.error_fields) == (code, fields)
    assert "data value too large" not in failure.error_text
