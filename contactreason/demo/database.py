"""The demo's database: emptied for a new run, and known again as a demo's."""

import hashlib
import shutil
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone

from sfsync.local_org.ids import new_id
from sfsync.models import Connection

LOCAL_ORG_ID = new_id("00D", 1)


def empty() -> None:
    """Drop the tables of an earlier demo from a server's database (DATABASE_URL).

    Raises:
        CommandError: the database holds anything else; nothing was touched.
    """
    tables = connection.introspection.table_names()
    if not tables:
        return
    if Connection._meta.db_table not in tables or not _holds_a_demo():
        raise CommandError(
            "DATABASE_URL names a database that is in use. The demo begins with an empty one:"
            " name another database, or drop this one's tables if nobody needs them."
        )
    names = ", ".join(connection.ops.quote_name(table) for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {names} CASCADE")


def migrate(kept_in: Path) -> None:
    """Make the tables: for SQLite a copy of those that an earlier demo made, else by migrating.

    ``kept_in`` is where the empty, migrated file is kept. It is made anew when a migration or a
    package has changed: migrating takes as long as the training.
    """
    if connection.vendor != "sqlite":
        call_command("migrate", verbosity=0)
        return
    made, kept = Path(connection.settings_dict["NAME"]), kept_in / f"migrated-{_layout()}.db"
    connection.close()  # whoever looked whether it is empty holds the file
    if kept.exists():
        shutil.copyfile(kept, made)
        return
    call_command("migrate", verbosity=0)
    connection.close()  # so that the file holds all that was written
    for outdated in kept_in.glob("migrated-*.db"):
        outdated.unlink()
    half = kept.with_suffix(".part")
    shutil.copyfile(made, half)
    half.replace(kept)  # whoever looks finds it whole or not at all


def _layout() -> str:
    """Return what the tables depend on, as 16 hexadecimal digits."""
    ours = sorted(settings.BASE_DIR.glob("*/migrations/*.py"))
    digest = hashlib.sha256()
    for path in (settings.BASE_DIR / "requirements.txt", *ours):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def claim() -> None:
    """Pin the new tables to the local org at once: a run that is cut off can be told by it."""
    Connection.objects.create(id=1, org_id=LOCAL_ORG_ID, connected_at=timezone.now())


def _holds_a_demo() -> bool:
    return Connection.objects.filter(org_id=LOCAL_ORG_ID).exists()
