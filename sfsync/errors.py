"""The errors of the Salesforce side, sorted by what the caller should do.

SalesforceError
├── SalesforceUnavailable        retry later: no answer, or a passing one; writes are idempotent
│   ├── SalesforceBusy           too many at once or a locked row: retry soon, with less
│   ├── SalesforceThrottled      the daily API allowance is spent: stop all calls for a while
│   └── Postponed                nothing was asked: our own house rules say from when on it may be
│       ├── BudgetSpent          our share of the org's API calls, or of an hour's, is used up
│       └── BreakerOpen          this kind of call fails or is refused again and again
├── SalesforceDenied             tell the operator: login refused, user or permission missing
├── SalesforceRejected           give up this request: repeating it unchanged will not help
│   ├── FieldMissing             a field is not there, or not readable or writable for us
│   ├── ObjectMissing            the org has no such object, or we may not see it
│   ├── RecordGone               the record was deleted, or is no longer shared with us
│   └── LimitExceeded            this request was too large: ask for less at once
├── NotConfigured                tell the operator: settings are missing or contradict each other
└── WrongOrg                     stop: this database belongs to another org

A message says which code Salesforce gave and what to do. It never repeats Salesforce's own
words, because those may echo what a customer wrote (STRING_TOO_LONG does).
"""

import re
from collections.abc import Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Any


class SalesforceError(Exception):
    """Something went wrong between us and Salesforce; ``code`` names it for programs."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class SalesforceUnavailable(SalesforceError):
    """No answer, or one that will pass: the outcome is unknown, repeat later."""


class SalesforceBusy(SalesforceUnavailable):
    """Too many requests at once, or a row that somebody else holds: repeat soon."""


class SalesforceThrottled(SalesforceUnavailable):
    """The org's API calls of the last 24 hours are spent: no call at all for a while."""


class Postponed(SalesforceUnavailable):
    """We did not ask, so nothing happened; from ``until`` on (database clock) it may be tried."""

    def __init__(self, message: str, *, until: datetime, code: str) -> None:
        super().__init__(message, code=code)
        self.until = until


class BudgetSpent(Postponed):
    """Our share of the org's API calls is used up, or the org's calls nearly are."""

    def __init__(
        self, message: str, *, until: datetime, code: str, is_look_due: bool = False
    ) -> None:
        super().__init__(message, until=until, code=code)
        self.is_look_due = is_look_due
        """Whether what we know of the org's use is old: ask for it before giving up."""


class BreakerOpen(Postponed):
    """One kind of call fails or is refused again and again: it is left alone for a while."""


class SalesforceDenied(SalesforceError):
    """Salesforce does not let us in, or not do this: an operator must act."""


class SalesforceRejected(SalesforceError):
    """Salesforce understood and refused: the same request will be refused again."""


class FieldMissing(SalesforceRejected):
    """A field is not there, or our user may not read or write it; ``fields`` names it."""

    def __init__(self, message: str, *, code: str = "", fields: tuple[str, ...] = ()) -> None:
        super().__init__(message, code=code)
        self.fields = fields


class ObjectMissing(SalesforceRejected):
    """The org has no such object, or our user may not see it."""


class RecordGone(SalesforceRejected):
    """The record was deleted, or is no longer shared with our user."""


class LimitExceeded(SalesforceRejected):
    """One request asked for too much: ask for less at once."""


class NotConfigured(SalesforceError):
    """Settings are missing or contradict each other; the message lists all of them."""


class WrongOrg(SalesforceError):
    """Our database belongs to one org and met another."""

    def __init__(self, *, pinned: str, met: str) -> None:
        super().__init__(
            f"This database belongs to the Salesforce org {pinned} but the settings lead to"
            f" {met}: nothing is read or written. Connect to the right org, or use a fresh"
            " database for this one.",
            code="WRONG_ORG",
        )


LOCKED = "UNABLE_TO_LOCK_ROW"
TRIGGER = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
RULE = "FIELD_CUSTOM_VALIDATION_EXCEPTION"
"""A validation rule of the org's admin, in words of their own."""
MODIFIED = "MODIFIED_MEANWHILE"
"""Our own code for 412: the Case changed after we looked at it."""
UNAVAILABLE_CODE = "SERVER_UNAVAILABLE"
BUSY = {LOCKED, "TXN_SECURITY_METERING_ERROR"}
PASSING = {UNAVAILABLE_CODE, "UNKNOWN_EXCEPTION", "QUERY_TIMEOUT", "INVALID_QUERY_LOCATOR"}
DENIED = {
    "INVALID_SESSION_ID",
    "API_DISABLED_FOR_ORG",
    "API_CURRENTLY_DISABLED",
    "TXN_SECURITY_NO_ACCESS",
    "INSUFFICIENT_ACCESS",
    "FUNCTIONALITY_NOT_ENABLED",
}
GONE = {"ENTITY_IS_DELETED", "NOT_FOUND"}
TOO_MUCH = {"EXCEEDED_ID_LIMIT", "QUERY_TOO_COMPLICATED", "LIMIT_EXCEEDED"}
FIELD = {"INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE"}
PLAIN: tuple[tuple[set[str], type[SalesforceError], str], ...] = (
    (BUSY, SalesforceBusy, "Salesforce is busy ({code}) when {deed}."),
    (
        PASSING,
        SalesforceUnavailable,
        "Salesforce could not answer just now ({code}) when {deed}; it is tried again.",
    ),
    (
        GONE,
        RecordGone,
        "The record is deleted or not shared with our user ({code}), when {deed}.",
    ),
    (TOO_MUCH, LimitExceeded, "Too much was asked for at once ({code}) when {deed}."),
)
# Edge servers answer these without a Salesforce code (seen by Airbyte, jsforce and Singer).
PASSING_STATUS = {406, 408, 420, 429, 500, 502, 503, 504}

ALLOWANCE_SPENT = (
    "The org's API calls of the last 24 hours are used up. Nothing is read or written for 15"
    " minutes, then it is tried again. If this comes often, buy more API calls or let other"
    " integrations make fewer."
)

# The same code says two different things, told apart by its words alone (wire spec, section 4).
CONCURRENT_REQUESTS = "ConcurrentRequests"
NO_SUCH_COLUMN = re.compile(r"No such column '([^']+)'")
NOT_FILTERABLE = re.compile(r"field '([^']+)' can not be filtered")
NO_SUCH_OBJECT = re.compile(r"sObject type '([^']+)' is not supported")


def login_error(code: int | str | None) -> SalesforceError:
    """Return what a failed login means: an HTTP status is an outage, a word is a refusal.

    A retry loop that took both alike could lock the integration user.
    """
    if isinstance(code, int):
        return SalesforceUnavailable(
            f"Salesforce's login did not answer properly (HTTP {code}); it is tried again later.",
            code=f"HTTP_{code}",
        )
    hint = LOGIN_HINTS.get(code or "", "Check the client id, the key or secret, and the user.")
    return SalesforceDenied(f"Salesforce refused the login ({code}). {hint}", code=code or "")


LOGIN_HINTS = {
    "invalid_grant": (
        "Check that the user exists and is active, that an administrator has pre-authorised it"
        " for the External Client App, that the private key belongs to the certificate uploaded"
        " there, and that SALESFORCE_DOMAIN is login for production or test for a sandbox."
    ),
    "invalid_client_id": "SALESFORCE_CLIENT_ID is not known to this org.",
    "invalid_client": "SALESFORCE_CLIENT_ID or SALESFORCE_CLIENT_SECRET is wrong.",
    "unsupported_grant_type": "Enable this flow in the External Client App's policies.",
}


def unreachable(deed: str, cause: str) -> SalesforceUnavailable:
    """Return the error for a call that got no usable answer: its outcome is unknown."""
    return SalesforceUnavailable(
        f"Salesforce gave no usable answer ({cause}) when {deed}; it is tried again.",
        code="NO_ANSWER",
    )


def answer_error(status: int, content: Any, deed: str) -> SalesforceError:
    """Return what an error answer means, by its code where there is one, else by status."""
    first = content[0] if isinstance(content, list) and content else {}
    if not isinstance(first, dict):
        first = {}
    code = str(first.get("errorCode") or "")
    words = str(first.get("message") or "")
    fields = tuple(str(name) for name in first.get("fields") or ())
    if not code:
        return _by_status(status, deed)
    return coded_error(code, words, fields, deed)


def coded_error(code: str, words: str, fields: Iterable[str], deed: str) -> SalesforceError:
    """Return the error for one Salesforce error code. ``words`` are read, never repeated."""
    if code == "REQUEST_LIMIT_EXCEEDED":
        return _limit(words)
    if code in FIELD:
        return _field_missing(code, words, tuple(fields), deed)
    if code == "INVALID_TYPE":
        return _object_missing(words, deed)
    if code in DENIED:
        return SalesforceDenied(_denied_sentence(code, deed), code=code)
    for codes, error, sentence in PLAIN:
        if code in codes:
            return error(sentence.format(code=code, deed=deed), code=code)
    return SalesforceRejected(f"Salesforce refused ({code}) when {deed}.", code=code)


def _by_status(status: int, deed: str) -> SalesforceError:
    code = f"HTTP_{status}"
    if status in PASSING_STATUS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return SalesforceUnavailable(
            f"Salesforce is not available (HTTP {status}) when {deed}; it is tried again.",
            code=code,
        )
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return SalesforceDenied(_denied_sentence(code, deed), code=code)
    if status == HTTPStatus.GONE:
        return SalesforceRejected(
            "Salesforce has retired this API version: raise SALESFORCE_API_VERSION.", code=code
        )
    if status in {
        HTTPStatus.REQUEST_URI_TOO_LONG,
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    }:
        return LimitExceeded(
            f"Too much was asked for at once (HTTP {status}) when {deed}.", code=code
        )
    return SalesforceRejected(f"Salesforce refused (HTTP {status}) when {deed}.", code=code)


def _limit(words: str) -> SalesforceError:
    if CONCURRENT_REQUESTS in words:
        return SalesforceBusy(
            "Too many requests run in the org at the same time; it is tried again soon.",
            code="CONCURRENT_REQUESTS",
        )
    return SalesforceThrottled(
        ALLOWANCE_SPENT,
        code="REQUEST_LIMIT_EXCEEDED",
    )


def _denied_sentence(code: str, deed: str) -> str:
    return (
        f"Salesforce does not let our user do this ({code}) when {deed}. Check that the"
        " user is active, may use the API, and has the permission set of Contact Reason."
    )


def _field_missing(
    code: str, words: str, fields: tuple[str, ...], deed: str
) -> SalesforceError:
    found = NO_SUCH_COLUMN.search(words) or NOT_FILTERABLE.search(words)
    names = fields or ((found.group(1),) if found else ())
    named = ", ".join(names) or "a field"
    return FieldMissing(
        f"Our user cannot use {named} when {deed} ({code}): it is not in the org, or"
        " the permission set of Contact Reason does not grant it. Add the field or assign the"
        " permission set.",
        code=code,
        fields=names,
    )


def _object_missing(words: str, deed: str) -> SalesforceError:
    found = NO_SUCH_OBJECT.search(words)
    named = found.group(1) if found else "an object"
    return ObjectMissing(
        f"The org does not have {named}, or our user may not see it, when {deed}.",
        code="INVALID_TYPE",
    )


# Codes whose own words help an operator and cannot hold a customer's: an admin's rule text, a
# picklist value that we sent, a record id. All others may echo a value, so they are dropped.
SPEAKING = {
    RULE,
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
    "INVALID_FIELD_FOR_INSERT_UPDATE",
    "UNABLE_TO_LOCK_ROW",
    "ENTITY_IS_DELETED",
}
ROW_WORDS_LIMIT = 500


def row_code(code: str, words: str) -> str:
    """Return what a failed row's code means: a trigger that met a lock names it in its words."""
    return LOCKED if code == TRIGGER and LOCKED in words else code


def row_words(code: str, words: str, fields: Iterable[str]) -> str:
    """Return what may be kept of a failed row's message: never a customer's words."""
    if code in SPEAKING:
        return words[:ROW_WORDS_LIMIT]
    if code == TRIGGER:
        return words.partition("caused by")[0].strip()[:ROW_WORDS_LIMIT]  # names the trigger
    named = ", ".join(fields)
    return f"Salesforce refused the write ({code})" + (
        f" because of {named}." if named else "."
    )
