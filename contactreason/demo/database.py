"""The demo's database: emptied for a new run, and known again as a demo's."""

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


def claim() -> None:
    """Pin the new tables to the local org at once: a run that is cut off can be told by it."""
    Connection.objects.create(id=1, org_id=LOCAL_ORG_ID, connected_at=timezone.now())


def _holds_a_demo() -> bool:
    return Connection.objects.filter(org_id=LOCAL_ORG_ID).exists()
