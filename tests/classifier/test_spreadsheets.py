"""Tables become files that spreadsheet programs open and run nothing of."""

import csv
import io
import json

import pytest
from openpyxl import load_workbook

from classifier.spreadsheets import CSV, JSONL, XLSX, as_meant, harmless, written

ROWS = [("=1+1", 3, None), ("refund, “please”\nnow", 0.5, True)]


def file_of(form, rows=ROWS):
    return b"".join(written(form, ("words", "number", "is"), rows))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", "'=", "''@"])
def test_what_could_be_a_formula_is_text_and_comes_back_as_it_was(start):
    cell = harmless(f"{start}cmd|' /C calc'!A0")

    assert str(cell).startswith("'")
    assert as_meant(str(cell)) == f"{start}cmd|' /C calc'!A0"


@pytest.mark.parametrize("cell", ["refund", "", "'tis late", -3, None, 2.5])
def test_every_other_cell_stays_as_it_is(cell):
    assert harmless(cell) == cell
    assert not isinstance(cell, str) or as_meant(cell) == cell


def test_csv_carries_the_mark_by_which_excel_knows_utf_8():
    rows = list(csv.reader(io.StringIO(file_of(CSV).decode("utf-8-sig"), newline="")))

    assert rows == [
        ["words", "number", "is"],
        ["'=1+1", "3", ""],
        ["refund, “please”\nnow", "0.5", "True"],
    ]


def test_xlsx_keeps_numbers_as_numbers_and_formulas_as_text():
    sheet = load_workbook(io.BytesIO(file_of(XLSX))).active

    assert [[cell.value for cell in row] for row in sheet.rows][1:] == [
        ["'=1+1", 3, None],
        ["refund, “please”\nnow", 0.5, True],
    ]
    assert sheet["A2"].data_type == "s"


def test_json_lines_say_everything_as_it_is():
    assert [json.loads(line) for line in file_of(JSONL).splitlines()] == [
        {"words": "=1+1", "number": 3, "is": None},
        {"words": "refund, “please”\nnow", "number": 0.5, "is": True},
    ]


@pytest.mark.parametrize("form", [CSV, XLSX, JSONL])
def test_any_text_can_be_written(form):
    assert file_of(form, [("\x00\x07\ud83d" + "x" * 40_000, 1, False)])
