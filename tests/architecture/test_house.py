"""The rules of the house: who may import whom, which rooms there are, what may not be used."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    path
    for app in ("contactreason", "classifier", "sfsync")
    for path in (ROOT / app).rglob("*.py")
    if "migrations" not in path.parts
]
FIXED = {
    "manage.py",
    "contactreason",
    "classifier",
    "sfsync",
    "tests",
    "requirements.txt",
    "Procfile",
}


def test_the_import_contracts_are_kept():
    # In a process of its own: the linter switches every logger off that is there already.
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_the_top_level_that_the_owner_fixed_is_there():
    assert [name for name in FIXED if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("word", ["utils", "helpers", "common", "misc", "functions"])
def test_no_module_is_a_drawer_for_anything(word):
    assert [path for path in SOURCES if path.stem == word] == []


def test_no_test_patches_a_method_or_sleeps():
    words = re.compile(r"\b(mock\.patch|monkeypatch\.setattr|unittest\.mock|time\.sleep)\b")
    tests = [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]

    assert [str(path) for path in tests if words.search(path.read_text())] == []


def test_nothing_is_unpickled():
    loads = re.compile(r"^\s*(import|from) (pickle|joblib|dill|cloudpickle)\b.*", re.MULTILINE)
    spreading = "from joblib import Parallel, delayed, parallel_config"  # calls, not files

    found = [match[0] for path in SOURCES for match in loads.finditer(path.read_text())]
    assert [line for line in found if line.strip().partition("  #")[0] != spreading] == []


def test_the_locks_are_hashed_and_free_of_index_addresses():
    names = sorted(path.name for path in ROOT.glob("requirements*.txt"))
    assert {"requirements.txt", "requirements-dev.txt", "requirements-bootstrap.txt"} <= set(
        names
    )
    for name in names:
        lock = (ROOT / name).read_text()
        pins = re.findall(r"^[A-Za-z0-9._-]+(?:\[[a-z,]+\])?==", lock, re.MULTILINE)

        assert len(re.findall(r"==[^\n]+\\\n    --hash=sha256:", lock)) == len(pins), name
        assert "://" not in lock, name
