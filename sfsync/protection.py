"""What keeps a person's word from being overwritten in this org, as it was last tried out.

Neither flows nor the heeding of conditions can be asked for without rights that our user should
not have. So both are tried out, once a day, with a write that is to be made anyway.
"""

from datetime import datetime, timedelta

from django.db import models

from sfsync import guard
from sfsync.cases import SObjectDescription
from sfsync.field_map import Slot
from sfsync.models import Connection, FieldMapping
from sfsync.terms import Terms

TRUSTED_FOR = timedelta(days=1)
TRIED_AGAIN_AFTER = timedelta(hours=1)
"""Where the guard is deployed and does not keep us, until somebody activates or renews it."""


class Protection(models.TextChoices):
    """What stands between our write and a person's, strongest first."""

    GUARD = "guard", "The guard in the org: nothing a person set can be overwritten"
    CONDITION = "condition", "Conditional writes: only an edit within one second is not seen"
    LOOK = "look", "Each Case is read just before it is written"


def protection(terms: Terms, case: SObjectDescription, moment: datetime) -> Protection | None:
    """Return what protects people's words at present; None: it must be tried out."""
    connection, has_field = terms.connection, can_mark(case)
    if connection.protection_tried_at is None or has_field is not connection.guard_was_there:
        return None
    is_guarded = has_field and has_guard(connection.guard_mark, terms)
    trusted_for = TRUSTED_FOR if is_guarded or not has_field else TRIED_AGAIN_AFTER
    if moment - connection.protection_tried_at > trusted_for:
        return None
    if is_guarded:
        return Protection.GUARD
    return Protection.CONDITION if connection.heeds_conditions else Protection.LOOK


def can_mark(case: SObjectDescription) -> bool:
    """Return whether the guard was deployed with the field of its mark open to us."""
    described = case.fields.get(guard.FIELD)
    return described is not None and described.is_updateable


def has_guard(mark: str, terms: Terms) -> bool:
    """Return whether a flow that leaves this mark watches just the fields that are mapped."""
    return bool(mark) and mark == guard.mark_of(terms.slots)


def keep(
    terms: Terms, *, heeds_conditions: bool, mark: str, has_field: bool, moment: datetime
) -> Protection:
    """Write down what was tried out, and return what it means."""
    found = {
        "protection_tried_at": moment,
        "heeds_conditions": heeds_conditions,
        "guard_mark": mark[:80],
        "guard_was_there": has_field,
    }
    Connection.objects.filter(pk=terms.connection.pk).update(**found)
    for name, value in found.items():
        setattr(terms.connection, name, value)
    if has_field and has_guard(mark, terms):
        return Protection.GUARD
    return Protection.CONDITION if heeds_conditions else Protection.LOOK


def told(connection: Connection) -> tuple[Protection | None, str]:
    """Return what protected at the last trial, and what an operator may want to know of it.

    None: nothing was written yet.
    """
    tried_at = connection.protection_tried_at
    if tried_at is None:
        return None, "It is tried out with the first write to a Case."
    mapped = {row.field: Slot(row.slot) for row in FieldMapping.objects.active()}
    if connection.guard_mark and connection.guard_mark == guard.mark_of(mapped):
        return Protection.GUARD, "Its flow left its mark when we last tried it."
    advice = "Deploy it: python manage.py salesforce_metadata DIR."
    if connection.guard_mark:
        advice = f"It watches other fields than are mapped. {advice}"
    elif connection.guard_was_there:
        advice = f"It is deployed, but its flow did not run: activate {guard.NAME} under Flows."
    way = Protection.CONDITION if connection.heeds_conditions else Protection.LOOK
    return way, f"The guard in the org would keep more, at fewer API calls. {advice}"
