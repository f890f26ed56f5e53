"""A change event decoded: which records changed, how, by whom, and which of their fields."""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import fastavro
from fastavro.schema import SchemaParseException

from sfsync.cases import CASE_PREFIX
from sfsync.record_ids import full_id

HEADER = "ChangeEventHeader"
GAP = "GAP_"
OVERFLOW = "GAP_OVERFLOW"
NO_RECORD = "000000000000000"
"""The record id of an overflow: more changes in one transaction than are told one by one."""
WILDCARD = "*"
"""Ends an id that stands for many."""
MOST_BITS = 4096
"""Fields of one schema at most; a longer bitmap is damaged."""
_FIELDS_THAT_NAME_A_CASE = ("CaseId", "ParentId", "RelatedRecordId")


class Undecodable(Exception):
    """A schema or payload that is not what the Pub/Sub API sends. Carries none of its words."""


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """The header of one event, and the parents that it names; its other words are dropped."""

    entity: str
    """Name of the sObject."""
    change_type: str
    """CREATE, UPDATE, DELETE, UNDELETE, the same after GAP\\_, GAP_OVERFLOW or SNAPSHOT."""
    record_ids: tuple[str, ...]
    """As told: 15 or 18 characters, or the beginning of many."""
    commit_user: str
    change_origin: str
    changed_fields: frozenset[str]
    """Names; of a part of a compound field ``Name.FirstName``. Empty in a gap."""
    parent_ids: tuple[str, ...] = ()
    """What its lookups hold, as far as they came along."""

    @property
    def is_gap(self) -> bool:
        return self.change_type.startswith(GAP)

    @property
    def is_overflow(self) -> bool:
        """Whether it tells of more records than it names."""
        return self.change_type == OVERFLOW or any(
            one.startswith(NO_RECORD) or one.endswith(WILDCARD) for one in self.record_ids
        )


class EventSchema:
    """One Avro schema, which decodes the payloads that name it."""

    def __init__(self, schema_json: str) -> None:
        """Parse a schema.

        Raises:
            Undecodable: it is no Avro schema of a change event.
        """
        try:
            self._tree = json.loads(schema_json)
            self._parsed = fastavro.parse_schema(self._tree)
            names = [field["name"] for field in self._tree["fields"]]
        except (ValueError, TypeError, KeyError, SchemaParseException, RecursionError) as error:
            raise Undecodable(f"no Avro schema ({type(error).__name__})") from None
        if HEADER not in names:
            raise Undecodable("no schema of a change event")

    def decoded(self, payload: bytes) -> ChangeEvent:
        """Return what a payload tells.

        Raises:
            Undecodable: it does not fit the schema.
        """
        try:
            row: Any = fastavro.schemaless_reader(BytesIO(payload), self._parsed, None)
            header = row[HEADER]
            return ChangeEvent(
                entity=str(header["entityName"]),
                change_type=str(header["changeType"]),
                record_ids=tuple(map(str, header["recordIds"])),
                commit_user=str(header.get("commitUser") or ""),
                change_origin=str(header.get("changeOrigin") or ""),
                changed_fields=frozenset(
                    named(header.get("changedFields") or (), self._tree["fields"])
                ),
                parent_ids=tuple(
                    row[name]
                    for name in _FIELDS_THAT_NAME_A_CASE
                    if isinstance(row.get(name), str)
                ),
            )
        except (
            *(ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError),
            *(OverflowError, MemoryError, RecursionError, struct.error),
        ) as error:
            raise Undecodable(f"no change event ({type(error).__name__})") from None


def case_ids(event: ChangeEvent) -> Iterator[str]:
    """Yield the Cases that an event is about, 18 characters each, none twice.

    Of another object those that its lookups name; an update tells only the lookups that
    changed, so what it is about may not be known: then the poll finds it.
    """
    seen: set[str] = set()
    for told in event.record_ids if event.entity == "Case" else event.parent_ids:
        try:
            case_id = full_id(told)
        except ValueError:
            continue
        if case_id.startswith(CASE_PREFIX) and case_id not in seen:
            seen.add(case_id)
            yield case_id


def named(bitmaps: Sequence[str], fields: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the names of the fields whose bits are set.

    ``0x0C``: bits 2 and 3, the third and fourth field of the schema, the lowest bit first;
    ``4-0x06``: within the compound field at position 4 (Event Deserialization Considerations
    in the Pub/Sub API guide). Bits beyond the schema are left out.

    Raises:
        ValueError: one is no such bitmap.
    """
    for bitmap in bitmaps:
        position, dash, bits = bitmap.rpartition("-")
        if not dash:
            yield from (fields[place]["name"] for place in _places(bits, len(fields)))
            continue
        if not 0 <= int(position) < len(fields):
            continue
        parent = fields[int(position)]
        inner = _inner_fields(parent["type"])
        for place in _places(bits, len(inner)):
            yield f"{parent['name']}.{inner[place]['name']}"


def _places(text: str, fields: int) -> list[int]:
    if not text.startswith("0x") or len(text) > MOST_BITS // 4 + 2:
        raise ValueError("no bitmap")
    bits = int(text, 16)
    return [place for place in range(fields) if bits >> place & 1]


def _inner_fields(kind: Any) -> Sequence[Mapping[str, Any]]:
    """Return the fields of a compound field, which may be a choice of nothing and a record."""
    for one in kind if isinstance(kind, list) else [kind]:
        if isinstance(one, dict) and one.get("type") == "record":
            return list(one["fields"])
    return []
