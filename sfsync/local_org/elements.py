"""Elements of a metadata document, read one by one."""

from xml.etree.ElementTree import Element

NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"


def refuse_other(root: Element, kind: str) -> None:
    """Refuse a document that is not of that kind.

    Raises:
        ValueError: the root is named otherwise.
    """
    if root.tag != f"{NAMESPACE}{kind}":
        raise ValueError(f"not a {kind}: {root.tag}")


def told(element: Element, name: str) -> str:
    """Return the text of a child, empty where there is none."""
    return (element.findtext(f"{NAMESPACE}{name}") or "").strip()


def wanted(element: Element, name: str) -> str:
    """Return the text of a child.

    Raises:
        ValueError: it is not there, or empty.
    """
    text = told(element, name)
    if not text:
        raise ValueError(f"Required field is missing: {name}")
    return text


def flag(element: Element, name: str) -> bool:
    """Return the truth of a child; it is false where there is none.

    Raises:
        ValueError: it is neither true nor false.
    """
    text = told(element, name) or "false"
    if text not in {"true", "false"}:
        raise ValueError(f"{name} must be true or false, not {text}")
    return text == "true"


def whole(element: Element, name: str, least: int, most: int) -> int:
    """Return the whole number of a child.

    Raises:
        ValueError: it is none, or out of its range.
    """
    text = wanted(element, name)
    if not text.isdigit() or not least <= int(text) <= most:
        raise ValueError(f"{name} must be {least} to {most}, not {text}")
    return int(text)
