"""Which Cases automation may write to at all: the scope of the connection."""

from django.db.models import Q

from sfsync.models import CaseLink, Connection


def is_in_scope(connection: Connection, link: CaseLink) -> bool:
    """Return whether the Case is one we may write to, by what we last read of it."""
    after = connection.scope_created_after
    return (
        _allows(connection.scope_record_types, link.record_type)
        and _allows(connection.scope_origins, link.origin)
        and _allows(connection.scope_queues, link.queue)
        and (
            after is None or (link.case_created_at is not None and link.case_created_at > after)
        )
    )


def in_scope(connection: Connection) -> Q:
    """Return the same claim as a condition on write-backs."""
    condition = Q()
    if connection.scope_record_types:
        condition &= Q(case_link__record_type__in=connection.scope_record_types)
    if connection.scope_origins:
        condition &= Q(case_link__origin__in=connection.scope_origins)
    if connection.scope_queues:
        condition &= Q(case_link__queue__in=connection.scope_queues)
    if connection.scope_created_after:
        condition &= Q(case_link__case_created_at__gt=connection.scope_created_after)
    return condition


def _allows(allowed: list[str], value: str) -> bool:
    return not allowed or value in allowed
