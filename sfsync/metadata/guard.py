"""The guard's documents: flow, validation rule, custom permission and the field of its mark."""

from collections.abc import Mapping, Sequence

from sfsync.field_map import Slot
from sfsync.guard import FIELD, MESSAGE, NAME, PERMISSION, STAMP, guarded_fields, mark_of
from sfsync.metadata.source import Node

MARK_LENGTH = 80
LABEL = "Contact Reason Guard"
OURS, THEIRS, WHO = "Mark_our_own_write", "Stamp_their_edit", "Who_writes"


def field_nodes() -> list[Node]:
    """Return the field in which the flow leaves its mark."""
    return [
        ("fullName", FIELD),
        ("description", "Left by the guard's flow when Contact Reason writes; not for people."),
        ("externalId", False),
        ("label", LABEL),
        ("length", MARK_LENGTH),
        ("trackHistory", False),
        ("type", "Text"),
    ]


def permission_nodes() -> list[Node]:
    """Return the custom permission by which flow and rule know the integration user."""
    return [
        (
            "description",
            "Marks the integration user of Contact Reason. Give it to nobody else.",
        ),
        ("isLicensed", False),
        ("label", "Contact Reason Automation"),
    ]


def rule_nodes(slots: Mapping[str, Slot]) -> list[Node]:
    """Return the validation rule: our user changes nothing that somebody else has set.

    Making the source field blank, and nothing else, is let through: so a person's giving the
    Case back to automation takes the stamp away.
    """
    source = _source(slots)
    changes = [f"ISCHANGED({name})" for name in guarded_fields(slots)]
    changes.append(f"AND(ISCHANGED({source}), NOT(ISBLANK({source})))")
    formula = (
        f'AND($Permission.{PERMISSION}, PRIORVALUE({source}) = "{STAMP}",'
        f" OR({', '.join(changes)}))"
    )
    return [
        ("fullName", NAME),
        ("active", True),
        ("description", "Keeps Contact Reason from changing a reason that a person has set."),
        ("errorConditionFormula", formula),
        ("errorDisplayField", source),
        ("errorMessage", MESSAGE),
    ]


def flow_nodes(slots: Mapping[str, Slot], api_version: str) -> list[Node]:
    """Return the flow that runs before a Case is saved and tells apart who changes a reason."""
    watched = guarded_fields(slots)
    changes = ", ".join(f"ISCHANGED({{!$Record.{name}}})" for name in watched)
    return [
        ("apiVersion", api_version),
        _assignment(OURS, "Mark our own write", FIELD, mark_of(slots)),
        _assignment(THEIRS, "Stamp their edit", _source(slots), STAMP),
        _decision(),
        ("description", "Stamps a Case whose contact reason somebody else than us changes."),
        ("environments", "Default"),
        ("interviewLabel", f"{LABEL} {{!$Flow.CurrentDateTime}}"),
        ("label", LABEL),
        _setting("BuilderType", "LightningFlowBuilder"),
        _setting("CanvasMode", "AUTO_LAYOUT_CANVAS"),
        ("processType", "AutoLaunchedFlow"),
        (
            "start",
            [
                *_place(),
                _connector(WHO),
                ("filterFormula", f"OR({changes})"),
                ("object", "Case"),
                ("recordTriggerType", "Update"),
                ("triggerType", "RecordBeforeSave"),
            ],
        ),
        ("status", "Active"),
    ]


def _decision() -> Node:
    condition: Node = (
        "conditions",
        [
            ("leftValueReference", f"$Permission.{PERMISSION}"),
            ("operator", "EqualTo"),
            ("rightValue", [("booleanValue", True)]),
        ],
    )
    rule: Node = (
        "rules",
        [
            ("name", "Contact_Reason"),
            ("conditionLogic", "and"),
            condition,
            _connector(OURS),
            ("label", "Contact Reason"),
        ],
    )
    return (
        "decisions",
        [
            ("name", WHO),
            ("label", "Who writes?"),
            *_place(),
            _connector(THEIRS, "defaultConnector"),
            ("defaultConnectorLabel", "Anybody else"),
            rule,
        ],
    )


def _assignment(name: str, label: str, field: str, text: str) -> Node:
    item: Sequence[Node] = [
        ("assignToReference", f"$Record.{field}"),
        ("operator", "Assign"),
        ("value", [("stringValue", text)]),
    ]
    return (
        "assignments",
        [("name", name), ("label", label), *_place(), ("assignmentItems", list(item))],
    )


def _place() -> list[Node]:
    return [("locationX", 0), ("locationY", 0)]


def _connector(target: str, name: str = "connector") -> Node:
    return name, [("targetReference", target)]


def _setting(name: str, value: str) -> Node:
    return "processMetadataValues", [("name", name), ("value", [("stringValue", value)])]


def _source(slots: Mapping[str, Slot]) -> str:
    return next(name for name, slot in slots.items() if slot is Slot.SOURCE)
