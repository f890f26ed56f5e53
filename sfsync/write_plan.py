"""Look before you write: what one decision may change on one Case. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sfsync.cases import FieldValue
from sfsync.field_map import (
    AUTOMATIC_SOURCES,
    MATERIAL_SLOTS,
    NAMING_SLOTS,
    REASON_SLOTS,
    Slot,
    is_blank,
    is_same,
)
from sfsync.guard import has_stamp

Fields = Mapping[str, FieldValue]


class Step(StrEnum):
    """What to do with one write-back."""

    WRITE = "write"
    UNCHANGED = "unchanged"
    """Nothing of weight would change."""
    LANDED = "landed"
    """An earlier attempt that got no answer did arrive: the Case reads as it should."""
    CEDE = "cede"
    """A person's value stands there: leave the Case alone."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """What we ourselves put on a Case, as far as we know."""

    delivered: Fields = field(default_factory=dict)
    attempts: Sequence[Fields] = ()
    """Writes that got no answer: each may have arrived, or not."""

    def is_ours(self, name: str, slot: Slot, value: FieldValue) -> bool:
        """Return whether ``value`` is what we left in the field.

        A field that we filled and that is blank now was emptied by a person, so it is theirs.
        """
        if any(name in sent and is_same(slot, sent[name], value) for sent in self.attempts):
            return True
        return is_same(slot, self.delivered.get(name), value)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, with what."""

    step: Step
    send: Fields = field(default_factory=dict)
    """Fields to write; those that already hold our value are left out."""
    foreign: tuple[str, ...] = ()
    """Fields that hold a person's word."""


def planned(
    wanted: Fields, current: Fields, footprint: Footprint, slots: Mapping[str, Slot]
) -> Plan:
    """Return what may be done so that a Case with ``current`` values reads as ``wanted``.

    ``slots``: field → slot of every field in ``wanted`` or ``current``. ``current`` holds all
    reason fields that can be read, also where ``wanted`` leaves them out: a person's word in
    any of them cedes the whole Case. A wanted set without a reason (an abstention, or a bare
    suggestion) never takes back a reason that we wrote: it changes only when we are sure, or
    when ``wanted`` holds the reason fields as blank (a reviewer took their word back).
    """
    if has_stamp(current, slots):
        # Somebody set the reason in Salesforce, be it to what we would say ourselves.
        return Plan(Step.CEDE, foreign=_stamped(current, slots))
    foreign = tuple(
        name
        for name in current
        if (slots[name] in REASON_SLOTS or (slots[name] in NAMING_SLOTS and name in wanted))
        and not footprint.is_ours(name, slots[name], current[name])
    )
    if foreign:
        return Plan(Step.CEDE, foreign=foreign)
    is_silent = not any(slots[name] in REASON_SLOTS for name in wanted)
    if is_silent and _names_reason(current, slots):
        return Plan(Step.UNCHANGED)
    send = {
        name: value
        for name, value in wanted.items()
        if not is_same(slots[name], value, current.get(name))
    }
    if any(_weighs(name, send[name], current, slots) for name in send):
        return Plan(Step.WRITE, send)
    has_landed = any(_stands(sent, current, slots) for sent in footprint.attempts)
    return Plan(Step.LANDED if has_landed else Step.UNCHANGED)


def _weighs(name: str, value: FieldValue, current: Fields, slots: Mapping[str, Slot]) -> bool:
    """Return whether a field's change is worth a write.

    One more message may well turn "Model" into "Rules and model"; that alone tells nobody
    anything.
    """
    if slots[name] is Slot.SOURCE:
        return not {value, current.get(name)} <= AUTOMATIC_SOURCES
    return slots[name] in MATERIAL_SLOTS


def _stamped(current: Fields, slots: Mapping[str, Slot]) -> tuple[str, ...]:
    """Return the reason fields that say something; all of them where none does."""
    reasons = tuple(name for name in current if slots[name] in REASON_SLOTS)
    return tuple(name for name in reasons if not is_blank(current[name])) or reasons


def _names_reason(fields: Fields, slots: Mapping[str, Slot]) -> bool:
    return any(
        not is_blank(value) for name, value in fields.items() if slots[name] in REASON_SLOTS
    )


def _stands(sent: Fields, current: Fields, slots: Mapping[str, Slot]) -> bool:
    """Return whether everything of weight in an attempt is what the Case reads now."""
    material = [name for name in sent if name in slots and slots[name] in MATERIAL_SLOTS]
    return bool(material) and all(
        name in current and is_same(slots[name], sent[name], current[name]) for name in material
    )
