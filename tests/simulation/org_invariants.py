"""What must hold for each write that the org accepts, by its own ledger."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from sfsync import guard
from sfsync.local_org.ledger import Write
from sfsync.local_org.moments import from_http_date
from sfsync.local_org.org import LocalOrg
from sfsync.local_org.tables import Row
from tests.simulation.breaking import MAPPED, MATERIAL, NAMING, REASONS, broken
from tests.simulation.row_invariants import RowInvariants
from tests.simulation.scheduler import Fiber, Scheduler
from tests.simulation.watching import Observer


class OrgInvariants:
    """Looks at each of our writes, beside what people wrote and what we noted before."""

    def __init__(
        self, org: LocalOrg, scheduler: Scheduler, observer: Observer, rows: RowInvariants
    ) -> None:
        self.blind: Counter[str] = Counter()
        """Exposures that are documented, counted."""
        self.is_guarded = False
        """Whether the org keeps us from writing over people."""
        self._org = org
        self._scheduler = scheduler
        self._observer = observer
        self._rows = rows
        self._theirs: dict[tuple[str, str], float] = {}
        """Case and field → since when the last value of a person is seen."""
        self._stamps: dict[tuple[str, str], datetime] = {}
        """Case and field → the Case's stamp by the last person who changed it."""
        self._pending: list[tuple[float, str, str, datetime]] = []
        self._ours: dict[tuple[str, str], float] = {}
        self._looked: dict[tuple[Fiber, str], float] = {}
        """Fiber and Case → when it was last told the Case's reasons."""
        self._effects: Counter[int] = Counter()

    def on_look(self, answer: bytes) -> None:
        """Note which Cases' reasons the present fiber has just been told."""
        rows = json.loads(answer) if answer.startswith(b"[") else ()
        for row in rows:
            if row and REASONS[0] in row:
                self._looked[self._scheduler.fiber, row["Id"]] = self._scheduler.now

    def on_person_writes(
        self, writes: Sequence[Write], before: Row | None, visible_at: float
    ) -> None:
        """Note what people changed, and from which simulated second on others see it."""
        for write in writes:
            for name, value in write.fields.items():
                if name in MAPPED and before and before.get(name) != value:
                    self._pending.append((visible_at, write.record_id, name, write.at))

    def has_word_of_a_person(self, case_id: str) -> bool:
        """Return whether somebody else ever wrote what names a reason on this Case."""
        self._settle()
        return any((case_id, name) in self._theirs for name in NAMING)

    def shown(self) -> Mapping[str, Row]:
        """Return all Cases as they are at this moment."""
        return {str(row["Id"]): row for row in self._org.table("Case")}

    def on_api_writes(self, writes: Sequence[Write], shown: Mapping[str, Row]) -> None:
        self._settle()
        for write in writes:
            self.only_mapped_fields_of_cases(write)
            self.no_assignment_rule_runs(write, shown)
            self.a_persons_value_is_never_overwritten(write, shown)
            self.one_effect_per_decision(write, shown)
            for name in write.fields:
                self._ours[write.record_id, name] = self._scheduler.now

    def only_mapped_fields_of_cases(self, write: Write) -> None:
        """I6: no unmapped field, owner or status changes."""
        foreign = set(write.fields) - MAPPED - {guard.FIELD}
        if write.sobject != "Case" or write.operation != "update" or foreign:
            raise broken("I6", f"{write.operation} of {write.sobject} wrote {sorted(foreign)}")

    def no_assignment_rule_runs(self, write: Write, shown: Mapping[str, Row]) -> None:
        """I6: Sforce-Auto-Assign is FALSE on every write, and the owner stays the owner."""
        if write.headers.get("sforce-auto-assign", "").upper() != "FALSE":
            raise broken(
                "I6", f"{write.record_id} was written without Sforce-Auto-Assign: FALSE"
            )
        row = self._org.table("Case").get(write.record_id) or {}
        for name in ("OwnerId", "Status"):
            if row.get(name) != shown[write.record_id].get(name):
                raise broken("I6", f"our write changed {name} of {write.record_id}")

    def a_persons_value_is_never_overwritten(
        self, write: Write, shown: Mapping[str, Row]
    ) -> None:
        """I5: a field whose last change is by a person is never changed by us.

        Under a condition, an edit within the very second of the Case's last change is not seen.
        """
        before = shown[write.record_id]
        for name, value in write.fields.items():
            key = write.record_id, name
            theirs = self._theirs.get(key, -1.0)
            if theirs <= self._ours.get(key, -1.0) or before.get(name) == value:
                continue
            if before.get(name) is None and key not in self._ours:
                self.blind["named and emptied again before we came"] += 1
                continue
            has_looked = theirs <= self._looked.get((self._scheduler.fiber, key[0]), -1.0)
            if self.is_guarded:
                raise broken("I5", f"{key} was overwritten in an org with our guard")
            condition = write.headers.get("if-unmodified-since")
            if not has_looked and condition is None:
                self.blind["saved between our look and our write"] += 1
                continue
            if not has_looked and self._stamps[key] <= from_http_date(str(condition)):
                self.blind["saved within the second of the Case's last change"] += 1
                continue
            raise broken(
                "I5",
                f"{name} of {write.record_id} held {before.get(name)!r} of a person since"
                f" {theirs:.1f} s, and we wrote {value!r}",
            )

    def one_effect_per_decision(self, write: Write, shown: Mapping[str, Row]) -> None:
        """I4: one decision changes a Case once at most, and what is sent was noted before."""
        row = self._noted(write)
        if row is None:
            raise broken(
                "I4",
                f"{write.record_id} was written {dict(write.fields)}, and no write-back that"
                " waits for an answer says so",
            )
        row_id, decision = row
        self._rows.may_be_sent(row_id, decision)
        before = shown[write.record_id]
        material = [name for name in MATERIAL if name in write.fields]
        if all(before.get(name) == write.fields[name] for name in material):
            return
        self._effects[row_id] += 1
        if self._effects[row_id] > 1:
            raise broken("I4", f"write-back {row_id} changed {write.record_id} a second time")

    def _noted(self, write: Write) -> tuple[int, int] | None:
        """Return the write-back that noted this write, and its decision."""
        rows = self._observer.rows(
            "SELECT w.id, w.decision_id, w.sent_fields FROM sfsync_writeback w JOIN"
            " sfsync_caselink c ON c.id = w.case_link_id WHERE c.case_id = ? ORDER BY w.id DESC",
            write.record_id,
        )
        for row_id, decision, sent in rows:
            noted, fields = json.loads(sent), write.fields.keys() - {guard.FIELD}
            if noted.keys() == fields and all(
                noted[name] == value for name, value in write.fields.items() if name in MATERIAL
            ):
                return row_id, decision
        return None

    def _settle(self) -> None:
        """Take note of what people's transactions made visible by now."""
        now = self._scheduler.now
        for visible_at, case_id, name, stamp in [one for one in self._pending if one[0] <= now]:
            known = self._theirs.get((case_id, name), -1.0)
            self._theirs[case_id, name] = max(known, visible_at)
            self._stamps[case_id, name] = stamp
        self._pending = [one for one in self._pending if one[0] > now]
