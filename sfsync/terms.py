"""The terms under which we write at this moment: mode, scope, mapping, categories."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Q

from classifier import leases
from sfsync.cases import FieldValue
from sfsync.field_map import CategoryBook, Decided, Mode, Slot, to_fields
from sfsync.models import CaseLink, CategoryMapping, Connection, FieldMapping, WriteBack
from sfsync.scope import in_scope, is_in_scope


@dataclass(frozen=True)
class Terms:
    """Read once per batch, so that all its rows are judged alike."""

    connection: Connection
    book: CategoryBook
    mapping: list[FieldMapping]
    """Active rows, those included that are paused because the org refuses them."""
    approved: int | None = None
    """The backfill whose Cases may be written."""

    @classmethod
    def now(cls) -> "Terms":
        """Return what the tables say at this moment, in four queries."""
        return cls(Connection.current(), CategoryMapping.book(), FieldMapping.objects.active())

    @cached_property
    def slots(self) -> Mapping[str, Slot]:
        return {row.field: Slot(row.slot) for row in self.mapping}

    def mode_of(self, decided: Decided) -> Mode:
        """Return how far we may go with a decision: the lower of connection and category."""
        if decided.is_abstention:
            return Mode(self.connection.mode)
        return Mode.lesser(self.connection.mode, self.book.mode_of(decided.codes[0]))

    def hold_of(self, decided: Decided, link: CaseLink) -> WriteBack.Hold | None:
        """Return what a person would have to change before we may write, None if nothing."""
        if link.backfill_id not in {None, self.approved}:
            return WriteBack.Hold.BACKFILL
        if self.mode_of(decided) is Mode.SHADOW:
            return WriteBack.Hold.SHADOW
        return None if is_in_scope(self.connection, link) else WriteBack.Hold.SCOPE

    def would_write(self, decided: Decided) -> dict[str, FieldValue]:
        """Return the fields of a decision; in shadow mode those that automatic would write."""
        mode = self.mode_of(decided)
        shown = Mode.AUTOMATIC if mode is Mode.SHADOW else mode
        return to_fields(decided, self.mapping, self.book, shown)

    def allow_the_same_as(self, connection: Connection) -> bool:
        """Return whether a connection read later still allows what these terms allowed."""
        return connection.paused_at is None and all(
            getattr(connection, name) == getattr(self.connection, name)
            for name in (
                "mode",
                "scope_record_types",
                "scope_origins",
                "scope_queues",
                "scope_created_after",
            )
        )


def release_held() -> int:
    """Make due what mode or scope held and hold no longer; return how many."""
    connection = Connection.current()
    moment = leases.now()
    released = 0
    if connection.mode != Mode.SHADOW:
        is_silent = Q(decision__category__salesforce__mode=Mode.SHADOW)
        in_shadow = WriteBack.objects.held(WriteBack.Hold.SHADOW)
        released += in_shadow.exclude(is_silent).make_due(moment)
    outside = WriteBack.objects.held(WriteBack.Hold.SCOPE)
    return released + outside.filter(in_scope(connection)).make_due(moment)
