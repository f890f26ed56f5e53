"""What ``manage.py`` says when the environment is not right."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NEEDED = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


def run(*arguments, **variables):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**NEEDED, "ENV_FILE": "", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_all_that_is_wrong_is_told_at_once_without_a_traceback(tmp_path):
    ended = run("migrate", VAR_DIR=str(tmp_path), DATABASE_URL="mysql://x", DEBUG="perhaps")

    assert ended.returncode == 1
    assert ended.stderr.startswith("The environment is not right yet:")
    assert all(name in ended.stderr for name in ("SECRET_KEY", "DATABASE_URL", "DEBUG"))
    assert "Traceback" not in ended.stderr
