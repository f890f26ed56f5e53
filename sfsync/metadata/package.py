"""The whole package: an SFDX project whose source can be deployed as it is."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from sfsync.cases import SObjectDescription
from sfsync.field_map import CategoryBook, Slot
from sfsync.guard import FIELD, NAME, PERMISSION, STAMP, guarded_fields
from sfsync.metadata import guard
from sfsync.metadata.access import (
    INTEGRATION,
    LAYOUT,
    REPRESENTATIVE,
    SECTION,
    Readable,
    integration_nodes,
    layout_nodes,
    representative_nodes,
)
from sfsync.metadata.fields import entries_of, field_nodes, lacks
from sfsync.metadata.source import Node, SourceFile, document
from sfsync.models import FieldMapping

NOTHING_ELSE = Readable()
PROJECT_NAME = "contact-reason"
PROJECT_FILE = PurePosixPath("sfdx-project.json")
SOURCE = PurePosixPath("force-app/main/default")


@dataclass(frozen=True, slots=True)
class Package:
    """Files to write, and what they deploy."""

    files: tuple[SourceFile, ...]
    fields: tuple[str, ...]
    """Case fields in it, by API name."""
    values: int
    """Different picklist values in it."""
    has_guard: bool = False


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What the package is made from."""

    mapping: Sequence[FieldMapping]
    """Active rows."""
    codes: Sequence[str]
    """Codes of the active categories."""
    book: CategoryBook
    api_version: str
    readable: Readable = NOTHING_ELSE
    wants_guard: bool = True

    @property
    def slots(self) -> dict[str, Slot]:
        return {row.field: Slot(row.slot) for row in self.mapping}

    @property
    def has_guard(self) -> bool:
        """Whether the guard comes along: it is wanted, and there is a field for its stamp."""
        return self.wants_guard and bool(guarded_fields(self.slots))


def whole_package(blueprint: Blueprint) -> Package:
    """Return everything: for an org that has nothing of ours yet.

    Raises:
        MetadataProblem: the categories do not fit a picklist.
    """
    files, values = _field_files(blueprint, blueprint.mapping, None)
    sets: dict[str, list[Node]] = {
        INTEGRATION: integration_nodes(
            blueprint.mapping, blueprint.readable, with_guard=blueprint.has_guard
        ),
        REPRESENTATIVE: representative_nodes(blueprint.mapping),
    }
    files += [
        SourceFile(
            SOURCE / "permissionsets" / f"{name}.permissionset-meta.xml",
            document("PermissionSet", nodes),
        )
        for name, nodes in sets.items()
    ]
    files.append(
        SourceFile(
            SOURCE / "layouts" / f"{LAYOUT}.layout-meta.xml",
            document("Layout", layout_nodes(blueprint.mapping)),
        )
    )
    files += _guard_files(blueprint)
    return _packed(blueprint, blueprint.mapping, files, values, _members(blueprint))


def difference(blueprint: Blueprint, description: SObjectDescription) -> Package | None:
    """Return the fields and picklist values that the org lacks, None where it has all.

    ``description`` is that of Case, as the integration user sees it: a field that it may not
    see counts as lacking. A field that exists keeps the values it has. Permission sets come
    along where a whole field is new.

    Raises:
        MetadataProblem: the categories do not fit a picklist.
    """
    lacking = [row for row in blueprint.mapping if _lacks(row, blueprint, description)]
    if not lacking:
        return None
    if any(row.field not in description.fields for row in lacking):
        full = whole_package(blueprint)
        return _without_fields(full, blueprint, lacking, description)
    files, values = _field_files(blueprint, lacking, description)
    return _packed(blueprint, lacking, files, values, {})


def _without_fields(
    full: Package,
    blueprint: Blueprint,
    lacking: Sequence[FieldMapping],
    description: SObjectDescription,
) -> Package:
    """Return the whole package with only those fields that lack something."""
    files, values = _field_files(blueprint, lacking, description)
    folders = {"permissionsets", "layouts"}
    files += [file for file in full.files if file.path.parent.name in folders]
    files += _guard_files(blueprint)
    return _packed(blueprint, lacking, files, values, _members(blueprint))


def _members(blueprint: Blueprint) -> dict[str, list[str]]:
    """Return what the manifest lists besides fields."""
    members = {"PermissionSet": sorted((INTEGRATION, REPRESENTATIVE)), "Layout": [LAYOUT]}
    if blueprint.has_guard:
        members |= {
            "CustomPermission": [PERMISSION],
            "Flow": [NAME],
            "ValidationRule": [f"Case.{NAME}"],
        }
    return members


def _guard_files(blueprint: Blueprint) -> list[SourceFile]:
    if not blueprint.has_guard:
        return []
    slots = blueprint.slots
    case = SOURCE / "objects/Case"
    documents = {
        case / f"fields/{FIELD}.field-meta.xml": document("CustomField", guard.field_nodes()),
        case / f"validationRules/{NAME}.validationRule-meta.xml": document(
            "ValidationRule", guard.rule_nodes(slots)
        ),
        SOURCE / f"customPermissions/{PERMISSION}.customPermission-meta.xml": document(
            "CustomPermission", guard.permission_nodes()
        ),
        SOURCE / f"flows/{NAME}.flow-meta.xml": document(
            "Flow", guard.flow_nodes(slots, blueprint.api_version)
        ),
    }
    return [SourceFile(path, text) for path, text in documents.items()]


def _lacks(row: FieldMapping, blueprint: Blueprint, description: SObjectDescription) -> bool:
    entries = entries_of(Slot(row.slot), blueprint.codes, blueprint.book)
    return lacks(description.fields.get(row.field), entries)


def _field_files(
    blueprint: Blueprint,
    rows: Iterable[FieldMapping],
    description: SObjectDescription | None,
) -> tuple[list[SourceFile], set[str]]:
    files: list[SourceFile] = []
    values: set[str] = set()
    for row in rows:
        present = description.fields.get(row.field) if description else None
        entries = entries_of(Slot(row.slot), blueprint.codes, blueprint.book, present)
        values.update(entry.value for entry in entries)
        path = SOURCE / "objects/Case/fields" / f"{row.field}.field-meta.xml"
        files.append(SourceFile(path, document("CustomField", field_nodes(row, entries))))
    return files, values


def _packed(
    blueprint: Blueprint,
    rows: Sequence[FieldMapping],
    files: Sequence[SourceFile],
    values: set[str],
    members: dict[str, list[str]],
) -> Package:
    fields = tuple(row.field for row in rows)
    marks = (FIELD,) if "Flow" in members else ()
    members = {"CustomField": [f"Case.{field}" for field in (*fields, *marks)], **members}
    project = {
        "packageDirectories": [{"path": "force-app", "default": True}],
        "name": PROJECT_NAME,
        "namespace": "",
        "sourceApiVersion": blueprint.api_version,
    }
    around = (
        SourceFile(PROJECT_FILE, json.dumps(project, indent=2) + "\n"),
        SourceFile(
            PurePosixPath("manifest/package.xml"),
            document("Package", _manifest(members, blueprint.api_version)),
        ),
        SourceFile(PurePosixPath("README.txt"), READ_ME.format(fields="\n  ".join(fields))),
    )
    return Package((*files, *around), fields, len(values), has_guard="Flow" in members)


def _manifest(members: dict[str, list[str]], api_version: str) -> list[Node]:
    types: list[Node] = [
        ("types", [*(("members", name) for name in names), ("name", kind)])
        for kind, names in members.items()
    ]
    return [*types, ("version", api_version)]


READ_ME = f"""\
Contact Reason: what to deploy into your Salesforce org
=======================================================

Written by `python manage.py salesforce_metadata`. Case fields in this package:

  {{fields}}

1. Deploy (Salesforce CLI, in this folder):

     sf org login web --alias my-org
     sf project deploy start --manifest manifest/package.xml --target-org my-org

   Try it in a sandbox first. A field that your org already has is changed to what this
   package says: switch off under "Field mapping" what you do not want, and write it again.
   If your org does not track the history of Cases, switch that on under Setup > Object Manager
   > Case > Fields & Relationships > Set History Tracking, or set trackHistory to false in the
   field files.

2. Assign the permission set {INTEGRATION} to the integration user. A new field is
   invisible to everybody until a permission set shows it. Case sharing in your org may be
   private: then also share the Cases with that user, with the right to edit. If you want
   messaging conversations, calls, web chats or posts read, write the package with
   --messaging, --voice, --chat or --social. What your own sources read is in it already,
   except for the lookup to the Case: let the user read that as well.

3. Assign the permission set {REPRESENTATIVE} to the people who work on Cases.

4. The guard (unless the package was written with --no-guard): the flow and the validation rule
   {NAME} keep automation from changing a contact reason that a person has set, also in the
   moment between our reading and our writing. The flow writes "{STAMP}" into the source field
   when anybody without the custom permission {PERMISSION} changes a reason. In a production
   org flows are deployed inactive unless "Deploy processes and flows as active" is on (Setup >
   Process Automation Settings): activate {NAME} under Setup > Flows. Contact Reason notices
   whether it runs, and protects people's words in another, slower way where it does not.

5. Show the fields. The package holds the Case layout "{LAYOUT.partition("-")[2]}" with a
   section "{SECTION}". Nobody sees it before you assign it, and your own layouts stay as they
   are. Either assign it (Object Manager > Case > Page Layouts > Page Layout Assignment), or
   add a section of that name to the layout you use and drag the fields into it. On a Lightning
   record page with dynamic forms, add a field section instead.

6. `python manage.py check_salesforce` says what still lacks.
"""
