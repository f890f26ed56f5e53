"""What people said elsewhere comes in by file: once, row by row, and nothing is lost over a typo."""

import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from classifier import exporting
from classifier.export_sheets import SHEETS
from classifier.exporting import Selection
from classifier.importing_feedback import FileRefused, ImportedFeedback, import_feedback
from classifier.models import Decision, Feedback
from classifier.settling import settle_feedback
from classifier.spreadsheets import FORMS
from tests.classifier.making import LATER, NOON, a_category, a_transcript
from tests.factories import make_administrator

pytestmark = pytest.mark.django_db
HEAD = "thread,verdict,category,further_codes,note,person,source,said_at,reference,colour\n"
AT = "2026-03-02T12:30:00Z"


@pytest.fixture
def world():
    a_category("refund"), a_category("delivery")
    return [a_transcript(f"t{number}", f"Words number {number}").thread for number in range(3)]


def a_file(folder, *lines):
    path = folder / "words.csv"
    path.write_text(HEAD + "".join(f"{line}\n" for line in lines))
    return path


def test_a_word_comes_in_with_all_its_reasons_and_stands(world, tmp_path):
    path = a_file(tmp_path, f"t0,corrected,refund,delivery; ,because,ann,desk,{AT},r1,red")

    assert import_feedback(path) == ImportedFeedback(new=1)

    word = Feedback.objects.get()
    assert (word.source, word.reference, word.person) == ("import", "desk:r1", "ann")
    assert [one.code for one in word.named] == ["refund", "delivery"]
    assert Decision.objects.standing().get().source == "person"
    assert settle_feedback() == 1


def test_importing_it_again_changes_nothing(world, tmp_path):
    path = a_file(
        tmp_path,
        f"t0,corrected,refund,,,ann,desk,{AT},r1,",
        f"t1,unclear,,,,ann,desk,{AT},,",
    )
    import_feedback(path)

    assert import_feedback(path) == ImportedFeedback(known=2)
    assert Feedback.objects.count() == 2


def test_a_dry_run_keeps_nothing(world, tmp_path):
    path = a_file(tmp_path, f"t0,corrected,refund,,,ann,desk,{AT},r1,")

    assert import_feedback(path, is_dry_run=True) == ImportedFeedback(new=1)
    assert not Feedback.objects.exists()


def test_wrong_rows_are_named_and_the_good_ones_kept(world, tmp_path):
    path = a_file(
        tmp_path,
        f"nowhere,corrected,refund,,,,,{AT},,",
        f"t0,perhaps,refund,,,,,{AT},,",
        f"t0,corrected,lunar,,,,,{AT},,",
        "t0,corrected,refund,,,,,yesterday,,",
        f"t0,out_of_scope,refund,,,,,{AT},,",
        f"t0,corrected,refund,,,,,{AT},,",
    )

    imported = import_feedback(path)

    assert (imported.new, imported.wrong) == (1, 5)
    told = [
        "line 2: there is no conversation “nowhere”",
        "line 3: “perhaps” is no verdict",
        "line 4: there is no category with the code “lunar”",
        "line 5: “yesterday” is no time",
        "line 6: the verdict out_of_scope names no category",
    ]
    for words, sentence in zip(told, imported.errors, strict=True):
        assert words in sentence


def test_a_word_older_than_a_persons_does_not_replace_it(world, tmp_path):
    Decision.objects.stand_by_person("t0", [a_category("delivery")], at=LATER)

    import_feedback(a_file(tmp_path, f"t0,corrected,refund,,,ann,desk,{AT},r1,"))

    assert Decision.objects.standing().get().category.code == "delivery"


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_re_import_of_an_export_changes_nothing(world, tmp_path, form):
    refund, delivery = a_category("refund"), a_category("delivery")
    a_transcript("long", "why? " * 38_000)
    for thread, reference, note, verdict, categories in (
        ("t0", "", "=1+1", "corrected", (refund, delivery)),
        ("t0", "", "'=1+1", "unclear", ()),
        ("t1", "017A", "", "confirmed", (refund,)),
        ("t1", "", "-", "out_of_scope", ()),
        ("long", "", 'a\r\nb, "c"; d', "corrected", (delivery,)),
        ("t2", "x", "b\nc", "corrected", (refund, delivery)),
    ):
        Feedback.objects.hear(
            thread=thread,
            verdict=verdict,
            source="salesforce",
            said_at=NOON,
            categories=categories,
            person="+005A",
            note=note,
            reference=reference,
            is_blind=reference == "",
        )
    Feedback.objects.filter(thread="t2").withdraw(LATER)
    sheet = SHEETS["feedback"]
    path = tmp_path / f"words.{form.code}"
    selection = Selection(is_whole=True, with_words=True)
    content = exporting.content(sheet, selection, make_administrator(), form)
    path.write_bytes(b"".join(content))
    before = list(Feedback.objects.values())
    standing = list(Decision.objects.values())

    assert import_feedback(path) == ImportedFeedback(known=5, withdrawn=1)

    assert list(Feedback.objects.values()) == before
    assert list(Decision.objects.values()) == standing


def test_a_word_from_elsewhere_comes_in_alike_from_every_form(world, tmp_path):
    row = {"thread": "t0", "verdict": "corrected", "category": "refund", "said_at": AT}
    path = tmp_path / "words.jsonl"
    path.write_text(json.dumps(row) + "\n")

    assert import_feedback(path).new == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("words.pdf", "x"),
        ("words.csv", "verdict\ncorrected\n"),
        ("words.jsonl", "{"),
        ("words.xlsx", "no zip"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_words(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content)

    with pytest.raises(FileRefused, match=name):
        import_feedback(path)


def test_the_command_tells_what_became_of_the_rows(world, tmp_path):
    path = a_file(tmp_path, f"t0,corrected,refund,,,,,{AT},,")
    out = io.StringIO()

    call_command("import_feedback", str(path), json=True, stdout=out, stderr=io.StringIO())

    assert json.loads(out.getvalue())["new"] == 1


def test_the_command_fails_where_no_row_is_good(world, tmp_path):
    path = a_file(tmp_path, f"t9,corrected,refund,,,,,{AT},,")

    with pytest.raises(CommandError, match="No row could be imported"):
        call_command("import_feedback", str(path), stdout=io.StringIO(), stderr=io.StringIO())
