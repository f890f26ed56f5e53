"""Deploying an SFDX source package, read and checked as a real deployment would.

Read are custom fields of objects the org has, permission sets, custom permissions, validation
rules and before-save flows. Of layouts only the fields they name are checked, of objects
nothing: field history is always on here, whatever ``enableHistory`` says. Every other file is
refused, so that a package cannot carry something this org would silently ignore.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import parse

from sfsync.local_org.access import PermissionSet
from sfsync.local_org.automations import Flow, Rule
from sfsync.local_org.deploying_automations import to_flow, to_permission, to_rule
from sfsync.local_org.elements import NAMESPACE, flag, refuse_other, wanted, whole
from sfsync.local_org.field_makers import MULTIPICKLIST_LENGTH
from sfsync.local_org.schema import Field, Kind, PicklistValue
from sfsync.local_org.state import OrgState

LONGEST_LABEL = 40
LONGEST_VALUE = 255
"""Characters of one picklist value's API name and of its label."""
MOST_RESTRICTED_VALUES = 1_000
MOST_MULTISELECT_VALUES = 500
LONGEST_LONG_TEXT = 131_072
SHORTEST_LONG_TEXT = 256
MOST_DIGITS = 18
_NAME = "fullName"


class DeployFailed(Exception):
    """A package the org refuses; nothing of it was deployed."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Deployment:
    """What was deployed."""

    fields: tuple[str, ...]
    """Such as ``Case.Contact_Reason__c``."""
    permission_sets: tuple[str, ...]
    layouts: tuple[str, ...]
    automations: tuple[str, ...] = ()
    """Flows and validation rules."""


@dataclass(slots=True)
class _Package:
    fields: list[tuple[str, Field]] = dataclass_field(default_factory=list)
    permission_sets: list[PermissionSet] = dataclass_field(default_factory=list)
    layouts: list[tuple[str, tuple[str, ...]]] = dataclass_field(default_factory=list)
    flows: list[Flow] = dataclass_field(default_factory=list)
    rules: list[Rule] = dataclass_field(default_factory=list)
    permissions: list[str] = dataclass_field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.fields or self.permission_sets or self.flows or self.rules)


def deploy(org: OrgState, directory: Path) -> Deployment:
    """Deploy all source below a directory; return what it was.

    Nobody sees a new field before somebody is assigned a permission set that shows it.

    Raises:
        DeployFailed: with every problem found; the org is unchanged then.
    """
    package = _Package()
    problems: list[str] = []
    for path in sorted(directory.rglob("*-meta.xml")):
        try:
            _read(path, package)
        except (ValueError, ParseError, DefusedXmlException) as wrong:
            problems.append(f"{path.relative_to(directory)}: {wrong}")
    if package.is_empty and not problems:
        problems.append(f"{directory}: no source to deploy")
    problems += _dangling(org, package)
    if problems:
        raise DeployFailed(problems)
    return _install(org, package)


def _install(org: OrgState, package: _Package) -> Deployment:
    with org.lock:
        for sobject, field in package.fields:
            org.deploy_fields([field], sobject)
        for one in package.permission_sets:
            org.access.permission_sets[one.name] = one
        org.automations.flows |= {flow.name: flow for flow in package.flows}
        org.automations.rules |= {rule.name: rule for rule in package.rules}
        org.automations.permissions |= set(package.permissions)
    return Deployment(
        tuple(f"{sobject}.{field.name}" for sobject, field in package.fields),
        tuple(one.name for one in package.permission_sets),
        tuple(name for name, _ in package.layouts),
        tuple([flow.name for flow in package.flows] + [rule.name for rule in package.rules]),
    )


def _read(path: Path, package: _Package) -> None:
    root = parse(path).getroot()
    if root is None:
        raise ValueError("an empty document")
    name = path.name
    if name.endswith(".field-meta.xml"):
        sobject = path.parent.parent.name
        field = to_field(root)
        if name != f"{field.name}.field-meta.xml":
            raise ValueError(f"the file's name does not fit fullName {field.name}")
        package.fields.append((sobject, field))
    elif name.endswith(".permissionset-meta.xml"):
        own = name.removesuffix(".permissionset-meta.xml")
        package.permission_sets.append(_to_permission_set(own, root))
    elif name.endswith(".layout-meta.xml"):
        own = name.removesuffix(".layout-meta.xml")
        package.layouts.append((own, tuple(_fields_of_layout(root))))
    elif name.endswith(".flow-meta.xml"):
        package.flows.append(to_flow(name.removesuffix(".flow-meta.xml"), root))
    elif name.endswith(".validationRule-meta.xml"):
        own = name.removesuffix(".validationRule-meta.xml")
        package.rules.append(to_rule(path.parent.parent.name, own, root))
    elif name.endswith(".customPermission-meta.xml"):
        own = name.removesuffix(".customPermission-meta.xml")
        package.permissions.append(to_permission(own, root))
    elif not name.endswith(".object-meta.xml"):
        raise ValueError("this org deploys no such metadata")


def _dangling(org: OrgState, package: _Package) -> Iterator[str]:
    """Yield what the package names and neither it nor the org has."""
    for sobject, field in package.fields:
        if org.schema.find(sobject) is None:
            yield f"{sobject}.{field.name}: no object named {sobject} found"
    own = {f"{sobject}.{field.name}" for sobject, field in package.fields}
    for one in package.permission_sets:
        for name in sorted(one.readable | one.editable):
            if name not in own and not _has(org, name):
                yield f"{one.name}: In field: field - no CustomField named {name} found"
        for name in sorted(one.custom_permissions):
            if name not in {*package.permissions, *org.automations.permissions}:
                yield f"{one.name}: no CustomPermission named {name} found"
    yield from _dangling_automations(org, package, own)
    for layout, names in package.layouts:
        sobject = layout.partition("-")[0]
        for name in names:
            if f"{sobject}.{name}" not in own and not _has(org, f"{sobject}.{name}"):
                yield f"{layout}: In field: field - no CustomField named {name} found"


def _dangling_automations(org: OrgState, package: _Package, own: set[str]) -> Iterator[str]:
    named = [(one.name, one.sobject, one.fields, one.permissions) for one in package.flows]
    for rule in package.rules:
        shown = {rule.shown_at} if rule.shown_at else set()
        condition = rule.condition
        named.append((rule.name, rule.sobject, condition.fields | shown, condition.permissions))
    for automation, sobject, fields, permissions in named:
        for name in sorted(fields):
            if f"{sobject}.{name}" not in own and not _has(org, f"{sobject}.{name}"):
                yield f"{automation}: Field {name} does not exist. Check spelling."
        for name in sorted(permissions):
            if name not in {*package.permissions, *org.automations.permissions}:
                yield f"{automation}: Field $Permission.{name} does not exist. Check spelling."


def _has(org: OrgState, name: str) -> bool:
    sobject, _, field = name.partition(".")
    found = org.schema.find(sobject)
    return found is not None and found.find(field) is not None


# Fields


def to_field(root: Element) -> Field:
    """Return the field of a ``CustomField`` document.

    Raises:
        ValueError: a sentence about what a real org would refuse.
    """
    refuse_other(root, "CustomField")
    name, label = wanted(root, _NAME), wanted(root, "label")
    if not name.endswith("__c"):
        raise ValueError(f"fullName must end in __c: {name}")
    if len(label) > LONGEST_LABEL:
        raise ValueError(f"label longer than {LONGEST_LABEL} characters: {label}")
    reader = _READERS.get(wanted(root, "type"))
    if reader is None:
        raise ValueError(f"type not known to this org: {wanted(root, 'type')}")
    return reader(root, name, label)


def _text(root: Element, name: str, label: str) -> Field:
    length = whole(root, "length", 1, 255)
    return Field(
        name, Kind.STRING, label=label, length=length, is_tracked=flag(root, "trackHistory")
    )


def _long_text(root: Element, name: str, label: str) -> Field:
    length = whole(root, "length", SHORTEST_LONG_TEXT, LONGEST_LONG_TEXT)
    whole(root, "visibleLines", 2, 50)
    return Field(
        name, Kind.TEXTAREA, label=label, length=length, is_tracked=flag(root, "trackHistory")
    )


def _number(kind: Kind) -> Callable[[Element, str, str], Field]:
    def read(root: Element, name: str, label: str) -> Field:
        precision = whole(root, "precision", 1, MOST_DIGITS)
        return Field(
            name,
            kind,
            label=label,
            precision=precision,
            scale=whole(root, "scale", 0, precision),
            is_tracked=flag(root, "trackHistory"),
        )

    return read


def _plain(kind: Kind) -> Callable[[Element, str, str], Field]:
    def read(root: Element, name: str, label: str) -> Field:
        return Field(name, kind, label=label, is_tracked=flag(root, "trackHistory"))

    return read


def _picklist(root: Element, name: str, label: str) -> Field:
    return _chosen(root, name, label, Kind.PICKLIST, LONGEST_VALUE, MOST_RESTRICTED_VALUES)


def _multi_select(root: Element, name: str, label: str) -> Field:
    whole(root, "visibleLines", 3, 10)
    kind = Kind.MULTIPICKLIST
    return _chosen(root, name, label, kind, MULTIPICKLIST_LENGTH, MOST_MULTISELECT_VALUES)


def _chosen(root: Element, name: str, label: str, kind: Kind, length: int, most: int) -> Field:
    values = root.find(f"{NAMESPACE}valueSet")
    if values is None:
        raise ValueError("a picklist needs a valueSet")
    options = tuple(
        _option(one)
        for one in values.findall(f"{NAMESPACE}valueSetDefinition/{NAMESPACE}value")
    )
    names = [one.value.casefold() for one in options]
    if twice := {one for one in names if names.count(one) > 1}:
        raise ValueError(f"Duplicate value: {', '.join(sorted(twice))}")
    if not 0 < len(options) <= most:
        raise ValueError(f"{len(options)} values; 1 to {most} are allowed")
    return Field(
        name,
        kind,
        label=label,
        length=length,
        values=options,
        is_restricted=flag(values, "restricted"),
        is_tracked=flag(root, "trackHistory"),
    )


def _option(value: Element) -> PicklistValue:
    name, label = wanted(value, _NAME), wanted(value, "label")
    if max(len(name), len(label)) > LONGEST_VALUE:
        raise ValueError(f"value longer than {LONGEST_VALUE} characters: {name}")
    if ";" in name:
        raise ValueError(f"a value must not hold a semicolon: {name}")
    is_active = value.find(f"{NAMESPACE}isActive") is None or flag(value, "isActive")
    return PicklistValue(name, label, is_active, flag(value, "default"))


_READERS: dict[str, Callable[[Element, str, str], Field]] = {
    "Text": _text,
    "LongTextArea": _long_text,
    "Percent": _number(Kind.PERCENT),
    "Number": _number(Kind.DOUBLE),
    "Checkbox": _plain(Kind.BOOLEAN),
    "Date": _plain(Kind.DATE),
    "DateTime": _plain(Kind.DATETIME),
    "Picklist": _picklist,
    "MultiselectPicklist": _multi_select,
}


# Permission sets and layouts


def _to_permission_set(name: str, root: Element) -> PermissionSet:
    refuse_other(root, "PermissionSet")
    wanted(root, "label")
    readable, editable = set(), set()
    for one in root.findall(f"{NAMESPACE}fieldPermissions"):
        field = wanted(one, "field")
        if flag(one, "readable"):
            readable.add(field)
        if flag(one, "editable"):
            if field not in readable:
                raise ValueError(f"{field} cannot be editable without being readable")
            editable.add(field)
    permissions = {
        wanted(one, "name")
        for one in root.findall(f"{NAMESPACE}customPermissions")
        if flag(one, "enabled")
    }
    return PermissionSet(name, frozenset(readable), frozenset(editable), frozenset(permissions))


def _fields_of_layout(root: Element) -> Iterator[str]:
    refuse_other(root, "Layout")
    for item in root.iter(f"{NAMESPACE}layoutItems"):
        field = item.findtext(f"{NAMESPACE}field")
        if field and field.endswith("__c"):
            yield field
