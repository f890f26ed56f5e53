"""A file of Cases is checked before anything is started for it."""

import gzip
import json

import pytest
from django.core.management.base import CommandError

from contactreason.demo.cases import check

TRAIN = {"text": "my parcel never came", "labels": ["Parcel"], "split": "train"}
TEST = {**TRAIN, "split": "test"}


def written(folder, *lines):
    path = folder / "cases.jsonl"
    path.write_text(
        "\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines)
    )
    return path


def refusal(path):
    with pytest.raises(CommandError) as refused:
        check(path)
    return str(refused.value)


def test_a_file_with_both_splits_is_taken_plain_and_compressed(tmp_path):
    plain = written(tmp_path, TRAIN, TEST)
    compressed = tmp_path / "a name without ending"
    compressed.write_bytes(gzip.compress(plain.read_bytes()))

    assert check(plain) is None
    assert check(compressed) is None


def test_wrong_lines_are_named_with_what_to_do(tmp_path):
    path = written(tmp_path, TRAIN, "rubbish", TEST, {"labels": []})

    told = refusal(path)

    assert told.startswith("2 lines are wrong in cases.jsonl; mend or leave out:")
    assert "line 2: not JSON; write one JSON object per line" in told
    assert 'line 4: give either "text" or "turns"' in told


def test_of_many_wrong_lines_a_few_are_told(tmp_path):
    told = refusal(written(tmp_path, *["rubbish"] * 9))

    assert told.count("not JSON") == 5
    assert told.endswith("… and 4 more like these")


@pytest.mark.parametrize(
    ("present", "missing"), [(TEST, "train"), (TRAIN, "test")], ids=["test only", "train only"]
)
def test_a_missing_split_is_named(tmp_path, present, missing):
    assert f'no line has the split "{missing}"' in refusal(written(tmp_path, present))


def test_a_file_that_is_not_there_or_damaged_is_one_sentence(tmp_path):
    damaged = tmp_path / "cases.jsonl.gz"
    damaged.write_bytes(gzip.compress(json.dumps(TRAIN).encode())[:-9])

    assert "check the path" in refusal(tmp_path / "nowhere.jsonl")
    assert "damaged or cut off" in refusal(damaged)
