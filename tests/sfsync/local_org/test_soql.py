"""SOQL is parsed, answers what it should, and says where a mistake is."""

from datetime import timedelta

import pytest
from simple_salesforce import format_soql
from simple_salesforce.exceptions import SalesforceMalformedRequest

from sfsync.local_org import soql
from sfsync.local_org.errors import Refusal
from sfsync.local_org.moments import stamp
from sfsync.local_org.records import Record, Said
from sfsync.local_org.schema import Field, Kind, PicklistValue
from tests.sfsync.local_org.conftest import NOW

CASES = {
    "a": {"Subject": "Alpha", "Status": "New", "Priority": "High"},
    "b": {"Subject": "beta", "Status": "Closed", "Priority": "Low"},
    "c": {"Subject": "50% off_er", "Status": "New", "Priority": None},
    "d": {"Subject": None, "Status": "Working", "Priority": "High"},
}


@pytest.fixture
def ids(org):
    """Four Cases, an hour between each and the next; key → id."""
    table, ids = org.table("Case"), {}
    founders = org.founders
    for number, (key, values) in enumerate(CASES.items()):
        at = NOW - timedelta(hours=9 - number)
        ids[key] = table.reserve_id()
        owner = founders.queues[0] if key == "a" else founders.representatives[0]
        row = {
            "IsDeleted": False,
            "CreatedDate": at,
            "CreatedById": founders.portal_users[0],
            "SystemModstamp": at,
            "LastModifiedDate": at,
            "OwnerId": owner,
            "IsClosed": values["Status"] == "Closed",
            "RecordTypeId": founders.record_types[0] if key != "d" else None,
        }
        table.put(ids[key], {**row, **values})
    return ids


def keys(sf, ids, condition, suffix=""):
    rows = sf.query_all(f"SELECT Id FROM Case WHERE {condition} {suffix}")["records"]
    names = {record_id: key for key, record_id in ids.items()}
    return "".join(names[row["Id"]] for row in rows)


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("Status = 'New'", "ac"),
        ("Status = 'new'", "ac"),
        ("Status != 'New'", "bd"),
        ("Priority = null", "c"),
        ("Priority != 'High'", "bc"),
        ("Priority NOT IN ('High')", "bc"),
        ("Status IN ('New', 'Working') AND Priority = 'High'", "ad"),
        ("(Status = 'Closed' OR Priority = null) AND IsClosed = false", "c"),
        ("NOT (Status = 'New' OR Status = 'Closed')", "d"),
        ("NOT Status = 'New'", "bd"),
        ("Subject LIKE 'al%'", "a"),
        ("Subject LIKE '_eta'", "b"),
        (r"Subject LIKE '50\% off\_er'", "c"),
        (r"Subject LIKE '%\%%'", "c"),
        ("IsClosed = TRUE", "b"),
        ("Owner.Type = 'Queue'", "a"),
        ("Owner.Name = 'Ann Bell'", "bcd"),
        ("RecordType.DeveloperName = 'Support'", "abc"),
        ("CreatedBy.UserType LIKE 'Csp%'", "abcd"),
        ("CreatedDate > 2026-11-21T04:00:30Z", "cd"),
        ("CreatedDate >= 2026-11-21T05:00:30+01:00", "bcd"),
        ("CreatedDate = TODAY", "abcd"),
        ("CreatedDate < YESTERDAY", ""),
        ("CreatedDate = LAST_N_DAYS:3", "abcd"),
    ],
)
def test_conditions_choose_the_rows_they_should(sf, ids, condition, found):
    assert keys(sf, ids, condition) == found


def test_several_keys_sort_with_nulls_first_unless_told_otherwise(sf, ids):
    first = keys(sf, ids, "Id != null", "ORDER BY Priority ASC, Subject DESC")
    last = keys(sf, ids, "Id != null", "ORDER BY Priority DESC NULLS LAST, CreatedDate DESC")

    assert (first, last) == ("cdab", "bdac")


def test_limit_and_offset_cut_a_window(sf, ids):
    assert keys(sf, ids, "Id != null", "ORDER BY Id LIMIT 2 OFFSET 1") == "bc"


def test_a_key_paged_query_goes_on_where_it_left_off(sf, ids):
    at = stamp(NOW - timedelta(hours=8)).replace("+0000", "Z")
    condition = f"SystemModstamp > {at} OR (SystemModstamp = {at} AND Id > '{ids['a']}')"

    assert keys(sf, ids, condition, "ORDER BY SystemModstamp, Id") == "bcd"


def test_text_and_dates_that_the_client_quoted_are_understood(sf, org, ids):
    org.table("Case").put(ids["a"], {"Subject": 'It\'s "so"\nand \\ more'})
    query = format_soql(
        "SELECT Id FROM Case WHERE Subject = {} AND CreatedDate < {}",
        'It\'s "so"\nand \\ more',
        NOW,
    )

    assert sf.query(query)["totalSize"] == 1


def test_count_answers_without_rows(sf, ids):
    answer = sf.query("SELECT COUNT() FROM Case WHERE Status = 'New'")

    assert (answer["totalSize"], answer["records"], answer["done"]) == (2, [], True)


def test_groups_are_counted(sf, ids):
    rows = sf.query("SELECT Status, COUNT(Id) n, MAX(CreatedDate) FROM Case GROUP BY Status")

    new = next(row for row in rows["records"] if row["Status"] == "New")
    assert (new["n"], new["expr0"]) == (2, "2026-11-21T05:00:30.000+0000")
    assert new["attributes"] == {"type": "AggregateResult"}


def test_parents_are_nested_and_missing_ones_are_null(sf, ids):
    query = "SELECT Id, Owner.Name, RecordType.DeveloperName FROM Case ORDER BY Id"

    rows = sf.query(query)["records"]

    assert rows[0]["Owner"]["Name"] == "Triage"
    assert rows[0]["Owner"]["attributes"]["type"] == "Name"
    assert rows[0]["Owner"]["attributes"]["url"].startswith(
        "/services/data/v66.0/sobjects/Group/"
    )
    assert rows[3]["RecordType"] is None


def test_children_come_in_a_result_of_their_own_or_as_null(sf, org, ids):
    org.people.customer_comments(ids["a"], "me again")

    rows = sf.query("SELECT Id, (SELECT CommentBody FROM CaseComments) FROM Case ORDER BY Id")

    first, second = rows["records"][:2]
    assert first["CaseComments"]["totalSize"] == 1
    assert first["CaseComments"]["records"][0]["CommentBody"] == "me again"
    assert second["CaseComments"] is None


def test_an_inner_query_chooses_parents(sf, org, ids):
    org.people.customer_comments(ids["c"], "me again")

    assert keys(sf, ids, "Id IN (SELECT ParentId FROM CaseComment)") == "c"


def test_multi_select_values_are_found_by_groups(sf, org, ids):
    options = tuple(PicklistValue(value) for value in ("x", "y", "z"))
    org.deploy_fields([Field("Tags__c", Kind.MULTIPICKLIST, length=4099, values=options)])
    org.access.grant(org.founders.integration, "Case", ["Tags__c"])
    org.table("Case").put(ids["a"], {"Tags__c": "x;y"})
    org.table("Case").put(ids["b"], {"Tags__c": "z"})

    assert keys(sf, ids, "Tags__c INCLUDES ('x;y', 'z')") == "ab"
    assert keys(sf, ids, "Tags__c EXCLUDES ('x')") == "bcd"


def test_deleted_rows_show_only_in_query_all(sf, org, ids):
    org.people.delete_case(ids["a"])

    gone = sf.query("SELECT Id, IsDeleted FROM Case ORDER BY Id", include_deleted=True)

    assert sf.query("SELECT COUNT() FROM Case")["totalSize"] == 3
    assert (gone["totalSize"], gone["records"][0]["IsDeleted"]) == (4, True)


def test_ids_of_15_characters_are_understood(sf, ids):
    assert keys(sf, ids, f"Id = '{ids['b'][:15]}'") == "b"


@pytest.mark.parametrize(
    ("query", "code", "column", "words"),
    [
        ("SELECT Id FORM Case", "MALFORMED_QUERY", 11, "unexpected token: 'FORM'"),
        ("SELECT Id, FROM Case", "MALFORMED_QUERY", 17, "unexpected token: 'Case'"),
        ("SELECT Id FROM Case WHERE Id = ", "MALFORMED_QUERY", 32, "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Case WHERE Id ~ 1", "MALFORMED_QUERY", 30, "unexpected character"),
        (
            "SELECT Id FROM Case WHERE Id = null AND Status = 'a' OR Status = 'b'",
            "MALFORMED_QUERY",
            54,
            "unexpected token: 'OR'",
        ),
        ("SELECT Id, Id FROM Case", "MALFORMED_QUERY", 12, "duplicate field selected: Id"),
        ("SELECT Id FROM Case LIMIT x", "MALFORMED_QUERY", 27, "unexpected token: 'x'"),
        (
            "SELECT Id FROM Case WHERE CreatedDate > 2026-13-45T00:00:00Z",
            "MALFORMED_QUERY",
            41,
            "Invalid date",
        ),
        ("SELECT Id, Foo FROM Case", "INVALID_FIELD", 12, "No such column 'Foo' on sobject"),
        ("SELECT Boss.Name FROM Case", "INVALID_FIELD", 8, "relationship 'Boss'"),
        ("SELECT Id FROM Kase", "INVALID_TYPE", 16, "sObject type 'Kase' is not supported"),
        ("SELECT (SELECT Id FROM Foos) FROM Case", "INVALID_TYPE", 24, "'Foos'"),
        (
            "SELECT Id FROM Case WHERE Description = 'x'",
            "INVALID_FIELD",
            27,
            "field 'Description' can not be filtered in a query call",
        ),
        (
            "SELECT Id FROM Case ORDER BY Description",
            "INVALID_FIELD",
            30,
            "field 'Description' can not be sorted",
        ),
        (
            "SELECT Id FROM Case WHERE CreatedDate > '2026-11-21'",
            "INVALID_FIELD",
            41,
            "must be of type dateTime and should not be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Case WHERE Status = 1",
            "INVALID_FIELD",
            36,
            "must be of type string and should be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Case WHERE Status INCLUDES ('New')",
            "INVALID_FIELD",
            27,
            "multi-select",
        ),
    ],
)
def test_a_mistake_is_named_and_pointed_at(sf, query, code, column, words):
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.query(query)

    [error] = refused.value.content
    assert error["errorCode"] == code
    assert f"ERROR at Row:1:Column:{column}\n" in error["message"]
    assert words in error["message"]
    excerpt, caret = error["message"].split("\n")[1:3]
    assert query[column - 1 : column + 3].startswith(excerpt[len(caret) - 1 :][:3])


def test_an_id_that_is_none_is_refused(sf):
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.query("SELECT Id FROM Case WHERE OwnerId = 'me'")

    assert refused.value.content[0]["errorCode"] == "INVALID_QUERY_FILTER_OPERATOR"


def test_a_literal_over_four_thousand_characters_is_refused():
    with pytest.raises(Refusal, match="maximum length"):
        soql.parse(f"SELECT Id FROM Case WHERE Subject = '{'x' * 4001}'")


def test_an_object_that_is_switched_off_is_an_invalid_type(sf, org):
    org.remove_sobject("MessagingSession")

    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.query("SELECT Id FROM MessagingSession")

    assert refused.value.content[0]["errorCode"] == "INVALID_TYPE"


def test_numbers_are_summed_up(sf, org, ids):
    org.deploy_contact_reason(["billing"])
    for key, confidence in zip("abc", (10.0, 20.0, 60.0), strict=True):
        org.table("Case").put(ids[key], {"Contact_Reason_Confidence__c": confidence})
    name = "Contact_Reason_Confidence__c"

    [row] = sf.query(
        f"SELECT MIN({name}) least, SUM({name}), AVG({name}), COUNT({name}),"
        " COUNT_DISTINCT(Status) FROM Case"
    )["records"]

    assert (row["least"], row["expr0"], row["expr1"], row["expr2"], row["expr3"]) == (
        10.0,
        90.0,
        30.0,
        3,
        3,
    )


def test_nothing_sums_up_to_null(sf):
    [row] = sf.query("SELECT MAX(CreatedDate) last FROM Case")["records"]

    assert row["last"] is None


@pytest.mark.parametrize(
    "query",
    [
        "SELECT Status, COUNT(Id) FROM Case",
        "SELECT Id, COUNT() FROM Case",
        "SELECT FOO(Id) FROM Case",
        "SELECT Id FROM Case WHERE Id IN (SELECT ParentId, Id FROM CaseComment)",
        "SELECT Id FROM Case nonsense",
    ],
)
def test_what_does_not_go_together_is_malformed(sf, query):
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.query(query)

    assert refused.value.content[0]["errorCode"] == "MALFORMED_QUERY"


def test_an_offset_beyond_two_thousand_is_refused(sf):
    with pytest.raises(SalesforceMalformedRequest) as refused:
        sf.query("SELECT Id FROM Case OFFSET 2001")

    assert refused.value.content[0]["errorCode"] == "NUMBER_OUTSIDE_VALID_RANGE"


def test_a_query_over_a_hundred_thousand_characters_is_refused():
    with pytest.raises(Refusal, match="QUERY_TOO_COMPLICATED"):
        soql.parse(f"SELECT Id FROM Case WHERE {' ' * 100_000}Id = null")


def test_an_owner_has_a_team_by_role_and_a_queue_has_none(sf, org):
    for owner in (org.founders.representatives[0], org.founders.queues[0]):
        case_id = org.people.open_case(Record(owner, (Said("customer", "x"),), "web"))
        org.people.edit_case(case_id, {"OwnerId": owner})

    rows = sf.query("SELECT Owner.Type, Owner.UserRole.Name FROM Case ORDER BY Id")["records"]

    assert rows[0]["Owner"]["UserRole"]["Name"] == "Billing team"
    assert (rows[1]["Owner"]["Type"], rows[1]["Owner"]["UserRole"]) == ("Queue", None)
