"""sObject Collections: up to 200 rows in a call, each succeeding or failing alone.

A row whose field the org does not know fails alone, with INVALID_FIELD; a value of the
wrong JSON type fails the whole call, because it is refused while the body is read.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from sfsync.local_org.errors import Refusal, not_found
from sfsync.local_org.ids import long_id
from sfsync.local_org.rows import shaped
from sfsync.local_org.schema import SObject
from sfsync.local_org.state import OrgState
from sfsync.local_org.writing import Transaction, Writer, existing

MOST_ROWS = 200
MOST_ROWS_READ = 2_000
"""Rows of a POST that only reads."""
_ROLLED_BACK = (
    "Record rolled back because not all records were valid and the request was using "
    "AllOrNone header"
)
Json = dict[str, object]
_Item = TypeVar("_Item")


def write_rows(
    org: OrgState, writer: Writer, body: Mapping[str, object], *, creating: bool
) -> list[Json]:
    """Insert or update rows; return what became of each, in the order given.

    Raises:
        Refusal: the call as a whole is wrong, nothing was written.
    """
    records = _records(body.get("records"), creating=creating)
    seen: set[str] = set()

    def write(transaction: Transaction, record: Mapping[str, object]) -> str:
        sobject = _sobject(org, record)
        values = {k: v for k, v in record.items() if k.lower() not in {"id", "attributes"}}
        if creating:
            return transaction.insert(sobject, values)
        record_id = _id_of(record)
        if record_id in seen:
            message = f"Duplicate id in request: {record_id}"
            raise Refusal(400, "DUPLICATE_VALUE", message)
        seen.add(record_id)
        transaction.update(sobject, record_id, values)
        return record_id

    return _one_by_one(org, writer, records, write, all_or_none=body.get("allOrNone") is True)


def delete_rows(
    org: OrgState, writer: Writer, ids: Sequence[str], *, all_or_none: bool
) -> list[Json]:
    """Delete rows of any sObject by id; return what became of each.

    Raises:
        Refusal: too many ids.
    """
    _refuse_too_many(len(ids))

    def delete(transaction: Transaction, record_id: str) -> str:
        sobject = org.schema.by_prefix(record_id)
        if sobject is None:
            raise Refusal(404, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        transaction.delete(sobject, record_id)
        return str(long_id(record_id))

    return _one_by_one(org, writer, ids, delete, all_or_none=all_or_none)


def read_rows(
    org: OrgState, user_id: str, sobject: SObject, ids: Sequence[str], names: Sequence[str]
) -> list[Json | None]:
    """Return rows in the order of their ids, None where one is not there.

    Raises:
        Refusal: too many ids, or a field that may not be read.
    """
    if len(ids) > MOST_ROWS_READ:
        raise Refusal(400, "EXCEEDED_ID_LIMIT", f"record limit reached: {len(ids)}")
    found: list[Json | None] = []
    for record_id in ids:
        try:
            row = existing(org, sobject, record_id)
        except Refusal:
            found.append(None)
            continue
        found.append(shaped(org, user_id, sobject, row, names))
    return found


def _one_by_one(
    org: OrgState,
    writer: Writer,
    items: Sequence[_Item],
    write: Callable[[Transaction, _Item], str],
    *,
    all_or_none: bool,
) -> list[Json]:
    answers: list[Json] = []
    transactions: list[Transaction] = []
    for item in items:
        transaction = Transaction(org, writer)
        try:
            record_id = write(transaction, item)
        except Refusal as refusal:
            if refusal.code == "JSON_PARSER_ERROR":
                raise
            answers.append({"success": False, "errors": [refusal.as_row()]})
            continue
        answers.append({"id": record_id, "success": True, "errors": []})
        transactions.append(transaction)
    if all_or_none and len(transactions) < len(answers):
        return [_rolled_back(answer) for answer in answers]
    for transaction in transactions:
        transaction.commit()
    return answers


def _rolled_back(answer: Json) -> Json:
    if not answer["success"]:
        return answer
    code = "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    return {"success": False, "errors": [Refusal(400, code, _ROLLED_BACK).as_row()]}


def _records(given: object, *, creating: bool) -> list[Mapping[str, object]]:
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise Refusal(400, "INVALID_INPUT", "records must be a list of objects")
    _refuse_too_many(len(given))
    if creating and any("id" in record for record in given):
        message = "cannot specify Id in an insert call"
        raise Refusal(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message, ["Id"])
    return given


def _refuse_too_many(count: int) -> None:
    if count > MOST_ROWS:
        message = (
            f"record limit reached. cannot submit more than {MOST_ROWS} records into this "
            f"operation: {count}"
        )
        raise Refusal(400, "INVALID_INPUT", message)


def _sobject(org: OrgState, record: Mapping[str, object]) -> SObject:
    head = record.get("attributes")
    name = head.get("type") if isinstance(head, dict) else None
    found = org.schema.find(str(name))
    if found is None:
        raise not_found()
    return found


def _id_of(record: Mapping[str, object]) -> str:
    given = record.get("id", record.get("Id"))
    full = long_id(given)
    if full is None:
        raise Refusal(400, "MALFORMED_ID", f"id value of incorrect type: {given}", ["Id"])
    return full
