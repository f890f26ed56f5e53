import gzip
import json
from io import StringIO
from itertools import permutations
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from classifier.importing import import_gold
from classifier.models import Category, GoldLabel, Transcript
from tests.classifier.making import LATER, NOON

pytestmark = pytest.mark.django_db


def row(text: str, *labels: str, split: str = "train", **more: object) -> dict[str, object]:
    return {"text": text, "labels": list(labels), "split": split, **more}


def a_file(folder: Path, *rows: object) -> Path:
    path = folder / "gold.jsonl"
    lines = [line if isinstance(line, str) else json.dumps(line) for line in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_rows_become_gold_labels_with_their_categories(tmp_path):
    path = a_file(
        tmp_path,
        row("I want my money back", "Billing > Refund", "Delivery", language="en"),
        row("What is the weather like?"),
    )

    imported = import_gold(path, create_categories=True, at=NOON)

    first, second = GoldLabel.objects.order_by("id")
    assert (imported.new, imported.categories_made, imported.wrong) == (2, 3, 0)
    assert [str(r.category) for r in first.reasons.all()] == ["billing.refund", "delivery"]
    assert (first.source, first.transcript.language) == ("gold.jsonl", "en")
    assert not second.reasons.exists()


def test_turns_are_kept_with_their_speakers(tmp_path):
    turns = [
        {"speaker": "bot", "text": "How can I help?"},
        {"speaker": "customer", "text": "Refund!"},
    ]
    path = a_file(tmp_path, {"turns": turns, "labels": ["Refund"]})

    import_gold(path, create_categories=True, at=NOON)

    assert [turn.speaker for turn in Transcript.objects.get().words.turns] == [
        "bot",
        "customer",
    ]


def test_importing_again_changes_nothing(tmp_path):
    path = a_file(tmp_path, row("money back", "Refund"), row("money back", "Refund"))
    import_gold(path, create_categories=True, at=NOON)

    again = import_gold(path, create_categories=True, at=LATER)

    assert (again.new, again.known, again.categories_made) == (0, 2, 0)
    assert GoldLabel.objects.get().settled_at == NOON


def test_the_test_split_of_a_file_stays_unseen(tmp_path):
    path = a_file(
        tmp_path,
        row("one", "A"),
        row("two", "A", split="val"),
        row("three", "B", split="test"),
    )

    imported = import_gold(path, create_categories=True, at=NOON)

    assert (imported.new, imported.held_back) == (2, 1)
    assert [category.code for category in Category.objects.all()] == ["a"]


def test_about_fifteen_in_a_hundred_are_held_out_and_always_the_same(tmp_path):
    path = a_file(tmp_path, *(row(f"text number {n}", "A") for n in range(600)))

    import_gold(path, create_categories=True, at=NOON)
    held_out = set(GoldLabel.objects.filter(split="test").values_list("transcript__thread"))
    GoldLabel.objects.all().delete()
    Transcript.objects.all().delete()
    import_gold(path, create_categories=True, at=NOON)

    assert 60 <= len(held_out) <= 120
    assert held_out == set(
        GoldLabel.objects.filter(split="test").values_list("transcript__thread")
    )


def test_nothing_personal_is_kept_of_a_gold_text(tmp_path):
    path = a_file(tmp_path, row("card 4111 1111 1111 1111", "Cards"))

    import_gold(path, create_categories=True, at=NOON)

    assert "1111" not in str(Transcript.objects.get().turns)


def test_a_gold_text_never_waits_for_a_decision(tmp_path):
    import_gold(a_file(tmp_path, row("hello", "A")), create_categories=True, at=NOON)

    assert not Transcript.objects.waiting().exists()


def test_wrong_rows_are_named_with_line_and_remedy_and_good_ones_kept(tmp_path):
    path = a_file(
        tmp_path,
        row("good", "A"),
        "{not json",
        row("no such category", "Nowhere"),
        "",
        row("   ", "A"),
        {"labels": ["A"]},
        row("x", "y" * 121),
        row("also good", "A"),
    )
    Category.objects.at_path(["A"], create=True)

    imported = import_gold(path, create_categories=False, at=NOON)

    assert (imported.new, imported.wrong) == (2, 5)
    lines = [sentence.split(":")[0] for sentence in imported.errors]
    assert lines == [f"gold.jsonl, line {number}" for number in (2, 3, 5, 6, 7)]
    assert "--create-categories" in imported.errors[1]


def test_labels_no_database_can_hold_are_cleaned(tmp_path):
    path = a_file(tmp_path, row("a\0b", "A\0B"))

    import_gold(path, create_categories=True, at=NOON)

    assert Category.objects.get().label == "AB"


def test_a_flood_of_wrong_rows_is_counted_and_not_listed(tmp_path):
    path = a_file(tmp_path, *["nonsense"] * 150)

    imported = import_gold(path, create_categories=True, at=NOON)

    assert (imported.wrong, len(imported.errors)) == (150, 100)


def run(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("import_gold", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_command_tells_what_it_did(tmp_path):
    out, _ = run(str(a_file(tmp_path, row("hello", "A"))), "--create-categories")

    assert "1 labelled conversations imported" in out
    assert "1 categories made" in out


def test_with_json_the_last_line_is_one_object_and_the_rest_goes_to_stderr(tmp_path):
    path = tmp_path / "gold.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(row("hello", "A")).encode() + b"\nnonsense"))

    out, err = run(str(path), "--create-categories", "--json")

    assert json.loads(out)["new"] == 1
    assert "line 2" in err


def test_a_file_without_one_good_row_is_a_failure(tmp_path):
    with pytest.raises(CommandError, match="No row"):
        run(str(a_file(tmp_path, "nonsense")))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        run(str(tmp_path / "nowhere.jsonl"))


def test_a_cut_off_archive_is_named_and_what_came_before_is_kept(tmp_path):
    path = tmp_path / "gold.jsonl.gz"
    words = ("".join(letters) for letters in permutations("abcdefg"))
    rows = "\n".join(json.dumps(row(word, "A")) for word in words)
    path.write_bytes(gzip.compress(rows.encode())[:-200])

    with pytest.raises(CommandError, match="cut off"):
        run(str(path), "--create-categories")

    assert GoldLabel.objects.count() >= 500
