"""The demo's world is its own: folder, port and database."""

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.core.management.base import CommandError
from django.db import connection

from contactreason.demo import database, world
from sfsync.models import Connection

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def busy_port():
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_a_second_demo_in_one_folder_is_refused(tmp_path):
    with (
        world.sole_use(tmp_path),
        pytest.raises(CommandError, match=r"Another demo is running .* Ctrl-C"),
        world.sole_use(tmp_path),
    ):
        pass


def test_the_folder_is_free_again_when_a_demo_has_ended(tmp_path):
    with world.sole_use(tmp_path):
        (tmp_path / "old").mkdir()
        (tmp_path / "old" / "row").touch()

    with world.sole_use(tmp_path):
        world.empty(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_a_busy_port_is_passed_over(busy_port):
    assert busy_port < world.free_port(busy_port) < busy_port + world.PORTS_TRIED


def test_what_is_set_for_a_real_org_does_not_reach_the_demo(tmp_path):
    real = {
        "PATH": "/bin",
        "SALESFORCE_DOMAIN": "login",
        "SALESFORCE_USERNAME": "me@acme.example",
        "SALESFORCE_PRIVATE_KEY_FILE": "/etc/key.pem",
    }

    made = world.environment(real, tmp_path, "secret")

    assert made["PATH"] == "/bin"
    assert made["SALESFORCE_LOCAL_ORIGIN"] == f"http://127.0.0.1:{made[world.MARK]}"
    assert not {"login", "me@acme.example", "/etc/key.pem"} & set(made.values())
    assert (
        made["SALESFORCE_CLIENT_SECRET"]
        != (world.environment(real, tmp_path, "secret")["SALESFORCE_CLIENT_SECRET"])
    )


@pytest.mark.django_db
def test_a_database_of_another_org_is_refused_and_left_alone():
    Connection.objects.create(id=1, org_id="00D000000000999EAA")

    with pytest.raises(CommandError, match="a database that is in use"):
        database.empty()

    assert Connection.objects.count() == 1


@pytest.mark.django_db
def test_a_database_that_is_set_up_but_not_connected_yet_is_refused_too():
    with pytest.raises(CommandError, match="a database that is in use"):
        database.empty()


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite begins with a new file")
def test_a_demo_that_was_cut_off_leaves_a_database_that_the_next_may_empty():
    database.claim()

    database.empty()

    assert connection.introspection.table_names() == []


MIGRATE = """
import sys, django; from pathlib import Path
django.setup()
from contactreason.demo import database
database.empty()
database.migrate(Path(sys.argv[1]))
database.claim()
"""


def tables_of(path):
    with closing(sqlite3.connect(path)) as database:
        return {name for (name,) in database.execute("SELECT name FROM sqlite_master")}


def test_a_second_start_copies_the_tables_that_the_first_one_made(tmp_path):
    def tables_made(name):
        own = {"VAR_DIR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/{name}"}
        command = [sys.executable, "-c", MIGRATE, str(tmp_path)]
        subprocess.run(command, cwd=ROOT, env={**os.environ, **own}, check=True)
        return tables_of(tmp_path / name)

    (tmp_path / "migrated-by-an-earlier-version.db").touch()
    first = tables_made("first.sqlite3")
    (kept,) = tmp_path.glob("migrated-*.db")
    with closing(sqlite3.connect(kept)) as database:
        database.execute("CREATE TABLE seen_again (id)")

    assert "classifier_decision" in first
    assert tables_made("second.sqlite3") == first | {"seen_again"}
