"""Single rows: made, read, changed and deleted as over the real wire."""

import pytest
from simple_salesforce.exceptions import (
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

from sfsync.local_org.ids import checksum
from sfsync.local_org.moments import http_date
from sfsync.local_org.records import Record, Said

QUIET = {"Sforce-Auto-Assign": "FALSE"}


@pytest.fixture
def case_id(org):
    org.deploy_contact_reason(["billing", "billing.refund"])
    return org.people.open_case(Record("r", (Said("customer", "My bill is wrong"),), "web"))


def refusal(call):
    with pytest.raises(SalesforceMalformedRequest) as refused:
        call()
    [error] = refused.value.content
    return error


def test_an_id_has_a_prefix_and_a_checksum(case_id):
    assert case_id.startswith("500")
    assert len(case_id) == 18
    assert case_id[15:] == checksum(case_id[:15])


def test_the_checksum_is_that_of_recorded_ids():
    # A well-known pair from the vendor's pages on 15 and 18 characters.
    assert checksum("001A0000006Vm9u") == "IAC"


def test_a_row_is_made_with_everything_around_it(sf, org, clock):
    made = sf.Case.create({"Subject": "Help", "Origin": "Phone"}, headers=QUIET)

    row = sf.Case.get(made["id"])
    assert (made["success"], made["errors"]) == (True, [])
    assert row["CaseNumber"] == "00001001"
    assert row["CreatedDate"] == row["SystemModstamp"] == "2026-11-21T12:00:30.000+0000"
    assert row["CreatedById"] == row["OwnerId"] == org.founders.integration
    assert row["IsClosed"] is False
    assert row["Description"] is None
    assert row["attributes"]["url"].endswith(f"/sobjects/Case/{made['id']}")


def test_an_update_answers_204_and_moves_the_stamps(sf, org, clock, case_id):
    clock.go_on(seconds=5)

    status = sf.Case.update(case_id, {"Contact_Reason__c": "billing"}, headers=QUIET)

    row = sf.Case.get(case_id)
    assert status == 204
    assert row["Contact_Reason__c"] == "billing"
    assert row["SystemModstamp"] == row["LastModifiedDate"] == "2026-11-21T12:00:35.000+0000"
    assert row["LastModifiedById"] == org.founders.integration


def test_only_the_fields_asked_for_are_read(sf, case_id):
    row = sf.restful(f"sobjects/Case/{case_id}", params={"fields": "Subject,Origin"})

    assert set(row) == {"attributes", "Subject", "Origin"}


def test_a_child_does_not_touch_its_parent(sf, org, clock, case_id):
    before = sf.Case.get(case_id)["SystemModstamp"]
    clock.go_on(seconds=5)

    sf.CaseComment.create({"ParentId": case_id, "CommentBody": "We look into it"})

    assert sf.Case.get(case_id)["SystemModstamp"] == before


def test_closing_a_case_says_when(sf, clock, case_id):
    sf.Case.update(case_id, {"Status": "Closed"}, headers=QUIET)

    row = sf.Case.get(case_id)
    assert (row["IsClosed"], row["ClosedDate"]) == (True, "2026-11-21T12:00:30.000+0000")


def test_an_update_takes_the_case_from_its_owner_unless_told_not_to(sf, org, case_id):
    org.people.edit_case(case_id, {"OwnerId": org.founders.representatives[0]})

    sf.Case.update(case_id, {"Priority": "Low"}, headers=QUIET)
    kept = sf.Case.get(case_id)["OwnerId"]
    sf.Case.update(case_id, {"Priority": "High"})
    taken = sf.Case.get(case_id)["OwnerId"]

    assert (kept, taken) == (org.founders.representatives[0], org.founders.queues[0])


def test_a_deleted_row_is_gone(sf, case_id):
    status = sf.Case.delete(case_id)

    with pytest.raises(SalesforceResourceNotFound) as refused:
        sf.Case.get(case_id)
    assert status == 204
    assert refused.value.content[0]["errorCode"] == "ENTITY_IS_DELETED"


def test_a_row_that_never_was_is_not_found(sf, case_id):
    with pytest.raises(SalesforceResourceNotFound) as refused:
        sf.Case.get("500Hu000000zzzz")

    assert refused.value.content[0]["errorCode"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("fields", "code", "named"),
    [
        ({"Nonsense__c": "x"}, "INVALID_FIELD", None),
        ({"CaseNumber": "1"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["CaseNumber"]),
        (
            {"Contact_Reason__c": "refunds"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            ["Contact_Reason__c"],
        ),
        (
            {"Contact_Reasons__c": "billing;refunds"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            ["Contact_Reasons__c"],
        ),
        ({"Subject": "x" * 256}, "STRING_TOO_LONG", ["Subject"]),
        ({"Contact_Reason_Suggestion__c": "x" * 256}, "STRING_TOO_LONG", None),
        ({"Contact_Reason_Confidence__c": 1000}, "NUMBER_OUTSIDE_VALID_RANGE", None),
        ({"Contact_Reason_Confidence__c": "87"}, "JSON_PARSER_ERROR", None),
        ({"IsEscalated": "yes"}, "JSON_PARSER_ERROR", None),
        ({"Subject": 7}, "JSON_PARSER_ERROR", None),
        ({"Contact_Reason_At__c": "yesterday"}, "JSON_PARSER_ERROR", None),
        ({"OwnerId": "me"}, "MALFORMED_ID", ["OwnerId"]),
        ({"OwnerId": "005Hu00000zzzzz"}, "INVALID_CROSS_REFERENCE_KEY", ["OwnerId"]),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(sf, case_id, fields, code, named):
    error = refusal(lambda: sf.Case.update(case_id, fields))

    assert error["errorCode"] == code
    assert named is None or error["fields"] == named


def test_a_value_too_long_is_echoed_as_salesforce_does(sf, case_id):
    error = refusal(lambda: sf.Case.update(case_id, {"Subject": "secret" * 50}))

    assert error["message"].startswith("Subject: data value too large: secretsecret")
    assert error["message"].endswith("(max length=255)")


def test_an_unrestricted_picklist_takes_anything(sf, case_id):
    sf.Case.update(case_id, {"Origin": "Carrier pigeon"})

    assert sf.Case.get(case_id)["Origin"] == "Carrier pigeon"


def test_values_come_back_as_the_platform_keeps_them(sf, case_id):
    sf.Case.update(
        case_id,
        {
            "Contact_Reason_Confidence__c": 87.125,
            "Contact_Reason_At__c": "2026-11-21T13:00:00.9+01:00",
            "Contact_Reason_Model__c": "  rules 7 ",
            "Subject": "",
            "Contact_Reasons__c": "billing;billing.refund",
        },
    )

    row = sf.Case.get(case_id)
    assert row["Contact_Reason_Confidence__c"] == 87.13
    assert row["Contact_Reason_At__c"] == "2026-11-21T12:00:00.000+0000"
    assert row["Contact_Reason_Model__c"] == "rules 7"
    assert row["Subject"] is None
    assert row["Contact_Reasons__c"] == "billing;billing.refund"


def test_a_required_field_must_be_there(sf):
    error = refusal(lambda: sf.CaseComment.create({"CommentBody": "x"}))

    assert error["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert error["fields"] == ["ParentId"]


def test_a_guarded_write_fails_once_somebody_changed_the_row(sf, org, clock, case_id):
    seen = {"If-Unmodified-Since": http_date(clock.now)}
    sf.Case.update(case_id, {"Priority": "Low"}, headers=seen)
    clock.go_on(seconds=1)
    org.people.edit_case(case_id, {"Priority": "High"})

    with pytest.raises(SalesforceGeneralError) as refused:
        sf.Case.update(case_id, {"Priority": "Low"}, headers=seen)

    assert refused.value.status == 412
    assert sf.Case.get(case_id)["Priority"] == "High"


def test_an_unchanged_row_need_not_be_sent_again(sf, clock, case_id):
    url = f"{sf.base_url}sobjects/Case/{case_id}"
    since = {"If-Modified-Since": http_date(clock.now)}

    answer = sf.session.get(url, headers={**sf.headers, **since})

    assert (answer.status_code, answer.content) == (304, b"")


def test_a_wrong_method_is_told_which_ones_there_are(sf):
    with pytest.raises(SalesforceGeneralError) as refused:
        sf.restful("query", method="DELETE")

    assert refused.value.status == 405
    assert refused.value.content[0]["errorCode"] == "METHOD_NOT_ALLOWED"


def test_retired_and_future_versions_are_refused(sf):
    old = sf.session.get("https://acme.my.salesforce.com/services/data/v30.0/limits")
    new = sf.session.get("https://acme.my.salesforce.com/services/data/v99.0/limits")

    assert (old.status_code, old.json()[0]["errorCode"]) == (410, "GONE")
    assert new.status_code == 404


def test_the_versions_are_listed_for_everybody(sf):
    answer = sf.session.get("https://acme.my.salesforce.com/services/data/").json()

    assert "66.0" in {one["version"] for one in answer}


def test_a_field_that_may_not_be_read_is_no_column(sf, org, case_id):
    org.access.hide(org.founders.integration, "Case", "Priority")

    error = refusal(
        lambda: sf.restful(f"sobjects/Case/{case_id}", params={"fields": "Priority"})
    )

    assert error["errorCode"] == "INVALID_FIELD"


def test_a_guard_that_is_no_date_is_refused(sf, case_id):
    guard = {"If-Unmodified-Since": "yesterday"}

    assert refusal(lambda: sf.Case.update(case_id, {}, headers=guard))["errorCode"]


@pytest.mark.parametrize("body", ["{broken", "[]", ""])
def test_a_body_that_is_no_object_is_refused(sf, case_id, body):
    error = refusal(lambda: sf.restful(f"sobjects/Case/{case_id}", method="PATCH", data=body))

    assert error["errorCode"] == "JSON_PARSER_ERROR"


def test_an_object_the_platform_writes_alone_cannot_be_made_or_changed(sf, org, case_id):
    org.people.close_case(case_id)
    history = sf.query("SELECT Id FROM CaseHistory")["records"][0]["Id"]

    made = refusal(lambda: sf.CaseHistory.create({"CaseId": case_id}))
    changed = refusal(lambda: sf.CaseHistory.update(history, {"Field": "x"}))
    deleted = refusal(lambda: sf.CaseHistory.delete(history))

    codes = {one["errorCode"] for one in (made, changed, deleted)}
    assert codes == {"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"}


def test_an_object_is_summed_up(sf):
    summary = sf.Case.metadata()

    assert summary["objectDescribe"]["keyPrefix"] == "500"
    assert "fields" not in summary["objectDescribe"]


def test_an_address_that_is_not_there_is_not_found(sf):
    for path in ("nonsense", "sobjects/Kase/describe"):
        with pytest.raises(SalesforceResourceNotFound):
            sf.restful(path)
