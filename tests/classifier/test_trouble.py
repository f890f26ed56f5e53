"""A database that is full, or may not be written, is told in one sentence."""

import errno

import pytest
from django.core.management import CommandError, call_command
from django.db import InternalError, OperationalError
from django.db.utils import ConnectionHandler

from classifier.commands import ReportingCommand
from classifier.trouble import DISK_FULL, READ_ONLY, database_sentence

pytestmark = pytest.mark.django_db


@pytest.fixture
def database(tmp_path):
    """A database of its own, as Django opens it."""
    settings = {"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / "words.sqlite3"}
    connection = ConnectionHandler({"default": settings})["default"]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE words (text)")
    yield connection
    connection.close()


def write(database):
    with database.cursor() as cursor:
        cursor.execute("INSERT INTO words VALUES (%s)", ["x" * 100_000])


class Writing(ReportingCommand):
    stealth_options = ("deed",)

    def handle(self, *, deed, **options):
        deed()


def test_a_full_disk(database):
    with database.cursor() as cursor:
        cursor.execute("PRAGMA max_page_count = 3")

    with pytest.raises(CommandError) as told:
        call_command(Writing(), deed=lambda: write(database))

    assert str(told.value) == DISK_FULL


def test_a_full_disk_beside_the_database():
    def fill():
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(CommandError, match="The disk is full"):
        call_command(Writing(), deed=fill)


def test_other_errors_of_the_operating_system_are_not_hidden():
    def miss():
        raise FileNotFoundError(errno.ENOENT, "gone")

    with pytest.raises(FileNotFoundError):
        call_command(Writing(), deed=miss)


def test_a_database_that_can_only_be_read(database):
    with database.cursor() as cursor:
        cursor.execute("PRAGMA query_only = ON")

    with pytest.raises(CommandError) as told:
        call_command(Writing(), deed=lambda: write(database))

    assert str(told.value) == READ_ONLY


class OfPostgreSQL(Exception):
    def __init__(self, sqlstate):
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("error", "sqlstate", "sentence"),
    [
        (OperationalError("could not extend file"), "53100", DISK_FULL),
        (InternalError("cannot execute INSERT"), "25006", READ_ONLY),
    ],
)
def test_postgresql_says_it_by_code(error, sqlstate, sentence):
    error.__cause__ = OfPostgreSQL(sqlstate)

    assert database_sentence(error) == sentence


def test_anything_else_is_quoted_in_its_first_line():
    sentence = database_sentence(OperationalError("connection refused\nmore"))

    assert sentence.startswith("The database says: connection refused. If it is new")
    assert "more" not in sentence
