"""Fixtures that every test may want."""

import pytest
from django.conf import settings


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep SQLite's test database in a file, as in production.

    In memory, threads that write at the same time get "table is locked" at once; only a file in
    WAL mode lets them wait for each other.
    """
    database = settings.DATABASES["default"]
    if "sqlite" in database["ENGINE"]:
        path = tmp_path_factory.mktemp("database") / "test.sqlite3"
        database.setdefault("TEST", {})["NAME"] = str(path)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the database; let every test that commits find what migrations made.

    Django empties all tables after such a test; without this the timetable, the groups, the
    sources and the field mapping would be gone for the next one.
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
