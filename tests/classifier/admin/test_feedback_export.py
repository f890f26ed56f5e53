import csv
import io
import json

import pytest
from django.urls import reverse

from classifier.admin.feedback import harmless
from tests import factories as make

pytestmark = pytest.mark.django_db
CSV, JSON_LINES = "0", "1"


def export(client, file_format):
    return client.post(
        reverse("admin:classifier_feedback_export"), {"format": file_format, "resource": ""}
    )


@pytest.fixture
def lead(client):
    client.force_login(make.make_user("classifier.view_feedback", "classifier.change_feedback"))
    return client


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"]
)
def test_a_cell_that_a_spreadsheet_would_run_becomes_text(start):
    assert harmless(f"{start}cmd") == f"'{start}cmd"


@pytest.mark.parametrize("cell", ["plain", "", 7, -7, None, "a=b"])
def test_other_cells_stay_as_they_are(cell):
    assert harmless(cell) == cell


def test_the_csv_says_who_said_what_of_which_decision(lead):
    refund = make.make_category("Refund", make.make_category("Billing"))
    said = make.make_feedback(category=refund, verdict="corrected", note='=HYPERLINK("x")')

    answer = export(lead, CSV)

    (row,) = csv.DictReader(io.StringIO(answer.content.decode()))
    assert answer["Content-Type"] == "text/csv"
    assert (row["case"], row["category"]) == (said.thread, "billing.refund")
    assert row["decided"] == said.decision.category.code
    assert row["note"] == '\'=HYPERLINK("x")'


def test_the_json_lines_hold_every_word_unchanged(lead):
    make.make_feedback(note="=1+1")
    make.make_feedback(note="später")

    answer = export(lead, JSON_LINES)

    lines = [json.loads(line) for line in answer.content.decode().splitlines()]
    assert {line["note"] for line in lines} == {"=1+1", "später"}


def test_looking_at_feedback_is_not_the_right_to_take_it_away(client):
    client.force_login(make.make_user("classifier.view_feedback"))

    assert export(client, CSV).status_code == 403


def test_an_export_asks_the_database_a_fixed_number_of_times(
    lead, django_assert_max_num_queries
):
    for _ in range(8):
        make.make_feedback()

    with django_assert_max_num_queries(12):
        export(lead, CSV)
