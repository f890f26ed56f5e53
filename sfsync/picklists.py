"""Picklists: which Case fields hold the reason of a Case today; pure."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sfsync.cases import FieldDescription, SObjectDescription

MOST_LEVELS = 3
PICKLIST = "picklist"
TELLING = (
    (4, re.compile(r"reason|grund|motivo|motif", re.IGNORECASE)),
    (2, re.compile(r"categor|topic|subject_?area|driver|intent|issue", re.IGNORECASE)),
    (1, re.compile(r"type", re.IGNORECASE)),
)
"""What the API name or the label of a field with reasons says, the likeliest word first."""
CUSTOM = "__c"
NEVER = {"Status", "Origin", "Priority", "Language", "RecordTypeId"}
FEWEST_VALUES = 2
_LAST_NUMBER = re.compile(r"^(.*?)_?([123])((?:__c)?)$")


class FieldsUnusable(Exception):
    """The fields named, or found, hold no reasons; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Level:
    """One level of reasons: a picklist of Case, with what its values mean."""

    field: str
    """API name."""
    label: str
    labels: dict[str, str]
    """Value → what people read."""
    inactive: frozenset[str]
    """Values that nobody can choose any more."""

    @classmethod
    def of(cls, described: FieldDescription) -> "Level":
        return cls(
            described.name,
            described.label or described.name,
            {entry.value: entry.label for entry in described.entries},
            frozenset(entry.value for entry in described.entries if not entry.is_active),
        )

    @property
    def active(self) -> list[str]:
        """The values that people can choose, in the picklist's order."""
        return [value for value in self.labels if value not in self.inactive]

    def label_of(self, value: str) -> str:
        return self.labels.get(value) or value

    def is_inactive(self, value: str) -> bool:
        """Say whether nobody can choose a value: it is off, or was taken out of the list."""
        return value in self.inactive or value not in self.labels

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            "field": self.field,
            "label": self.label,
            "labels": self.labels,
            "inactive": sorted(self.inactive),
        }

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> "Level":
        return cls(
            found["field"], found["label"], found["labels"], frozenset(found["inactive"])
        )


def levels_of(
    case: SObjectDescription, fields: Sequence[str], *, ours: Collection[str] = ()
) -> tuple[Level, ...]:
    """Return the levels of reasons, top first: of these fields, or guessed where none is named.

    ``ours``: fields that this product writes, which hold no representative's tags.

    Raises:
        FieldsUnusable: a field is missing, is no picklist, or there is nothing to guess.
    """
    names = tuple(fields) or guessed(case, ours=ours)
    if not names:
        raise FieldsUnusable(
            "No picklist of Case looks as if it held contact reasons. Name it:"
            " --fields Reason__c, or up to three, the top level first."
        )
    if len(names) > MOST_LEVELS or len(set(names)) < len(names):
        raise FieldsUnusable(f"Name one to {MOST_LEVELS} different fields, top level first.")
    return tuple(Level.of(_usable(case, name)) for name in names)


def guessed(case: SObjectDescription, *, ours: Collection[str] = ()) -> tuple[str, ...]:
    """Return the fields that look most as if they held reasons, top level first; none: ().

    A field of its own counts more than a standard one, a telling name more than a vague one.
    Dependent picklists bring along what they depend on, and fields that differ by their last
    digit (Reason_1__c, Reason_2__c) are levels.
    """
    ranked = sorted(_candidates(case, ours), key=lambda found: (-found[0], found[1]))
    if not ranked:
        return ()
    best = ranked[0][1]
    names = [name for _, name in ranked]
    numbered = _numbered(best, names)
    if len(numbered) > 1:
        return numbered
    return _chain(case, best, names)


def _candidates(case: SObjectDescription, ours: Collection[str]) -> Iterator[tuple[float, str]]:
    for name, field in case.fields.items():
        if name in NEVER or name in ours or field.type != PICKLIST:
            continue
        if len(field.picklist_values) < FEWEST_VALUES:
            continue
        points = next(
            (points for points, word in TELLING if word.search(f"{name} {field.label}")), 0
        )
        if points:
            yield points + 0.5 * name.endswith(CUSTOM), name


def _numbered(best: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return the fields that differ from the best by their last digit alone, in its order."""
    found = _LAST_NUMBER.match(best)
    if found is None:
        return ()
    stem, _, end = found.groups()
    same = {
        other[2]: name
        for name in names
        if (other := _LAST_NUMBER.match(name)) and (other[1], other[3]) == (stem, end)
    }
    return tuple(same[number] for number in sorted(same))


def _chain(case: SObjectDescription, best: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return what ``best`` depends on, itself, and what depends on it."""
    chain = [best]
    while len(chain) < MOST_LEVELS:
        above = case.fields[chain[0]].controller
        if above not in case.fields or case.fields[above].type != PICKLIST or above in chain:
            break
        chain.insert(0, above)
    while len(chain) < MOST_LEVELS:
        below = [name for name in names if case.fields[name].controller == chain[-1]]
        if not below or below[0] in chain:
            break
        chain.append(below[0])
    return tuple(chain)


def _usable(case: SObjectDescription, name: str) -> FieldDescription:
    field = case.fields.get(name)
    if field is None:
        raise FieldsUnusable(
            f"Case has no field {name}, or our user may not read it. Look up its API name in"
            " Setup, under Object Manager > Case > Fields, and let the integration user read it."
        )
    if field.type != PICKLIST:
        raise FieldsUnusable(
            f"{name} is of type {field.type}: reasons are read from picklists."
        )
    return field
