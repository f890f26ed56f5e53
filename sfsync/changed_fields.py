"""What a change of reason fields says: from rows of field history to a word. Pure functions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sfsync.cases import FieldChange, FieldValue, User
from sfsync.field_map import (
    LEVEL_SLOTS,
    CategoryBook,
    Slot,
    is_blank,
    picked_values,
    said,
)

PEOPLE = frozenset(
    {"Standard", "PowerPartner", "PowerCustomerSuccess", "CustomerSuccess", "CspLitePortal"}
)
"""Kinds of users (``UserType``) that are people with a name: the others are robots and guests."""

Fields = Mapping[str, FieldValue]


@dataclass(frozen=True, slots=True)
class Change:
    """What one user changed on one Case in one transaction."""

    case_id: str
    by: str
    at: datetime
    rows: tuple[FieldChange, ...]
    final: frozenset[str]
    """Fields that nobody has changed since, as far as the history was read."""

    @property
    def reference(self) -> str:
        """What makes it count once."""
        return min(row.history_id for row in self.rows)

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(row.field for row in self.rows)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the reason fields say, in our words where we know them."""

    values: Fields
    """The fields that were changed, with what they say now."""
    value: str
    """The value that says most; empty: they emptied it."""
    codes: tuple[str, ...]
    """Category codes, primary first; none: emptied, or a value that is none of ours."""
    names_all: bool
    """Whether they went through all reasons, not just the primary one."""


def changes_of(rows: Iterable[FieldChange]) -> list[Change]:
    """Return who changed what, oldest first: the rows of one transaction are one change."""
    groups: dict[tuple[datetime, str, str], list[FieldChange]] = defaultdict(list)
    last: dict[tuple[str, str], tuple[datetime, str]] = {}
    for row in sorted(rows, key=lambda row: (row.at, row.history_id)):
        groups[row.at, row.case_id, row.by].append(row)
        last[row.case_id, row.field] = (row.at, row.by)
    return [
        Change(
            case_id,
            by,
            at,
            tuple(group),
            frozenset(row.field for row in group if last[case_id, row.field] == (at, by)),
        )
        for (at, case_id, by), group in groups.items()
    ]


def is_automation(user: User | None, user_id: str, automations: Iterable[str]) -> bool:
    """Return whether what this user writes is no person's word.

    ``automations``: ids or usernames, as an admin typed them. Somebody we may not see counts as
    a person.
    """
    names = {name.strip().casefold() for name in automations}
    known = {user_id.casefold(), user_id[:15].casefold()}
    if user is not None:
        known.add(user.username.casefold())
    if not names.isdisjoint(known):
        return True
    return bool(user and user.kind and user.kind not in PEOPLE)


def spoken(
    change: Change, present: Fields, slots: Mapping[str, Slot], book: CategoryBook
) -> Spoken | None:
    """Return what a change says, None where nobody can tell any more.

    ``present``: the Case's reason fields as they are now; they tell what history leaves out,
    as long as nobody has changed the field since.
    """
    values = _values(change, present, slots)
    if not values:
        return None
    word = said(values, {name: slots[name] for name in values}, book)
    listed = _listed(values, slots, book)
    primary = word.code
    if listed and slots[word.field] is Slot.ALL_REASONS:
        # They left the primary reason as it is: it stays the first, if it is still among them.
        kept = _primary_of(present, slots, book)
        primary = kept if kept in listed else word.code
    codes = () if primary is None else tuple(dict.fromkeys((primary, *listed)))
    return Spoken(values, word.value, codes, names_all=bool(listed))


def _values(change: Change, present: Fields, slots: Mapping[str, Slot]) -> Fields:
    values: dict[str, FieldValue] = {}
    for row in change.rows:
        is_told = slots[row.field] is not Slot.ALL_REASONS and (row.old, row.new) != (
            None,
            None,
        )
        if is_told:
            values[row.field] = row.new
        elif row.field in change.final and row.field in present:
            values[row.field] = present[row.field]
    levels = {name: slot for name, slot in slots.items() if slot in LEVEL_SLOTS}
    if not levels.keys().isdisjoint(values):
        # A level speaks together with those above: "none" at level 2 means level 1 alone.
        return {name: present[name] for name in levels if name in present} | values
    return values


def _listed(values: Fields, slots: Mapping[str, Slot], book: CategoryBook) -> Sequence[str]:
    picked = [
        book.code_of(value)
        for name, field_value in values.items()
        if slots[name] is Slot.ALL_REASONS
        for value in picked_values(Slot.ALL_REASONS, field_value)
    ]
    return [code for code in picked if code is not None]


def _primary_of(present: Fields, slots: Mapping[str, Slot], book: CategoryBook) -> str | None:
    others = {
        name: slot
        for name, slot in slots.items()
        if slot is not Slot.ALL_REASONS and name in present and not is_blank(present[name])
    }
    return said(present, others, book).code if others else None
