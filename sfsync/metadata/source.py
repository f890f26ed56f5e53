"""Metadata documents as text: the few elements of Salesforce's source format that we write."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from unicodedata import category
from xml.etree.ElementTree import Element, SubElement, indent, register_namespace, tostring

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
UNPRINTABLE = {
    "Cc",
    "Cs",
    "Cn",
}  # Unicode's control, surrogate and unassigned: no XML takes all

register_namespace("", NAMESPACE)


Node = tuple[str, "str | bool | int | list[Node]"]
"""An element: its name, and its text or its children in order."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of the package, its path relative to the package's root."""

    path: PurePosixPath
    text: str


def document(kind: str, nodes: Iterable[Node]) -> str:
    """Return the metadata document ``kind`` (CustomField, Layout, …) with these elements."""
    root = Element(f"{{{NAMESPACE}}}{kind}")
    for node in nodes:
        _append(root, node)
    indent(root, "    ")
    body = tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _append(parent: Element, node: Node) -> None:
    name, value = node
    element = SubElement(parent, f"{{{NAMESPACE}}}{name}")
    if isinstance(value, list):
        for child in value:
            _append(element, child)
    elif isinstance(value, bool):
        element.text = "true" if value else "false"
    else:
        element.text = "".join(
            mark for mark in str(value) if mark == "\n" or category(mark) not in UNPRINTABLE
        )
