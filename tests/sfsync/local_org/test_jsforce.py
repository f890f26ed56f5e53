"""A second real client, jsforce, is content with the org: no wire of our own invention."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sfsync.local_org.http_door import HttpDoor
from sfsync.local_org.records import Record, Said

pytestmark = [pytest.mark.node, pytest.mark.enable_socket]
HERE = Path(__file__).parent / "jsforce"
CACHE = Path(__file__).resolve().parents[3] / "var" / "jsforce"
INSTALL_SECONDS = 120
RUN_SECONDS = 60
CASES = 450


@pytest.fixture(scope="module")
def program() -> Path:
    """The script beside an installed jsforce; installed once per lock into a cache."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("Node.js and npm are not installed: jsforce was not tried")
    lock = (HERE / "package-lock.json").read_bytes()
    folder = CACHE / hashlib.sha256(lock).hexdigest()[:16]
    if not (folder / "installed").exists():
        _install(folder)
    return Path(shutil.copy(HERE / "round_trip.mjs", folder))


def _install(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        subprocess.run(
            command, cwd=folder, check=True, capture_output=True, timeout=INSTALL_SECONDS
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as failed:
        pytest.skip(f"jsforce could not be installed, so it was not tried: {failed}")
    (folder / "installed").touch()


@pytest.mark.timeout(INSTALL_SECONDS + RUN_SECONDS)
def test_jsforce_logs_in_fetches_every_page_and_updates_a_collection(org, program):
    ids = org.load([Record(f"r{n}", (Said("customer", "x"),)) for n in range(CASES)])
    org.faults.page_size = 100
    with HttpDoor(org) as door:
        org.instance_url = door.origin
        done = subprocess.run(
            ["node", program.name, door.origin, org.app.client_id, org.app.client_secret],
            check=False,
            cwd=program.parent,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
        )

    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["user"] == org.founders.integration
    assert (seen["total"], seen["ids"]) == (CASES, ids)
    assert seen["owner"]
    assert [one["success"] for one in seen["outcomes"]] == [True, False]
    assert seen["outcomes"][1]["errors"][0]["statusCode"] == "INVALID_FIELD"
    assert (seen["priority"], seen["refused"]) == ("Low", "INVALID_FIELD")
    assert seen["used"] == org.ledger.api_calls
    assert org.ledger.writes_by_case() == {ids[0]: 1}


def test_the_lock_names_no_registry():
    lock = json.loads((HERE / "package-lock.json").read_text())

    assert not [name for name, one in lock["packages"].items() if "resolved" in one]
    assert all("integrity" in one for name, one in lock["packages"].items() if name)
