"""Promises of data files: what is read, and errors that say where and what to do."""

import gzip
import json

import pytest

from classifier.engine.datasets import DatasetInvalid, read_records
from classifier.engine.text import Speaker, Turn

LINE = {"id": "1", "text": "Where is my card?", "labels": ["Cards > Arrival"], "split": "test"}


def written(folder, *lines, name="cards.jsonl"):
    path = folder / name
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return path


def test_a_line_is_a_record(tmp_path):
    (record,) = read_records(written(tmp_path, {**LINE, "language": "en", "segment": "s"}))

    assert (record.key, record.split) == ("1", "test")
    assert (record.language, record.segment) == ("en", "s")
    assert record.labels == (("Cards", "Arrival"),)
    assert record.transcript.turns == (Turn(Speaker.CUSTOMER, "Where is my card?"),)


def test_turns_keep_their_speakers(tmp_path):
    turns = [{"speaker": "bot", "text": "Hello"}, {"speaker": "customer", "text": "Hi"}]

    (record,) = read_records(written(tmp_path, {"turns": turns, "labels": []}))

    assert [turn.speaker for turn in record.transcript.turns] == [Speaker.BOT, Speaker.CUSTOMER]


def test_what_is_left_out_has_a_default(tmp_path):
    _, record = read_records(written(tmp_path, LINE, {"text": "hm"}))

    assert (record.key, record.split, record.labels) == ("2", "train", ())


def test_a_compressed_file_is_known_by_its_content(tmp_path):
    path = tmp_path / "cards.txt"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + json.dumps(LINE).encode() + b"\n\n"))

    assert [record.key for record in read_records(path)] == ["1"]


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        (b"\xff\xfe", "save the file as UTF-8"),
        (b"{", "one JSON object per line"),
        (b"[" * 100_000, "one JSON object per line"),
        (b"[]", "not a JSON object"),
        (b'{"labels": []}', 'either "text" or "turns"'),
        (b'{"text": "a", "turns": []}', 'either "text" or "turns"'),
        (b'{"text": 5}', '"text" is missing or not a text'),
        (b'{"turns": "a"}', '"turns" is not a list'),
        (b'{"turns": ["a"]}', "a turn is not an object"),
        (b'{"turns": [{"speaker": "me", "text": "a"}]}', "customer, representative, bot"),
        (b'{"turns": [{"speaker": "bot"}]}', '"text" is missing'),
        (b'{"text": "a", "labels": "b"}', '"labels" is not a list'),
        (b'{"text": "a", "labels": [" > "]}', "a label is empty"),
        (b'{"text": "a", "split": "dev"}', "none of train, val, test"),
    ],
)
def test_a_wrong_line_is_named_with_its_remedy(tmp_path, line, remedy):
    path = tmp_path / "cards.jsonl"
    path.write_bytes(b'{"text": "fine"}\n' + line)

    with pytest.raises(DatasetInvalid, match=r"cards\.jsonl, line 2: ") as refused:
        list(read_records(path))

    assert remedy in str(refused.value)


def test_a_cut_off_download_is_told(tmp_path):
    path = tmp_path / "cards.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(LINE).encode() * 99)[:-20])

    with pytest.raises(DatasetInvalid, match="copy it again"):
        list(read_records(path))


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(DatasetInvalid, match="check the path"):
        list(read_records(tmp_path / "nowhere.jsonl"))
