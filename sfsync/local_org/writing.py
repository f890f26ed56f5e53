"""Insert, update and delete, with everything a real org does besides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sfsync.local_org import checking
from sfsync.local_org.errors import Refusal, not_found
from sfsync.local_org.faults import locked
from sfsync.local_org.history import history_changes
from sfsync.local_org.ids import long_id
from sfsync.local_org.ledger import Write
from sfsync.local_org.moments import Value
from sfsync.local_org.schema import Field, Kind, SObject
from sfsync.local_org.state import Change, OrgState, default_of
from sfsync.local_org.tables import Row

CLOSED_STATUS = "Closed"
QUEUE_OF_THE_RULE = "Triage"
"""Name of the queue to which the assignment rule gives every Case."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, and by which way in."""

    user_id: str
    by_api: bool = False
    """Whether field-level security and the faults' switches apply."""
    runs_assignment_rule: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Transaction:
    """Rows written together. Nothing is visible before ``commit``."""

    org: OrgState
    writer: Writer
    _changes: list[Change] = field(default_factory=list)
    _writes: list[Write] = field(default_factory=list)

    def insert(self, sobject: SObject, values: Mapping[str, object]) -> str:
        """Make a row; return its id.

        Raises:
            Refusal: nothing was made.
        """
        if not sobject.is_createable:
            raise _not_allowed(sobject, "create")
        fields = checking.known_fields(sobject, values)
        stored = self._checked(sobject, fields, values, creating=True)
        _refuse_incomplete(sobject, stored)
        kept = self._automated(sobject, None, {**_defaults(sobject), **stored})
        record_id = self.org.table(sobject.name).reserve_id()
        row = {**kept, **self._stamps(creating=True)}
        row |= self._derived(sobject, {}, row, creating=True)
        self._enter(sobject, record_id, "insert", row, stored)
        return record_id

    def update(self, sobject: SObject, record_id: str, values: Mapping[str, object]) -> None:
        """Change fields of a row.

        Raises:
            Refusal: nothing was changed.
        """
        if not sobject.is_updateable:
            raise _not_allowed(sobject, "update")
        before = existing(self.org, sobject, record_id)
        fields = checking.known_fields(sobject, values)
        stored = self._checked(sobject, fields, values, creating=False)
        self._face_faults(str(before["Id"]))
        kept = self._automated(sobject, before, stored)
        changed: Row = {**kept, **self._stamps(creating=False)}
        changed |= self._derived(sobject, before, changed, creating=False)
        self._changes.extend(
            history_changes(self.org, sobject, before, changed, self.writer.user_id)
        )
        self._enter(sobject, str(before["Id"]), "update", changed, stored)

    def delete(self, sobject: SObject, record_id: str) -> None:
        """Move a row to the bin, with those of its children that go along.

        Raises:
            Refusal: nothing was deleted.
        """
        if not sobject.is_deletable:
            raise _not_allowed(sobject, "delete")
        before = existing(self.org, sobject, record_id)
        self._face_faults(str(before["Id"]))
        for relationship in sobject.cascades:
            child, pointer = sobject.children[relationship]
            for row in self.org.table(child).find(pointer, [before["Id"]]):
                if not row["IsDeleted"]:
                    self._changes.append(Change(child, str(row["Id"]), self._gone()))
        self._enter(sobject, str(before["Id"]), "delete", self._gone(), {})

    def undelete(self, sobject: SObject, record_id: str) -> None:
        """Take a row back out of the bin, with the children that went along.

        Raises:
            Refusal: 400 UNDELETE_FAILED, where it is not in the bin.
        """
        row = self.org.table(sobject.name).get(long_id(record_id) or "")
        if row is None or not row["IsDeleted"]:
            raise Refusal(400, "UNDELETE_FAILED", "Entity is not in the recycle bin")
        back = {"IsDeleted": False, "MasterRecordId": None, **self._stamps(creating=False)}
        for relationship in sobject.cascades:
            child, pointer = sobject.children[relationship]
            for one in self.org.table(child).find(pointer, [row["Id"]]):
                if one["IsDeleted"] and one["SystemModstamp"] == row["SystemModstamp"]:
                    alive = {"IsDeleted": False, **self._stamps(creating=False)}
                    self._changes.append(Change(child, str(one["Id"]), alive))
        self._enter(sobject, str(row["Id"]), "undelete", back, {})

    def merge(self, sobject: SObject, master_id: str, record_ids: Sequence[str]) -> None:
        """Merge rows into one: their children become its own, they go to the bin.

        ``MasterRecordId`` of the merged ones names the one that was kept (Object Reference,
        Case). History stays where it was.

        Raises:
            Refusal: one of the rows is not there.
        """
        master = existing(self.org, sobject, master_id)
        for record_id in record_ids:
            merged = existing(self.org, sobject, record_id)
            for child, pointer in sobject.children.values():
                if child == f"{sobject.name}History":
                    continue
                moved = {pointer: master["Id"], **self._stamps(creating=False)}
                for one in self.org.table(child).find(pointer, [merged["Id"]]):
                    self._changes.append(Change(child, str(one["Id"]), moved))
            gone = {**self._gone(), "MasterRecordId": master["Id"]}
            self._enter(sobject, str(merged["Id"]), "merge", gone, {})
        self._enter(sobject, str(master["Id"]), "update", self._stamps(creating=False), {})

    def commit(self) -> None:
        """Make everything visible: at once for the API, with the org's delay for people."""
        if self.writer.by_api:
            self.org.commit(self._changes, self._writes)
        else:
            self.org.commit_later(self._changes, self._writes)

    def _checked(
        self,
        sobject: SObject,
        fields: Mapping[str, Field],
        values: Mapping[str, object],
        *,
        creating: bool,
    ) -> dict[str, Value]:
        if self.writer.by_api:
            checking.refuse_without_rights(
                self.org, self.writer.user_id, sobject, fields.values(), creating=creating
            )
        given = checking.deserialised(fields, values)
        return checking.validated(self.org, sobject, given)

    def _automated(self, sobject: SObject, before: Row | None, values: Row) -> Row:
        """Return the values as flows leave them, unless a rule refuses the row."""
        held = self.org.access.custom_permissions(self.writer.user_id)
        return self.org.automations.applied(sobject.name, before, values, held)

    def _face_faults(self, record_id: str) -> None:
        if self.writer.by_api:
            self.org.faults.before_row(record_id)
            if self.org.is_being_written(record_id):
                raise locked(record_id)

    def _stamps(self, *, creating: bool) -> Row:
        now, user = self.org.now(), self.writer.user_id
        stamps: Row = {
            "LastModifiedDate": now,
            "LastModifiedById": user,
            "SystemModstamp": now,
        }
        if creating:
            stamps |= {"CreatedDate": now, "CreatedById": user, "IsDeleted": False}
        return stamps

    def _gone(self) -> Row:
        return {"IsDeleted": True, **self._stamps(creating=False)}

    def _derived(self, sobject: SObject, before: Row, changed: Row, *, creating: bool) -> Row:
        if sobject.name != "Case":
            return {}
        derived: Row = {}
        if creating:
            derived["CaseNumber"] = self.org.next_case_number()
            if changed.get("OwnerId") is None:
                derived["OwnerId"] = self.writer.user_id
        if "Status" in changed:
            derived |= closing(before, changed)
        if self.writer.runs_assignment_rule and self.org.has_assignment_rule:
            derived["OwnerId"] = queue_of_the_rule(self.org)
        return derived

    def _enter(
        self, sobject: SObject, record_id: str, operation: str, row: Row, given: Row
    ) -> None:
        self._changes.append(Change(sobject.name, record_id, row))
        self._writes.append(
            Write(
                self.org.exact_now(),
                self.writer.user_id,
                sobject.name,
                record_id,
                operation,
                given,
                self.writer.headers,
                self.writer.by_api,
            )
        )


def existing(org: OrgState, sobject: SObject, record_id: str) -> Row:
    """Return a row that is there.

    Raises:
        Refusal: 400 MALFORMED_ID, 404 NOT_FOUND or 404 ENTITY_IS_DELETED.
    """
    full = long_id(record_id)
    if full is None or full[:3] != sobject.prefix:
        message = f"{sobject.label} ID: id value of incorrect type: {record_id}"
        raise Refusal(400, "MALFORMED_ID", message, ["Id"])
    row = org.table(sobject.name).get(full)
    if row is None:
        raise not_found()
    if row["IsDeleted"]:
        raise Refusal(404, "ENTITY_IS_DELETED", "entity is deleted", [])
    return row


def closing(before: Row, changed: Row) -> Row:
    """Return what follows from a Case's status."""
    is_closed = changed["Status"] == CLOSED_STATUS
    was_closed = bool(before.get("IsClosed"))
    if is_closed == was_closed and before:
        return {}
    closed_at = changed["LastModifiedDate"] if is_closed else None
    return {"IsClosed": is_closed, "ClosedDate": closed_at}


def queue_of_the_rule(org: OrgState) -> Value:
    """Return the id of the queue that the assignment rule gives Cases to."""
    for row in org.table("Group"):
        if row["Name"] == QUEUE_OF_THE_RULE:
            return row["Id"]
    raise KeyError(QUEUE_OF_THE_RULE)


def _defaults(sobject: SObject) -> Row:
    return {one.name: default_of(one) for one in sobject.fields if one.kind is not Kind.ID}


def _refuse_incomplete(sobject: SObject, stored: Row) -> None:
    missing = [
        one.name for one in sobject.fields if one.is_required and stored.get(one.name) is None
    ]
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise Refusal(400, "REQUIRED_FIELD_MISSING", message, missing)


def _not_allowed(sobject: SObject, verb: str) -> Refusal:
    code = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    return Refusal(400, code, f"entity type cannot be {verb}d: {sobject.name}", [])
