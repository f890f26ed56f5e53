"""What may go wrong with the database and the disk, as one sentence that says what to do."""

import errno

from django.db import DatabaseError, InternalError, OperationalError, ProgrammingError

TROUBLE = (OperationalError, ProgrammingError, InternalError)
"""What Django raises where the database itself is the trouble, not what we asked of it."""

DISK_FULL = "The disk is full: free some space and run it again. Nothing was lost."
READ_ONLY = (
    "The database can only be read: give the user who runs this the right to write to it"
    " (SQLite: to the file and its folder), and run it again."
)
# The codes of SQLite (sqlite.org/rescode.html) and PostgreSQL (its Appendix A).
_SENTENCES = {
    "SQLITE_FULL": DISK_FULL,
    "53100": DISK_FULL,
    "SQLITE_READONLY": READ_ONLY,
    "25006": READ_ONLY,
}


def database_sentence(error: DatabaseError) -> str:
    """Return what is wrong with the database and what to do."""
    cause = error.__cause__
    code = str(getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", ""))
    family = "_".join(code.split("_")[:2])  # SQLITE_READONLY_DBMOVED is of SQLITE_READONLY
    if family in _SENTENCES:
        return _SENTENCES[family]
    said = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
    return (
        f"The database says: {said}. If it is new, run `python manage.py migrate` first;"
        " else look at DATABASE_URL, the server and the disk."
    )


def is_disk_full(error: OSError) -> bool:
    return error.errno == errno.ENOSPC
