"""No station reads a whole table that grows with the Cases: each question has an index to follow.

Every statement that the stations really make is explained by the database itself, which is told to
avoid sequential scans: in these small tables it shows one only where no index could serve.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from classifier.models import Feedback
from contactreason.watchman import stations
from sfsync.models import Source, Watermark

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(120),
    pytest.mark.skipif(
        connection.vendor != "postgresql",
        reason="SQLite cannot tell that a value passed beside the statement fits a partial index",
    ),
]
GROWING = (
    "classifier_decision",
    "classifier_decisionreason",
    "classifier_feedback",
    "classifier_goldlabel",
    "classifier_goldreason",
    "classifier_prediction",
    "classifier_review",
    "classifier_transcript",
    "sfsync_caselink",
    "sfsync_doorbell",
    "sfsync_writeback",
)
"""Tables with a row or more for each Case, ring or word of a person."""
TEXT = "Where is my parcel? The courier promised delivery on Tuesday, tracking says delayed."


@contextmanager
def explained() -> Iterator[dict[str, str]]:
    """Collect statement → the step of its plan that reads a growing table whole."""
    scans: dict[str, str] = {}
    seen: set[str] = set()

    def explain(execute, sql, params, many, context):
        is_question = sql.lstrip().split(" ", 1)[0] in {"SELECT", "UPDATE", "DELETE"}
        if is_question and not many and sql not in seen and "EXPLAIN" not in sql:
            seen.add(sql)
            # An index that gives the order alone is read whole, too: so without it once more.
            for asked in {sql, without_order(sql)}:
                if steps := list(whole_tables_in(plan_of(asked, params))):
                    scans[asked] = steps[0]
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        with connection.cursor() as cursor:
            cursor.execute("SET enable_seqscan = off")
        try:
            yield scans
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SET enable_seqscan = on")
    assert len(seen) > 30, "the stations did their work"


def without_order(sql):
    """Return a statement without its own ORDER BY, where it narrows its rows by a WHERE."""
    at = sql.rfind(" ORDER BY ")
    depth = sql.count("(", 0, at) - sql.count(")", 0, at)
    if at < 0 or depth or " WHERE " not in sql[:at]:
        return sql
    limit = sql.find(" LIMIT ", at)
    locked = sql.find(" FOR UPDATE", at)
    ends = [each for each in (limit, locked) if each > 0]
    return sql[:at] + (sql[min(ends) :] if ends else "")


def plan_of(sql, params):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        ((told,),) = cursor.fetchall()
        return (told if isinstance(told, list) else json.loads(told))[0]["Plan"]


def whole_tables_in(node) -> Iterator[str]:
    """Yield the steps of a plan that read a growing table whole."""
    table, kind = node.get("Relation Name"), node["Node Type"]
    if table in GROWING and kind == "Seq Scan":
        yield f"Seq Scan on {table}: {node.get('Filter', '')}"
    for child in node.get("Plans", ()):
        yield from whole_tables_in(child)


def test_no_station_reads_a_growing_table_from_end_to_end(trained, org, contact, command):
    command("set_mode", "automatic")
    cases = [contact(TEXT) for _ in range(12)]
    line = stations()
    for run in (*line.values(), *line.values()):
        run()
    org.people.change_reason(cases[0], "billing.refund")
    org.people.customer_comments(cases[1], "And now I want my money back, refund it please.")
    org.people.delete_case(cases[2])
    contact(TEXT)
    Source.objects.update(interval_seconds=0)
    Watermark.objects.update(pulled_at=None)  # else it was asked a moment ago

    with explained() as scans:
        for run in (*line.values(), *line.values()):
            run()

    assert len(org.ledger.writes_by_case()) > 5
    assert Feedback.objects.filter(source=Feedback.Source.SALESFORCE).exists()
    assert scans == {}, "\n\n".join(f"{step}\n{sql}" for sql, step in scans.items())
