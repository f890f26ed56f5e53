import gzip
import json
from io import BufferedReader, BytesIO, StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from classifier.engine.intake import TRANSCRIPT_TURNS
from classifier.management.commands.classify import Command
from classifier.models import Category, Decision, Transcript
from tests.classifier.making import a_champion, a_rule

pytestmark = pytest.mark.django_db
PARCEL = "my parcel has not arrived, the tracking says nothing"


@pytest.fixture(autouse=True)
def champion() -> None:
    a_champion(3)
    a_rule("Lost parcel", Category.objects.get(code="delivery"), "parcel")


def run(file: object, *options: str, stdin: bytes = b"") -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    command = Command()
    command.standard_input = BufferedReader(BytesIO(stdin))
    call_command(command, str(file), *options, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def a_file(folder: Path, content: bytes) -> Path:
    path = folder / "asked"
    path.write_bytes(content)
    return path


def test_a_text_file_gets_its_reason_and_the_words_that_speak_for_it(tmp_path):
    out, _ = run(a_file(tmp_path, PARCEL.encode()))

    assert out.startswith("delivery (")
    assert "“parcel” for delivery: rule Lost parcel" in out
    assert "for delivery: model +" in out


def test_standard_input_is_read_where_the_file_is_a_dash():
    assert run("-", stdin=PARCEL.encode())[0].startswith("delivery (")


def test_every_json_line_gets_a_line(tmp_path):
    turns = {"turns": [{"speaker": "customer", "text": PARCEL}], "labels": ["delivery"]}
    rows = [json.dumps({"text": PARCEL}), json.dumps(turns), json.dumps({"text": ""})]

    out, _ = run(a_file(tmp_path, "\n".join(rows).encode()))

    assert "line 1: delivery" in out
    assert "line 2: delivery" in out
    assert "line 3: A person must look: there are no words to read." in out


def test_what_nobody_is_sure_of_is_told_with_its_guesses(tmp_path):
    out, _ = run(a_file(tmp_path, b"hmm"))

    assert out.startswith("A person must look: not sure enough. Guesses: ")


def test_with_json_the_last_line_holds_every_verdict():
    out, _ = run("-", "--json", stdin=PARCEL.encode())

    told = json.loads(out)
    assert (told["classified"], told["refused"]) == (1, 0)
    (verdict,) = told["verdicts"]
    assert (verdict["reasons"][0]["code"], verdict["model"]) == ("delivery", 3)
    assert verdict["reasons"][0]["evidence"][0]["words"] == "parcel"


def test_a_wrong_line_is_named_and_the_others_are_classified(tmp_path):
    rows = [
        json.dumps({"text": PARCEL}),
        "{broken",
        json.dumps({"words": "none"}),
        json.dumps({"turns": [{"speaker": "bot", "text": "x"}] * (TRANSCRIPT_TURNS + 1)}),
    ]

    out, err = run(a_file(tmp_path, "\n".join(rows).encode()), "--json")

    told = json.loads(out)
    assert (told["classified"], told["refused"]) == (1, 3)
    assert [verdict["line"] for verdict in told["verdicts"]] == [1, 2, 3, 4]
    assert "asked, line 2: not JSON" in err
    assert "asked, line 4: 20,001 turns" in err


def test_a_compressed_file_is_read_too(tmp_path):
    content = gzip.compress(json.dumps({"text": PARCEL}).encode())

    assert "line 1: delivery" in run(a_file(tmp_path, content))[0]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"\x00\x01\x02",
        b"caf\xe9 " * 10,
        b"{not json at all",
        b"[" * 100_000,
        "\u202e\u200f".encode(),
        "<p>hi</p>".encode("utf-16"),
        b"blah " * 2_000_000,
    ],
    ids=["empty", "mark", "nul", "latin", "brace", "deep", "marks", "utf-16", "10 MB"],
)
def test_any_file_gets_an_answer(tmp_path, content):
    out, _ = run(a_file(tmp_path, content), "--json")

    assert json.loads(out)["classified"] == 1


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(CommandError, match="nowhere cannot be read: No such file"):
        run("/nowhere")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(CommandError, match="Is a directory"):
        run(tmp_path)


def test_a_cut_off_archive_is_named(tmp_path):
    content = gzip.compress(b"some words " * 1000)[:-12]

    with pytest.raises(CommandError, match="damaged or cut off"):
        run(a_file(tmp_path, content))


def test_when_nothing_could_be_read_it_fails(tmp_path):
    with pytest.raises(CommandError, match="Nothing could be classified"):
        run(a_file(tmp_path, json.dumps({"words": "none"}).encode()))


def test_nothing_is_stored(tmp_path):
    run(a_file(tmp_path, PARCEL.encode()))

    assert not Transcript.objects.exists()
    assert not Decision.objects.exists()
