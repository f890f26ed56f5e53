"""Django's SQLite backend, as production uses it, that asks ``PORT`` before each statement.

The simulated clock is registered on every connection: ``leases.now()`` reads ``strftime``,
and SQLite lets an application put its own function in place of a built-in one.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.backends.sqlite3 import base


@dataclass
class Port:
    """Between the database and the simulation; while nobody is connected, it is an open door."""

    connecting: Callable[[sqlite3.Connection], None] = lambda _: None
    cursor: Callable[[sqlite3.Connection], None] = lambda _: None
    statement: Callable[[str], None] = lambda _: None
    waits: Callable[[int], bool] = lambda _: False
    """Wait for another's lock for the n-th time; False: waited long enough."""
    rolling_back: Callable[[sqlite3.Connection], None] = lambda _: None
    committing: Callable[[], None] = lambda: None
    committed: Callable[[], None] = lambda: None


PORT = Port()
"""One per process, as Django's connections are."""


class Cursor(base.SQLiteCursorWrapper):
    def execute(self, query: str, params: Any = None) -> Any:
        PORT.statement(query)
        waited = 0
        while True:
            try:
                return super().execute(query, params)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or not PORT.waits(waited):
                    raise
                waited += 1

    def executemany(self, query: str, param_list: Any) -> Any:
        PORT.statement(query)
        return super().executemany(query, param_list)


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        PORT.statement("connect")
        connection = super().get_new_connection(conn_params)
        # Waiting for another writer is simulated: the other one could not go on meanwhile.
        connection.execute("PRAGMA busy_timeout=0")
        PORT.connecting(connection)
        return connection

    def create_cursor(self, name: str | None = None) -> Any:
        PORT.cursor(self.connection)
        return self.connection.cursor(factory=Cursor)

    def _commit(self) -> None:
        if self.connection is not None:
            with self.wrap_database_errors:
                PORT.committing()
        super()._commit()
        PORT.committed()

    def _rollback(self) -> None:
        if self.connection is not None:
            with self.wrap_database_errors:
                PORT.rolling_back(self.connection)
        super()._rollback()
