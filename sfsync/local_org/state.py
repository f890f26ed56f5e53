"""The org itself: its tables, its clock, its people, and what is committed when."""

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sfsync.local_org.access import Access, PermissionSet
from sfsync.local_org.automations import Automations
from sfsync.local_org.faults import Faults
from sfsync.local_org.founding import found
from sfsync.local_org.ids import new_id
from sfsync.local_org.ledger import Ledger, Write
from sfsync.local_org.moments import Value, to_second
from sfsync.local_org.schema import Field, Kind, Schema, SObject
from sfsync.local_org.standard_objects import standard_objects
from sfsync.local_org.tables import Row, Table

API_ALLOWANCE = 100_000
"""Calls in 24 hours of an Enterprise org, before licences add to it."""
OWN_FIELDS = "Own_Fields"
"""Permission set for the org's own custom fields; the product's fields are not in it."""
_STAMPS = ("SystemModstamp", "LastModifiedDate")


@dataclass(frozen=True, slots=True)
class Change:
    """New values of one row, not yet seen by anybody."""

    sobject: str
    record_id: str
    values: Row


@dataclass(frozen=True, slots=True)
class PendingCommit:
    """A transaction that stamped its rows but has not committed them."""

    stamped_at: datetime
    visible_at: datetime
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class ConversationEntry:
    """One message of a conversation, as the Connect API gives it."""

    identifier: str
    role: str
    """``EndUser``, ``Agent``, ``Bot`` or ``System``."""
    text: str | None
    at: datetime
    session_id: str
    subject: str = ""


class OrgState:
    """A Salesforce org in memory.

    Deviates from the real thing where a docstring in this package says so. In general: no
    sharing, no triggers, flows before saving only, no other currencies and languages, and
    nothing survives the process.
    """

    def __init__(
        self,
        clock: Callable[[], datetime] | None = None,
        *,
        seed: int = 0,
        number: int = 1,
        my_domain: str = "acme.my",
        instance_url: str = "",
        is_sandbox: bool = False,
        name: str = "Acme Support",
        lacks: Iterable[str] = (),
    ) -> None:
        """Make an org without Cases.

        ``lacks`` names sObjects whose feature is off: they answer INVALID_TYPE.
        ``clock`` returns the org's aware time. ``number`` tells orgs apart (it makes the org
        id). ``my_domain`` is the prefix before ``.salesforce.com``; ``instance_url`` replaces
        the https address that token answers name, for clients that can speak plain HTTP.
        """
        self._clock = clock or _machine_clock
        self.seed = seed
        self.name = name
        self.my_domain = my_domain
        self.instance_url = instance_url or f"https://{my_domain}.salesforce.com"
        self.is_sandbox = is_sandbox
        self.lock = threading.RLock()
        self.schema = Schema(standard_objects())
        self.tables = {one.name: Table(one) for one in self.schema}
        self.access = Access()
        self.automations = Automations()
        self.faults = Faults()
        self.ledger = Ledger()
        self.entries: dict[str, list[ConversationEntry]] = {}
        self.contents: dict[str, bytes] = {}
        """Id of a ContentVersion → the file itself."""
        self.transcripts_attached = 0
        self.org_id = new_id("00D", number)
        self.api_allowance = API_ALLOWANCE
        self.has_assignment_rule = True
        self.honours_conditions_in_composite = True
        """Whether a subrequest of Composite heeds If-Unmodified-Since: nobody has shown it."""
        self.schema_changed_at = self.now()
        self.connect_calls: list[datetime] = []
        self.listeners: list[Callable[[Change], None]] = []
        """Told of every change as it becomes visible."""
        self._pending: list[PendingCommit] = []
        self._undo: list[tuple[Table, str, Row | None]] | None = None
        self._case_numbers = itertools.count(1001)
        self.founders = found(self.tables, self._organization(), self.now())
        self._open_own_fields()
        for one in lacks:
            self.remove_sobject(one)

    def _open_own_fields(self) -> None:
        """Let the integration user read what this org's admin built before we came."""
        names = frozenset(
            f"{one.name}.{field.name}"
            for one in self.schema
            for field in one.fields
            if field.is_custom
        )
        self.access.permission_sets[OWN_FIELDS] = PermissionSet(OWN_FIELDS, names, names)
        self.access.assign(self.founders.integration, OWN_FIELDS)

    # Time

    def now(self) -> datetime:
        """Return the org's time in UTC, to the second, as audit fields hold it."""
        return to_second(self._clock())

    def calls_used(self) -> int:
        """Return the API calls of the last 24 hours, by whomever."""
        return self.ledger.used_in_24_hours(self.now())

    def others_call(self, calls: int) -> None:
        """Let other integrations make API calls now."""
        self.ledger.others_call(calls, self.now())

    def exact_now(self) -> datetime:
        """Return the org's time in UTC as its clock shows it, for the ledger alone."""
        return self._clock().astimezone(UTC)

    # People

    def user_named(self, username: str) -> Row | None:
        """Return the user of that name, None if there is none."""
        for row in self.tables["User"]:
            if row["Username"] == username:
                return row
        return None

    def username_of(self, user_id: str) -> str:
        """Return the login name of a user."""
        row = self.tables["User"].get(user_id)
        return str(row["Username"]) if row else ""

    # Schema

    def deploy_fields(self, fields: Iterable[Field], sobject: str = "Case") -> None:
        """Add custom fields. Nobody can see them before a permission set says so."""
        with self.lock:
            self.sobject(sobject).add(fields)
            self.schema_changed_at = self.now()

    def remove_sobject(self, name: str) -> None:
        """Switch a feature off: the sObject answers INVALID_TYPE from now on."""
        with self.lock:
            self.schema.remove(name)
            self.schema_changed_at = self.now()

    def remove_field(self, sobject: str, name: str) -> None:
        """Take a field away, as in an org without the feature it belongs to."""
        with self.lock:
            self.sobject(sobject).remove(name)
            self.schema_changed_at = self.now()

    def sobject(self, name: str) -> SObject:
        """Return the definition of an sObject.

        Raises:
            KeyError: the org has none of that name.
        """
        found = self.schema.find(name)
        if found is None:
            raise KeyError(name)
        return found

    def table(self, sobject: str) -> Table:
        """Return all rows of an sObject by its exact name."""
        return self.tables[sobject]

    def row(self, sobject: str, record_id: str) -> Row | None:
        """Return a committed row, deleted ones included."""
        self.settle()
        return self.tables[sobject].get(record_id)

    def next_case_number(self) -> str:
        """Return the number people will know the next Case by."""
        return f"{next(self._case_numbers):08d}"

    # Commits

    def commit(self, changes: Iterable[Change], writes: Iterable[Write]) -> None:
        """Make changes visible at once and enter them in the ledger."""
        for change in changes:
            self._apply(change)
        self.ledger.writes.extend(writes)

    @contextmanager
    def undoable(self) -> Iterator[Callable[[], None]]:
        """Yield what undoes everything that was committed inside, its ledger entries too."""
        undo: list[tuple[Table, str, Row | None]] = []
        self._undo, entered = undo, len(self.ledger.writes)

        def roll_back() -> None:
            for table, record_id, before in reversed(undo):
                table.restore(record_id, before)
            del self.ledger.writes[entered:]

        try:
            yield roll_back
        finally:
            self._undo = None

    def commit_later(self, changes: Iterable[Change], writes: Iterable[Write]) -> None:
        """Make changes visible after ``faults.commit_delay``: a transaction still running."""
        if not self.faults.commit_delay:
            self.commit(changes, writes)
            return
        now = self.now()
        visible_at = now + self.faults.commit_delay
        self._pending.append(PendingCommit(now, visible_at, tuple(changes)))
        self.ledger.writes.extend(writes)

    def settle(self) -> None:
        """Make visible what is due; called at the start of every request."""
        if not self._pending:
            return
        now = self.now()
        due = [one for one in self._pending if one.visible_at <= now]
        self._pending = [one for one in self._pending if one.visible_at > now]
        for commit in due:
            for change in commit.changes:
                self._apply(change)

    def earliest_in_flight(self) -> datetime | None:
        """Return when the oldest transaction still running began, None if none runs."""
        return min((one.stamped_at for one in self._pending), default=None)

    def is_being_written(self, record_id: str) -> bool:
        """Return whether a transaction still running has changed a row, and so holds its lock."""
        return any(
            change.record_id == record_id for one in self._pending for change in one.changes
        )

    def _organization(self) -> Row:
        return {
            "Id": self.org_id,
            "Name": self.name,
            "IsSandbox": self.is_sandbox,
            "InstanceName": "LOC1",
            "OrganizationType": "Enterprise Edition",
            "LanguageLocaleKey": "en_US",
        }

    def _apply(self, change: Change) -> None:
        table = self.tables[change.sobject]
        values = change.values
        before = table.get(change.record_id)
        if before is not None:
            # A late commit would turn stamps back; a real org prevents it by row locks.
            values = {**values, **_later_stamps(before, values)}
        if self._undo is not None:
            self._undo.append((table, change.record_id, before))
        table.put(change.record_id, values)
        for listener in self.listeners:
            listener(change)


def _later_stamps(before: Row, values: Row) -> Row:
    later: Row = {}
    for name in _STAMPS:
        old, new = before.get(name), values.get(name)
        if isinstance(old, datetime) and isinstance(new, datetime) and old > new:
            later[name] = old
    return later


def _machine_clock() -> datetime:
    return datetime.now(UTC)


def default_of(field: Field) -> Value:
    """Return what a field holds when an insert leaves it out."""
    if field.kind is Kind.BOOLEAN:
        return False
    return next((one.value for one in field.values if one.is_default), None)


MINUTE = timedelta(minutes=1)
