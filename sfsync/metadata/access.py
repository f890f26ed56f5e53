"""Permission sets and a page layout: who may see and change the fields, and where they stand."""

from collections.abc import Iterable, Sequence

from sfsync.field_map import REASON_SLOTS, Slot
from sfsync.metadata.source import Node
from sfsync.models import FieldMapping

INTEGRATION = "Contact_Reason_Integration"
REPRESENTATIVE = "Contact_Reason_Representative"
LAYOUT = "Case-Contact Reason Layout"
SECTION = "Contact Reason"
# What a Case layout must have or would be odd without; (field, behaviour).
STANDARD_ITEMS = (
    (("CaseNumber", "Readonly"), ("Status", "Required"), ("Priority", "Edit")),
    (("OwnerId", "Edit"), ("ContactId", "Edit"), ("Origin", "Edit")),
)


def integration_nodes(mapping: Iterable[FieldMapping], readable: Iterable[str]) -> list[Node]:
    """Return the permission set of the user that reads Cases and writes the fields.

    ``readable``: further objects that the org has and lists in permissions. EmailMessage and
    CaseComment are not among them: Salesforce lets whoever sees the Case see those.
    """
    objects = [_object("Case", allow_edit=True)]
    objects += [_object(name, allow_edit=False) for name in sorted(readable)]
    return [
        ("description", "For the integration user: read Cases, write the contact reason."),
        *_field_permissions(mapping, frozenset(Slot)),
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
        (
            "fieldPermissions",
            [
                ("editable", Slot(row.slot) in editable),
                ("field", f"Case.{row.field}"),
                ("readable", True),
            ],
        )
        for row in mapping
    ]


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
