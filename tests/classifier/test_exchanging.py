import csv
import io
import json
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import Workbook, load_workbook

from classifier.engine.rulelang import parse, to_json
from classifier.exchanging import (
    FORMS,
    FileInvalid,
    PlanRefused,
    bring_in,
    plan_of,
    taxonomy_file,
)
from classifier.models import Category, KeywordRule
from tests import factories as make

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def sheet(*rows, separator=","):
    file = io.StringIO()
    csv.writer(file, delimiter=separator).writerows(rows)
    return file.getvalue().encode()


def take(content, name="taxonomy.csv"):
    return bring_in(content, name, at=AT)


def wrong(content, name="taxonomy.csv"):
    return [(m.place, m.column, m.sentence) for m in plan_of(content, name).mistakes]


def some_taxonomy():
    billing = make.make_category("Billing", guideline="Money.\nNot prices.")
    refund = make.make_category("=Refund", billing, is_active=False)
    make.make_rule(
        name="-50 % off",
        category=refund,
        any_of="  money back \n\n-refund*\n退款",
        none_of="no",
        speaker="",
        whole_word=False,
        effect="boost",
        is_certain=False,
        must_match="my money back",
        is_active=False,
    )
    make.make_rule(name="Plain", category=billing)
    expression = to_json(parse('near("card", "stolen", 3) in first 2 turns'))
    make.make_rule(
        name="Typed", category=billing, any_of="", expression=expression, effect="review"
    )


def stored():
    return (
        list(Category.objects.values_list("code", "label", "parent", "guideline", "is_active")),
        list(KeywordRule.objects.order_by("name").values()),
        Category.history.count() + KeywordRule.history.count(),
    )


@pytest.mark.parametrize("code", FORMS)
def test_what_goes_out_and_comes_back_changes_nothing(code):
    some_taxonomy()
    before = stored()

    plan = take(taxonomy_file(FORMS[code]), f"taxonomy.{code}")

    assert plan.counts == {"category": {"unchanged": 2}, "rule": {"unchanged": 3}}
    assert stored() == before


@pytest.mark.parametrize("code", FORMS)
def test_a_file_makes_the_same_taxonomy_elsewhere(code):
    some_taxonomy()
    content = taxonomy_file(FORMS[code])
    KeywordRule.objects.all().delete()
    Category.objects.filter(parent__isnull=False).delete()
    Category.objects.all().delete()

    take(content, f"taxonomy.{code}")

    assert taxonomy_file(FORMS[code]) == content or code == "xlsx"
    rule = KeywordRule.objects.get(name="-50 % off")
    assert rule.category.path_label == "Billing > =Refund"
    assert rule.any_of == "money back\n-refund*\n退款"
    assert (rule.speaker, rule.whole_word, rule.effect) == ("", False, "boost")
    assert (rule.is_certain, rule.is_active) == (False, False)
    assert KeywordRule.objects.get(name="Plain").is_certain
    typed = KeywordRule.objects.get(name="Typed")
    assert (typed.text, typed.any_of) == ('near("card", "stolen", 3) in first 2 turns', "")
    assert rule.history.count() == 1


@pytest.mark.parametrize("code", FORMS)
def test_what_is_demanded_of_a_category_goes_out_and_comes_in(code):
    demands = {"is_critical": True, "recall_floor": 0.99, "needs_own_proof": True}
    fraud = make.make_category("Fraud", **demands)
    content = taxonomy_file(FORMS[code])
    Category.objects.update(is_critical=False, recall_floor=0.95, needs_own_proof=False)

    plan = take(content, f"taxonomy.{code}")

    fraud.refresh_from_db()
    assert {name: getattr(fraud, name) for name in demands} == demands
    assert [step.columns for step in plan.steps] == [
        ("critical", "found_at_least", "own_proof")
    ]
    assert fraud.history.count() == 2


def test_cells_that_are_empty_or_missing_demand_what_was_demanded():
    fraud = make.make_category(
        "Fraud", is_critical=True, recall_floor=0.9, needs_own_proof=True
    )

    take(sheet(["code", "critical", "found_at_least", "own_proof"], ["fraud", "", "", ""]))
    take(sheet(["code", "guideline"], ["fraud", "Stolen cards."]))

    fraud.refresh_from_db()
    assert (fraud.is_critical, fraud.recall_floor, fraud.needs_own_proof) == (True, 0.9, True)


@pytest.mark.parametrize("floor", ["90 %", "0,9", "0.90", "90%"])
def test_a_share_that_must_be_found_is_understood_as_people_write_it(floor):
    take(sheet(["label", "Is critical", "Recall floor"], ["Fraud", "TRUE", floor]))

    fraud = Category.objects.get(code="fraud")
    assert (fraud.is_critical, fraud.recall_floor) == (True, 0.9)


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("critical", "maybe", "neither yes nor no"),
        ("own_proof", "0.9", "neither yes nor no"),
        ("found_at_least", "0.85", "is not offered; write one of 0.8, 0.9, 0.95, 0.98, 0.99."),
        ("found_at_least", "1.5", "does not lie between 0 and 1"),
        ("found_at_least", "most", "is no number"),
    ],
)
def test_a_wrong_demand_is_named_with_its_row(column, cell, said):
    ((place, named, sentence),) = wrong(sheet(["label", column], ["Fraud", cell]))

    assert (place, named) == ("line 2", column)
    assert said in sentence


def test_nothing_in_the_file_runs_in_a_spreadsheet():
    some_taxonomy()

    book = load_workbook(io.BytesIO(taxonomy_file(FORMS["xlsx"])))

    texts = [c.value for page in book for row in page for c in row if c.value is not None]
    assert "'=Refund" in texts
    assert not any(text.startswith(("=", "-", "+", "@")) for text in texts)


def test_children_may_come_before_their_parents_and_codes_are_made():
    plan = take(
        sheet(
            ["label", "parent"],
            ["Visa refund", "Billing > Refund"],
            ["Refund", "Billing"],
            ["Billing", ""],
        )
    )

    assert [step.name for step in plan.steps] == [
        "billing.refund.visa_refund", "billing.refund", "billing"
    ]  # fmt: skip
    found = Category.objects.get(code="billing.refund.visa_refund")
    assert found.path_label == "Billing > Refund > Visa refund"


def test_only_what_the_file_names_is_changed():
    billing = make.make_category("Billing", guideline="old")
    other = make.make_category("Other", guideline="stays")

    take(sheet(["code", "guideline", "active"], ["billing", "new", "no"]))

    billing.refresh_from_db()
    other.refresh_from_db()
    assert (billing.label, billing.guideline, billing.is_active) == ("Billing", "new", False)
    assert (other.guideline, other.is_active) == ("stays", True)
    assert billing.history.count() == 2


def test_siblings_may_exchange_their_labels():
    one, other = make.make_category("One"), make.make_category("Other")

    take(sheet(["code", "label"], ["one", "Other"], ["other", "One"], ["third", "Third"]))

    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.label, other.label) == ("Other", "One")


def test_wrong_rows_are_named_with_line_column_and_what_to_do():
    make.make_category("Billing")
    content = sheet(
        ["kind", "code", "label", "parent", "name", "category", "any_of", "active", "strength"],
        ["category", "", "Refund", "Biling", "", "", "", "", ""],
        ["rule", "", "", "", "A rule", "billing", "money back\nre*fund", "maybe", ""],
        ["rule", "", "", "", "A rule", "billing", "money", "", ""],
        ["rule", "", "", "", "B", "billing", "re*fund", "", ""],
        ["rule", "", "", "", "C", "Bill", "money", "", "7"],
        ["rul", "", "", "", "D", "billing", "money", "", ""],
        ["category", "two words", "Two", "", "", "", "", "", ""],
        ["category", "", "x" * 121, "", "", "", "", "", ""],
        ["rule", "", "", "", "E", "billing", "", "", ""],
    )

    found = wrong(content)

    assert [(place, column) for place, column, _ in found] == [
        ("line 2", "parent"), ("line 3", "active"), ("line 5 (row 4)", "name"),
        ("line 6 (row 5)", "any_of"), ("line 7 (row 6)", "strength"),
        ("line 7 (row 6)", "category"), ("line 8 (row 7)", "kind"), ("line 9 (row 8)", "code"),
        ("line 10 (row 9)", "label"), ("line 11 (row 10)", "any_of"),
    ]  # fmt: skip
    sentences = " ".join(sentence for *_, sentence in found)
    assert "There is no category “Biling”" in sentences
    assert "“A rule” stands in line 3 too" in sentences
    assert "a star may only stand at the end" in sentences
    assert "at least one phrase" in sentences
    with pytest.raises(PlanRefused, match="10 wrong cells"):
        take(content)
    assert Category.objects.count() == 1
    assert not KeywordRule.objects.exists()


@pytest.mark.parametrize(
    "rows",
    [
        [["a", "A", "b"], ["b", "B", "c"], ["c", "C", "a"]],
        [["a", "A", "a"]],
        [["", "A", "B"], ["", "B", "A"]],
    ],
)
def test_a_ring_of_parents_is_refused(rows):
    found = wrong(sheet(["code", "label", "parent"], *rows))

    assert len(found) == len(rows)
    assert all("below itself" in sentence for *_, sentence in found)


def test_a_category_stays_in_its_place():
    make.make_category("Refund", make.make_category("Billing"))
    make.make_category("Other")

    ((_, column, sentence),) = wrong(
        sheet(["code", "parent"], ["billing.refund", "Other"], ["billing", ""])
    )
    ring = wrong(sheet(["code", "parent"], ["billing", "billing.refund"]))

    assert column == "parent"
    assert "stands below “billing” and stays there" in sentence
    assert "below itself" in ring[0][2]


def test_two_categories_of_one_label_in_one_place_are_refused():
    make.make_category("Billing")

    ((place, column, sentence),) = wrong(sheet(["code", "label"], ["money", "Billing"]))

    assert (place, column) == ("line 2", "label")
    assert "would stand twice at the top" in sentence


def test_example_sentences_are_run_on_new_and_changed_rules():
    category = make.make_category("Refund")
    make.make_rule(name="Old", category=category, any_of="money", must_match="cash")
    columns = ["name", "category", "any_of", "must_match", "must_not_match"]

    found = wrong(
        sheet(
            columns,
            [
                "New",
                "refund",
                "money back",
                "give my MONEY back\nrefund me",
                "money back please",
            ],
            ["Old", "refund", "money", "cash", ""],
        )
    )

    assert [(place, column) for place, column, _ in found] == [
        ("line 2", "must_match"), ("line 2", "must_not_match"),
    ]  # fmt: skip
    assert "Line 2: the rule does not find “refund me”" in found[0][2]


def test_the_habits_of_spreadsheets_are_understood():
    book = Workbook()
    page = book.active
    page.title = "categories "
    page.append(["Code", "Label", "Parent", "Active", None])
    page.append([101.0, "  Returns  ", None, True, None])
    page.append([None, None, None, None, None])
    rules = book.create_sheet("Rules")
    rules.append(["Name", "Category", "Any of", "Strength", "Whole words", "Said by"])
    rules.append(["Returned", 101, "sent back\r\nreturned  ", 0.9, False, "Anyone"])
    file = io.BytesIO()
    book.save(file)

    take(file.getvalue(), "from excel.xlsx")

    assert Category.objects.get().code == "101"
    rule = KeywordRule.objects.get()
    assert (rule.any_of, rule.is_certain) == ("sent back\nreturned", True)
    assert (rule.speaker, rule.whole_word) == ("", False)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfname;category;any_of;strength\r\nA;refund;money;0,9\r\n",
        b"sep=;\r\nname;category;any_of;strength\r\nA;refund;money;90 %\r\n",
        "name\tcategory\tany_of\tstrength\nA\trefund\tmoney\t.9\n".encode("utf-16"),
    ],
    ids=["semicolons and a mark", "told separator", "Unicode text"],
)
def test_other_csv_is_understood(content):
    make.make_category("Refund")

    take(content)

    assert KeywordRule.objects.get().is_certain
    assert KeywordRule.objects.get().strength is None


def test_a_typed_strength_of_an_older_file_is_no_measure_and_a_weak_one_no_certainty():
    make.make_category("Refund")

    take(b"name,category,any_of,strength\nA,refund,money,0.6\n")

    rule = KeywordRule.objects.get()
    assert (rule.is_certain, rule.strength) == (False, None)


def test_a_measured_strength_goes_out_and_is_not_brought_in():
    make.make_rule(name="A", any_of="money", strength=0.75, labels_right=2, labels_found=2)
    content = taxonomy_file(FORMS["csv"])
    assert b",0.75," in content

    plan = take(content.replace(b",0.75,", b",0.25,"))

    assert not plan.news
    assert KeywordRule.objects.get().strength == 0.75


def test_a_rule_that_says_something_else_is_unmeasured_again():
    make.make_rule(name="A", any_of="money", strength=0.75, labels_right=2, labels_found=2)

    take(b"name,any_of\nA,cash\n")

    rule = KeywordRule.objects.get()
    assert (rule.strength, rule.labels_found, rule.measured_at) == (None, 0, None)


def test_a_rule_of_the_language_takes_the_place_of_boxes_and_back():
    make.make_rule(name="A", any_of="money")

    take(b'name,expression,any_of\nA,"""money"" by anybody",\n')
    typed = KeywordRule.objects.get()
    take(b"name,any_of\nA,cash\n")
    boxed = KeywordRule.objects.get()

    assert (typed.text, typed.any_of) == ('"money" by anybody', "")
    assert (boxed.expression, boxed.any_of) == (None, "cash")


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (b'"near(""a""",', "expected"),
        (b'"none(""a"")",', "hold for silence"),
        (b'"""money""",money', "not in both"),
    ],
)
def test_a_mistake_in_the_language_is_told_at_its_column(cells, told):
    make.make_category("Refund")

    ((_, column, sentence),) = wrong(b"name,category,expression,any_of\nA,refund," + cells)

    assert column == "expression"
    assert told in sentence


def test_lines_are_counted_as_an_editor_counts_them_and_rows_as_a_spreadsheet_does():
    make.make_category("Refund")

    found = wrong(b'name,category,any_of\nA,refund,"one\ntwo\nthree"\nB,nothing,x\n')

    assert found[0][0] == "line 5 (row 3)"


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"", "a.csv", "empty"),
        (b"code,label\n", "a.csv", "no row"),
        (b"code,colour\na,b\n", "a.csv", "“colour” in line 1 is no column"),
        (b"code,code\na,b\n", "a.csv", "stands twice"),
        (b"guideline\na\n", "a.csv", "neither categories nor rules"),
        ("code,label\nä,b\n".encode("latin-1"), "a.csv", "UTF-8"),
        (b"code,label\na,b,c\n", "a.csv", "without a heading"),
        (b"PK\x03\x04 no zip", "a.xlsx", "cannot be opened"),
        (b"{", "a.json", "no JSON"),
        (b"[]", "a.json", "categories"),
        (b'{"rules": [1]}', "a.json", "list of objects"),
        (b'{"rules": [{"nam": 1}]}', "a.json", "“nam” in rule 1"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content, name, sentence):
    with pytest.raises(FileInvalid, match=sentence):
        plan_of(content, name)


def test_json_of_a_hand_is_understood():
    book = {
        "categories": [{"label": "Refund", "active": True}],
        "rules": [{"name": "A", "category": "refund", "any_of": ["money", "cash"]}],
    }

    take(json.dumps(book).encode(), "a.json")

    assert KeywordRule.objects.get().any_of == "money\ncash"


def test_what_was_looked_at_is_what_comes_in_or_nothing():
    content = sheet(["label"], ["Refund"])
    shown = plan_of(content, "a.csv").digest
    make.make_category("Refund")

    with pytest.raises(PlanRefused, match="changed since"):
        bring_in(content, "a.csv", at=AT, expected=shown)


def test_many_rows_take_few_queries():
    def queries(number):
        rows = [["rule", f"R{number} {n}", "refund", f"word{n}", ""] for n in range(number)]
        rows += [["category", "", "", "", f"Category {number} {n}"] for n in range(number)]
        content = sheet(["kind", "name", "category", "any_of", "label"], *rows)
        with CaptureQueriesContext(connection) as captured:
            take(content)
        return len(captured)

    make.make_category("Refund")

    # SQLite takes a limited number of values at once, so that 600 rows need a few statements.
    assert queries(300) < queries(3) + 20 < 40


def test_the_commands_take_away_look_and_bring_in(tmp_path, capsys):
    some_taxonomy()
    file = tmp_path / "taxonomy.xlsx"
    call_command("export_taxonomy", str(file))
    KeywordRule.objects.all().delete()

    call_command("import_taxonomy", str(file), "--dry-run", "--json")
    looked = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert not KeywordRule.objects.exists()
    call_command("import_taxonomy", str(file))

    assert looked["rule"] == {"added": 3}
    assert looked["dry_run"] is True
    assert KeywordRule.objects.count() == 3


def test_the_command_names_wrong_rows_and_changes_nothing(tmp_path, capsys):
    file = tmp_path / "a.csv"
    file.write_bytes(sheet(["label", "parent"], ["Refund", "Nowhere"], ["Good", ""]))

    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("import_taxonomy", str(file))

    assert "line 2, parent: There is no category “Nowhere”" in capsys.readouterr().err
    assert not Category.objects.exists()
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_taxonomy", str(tmp_path / "none.csv"))
    with pytest.raises(CommandError, match="ends in"):
        call_command("export_taxonomy", str(tmp_path / "a.txt"))
