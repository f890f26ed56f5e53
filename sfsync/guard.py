"""The guard in the org: what it is called there, and how its presence shows. Pure.

A flow that runs before a Case is saved stamps the source field when anybody but our user
changes a field that names reasons; a validation rule refuses our user's change of a stamped
Case. Salesforce holds the row's lock meanwhile, so there is no moment in between.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256

from sfsync.errors import RULE
from sfsync.field_map import NAMING_SLOTS, Slot

FIELD = "Contact_Reason_Guard__c"
"""Case field in which the flow leaves its mark when our user writes."""
PERMISSION = "Contact_Reason_Automation"
"""Custom permission by which flow and rule know our user."""
STAMP = "Set in Salesforce"
"""What the flow writes into the source field: the reason is somebody else's."""
NAME = "Contact_Reason_Guard"
"""API name of the flow and of the rule."""
MESSAGE = (
    "Contact Reason guard: somebody set the contact reason of this Case in Salesforce, so"
    " automation must not change it."
)
_MESSAGE_BEGINS = "Contact Reason guard:"
_DIGEST_CHARACTERS = 12


def guarded_fields(slots: Mapping[str, Slot]) -> tuple[str, ...]:
    """Return the Case fields that the guard watches; none where there is no source field.

    ``slots``: field → slot of the mapped fields.
    """
    if Slot.SOURCE not in slots.values():
        return ()
    return tuple(sorted(name for name, slot in slots.items() if slot in NAMING_SLOTS))


def mark_of(slots: Mapping[str, Slot]) -> str:
    """Return the mark of a guard that watches just these fields; empty where none can.

    The flow is deployed with it, so an older flow that lacks a field leaves another one.
    """
    watched = guarded_fields(slots)
    if not watched:
        return ""
    named = [_source_of(slots), *watched]
    return f"guard {sha256(' '.join(named).encode()).hexdigest()[:_DIGEST_CHARACTERS]}"


def has_stamp(values: Mapping[str, object], slots: Mapping[str, Slot]) -> bool:
    """Return whether a Case with these values is somebody else's by the guard's word."""
    return any(values.get(name) == STAMP for name, slot in slots.items() if slot is Slot.SOURCE)


def is_refusal(code: str, words: str, fields: Iterable[str], slots: Mapping[str, Slot]) -> bool:
    """Return whether a failed row was refused by the guard's rule.

    Its words may be translated in the org; it is then known by the field it is shown at.
    """
    if code != RULE:
        return False
    return words.startswith(_MESSAGE_BEGINS) or _source_of(slots) in fields


def _source_of(slots: Mapping[str, Slot]) -> str:
    return next((name for name, slot in slots.items() if slot is Slot.SOURCE), "")
