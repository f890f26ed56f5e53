"""Permission sets and a page layout: who may see and change the fields, and where they stand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sfsync import guard
from sfsync.field_map import REASON_SLOTS, Slot
from sfsync.metadata.source import Node
from sfsync.models import FieldMapping, Source

INTEGRATION = "Contact_Reason_Integration"
REPRESENTATIVE = "Contact_Reason_Representative"
LAYOUT = "Case-Contact Reason Layout"
SECTION = "Contact Reason"
# What a Case layout must have or would be odd without; (field, behaviour).
STANDARD_ITEMS = (
    (("CaseNumber", "Readonly"), ("Status", "Required"), ("Priority", "Edit")),
    (("OwnerId", "Edit"), ("ContactId", "Edit"), ("Origin", "Edit")),
)


@dataclass(frozen=True, slots=True)
class Readable:
    """What the integration user shall read besides the Case's own."""

    objects: tuple[str, ...] = ()
    """Objects that the org has and lists in permissions. EmailMessage, CaseComment and files are
    not among them: Salesforce lets whoever sees the Case see those."""
    fields: tuple[str, ...] = ()
    """Custom fields with words, such as ``Call_Note__c.Words__c``."""


def of_sources(sources: Iterable[Source]) -> Readable:
    """Return what an admin's own sources read: objects, and fields that may be granted.

    The lookup to the Case is left out: where it is a master-detail field, Salesforce takes no
    permission for it, and refuses the whole permission set.
    """
    objects, fields = set(), set()
    for source in sources:
        sobject = "Case" if source.kind == Source.Kind.CASE_FIELD else source.sobject
        objects.add(sobject)
        names = (source.text_field, source.time_field, source.speaker_field)
        fields |= {f"{sobject}.{name}" for name in names if name.endswith("__c")}
    custom = {name for name in objects if name.endswith("__c")}
    return Readable(tuple(sorted(custom)), tuple(sorted(fields)))


def integration_nodes(
    mapping: Iterable[FieldMapping], readable: Readable, *, with_guard: bool
) -> list[Node]:
    """Return the permission set of the user that reads Cases and writes the fields."""
    mapping = list(mapping)
    known: list[Node] = [("customPermissions", [("enabled", True), ("name", guard.PERMISSION)])]
    mark = [_field(f"Case.{guard.FIELD}", is_editable=True)]
    objects = [_object("Case", allow_edit=True)]
    objects += [_object(name, allow_edit=False) for name in sorted(readable.objects)]
    written = {f"Case.{row.field}" for row in mapping}
    read = [_field(name, is_editable=False) for name in readable.fields if name not in written]
    return [
        *(known if with_guard else ()),
        ("description", "For the integration user: read Cases, write the contact reason."),
        *_field_permissions(mapping, frozenset(Slot)),
        *(mark if with_guard else ()),
        *read,
        ("hasActivationRequired", False),
        ("label", "Contact Reason Integration"),
        *objects,
        ("userPermissions", [("enabled", True), ("name", "ApiEnabled")]),
    ]


def representative_nodes(mapping: Iterable[FieldMapping]) -> list[Node]:
    """Return the permission set of people: they see all fields and may set the reasons."""
    return [
        ("description", "For service representatives: see the fields, set the contact reason."),
        *_field_permissions(mapping, REASON_SLOTS),
        ("hasActivationRequired", False),
        ("label", "Contact Reason Representative"),
    ]


def layout_nodes(mapping: Sequence[FieldMapping]) -> list[Node]:
    """Return a Case layout with a section of our fields, to assign or to copy from."""
    half = (len(mapping) + 1) // 2
    ours = [
        [(row.field, "Edit" if row.slot in REASON_SLOTS else "Readonly") for row in column]
        for column in (mapping[:half], mapping[half:])
    ]
    words = (("Subject", "Edit"), ("Description", "Edit"))
    return [
        _section("Case Information", STANDARD_ITEMS, "TwoColumnsTopToBottom"),
        _section(SECTION, ours, "TwoColumnsTopToBottom"),
        _section("Description Information", (words,), "OneColumn"),
    ]


def _field_permissions(
    mapping: Iterable[FieldMapping], editable: frozenset[Slot]
) -> list[Node]:
    return [
        _field(f"Case.{row.field}", is_editable=Slot(row.slot) in editable) for row in mapping
    ]


def _field(name: str, *, is_editable: bool) -> Node:
    permissions: list[Node] = [("editable", is_editable), ("field", name), ("readable", True)]
    return "fieldPermissions", permissions


def _object(name: str, *, allow_edit: bool) -> Node:
    return (
        "objectPermissions",
        [
            ("allowCreate", False),
            ("allowDelete", False),
            ("allowEdit", allow_edit),
            ("allowRead", True),
            ("modifyAllRecords", False),
            ("object", name),
            ("viewAllRecords", True),
        ],
    )


def _section(label: str, columns: Iterable[Iterable[tuple[str, str]]], style: str) -> Node:
    shown: list[Node] = [
        (
            "layoutColumns",
            [
                ("layoutItems", [("behavior", behaviour), ("field", field)])
                for field, behaviour in column
            ],
        )
        for column in columns
    ]
    return (
        "layoutSections",
        [
            ("customLabel", True),
            ("detailHeading", True),
            ("editHeading", True),
            ("label", label),
            *shown,
            ("style", style),
        ],
    )
