"""The one place that turns contact reasons into Case fields and back: pure functions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Protocol, TypeVar

from django.db import models

from sfsync.cases import FieldValue, SObjectDescription


class Mode(models.TextChoices):
    """How far automation may go, from nothing to everything."""

    SHADOW = "shadow", "Shadow: decide, write nothing"
    SUGGEST = "suggest", "Suggest: write the suggestion field only"
    AUTOMATIC = "automatic", "Automatic: write the contact reason"

    @property
    def reach(self) -> int:
        """0 for shadow, 1 for suggest, 2 for automatic: the lower of two modes wins."""
        return list(Mode).index(self)

    @classmethod
    def lesser(cls, one: "Mode | str", other: "Mode | str") -> "Mode":
        return min(cls(one), cls(other), key=lambda mode: mode.reach)


class Slot(models.TextChoices):
    """What a decision has to say, each for one Case field of the admin's choice."""

    PRIMARY = "primary", "Primary reason (picklist)"
    ALL_REASONS = "all_reasons", "All reasons (multi-select picklist)"
    LEVEL_1 = "level_1", "Level 1 of the primary reason (picklist)"
    LEVEL_2 = "level_2", "Level 2 of the primary reason (picklist)"
    LEVEL_3 = "level_3", "Level 3 of the primary reason (picklist)"
    SUGGESTION = "suggestion", "Suggestion (text)"
    CONFIDENCE = "confidence", "Confidence (percent)"
    SOURCE = "source", "Who decided (text)"
    EVIDENCE = "evidence", "Why, in plain words (long text)"
    MODEL = "model", "Model and rules version (text)"
    DECIDED_AT = "decided_at", "When it was decided (date/time)"
    CHANGE = "change", "Change of reason (text, for Flows to start from)"


LEVEL_SLOTS = (Slot.LEVEL_1, Slot.LEVEL_2, Slot.LEVEL_3)
REASON_SLOTS = frozenset({Slot.PRIMARY, Slot.ALL_REASONS, *LEVEL_SLOTS})
"""Fields in which a person says what the Case is about: what they wrote stays theirs."""
NAMING_SLOTS = REASON_SLOTS | {Slot.SUGGESTION}
"""Fields that hold categories, in Salesforce's values."""
MATERIAL_SLOTS = NAMING_SLOTS | {Slot.SOURCE}
"""Fields whose change is worth a write; confidence, evidence, version and time alone are not."""
AUTOMATIC_SOURCES = frozenset({"Rules", "Model", "Rules and model"})
"""Which of them decided is not worth a write, where the reason stays as it is."""
CHANGE_CHARACTERS = 16
MULTI_SELECT_SEPARATOR = ";"
CUT_MARK = "…"
TEXT_TYPES = {"string", "textarea"}  # as describe names them; picklist values are never cut
PATH_SEPARATOR = " > "


class MappedField(Protocol):
    """One row of the mapping table, as far as the map looks at it."""

    @property
    def slot(self) -> str: ...

    @property
    def field(self) -> str: ...

    @property
    def is_active(self) -> bool: ...

    @property
    def paused_because(self) -> str: ...


Row = TypeVar("Row", bound=MappedField)


@dataclass(frozen=True, slots=True)
class CategoryBook:
    """Salesforce's side of all categories, inactive ones included, as one value.

    Keys are category codes throughout. A code without an entry in ``values`` is its own
    Salesforce value; without an entry in ``modes`` it is automatic.
    """

    labels: Mapping[str, str]
    parents: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    modes: Mapping[str, Mode] = field(default_factory=dict)

    def value_of(self, code: str) -> str:
        return self.values.get(code) or code

    def mode_of(self, code: str) -> Mode:
        return self.modes.get(code, Mode.AUTOMATIC)

    def path_of(self, code: str) -> tuple[str, ...]:
        """Return the codes from level 1 down to ``code`` itself."""
        path = [code]
        while (parent := self.parents.get(path[0])) is not None and parent not in path:
            path.insert(0, parent)
        return tuple(path)

    def label_path(self, code: str) -> str:
        """Return what people read, for example ``Billing > Refund``."""
        return PATH_SEPARATOR.join(self.labels.get(part, part) for part in self.path_of(code))

    def code_of(self, value: str, *, level: int | None = None) -> str | None:
        """Return the category that Salesforce knows by ``value``, None where there is none.

        ``level`` (1, 2, 3) narrows to categories of that depth, as a picklist per level does.
        Where two categories share a value, nobody can tell which is meant: None as well.
        """
        found = [
            code
            for code in self.labels
            if self.value_of(code) == value
            and (level is None or len(self.path_of(code)) == level)
        ]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision says; no codes means: abstained, a person must look."""

    codes: tuple[str, ...]
    """Category codes, the primary reason first."""
    source: str
    """Who decided, as people read it: Rules, Model, Rules and model, Person, Needs review."""
    confidence: float | None
    """Calibrated probability in [0, 1]; None where a person decided."""
    evidence: str
    version: str
    decided_at: datetime
    takes_back: bool = False
    """A person took their word back: what we wrote because of it is made blank again."""

    @property
    def is_abstention(self) -> bool:
        return not self.codes


@dataclass(frozen=True, slots=True)
class Said:
    """What stands in a Case's reason field, in our words where we know it."""

    field: str
    value: str
    code: str | None
    """The category meant, None where the value is none of ours."""


def to_fields(
    decided: Decided, mapping: Sequence[MappedField], book: CategoryBook, mode: Mode
) -> dict[str, FieldValue]:
    """Return Case field → value, as ``decided`` would have the Case read.

    ``mapping``: active rows only. Suggest mode: the suggestion alone; shadow: nothing. An
    abstention says who should look and why, and leaves reasons and suggestion out, or blank
    where it takes a person's word back. All level fields are in the answer or none; levels below
    the category's own are None (blank).
    """
    if mode is Mode.SHADOW:
        return {}
    slots = _suggested(decided, book) if mode is Mode.SUGGEST else _slots(decided, book)
    return {row.field: slots[Slot(row.slot)] for row in mapping if Slot(row.slot) in slots}


def writable(mapping: Iterable[Row], *, paused: Iterable[str] = ()) -> list[Row]:
    """Return the rows that may be written now: a paused level takes all levels with it."""
    off = set(paused)
    usable = [
        row
        for row in mapping
        if row.is_active and not row.paused_because and row.field not in off
    ]
    lost = {row.slot for row in mapping if row.is_active} - {row.slot for row in usable}
    if lost.isdisjoint(LEVEL_SLOTS):
        return usable
    return [row for row in usable if row.slot not in LEVEL_SLOTS]


def fitted(value: FieldValue, length: int) -> FieldValue:
    """Return ``value`` cut to a text field of ``length`` characters (0: no limit known).

    Salesforce stores a line break as two characters, so each counts twice.
    """
    if not isinstance(value, str) or not length:
        return value
    if len(value) + value.count("\n") <= length:
        return value
    room = length - value.count("\n", 0, length) - len(CUT_MARK)
    return f"{value[:room].rstrip()}{CUT_MARK}"


def fit(
    fields: Mapping[str, FieldValue], description: SObjectDescription
) -> dict[str, FieldValue]:
    """Return ``fields`` cut to what the org's text fields hold."""
    return {
        name: fitted(value, described.length)
        if (described := description.fields.get(name)) and described.type in TEXT_TYPES
        else value
        for name, value in fields.items()
    }


def missing_value(
    fields: Mapping[str, FieldValue],
    slots: Mapping[str, Slot],
    description: SObjectDescription,
) -> tuple[str, str] | None:
    """Return the first field and value that a restricted picklist would refuse, None if none."""
    for name, value in fields.items():
        described = description.fields.get(name)
        if described is None or not described.is_restricted:
            continue
        for picked in picked_values(slots[name], value):
            if picked not in described.picklist_values:
                return name, picked
    return None


def is_same(slot: Slot, one: FieldValue, other: FieldValue) -> bool:
    """Return whether two values of a field mean the same, however Salesforce spells them.

    Blank is None or empty; multi-select values have no order; percents count to two decimals;
    times to the second; line breaks are one character or two.
    """
    return _canonical(slot, one) == _canonical(slot, other)


def change_key(
    case_id: str,
    send: Mapping[str, FieldValue],
    current: Mapping[str, FieldValue],
    slots: Mapping[str, Slot],
) -> str:
    """Return what names this change of reason, empty where ``send`` changes none.

    It hangs on what stands on the Case: the key of the change before, and the reasons as they
    will be. So the same change has the same key however often it is sent, also after our
    database was restored, and the next change has another.
    """
    if not any(slots[name] in REASON_SLOTS for name in send):
        return ""
    will_be = {**current, **send}
    before = [str(current.get(name) or "") for name in slots if slots[name] is Slot.CHANGE]
    reasons = [
        f"{name}={sorted(picked_values(slots[name], will_be.get(name)))}"
        for name in sorted(slots)
        if slots[name] in REASON_SLOTS
    ]
    told = "\n".join([case_id, *before, *reasons])
    return sha256(told.encode()).hexdigest()[:CHANGE_CHARACTERS]


def is_blank(value: FieldValue) -> bool:
    return value is None or value == ""


def picked_values(slot: Slot, value: FieldValue) -> tuple[str, ...]:
    """Return the values in a field that names reasons, none where it is blank."""
    if slot not in NAMING_SLOTS or not isinstance(value, str) or not value:
        return ()
    if slot is Slot.ALL_REASONS:
        return tuple(part for part in value.split(MULTI_SELECT_SEPARATOR) if part)
    return (value,)


def said(
    current: Mapping[str, FieldValue], slots: Mapping[str, Slot], book: CategoryBook
) -> Said:
    """Return what the fields of ``current`` say the Case is about, the way back of the map.

    ``slots``: field → slot of the fields that a person changed; of these the one that says
    most counts: the primary reason, else the deepest level filled, else the first of all reasons,
    else the suggestion.
    """
    for slot in (Slot.PRIMARY, *reversed(LEVEL_SLOTS), Slot.ALL_REASONS, Slot.SUGGESTION):
        for name, own_slot in slots.items():
            if own_slot is slot and (picked := picked_values(slot, current.get(name))):
                return Said(name, picked[0], _code(slot, picked[0], book))
    return Said(next(iter(slots), ""), "", None)


def _code(slot: Slot, value: str, book: CategoryBook) -> str | None:
    level = LEVEL_SLOTS.index(slot) + 1 if slot in LEVEL_SLOTS else None
    return book.code_of(value, level=level)


def _slots(decided: Decided, book: CategoryBook) -> dict[Slot, FieldValue]:
    slots: dict[Slot, FieldValue] = {
        Slot.CONFIDENCE: _percent(decided.confidence),
        Slot.SOURCE: decided.source,
        Slot.EVIDENCE: decided.evidence or None,
        Slot.MODEL: decided.version or None,
        Slot.DECIDED_AT: _wire_time(decided.decided_at),
    }
    if decided.is_abstention:
        return slots | (dict.fromkeys(NAMING_SLOTS) if decided.takes_back else {})
    path = [book.value_of(code) for code in book.path_of(decided.codes[0])]
    levels = [*path, *[None] * len(LEVEL_SLOTS)]
    return (
        slots
        | _suggested(decided, book)
        | dict(zip(LEVEL_SLOTS, levels, strict=False))
        | {Slot.PRIMARY: path[-1], Slot.ALL_REASONS: _all_reasons(decided, book)}
    )


def _suggested(decided: Decided, book: CategoryBook) -> dict[Slot, FieldValue]:
    """Return the suggestion: the very value that a person, or a Flow, would pick for the field."""
    if decided.is_abstention:
        return {Slot.SUGGESTION: None} if decided.takes_back else {}
    return {Slot.SUGGESTION: book.value_of(decided.codes[0])}


def _all_reasons(decided: Decided, book: CategoryBook) -> str:
    """Return all values, primary first; a further reason counts where it is automatic itself."""
    primary, *others = decided.codes
    free = [code for code in others if book.mode_of(code) is Mode.AUTOMATIC]
    values = dict.fromkeys(book.value_of(code) for code in (primary, *free))
    return MULTI_SELECT_SEPARATOR.join(values)


def _percent(confidence: float | None) -> float | None:
    return None if confidence is None else round(confidence * 100, 2)


def _wire_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _canonical(slot: Slot, value: FieldValue) -> object:
    if value is None or value == "":
        return None
    if slot is Slot.CONFIDENCE:
        return round(float(value), 2)
    text = str(value)
    if slot is Slot.ALL_REASONS:
        return frozenset(picked_values(slot, text))
    if slot is Slot.DECIDED_AT:
        return datetime.fromisoformat(text).replace(microsecond=0)
    return text.replace("\r\n", "\n").strip()
