import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_demo_becomes_the_demo_so_that_a_signal_to_make_reaches_it():
    told = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", "demo", "EXIT=1", "CASES=my cases.jsonl"],
        cwd=ROOT,
        # The suite is itself started by make, whose own switches must not reach this one.
        env={name: os.environ[name] for name in os.environ if not name.startswith("MAKE")},
        capture_output=True,
        text=True,
        check=True,
    )

    last = told.stdout.strip().splitlines()[-1]
    assert 'exec .venv/bin/python manage.py demo --cases "my cases.jsonl" --exit' in last
