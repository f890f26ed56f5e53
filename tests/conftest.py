"""Fixtures that every test may want."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection
from pytest_django.plugin import blocking_manager_key


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Keep SQLite's test database in a file, as in production.

    In memory, threads that write at the same time get "table is locked" at once; only a file in
    WAL mode lets them wait for each other.
    """
    database = settings.DATABASES["default"]
    if "sqlite" in database["ENGINE"]:
        path = tmp_path_factory.mktemp("database") / "test.sqlite3"
        database.setdefault("TEST", {})["NAME"] = str(path)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the database; let every test find what migrations made.

    Django empties all tables after a test that commits, and fills them again only before the
    next one of that kind; see ``pytest_runtest_teardown``.
    """
    for item in items:
        mark = item.get_closest_marker("django_db")
        names = {"transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
        if names or (mark and mark.kwargs.get("transaction")):
            committing = pytest.mark.django_db(transaction=True, serialized_rollback=True)
            item.add_marker(committing, append=False)
        if mark or {"db", "transactional_db", "live_server"} & set(
            getattr(item, "fixturenames", ())
        ):
            item.add_marker(pytest.mark.database)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Fill the tables as the migrations did, at once after a test that commits.

    Files run side by side and in any order, so any test may come next: without this the
    timetable, the groups, the sources and the field mapping would be gone for it.
    """
    yield
    mark = item.get_closest_marker("django_db")
    contents = getattr(connection, "_test_serialized_contents", "")
    is_committing = mark and mark.kwargs.get("serialized_rollback")
    if is_committing and contents and nextitem is not None:  # else the database is gone already
        with item.config.stash[blocking_manager_key].unblock():
            connection.creation.deserialize_db_from_string(contents)
            connection.close()
