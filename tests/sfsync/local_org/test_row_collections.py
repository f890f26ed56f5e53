"""Collections: many rows in a call, each with an outcome of its own."""

import pytest
from simple_salesforce.exceptions import SalesforceMalformedRequest

from sfsync.local_org.faults import RowError
from sfsync.local_org.records import Record, Said


@pytest.fixture
def ids(org):
    return org.load([Record(f"r{n}", (Said("customer", "Help"),), "web") for n in range(3)])


def update(sf, rows, **rest):
    records = [{"attributes": {"type": "Case"}, **row} for row in rows]
    body = {"allOrNone": False, "records": records, **rest}
    return sf.restful("composite/sobjects", method="PATCH", json=body)


def test_rows_succeed_and_fail_alone_in_the_order_given(sf, org, ids):
    org.people.delete_case(ids[1])

    rows = update(sf, [{"id": one, "Priority": "Low"} for one in ids])

    assert [row["success"] for row in rows] == [True, False, True]
    assert rows[0] == {"id": ids[0], "success": True, "errors": []}
    [error] = rows[1]["errors"]
    assert set(error) == {"statusCode", "message", "fields"}
    assert error["statusCode"] == "ENTITY_IS_DELETED"
    assert sf.Case.get(ids[2])["Priority"] == "Low"


def test_the_answer_is_200_even_where_every_row_fails(sf, ids):
    rows = update(sf, [{"Id": one, "Subject": "x" * 300} for one in ids])

    assert [row["errors"][0]["statusCode"] for row in rows] == ["STRING_TOO_LONG"] * 3


def test_all_or_none_rolls_everything_back(sf, org, ids):
    rows = update(
        sf,
        [{"id": ids[0], "Priority": "Low"}, {"id": ids[1], "Foo__c": "x"}],
        allOrNone=True,
    )

    codes = [row["errors"][0]["statusCode"] for row in rows]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_FIELD"]
    assert org.ledger.api_writes() == []
    assert sf.Case.get(ids[0])["LastModifiedById"] != org.founders.integration


def test_two_hundred_rows_fit_and_one_more_does_not(sf, org):
    many = org.load([Record(f"m{n}", (Said("customer", "x"),), "web") for n in range(201)])

    rows = update(sf, [{"id": one, "Priority": "Low"} for one in many[:200]])
    with pytest.raises(SalesforceMalformedRequest):
        update(sf, [{"id": one, "Priority": "High"} for one in many])

    assert all(row["success"] for row in rows)
    assert org.ledger.writes_by_case().total() == 200


def test_a_call_of_many_rows_counts_once(sf, org, ids):
    before = org.ledger.api_calls

    update(sf, [{"id": one, "Priority": "Low"} for one in ids])

    assert org.ledger.api_calls == before + 1


def test_the_same_row_twice_in_a_call_fails_the_second_time(sf, ids):
    rows = update(sf, [{"id": ids[0], "Priority": "Low"}, {"id": ids[0], "Priority": "High"}])

    assert [row["success"] for row in rows] == [True, False]
    assert rows[1]["errors"][0]["statusCode"] == "DUPLICATE_VALUE"


def test_a_locked_row_and_a_rule_fail_their_rows_only(sf, org, ids):
    org.faults.locked = {ids[0]}
    org.faults.row_errors[ids[1]] = RowError("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Niet nu")

    rows = update(sf, [{"id": one, "Priority": "Low"} for one in ids])

    assert [row["success"] for row in rows] == [False, False, True]
    assert rows[0]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"
    assert rows[1]["errors"][0] == {
        "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "message": "Niet nu",
        "fields": [],
    }


def test_rows_are_made_together(sf):
    records = [{"attributes": {"type": "Case"}, "Subject": text} for text in ("a", "b")]

    rows = sf.restful("composite/sobjects", method="POST", json={"records": records})

    made = sf.query("SELECT Id, CaseNumber, Subject FROM Case ORDER BY Id")["records"]
    assert [row["id"] for row in rows] == [row["Id"] for row in made]
    assert [row["Subject"] for row in made] == ["a", "b"]
    assert len({row["CaseNumber"] for row in made}) == 2


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_rows_are_read_in_the_order_of_their_ids_with_gaps_as_null(sf, org, ids, method):
    org.people.delete_case(ids[1])
    path = "composite/sobjects/Case"
    wanted = [ids[2], ids[1], ids[0]]

    if method == "GET":
        params = {"ids": ",".join(wanted), "fields": "Id,Origin"}
        rows = sf.restful(path, params=params)
    else:
        body = {"ids": wanted, "fields": ["Id", "Origin"]}
        rows = sf.restful(path, method="POST", json=body)

    assert [row and row["Id"] for row in rows] == [ids[2], None, ids[0]]
    assert set(rows[0]) == {"attributes", "Id", "Origin"}


def test_rows_are_deleted_together(sf, ids):
    rows = sf.restful("composite/sobjects", method="DELETE", params={"ids": ",".join(ids[:2])})

    assert [row["success"] for row in rows] == [True, True]
    assert sf.query("SELECT COUNT() FROM Case")["totalSize"] == 1


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"id": "nonsense", "Priority": "Low"}, "MALFORMED_ID"),
        ({"attributes": {"type": "Kase"}, "id": "500Hu0000000001"}, "NOT_FOUND"),
        ({"id": "003Hu0000000001", "Priority": "Low"}, "MALFORMED_ID"),
    ],
)
def test_a_row_that_names_nothing_fails_alone(sf, ids, record, code):
    rows = update(sf, [record, {"id": ids[0], "Priority": "Low"}])

    assert rows[0]["errors"][0]["statusCode"] == code
    assert rows[1]["success"] is True


@pytest.mark.parametrize("records", ["x", [1], None])
def test_records_must_be_a_list_of_objects(sf, records):
    with pytest.raises(SalesforceMalformedRequest):
        sf.restful("composite/sobjects", method="PATCH", json={"records": records})


def test_a_value_of_the_wrong_type_fails_the_whole_call(sf, org, ids):
    with pytest.raises(SalesforceMalformedRequest) as refused:
        update(sf, [{"id": ids[0], "Priority": "Low"}, {"id": ids[1], "IsEscalated": "yes"}])

    assert refused.value.content[0]["errorCode"] == "JSON_PARSER_ERROR"
    assert org.ledger.api_writes() == []


def test_an_insert_names_no_id(sf, ids):
    record = {"attributes": {"type": "Case"}, "id": ids[0]}

    with pytest.raises(SalesforceMalformedRequest):
        sf.restful("composite/sobjects", method="POST", json={"records": [record]})


def test_deleting_what_is_unknown_fails_its_row(sf, ids):
    params = {"ids": f"xyzHu0000000001,{ids[0]}"}

    rows = sf.restful("composite/sobjects", method="DELETE", params=params)

    assert [row["success"] for row in rows] == [False, True]
