"""The Case fields as custom-field documents, their picklists filled from the categories."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sfsync.cases import FieldDescription
from sfsync.field_map import (
    LEVEL_SLOTS,
    MULTI_SELECT_SEPARATOR,
    REASON_SLOTS,
    CategoryBook,
    Slot,
)
from sfsync.metadata.source import Node
from sfsync.models import FieldMapping

TEXT_LENGTH = 255
LONG_TEXT_LENGTH = 32_768
LONGEST_LABEL = 40  # of a field, says the deployment
LONGEST_VALUE = 255
MOST_VALUES = {Slot.ALL_REASONS: 500}  # of a multi-select picklist (Salesforce limits)
MOST_RESTRICTED_VALUES = 1_000

LABELS = {
    Slot.PRIMARY: "Contact Reason",
    Slot.ALL_REASONS: "Contact Reasons (all)",
    Slot.LEVEL_1: "Contact Reason Level 1",
    Slot.LEVEL_2: "Contact Reason Level 2",
    Slot.LEVEL_3: "Contact Reason Level 3",
    Slot.SUGGESTION: "Contact Reason Suggestion",
    Slot.CONFIDENCE: "Contact Reason Confidence",
    Slot.SOURCE: "Contact Reason Source",
    Slot.EVIDENCE: "Contact Reason Evidence",
    Slot.MODEL: "Contact Reason Model",
    Slot.DECIDED_AT: "Contact Reason At",
    Slot.CHANGE: "Contact Reason Change",
}
DESCRIPTIONS = {
    Slot.PRIMARY: "Why the customer contacted us. What a person sets here is never overwritten.",
    Slot.ALL_REASONS: "All reasons of the Case, the first one included.",
    Slot.SUGGESTION: "A suggested contact reason, for a person to take or leave.",
    Slot.CONFIDENCE: "How sure the automation is, in percent.",
    Slot.SOURCE: "Who decided: Rules, Model, Rules and model, Person, or Needs review.",
    Slot.EVIDENCE: "Why, in plain words.",
    Slot.MODEL: "Which model and which rules decided.",
    Slot.DECIDED_AT: "When it was decided.",
    Slot.CHANGE: "Changes once with each change of reason by automation: start a Flow from it.",
}


class MetadataProblem(ValueError):
    """The categories cannot become picklist values; the message says what to change."""


@dataclass(frozen=True, slots=True)
class PicklistEntry:
    """One value of a picklist: what is stored, and what people read."""

    value: str
    label: str


def field_nodes(row: FieldMapping, entries: Sequence[PicklistEntry]) -> list[Node]:
    """Return the elements of one field's document; ``entries`` matter to picklists alone."""
    slot = Slot(row.slot)
    described = DESCRIPTIONS.get(slot, f"{LABELS[slot]}, from the primary contact reason.")
    return [
        ("fullName", row.field),
        ("description", described),
        ("externalId", False),
        ("label", LABELS[slot][:LONGEST_LABEL]),
        *_shape(slot, entries),
    ]


def entries_of(
    slot: Slot,
    codes: Iterable[str],
    book: CategoryBook,
    present: FieldDescription | None = None,
) -> list[PicklistEntry]:
    """Return the values of a slot's picklist: one per category, after those ``present``.

    A deployment that leaves a value out switches it off, so what the org has stays in the list.

    Raises:
        MetadataProblem: a value holds a semicolon or is too long, or there are too many.
    """
    if slot not in REASON_SLOTS:
        return []
    level = LEVEL_SLOTS.index(slot) + 1 if slot in LEVEL_SLOTS else None
    wanted = {
        book.value_of(code): _label(code, book, level)
        for code in codes
        if level is None or len(book.path_of(code)) == level
    }
    standing = present.picklist_values if present else ()
    labels = {value: value for value in standing} | wanted
    _refuse_bad(slot, labels)
    return [PicklistEntry(value, label[:LONGEST_VALUE]) for value, label in labels.items()]


def lacks(present: FieldDescription | None, entries: Sequence[PicklistEntry]) -> bool:
    """Return whether the org lacks the field or one of its values."""
    if present is None:
        return True
    return not {entry.value for entry in entries} <= set(present.picklist_values)


def _label(code: str, book: CategoryBook, level: int | None) -> str:
    return book.label_path(code) if level is None else book.labels.get(code, code)


def _refuse_bad(slot: Slot, labels: Mapping[str, str]) -> None:
    for value in labels:
        if MULTI_SELECT_SEPARATOR in value or len(value) > LONGEST_VALUE:
            raise MetadataProblem(
                f"The Salesforce value “{value[:80]}” cannot be a picklist value: it must have"
                f" no semicolon and at most {LONGEST_VALUE} characters. Change it under"
                " Categories."
            )
    folded = [value.casefold() for value in labels]
    if twice := {value for value in folded if folded.count(value) > 1}:
        raise MetadataProblem(
            f"Salesforce takes “{min(twice)}” for one value, whatever its capitals: spell it"
            " alike in all categories that share it."
        )
    most = MOST_VALUES.get(slot, MOST_RESTRICTED_VALUES)
    if len(labels) > most:
        raise MetadataProblem(
            f"{len(labels)} categories are more than the {most} values that a picklist of"
            f" Salesforce holds ({slot.label}). Switch that field off under Field mapping."
        )


def _shape(slot: Slot, entries: Sequence[PicklistEntry]) -> list[Node]:
    makers: dict[Slot, Callable[[], list[Node]]] = {
        Slot.CONFIDENCE: _percent,
        Slot.EVIDENCE: _long_text,
        Slot.DECIDED_AT: lambda: [("trackHistory", False), ("type", "DateTime")],
        Slot.ALL_REASONS: lambda: _picklist("MultiselectPicklist", entries),
    }
    if slot in makers:
        return makers[slot]()
    return _picklist("Picklist", entries) if slot in REASON_SLOTS else _text()


def _text() -> list[Node]:
    return [("length", TEXT_LENGTH), ("trackHistory", False), ("type", "Text")]


def _long_text() -> list[Node]:
    return [
        ("length", LONG_TEXT_LENGTH),
        ("trackHistory", False),
        ("type", "LongTextArea"),
        ("visibleLines", 5),
    ]


def _percent() -> list[Node]:
    return [("precision", 5), ("scale", 2), ("trackHistory", False), ("type", "Percent")]


def _picklist(kind: str, entries: Sequence[PicklistEntry]) -> list[Node]:
    values: list[Node] = [
        ("value", [("fullName", one.value), ("default", False), ("label", one.label)])
        for one in entries
    ]
    lines: list[Node] = [("visibleLines", 5)] if kind == "MultiselectPicklist" else []
    return [
        ("trackHistory", True),  # a person's later change can then be told from ours
        ("type", kind),
        (
            "valueSet",
            [("restricted", True), ("valueSetDefinition", [("sorted", False), *values])],
        ),
        *lines,
    ]
