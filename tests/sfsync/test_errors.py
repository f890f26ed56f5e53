"""What an answer means: sorted by what the caller should do."""

import pytest

from sfsync.errors import (
    FieldMissing,
    LimitExceeded,
    ObjectMissing,
    RecordGone,
    SalesforceBusy,
    SalesforceDenied,
    SalesforceRejected,
    SalesforceThrottled,
    SalesforceUnavailable,
    answer_error,
    login_error,
    row_words,
)

SAID = "my secret is 4111"


def error_of(status, code, message="", fields=()):
    content = [{"errorCode": code, "message": message, "fields": list(fields)}]
    return answer_error(status, content, "reading Cases")


@pytest.mark.parametrize(
    ("status", "code", "message", "meaning"),
    [
        (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", SalesforceThrottled),
        (
            403,
            "REQUEST_LIMIT_EXCEEDED",
            "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
            SalesforceBusy,
        ),
        (400, "UNABLE_TO_LOCK_ROW", "", SalesforceBusy),
        (503, "SERVER_UNAVAILABLE", "", SalesforceUnavailable),
        (500, "UNKNOWN_EXCEPTION", "", SalesforceUnavailable),
        (400, "QUERY_TIMEOUT", "", SalesforceUnavailable),
        (401, "INVALID_SESSION_ID", "", SalesforceDenied),
        (403, "API_DISABLED_FOR_ORG", "", SalesforceDenied),
        (404, "ENTITY_IS_DELETED", "", RecordGone),
        (404, "NOT_FOUND", "", RecordGone),
        (400, "EXCEEDED_ID_LIMIT", "", LimitExceeded),
        (400, "INVALID_FIELD", "", FieldMissing),
        (400, "INVALID_TYPE", "", ObjectMissing),
        (400, "MALFORMED_QUERY", "", SalesforceRejected),
        (400, "STRING_TOO_LONG", "", SalesforceRejected),
        (400, "SOMETHING_NEW", "", SalesforceRejected),
    ],
)
def test_the_code_decides_and_not_the_status(status, code, message, meaning):
    assert type(error_of(status, code, message)) is meaning


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        *[
            (status, SalesforceUnavailable)
            for status in (406, 408, 420, 429, 500, 502, 503, 504)
        ],
        (401, SalesforceDenied),
        (403, SalesforceDenied),
        (404, SalesforceRejected),
        (410, SalesforceRejected),
        (414, LimitExceeded),
        (431, LimitExceeded),
        (400, SalesforceRejected),
    ],
)
@pytest.mark.parametrize("content", ["<html>", [], {}, ["x"], [{}], None])
def test_without_a_code_the_status_decides(status, content, meaning):
    assert type(answer_error(status, content, "reading Cases")) is meaning


def test_a_login_that_fails_with_a_number_is_an_outage_and_with_a_word_a_refusal():
    assert type(login_error(503)) is SalesforceUnavailable
    assert type(login_error("invalid_grant")) is SalesforceDenied
    assert type(login_error(None)) is SalesforceDenied


@pytest.mark.parametrize(
    "message",
    [
        "\nSELECT Id, Nope__c FROM Case\n ^\nERROR at Row:1:Column:8\n"
        "No such column 'Nope__c' on sobject of type Case.",
        "field 'Nope__c' can not be filtered in a query call",
    ],
)
def test_a_missing_field_is_named(message):
    error = error_of(400, "INVALID_FIELD", message)

    assert isinstance(error, FieldMissing)
    assert error.fields == ("Nope__c",)
    assert "Nope__c" in str(error)
    assert "permission set" in str(error)


def test_a_field_that_may_not_be_written_is_named():
    error = error_of(400, "INVALID_FIELD_FOR_INSERT_UPDATE", "", ["Contact_Reason__c"])

    assert isinstance(error, FieldMissing)
    assert error.fields == ("Contact_Reason__c",)


@pytest.mark.parametrize(
    "code", ["STRING_TOO_LONG", "MALFORMED_QUERY", "UNKNOWN_EXCEPTION", "INVALID_FIELD"]
)
def test_no_error_repeats_what_a_customer_wrote(code):
    assert SAID not in str(error_of(400, code, f"Subject: too large: {SAID}", ["Subject"]))
    assert SAID not in row_words(code, f"Subject: too large: {SAID}", ["Subject"])


def test_a_failed_row_keeps_what_an_admins_rule_says():
    code = "FIELD_CUSTOM_VALIDATION_EXCEPTION"

    assert row_words(code, "Set a product first.", []) == "Set a product first."


def test_a_failed_row_names_the_trigger_and_drops_its_stack():
    words = "CaseTrigger: execution of BeforeUpdate caused by: System.Null my secret is 4111"

    kept = row_words("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", words, [])

    assert kept == "CaseTrigger: execution of BeforeUpdate"


def test_a_failed_row_names_the_field():
    assert "Subject" in row_words("STRING_TOO_LONG", SAID, ["Subject"])
