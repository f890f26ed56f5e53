"""The address of a Case in Salesforce, where there is one to open."""

import re

from django.conf import settings

from sfsync.models import Connection

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?", re.IGNORECASE)
_CASE_ID = re.compile(r"[a-zA-Z0-9]{15,18}")


def case_url(case_id: str, host: str | None = None) -> str:
    """Return the Case's page in Lightning, empty where there is none to open.

    ``host`` is the connection's, asked for once per list page; the local org of the demo has
    no pages, so nothing links there.
    """
    if settings.SALESFORCE_LOCAL_ORIGIN:
        return ""
    if host is None:
        host = Connection.objects.filter(pk=1).values_list("instance_host", flat=True).first()
    # Both come from outside: a link is made of them only where they look as they should.
    if not host or not _HOST.fullmatch(host) or not _CASE_ID.fullmatch(case_id):
        return ""
    return f"https://{host}/lightning/r/Case/{case_id}/view"
