"""What Flows were given to write: their writing it is ours, and no person's word."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sfsync.cases import FieldChange, FieldValue
from sfsync.changed_fields import Change
from sfsync.field_map import Slot, is_blank, is_same
from sfsync.models import CaseLink, WriteBack


@dataclass(slots=True)
class Handed:
    """Values that one answer gave to a Flow."""

    write_back: int
    fields: Mapping[str, FieldValue]
    flow_change: str
    """Reference of the change in which the Flow wrote them; empty: not seen yet."""


class HandedOver:
    """The answers to Flows about some Cases.

    No clock is asked: the org's time and ours are two. A change counts by its values, and one
    change only for each answer.
    """

    def __init__(
        self,
        handed: Mapping[str, list[Handed]],
        delivered: Mapping[str, Mapping[str, FieldValue]],
    ) -> None:
        """Both by Case id; ``delivered``: what we know to have left in its fields."""
        self._handed = handed
        self._delivered = delivered

    @classmethod
    def to_flows(cls, links: Iterable[CaseLink]) -> "HandedOver":
        """Return what was given to Flows about these Cases, in one query."""
        known = {link.pk: link for link in links}
        rows = WriteBack.objects.filter(case_link__in=known, handed_at__isnull=False)
        handed: dict[str, list[Handed]] = defaultdict(list)
        for row in rows.only("case_link_id", "fields", "flow_change"):
            case_id = known[row.case_link_id].case_id
            handed[case_id].append(Handed(row.pk, row.fields, row.flow_change))
        return cls(handed, {link.case_id: link.delivered for link in known.values()})

    def wrote(self, change: Change, slots: Mapping[str, Slot]) -> bool:
        """Return whether a change is just a Flow writing what it was given; remember it as that.

        It is, where every field that history tells now holds that value, and was blank or ours
        before: who returns to our value from one of their own has said something.
        """
        for one in self._handed.get(change.case_id, ()):
            if one.flow_change:
                if one.flow_change == change.reference:
                    return True
            elif self._is_of(one, change, slots):
                one.flow_change = change.reference
                WriteBack.objects.filter(pk=one.write_back).update(flow_change=change.reference)
                return True
        return False

    def _is_of(self, handed: Handed, change: Change, slots: Mapping[str, Slot]) -> bool:
        if not all(row.field in handed.fields for row in change.rows):
            return False
        # History does not tell the values of long texts and multi-select picklists.
        told = [row for row in change.rows if (row.old, row.new) != (None, None)]
        return all(
            is_same(slots[row.field], handed.fields[row.field], row.new)
            and self._was_ours(change.case_id, row, slots[row.field])
            for row in told
        )

    def _was_ours(self, case_id: str, row: FieldChange, slot: Slot) -> bool:
        earlier = [one.fields for one in self._handed[case_id]]
        ours = [*earlier, self._delivered.get(case_id, {})]
        return is_blank(row.old) or any(
            row.field in fields and is_same(slot, fields[row.field], row.old) for fields in ours
        )
