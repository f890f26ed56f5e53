"""``manage.py change_events`` and ``local_org --events`` as processes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import grpc
import pytest

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 60
WITHOUT = "import sys; sys.modules.update(dict.fromkeys(('grpc', 'google', 'fastavro')));"


def environment(tmp_path, **more):
    return {
        **os.environ,
        "SECRET_KEY": "x" * 50,
        "VAR_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3",
        **more,
    }


def without_packages(tmp_path, code):
    return subprocess.run(
        [sys.executable, "-c", WITHOUT + code],
        check=False,
        cwd=ROOT,
        env=environment(tmp_path, DJANGO_SETTINGS_MODULE="contactreason.settings"),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def test_without_the_packages_it_says_what_to_install(tmp_path):
    code = (
        "from django.core.management import execute_from_command_line;"
        "execute_from_command_line(['manage.py', 'change_events'])"
    )

    told = without_packages(tmp_path, code)

    assert told.returncode == 1
    assert "requirements-events.txt" in told.stderr
    assert "Traceback" not in told.stderr


def test_nothing_else_needs_the_packages(tmp_path):
    code = (
        "import django; django.setup(); import contactreason.urls, sfsync.tasks;"
        "import sfsync.management.commands.local_org; print('fine')"
    )

    told = without_packages(tmp_path, code)

    assert told.stdout == "fine\n", told.stderr


@pytest.fixture
def started(tmp_path):
    processes = []

    def start(*command, **more):
        process = subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=environment(tmp_path, **more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_term_ends_it_cleanly_even_where_the_database_has_no_tables(started):
    process = started(
        "change_events",
        SALESFORCE_DOMAIN="acme.my",
        SALESFORCE_CLIENT_ID="id",
        SALESFORCE_CLIENT_SECRET="secret",
        SALESFORCE_LOCAL_ORIGIN="http://127.0.0.1:9",
        SALESFORCE_EVENTS_LOCAL_ORIGIN="http://127.0.0.1:9",
    )
    assert process.stdout.readline() == "Listening to /data/CaseChangeEvent.\n"

    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=SECONDS)

    assert process.returncode == 0
    assert "Traceback" not in errors


def test_the_local_org_serves_events_and_names_the_setting(started):
    process = started("local_org", "--port", "0", "--events", "0", "--json")
    told = json.loads(process.stdout.readline())
    origin = told["settings"]["SALESFORCE_EVENTS_LOCAL_ORIGIN"]

    with grpc.insecure_channel(origin.removeprefix("http://")) as channel:
        grpc.channel_ready_future(channel).result(timeout=SECONDS)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=SECONDS)

    assert process.returncode == 0
