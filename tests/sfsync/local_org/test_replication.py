"""getUpdated and getDeleted tell what changed, and up to when that is all of it."""

from datetime import timedelta

import pytest
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceResourceNotFound

from sfsync.local_org.records import Record, Said
from tests.sfsync.local_org.conftest import NOW


@pytest.fixture
def case_id(org):
    [case_id] = org.load([Record("r", (Said("customer", "x"),), "comments")])
    return case_id


def changed(sf, minutes=60, sobject="Case", until=NOW + timedelta(minutes=30)):
    return getattr(sf, sobject).updated(NOW - timedelta(minutes=minutes), until)


def test_a_change_in_the_window_is_listed(sf, org, clock, case_id):
    before = changed(sf)
    org.people.edit_case(case_id, {"Priority": "Low"})
    clock.go_on(minutes=2)

    after = changed(sf)

    assert (before["ids"], after["ids"]) == ([], [case_id])


def test_ends_are_cut_to_the_minute(sf, org, clock, case_id):
    org.people.edit_case(case_id, {"Priority": "Low"})
    clock.go_on(minutes=2)

    early = sf.Case.updated(NOW - timedelta(minutes=5), NOW + timedelta(seconds=20))
    late = sf.Case.updated(NOW - timedelta(minutes=5), NOW + timedelta(seconds=60))

    assert (early["ids"], late["ids"]) == ([], [case_id])
    assert late["latestDateCovered"] == "2026-11-21T12:01:00.000+0000"


def test_the_date_covered_never_runs_ahead_of_the_org(sf):
    assert changed(sf)["latestDateCovered"] == "2026-11-21T12:00:00.000+0000"


def test_a_transaction_in_flight_holds_the_date_covered_back(sf, org, clock, case_id):
    org.faults.commit_delay = timedelta(minutes=8)
    org.people.edit_case(case_id, {"Priority": "High"}, by="Ann Bell")
    clock.go_on(minutes=5)
    pending = changed(sf)
    row_before = sf.Case.get(case_id)
    clock.go_on(minutes=3)
    committed = changed(sf)

    row = sf.Case.get(case_id)
    assert (pending["ids"], pending["latestDateCovered"]) == (
        [],
        "2026-11-21T12:00:00.000+0000",
    )
    assert row_before["LastModifiedDate"] < "2026-11-21T12:00"
    assert committed["ids"] == [case_id]
    assert committed["latestDateCovered"] == "2026-11-21T12:08:00.000+0000"
    assert row["SystemModstamp"] == "2026-11-21T12:00:30.000+0000"


def test_a_case_that_comes_in_late_is_stamped_early(sf, org, clock):
    org.faults.commit_delay = timedelta(minutes=2)
    case_id = org.people.open_case(Record("n", (Said("customer", "x"),), "email"))
    hidden = sf.query("SELECT COUNT() FROM Case")["totalSize"]
    clock.go_on(minutes=2)

    [row] = sf.query("SELECT Id, CreatedDate FROM Case")["records"]

    assert hidden == 0
    assert (row["Id"], row["CreatedDate"]) == (case_id, "2026-11-21T12:00:30.000+0000")


def test_a_deleted_case_is_listed_with_its_date(sf, org, clock, case_id):
    org.people.delete_case(case_id)
    clock.go_on(minutes=2)

    answer = sf.Case.deleted(NOW - timedelta(minutes=5), NOW + timedelta(minutes=2))

    assert answer["deletedRecords"] == [
        {"id": case_id, "deletedDate": "2026-11-21T12:00:30.000+0000"}
    ]
    assert answer["earliestDateAvailable"] == "2026-11-06T12:02:00.000+0000"
    assert changed(sf)["ids"] == []


def test_the_children_of_a_deleted_case_go_with_it(sf, org, clock, case_id):
    comment = org.people.customer_comments(case_id, "x")
    org.people.delete_case(case_id)
    clock.go_on(minutes=2)

    answer = sf.CaseComment.deleted(NOW - timedelta(minutes=5), NOW + timedelta(minutes=2))

    assert [one["id"] for one in answer["deletedRecords"]] == [comment]


def test_children_have_a_window_of_their_own(sf, org, clock, case_id):
    comment = org.people.customer_comments(case_id, "x")
    clock.go_on(minutes=2)

    assert changed(sf, sobject="CaseComment")["ids"] == [comment]
    assert changed(sf)["ids"] == []


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (NOW, NOW + timedelta(seconds=20)),
        (NOW, NOW - timedelta(minutes=2)),
        (NOW - timedelta(days=31), NOW),
    ],
)
def test_a_window_too_short_or_too_far_back_is_refused(sf, start, end):
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.Case.updated(start, end)

    assert refused.value.content[0]["errorCode"] == "INVALID_REPLICATION_DATE"


def test_deletions_are_kept_for_fifteen_days(sf):
    with pytest.raises(SalesforceMalformedRequest):
        sf.Case.deleted(NOW - timedelta(days=16), NOW)


def test_an_object_without_replication_is_not_found(sf):
    with pytest.raises(SalesforceResourceNotFound):
        changed(sf, sobject="Conversation")


def test_a_window_without_a_zone_is_refused(sf):
    with pytest.raises(SalesforceMalformedRequest):
        sf.restful(
            "sobjects/Case/updated/",
            params={"start": "2026-11-21T10:00:00", "end": "2026-11-21T11:00:00"},
        )
