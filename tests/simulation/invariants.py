"""What must hold after every step, a function each; the numbers are those of the issue's list.

The org's own ledger and what the database committed are the witnesses, never the product's word.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from classifier.deciding import MOST_ATTEMPTS
from sfsync.local_org.ledger import Write
from sfsync.local_org.moments import to_second
from sfsync.local_org.org import LocalOrg
from sfsync.local_org.tables import Row
from tests.simulation.scheduler import BEGIN, Scheduler
from tests.simulation.watching import Change, Observer

REASONS = ("Contact_Reason__c", "Contact_Reasons__c")
MATERIAL = (*REASONS, "Contact_Reason_Suggestion__c", "Contact_Reason_Source__c")
MAPPED = {
    *MATERIAL,
    "Contact_Reason_Confidence__c",
    "Contact_Reason_Evidence__c",
    "Contact_Reason_Model__c",
    "Contact_Reason_At__c",
}
PARENTS = {"Case": "Id", "EmailMessage": "ParentId", "CaseComment": "ParentId"}
OF_NOBODY = "superseded"
"""The one outcome that anybody may write: a newer decision stands."""
MOVES = {
    ("due", "claimed"),
    ("claimed", "claimed"),
    ("due", "due"),
    ("claimed", "due"),
    ("claimed", "held"),
    ("held", "due"),
    ("held", "held"),
    *(
        (state, outcome)
        for state in ("due", "claimed", "held")
        for outcome in ("delivered", "unchanged", "ceded", "gone", "dead", "superseded")
    ),
    ("superseded", "delivered"),
    ("superseded", "superseded"),
    # Again, on somebody's word, or because the org has got the field that was missing.
    *((outcome, "due") for outcome in ("delivered", "unchanged", "ceded", "gone", "dead")),
    *((outcome, outcome) for outcome in ("delivered", "unchanged", "ceded", "gone", "dead")),
}
"""How a write-back may move on."""


class InvariantBroken(Exception):
    """The product did what it promises never to do."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(f"{name}: {words}")
        self.name = name


def broken(name: str, words: str) -> InvariantBroken:
    return InvariantBroken(name, words)


class Invariants:
    """Looks at each write that the org accepts, and at each change that is committed."""

    def __init__(self, org: LocalOrg, scheduler: Scheduler, observer: Observer) -> None:
        self.org = org
        self.scheduler = scheduler
        self.observer = observer
        self.blind: Counter[str] = Counter()
        """Exposures that are documented, counted."""
        self._theirs: dict[tuple[str, str], float] = {}
        self._pending: list[tuple[float, str, str]] = []
        self._ours: dict[tuple[str, str], float] = {}
        self._effects: Counter[int] = Counter()
        self._changes = 0
        self._claims: dict[tuple[str, int], tuple[str, int]] = {}
        """Row → who claimed it last, and with which change."""
        self._replaced: dict[int, int] = {}
        """Decision → with which change another took its place."""
        self._checks: dict[str, Callable[[Change], None]] = {
            "sfsync_writeback": self._write_back,
            "sfsync_watermark": self._watermark,
            "classifier_transcript": self._transcript,
            "classifier_decision": self._decision,
        }

    # What the org saw

    def on_person_writes(
        self, writes: Sequence[Write], before: Row | None, visible_at: float
    ) -> None:
        """Note what people changed, and from which simulated second on others see it."""
        for write in writes:
            for name, value in write.fields.items():
                if name in MAPPED and before and before.get(name) != value:
                    self._pending.append((visible_at, write.record_id, name))

    def shown(self) -> Mapping[str, Row]:
        """Return all Cases as they are at this moment."""
        return {str(row["Id"]): row for row in self.org.table("Case")}

    def on_api_writes(self, writes: Sequence[Write], shown: Mapping[str, Row]) -> None:
        self._settle()
        for write in writes:
            self.only_mapped_fields_of_cases(write)
            self.no_assignment_rule_runs(write, shown)
            self.a_persons_value_is_never_overwritten(write, shown)
            self.one_effect_per_decision(write, shown)
            for name in write.fields:
                self._ours[write.record_id, name] = self.scheduler.now

    def only_mapped_fields_of_cases(self, write: Write) -> None:
        """I6: no unmapped field, owner or status changes."""
        foreign = set(write.fields) - MAPPED
        if write.sobject != "Case" or write.operation != "update" or foreign:
            raise broken("I6", f"{write.operation} of {write.sobject} wrote {sorted(foreign)}")

    def no_assignment_rule_runs(self, write: Write, shown: Mapping[str, Row]) -> None:
        """I6: Sforce-Auto-Assign is FALSE on every write, and the owner stays the owner."""
        if write.headers.get("sforce-auto-assign", "").upper() != "FALSE":
            raise broken(
                "I6", f"{write.record_id} was written without Sforce-Auto-Assign: FALSE"
            )
        row = self.org.table("Case").get(write.record_id) or {}
        for name in ("OwnerId", "Status"):
            if row.get(name) != shown[write.record_id].get(name):
                raise broken("I6", f"our write changed {name} of {write.record_id}")

    def a_persons_value_is_never_overwritten(
        self, write: Write, shown: Mapping[str, Row]
    ) -> None:
        """I5: a field whose last change is by a person is never changed by us.

        Without a guard in the org, what they save between our look and our write is not seen.
        """
        before = shown[write.record_id]
        for name, value in write.fields.items():
            theirs = self._theirs.get((write.record_id, name), -1.0)
            if theirs <= self._ours.get((write.record_id, name), -1.0):
                continue
            if before.get(name) == value:
                continue
            if before.get(name) is None and (write.record_id, name) not in self._ours:
                self.blind["named and emptied again before we came"] += 1
                continue
            if theirs > self.scheduler.fiber.last_answer_at:
                self.blind["saved between our look and our write"] += 1
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
        claimed = self._claims.get(("sfsync_writeback", row_id), ("", 0))[1]
        if self._replaced.get(decision, claimed) < claimed:
            raise broken("I4", f"write-back {row_id} was sent for a decision replaced before")
        before = shown[write.record_id]
        if all(
            before.get(name) == write.fields.get(name)
            for name in MATERIAL
            if name in write.fields
        ):
            return
        self._effects[row_id] += 1
        if self._effects[row_id] > 1:
            raise broken("I4", f"write-back {row_id} changed {write.record_id} a second time")

    def _noted(self, write: Write) -> tuple[int, int] | None:
        rows = self.observer.rows(
            "SELECT w.id, w.decision_id, w.sent_fields FROM sfsync_writeback w JOIN"
            " sfsync_caselink c ON c.id = w.case_link_id WHERE c.case_id = ? ORDER BY w.id DESC",
            write.record_id,
        )
        for row_id, decision, sent in rows:
            noted = json.loads(sent)
            if noted.keys() == write.fields.keys() and all(
                noted[name] == value for name, value in write.fields.items() if name in MATERIAL
            ):
                return row_id, decision
        return None

    def _settle(self) -> None:
        """Take note of what people's transactions made visible by now."""
        now = self.scheduler.now
        for visible_at, case_id, name in [one for one in self._pending if one[0] <= now]:
            known = self._theirs.get((case_id, name), -1.0)
            self._theirs[case_id, name] = max(known, visible_at)
        self._pending = [one for one in self._pending if one[0] > now]

    # What was committed

    def on_changes(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self._changes += 1
            self.nothing_vanishes(change)
            if change.before is None or change.after is None:
                continue
            if "epoch" in change.after:
                self.one_live_lease(change)
            if check := self._checks.get(change.table):
                check(change)

    def nothing_vanishes(self, change: Change) -> None:
        """I10: no row of Cases, words, decisions, write-backs or watermarks is ever deleted."""
        if change.after is None:
            raise broken(
                "I10", f"row {change.row} of {change.table} was deleted by {change.who}"
            )

    def one_live_lease(self, change: Change) -> None:
        """I7: one live lease per row at most; a result under an old epoch changes nothing."""
        before, after = change.before or {}, change.after or {}
        key, who = (change.table, change.row), change.who
        if after["epoch"] < before["epoch"]:
            raise broken("I7", f"the epoch of {key} went back")
        if after["epoch"] > before["epoch"]:
            until = before["leased_until"]
            if until and seconds_of(until) >= change.at:
                raise broken(
                    "I7", f"{who} claimed {key}, which {self._claims.get(key)} still held"
                )
            self._claims[key] = (who, self._changes)
            return
        gave_back = before["lease_token"] and not after["lease_token"]
        is_theirs = self._claims.get(key, ("", 0))[0] != who
        is_gone = after.get("gone_at") and not before.get("gone_at")
        if gave_back and is_theirs and not is_gone and not who.startswith("desk"):
            raise broken("I7", f"{who} settled {key}, which {self._claims.get(key)} holds")

    def _write_back(self, change: Change) -> None:
        before, after = change.before or {}, change.after or {}
        self.moves_are_in_the_table(change)
        ended = after["ended_at"] and after["outcome"] != before["outcome"]
        owner = self._claims.get((change.table, change.row), ("", 0))[0]
        if ended and after["outcome"] != OF_NOBODY and owner != change.who:
            raise broken(
                "I7",
                f"{change.who} ended write-back {change.row} as {after['outcome']}, which"
                f" {owner or 'nobody'} holds",
            )

    def moves_are_in_the_table(self, change: Change) -> None:
        """I8: a write-back moves as the table says, and in no other way."""
        move = _state(change.before or {}), _state(change.after or {})
        if move not in MOVES:
            raise broken("I8", f"write-back {change.row} went from {move[0]} to {move[1]}")

    def _decision(self, change: Change) -> None:
        before, after = change.before or {}, change.after or {}
        if after["superseded_at"] and not before["superseded_at"]:
            self._replaced[change.row] = self._changes

    def _transcript(self, change: Change) -> None:
        """I9: words that kill their worker are tried a few times, then set aside."""
        attempts = (change.after or {})["attempts"]
        if attempts > MOST_ATTEMPTS + 1:
            raise broken("I9", f"transcript {change.row} was claimed {attempts} times")

    def _watermark(self, change: Change) -> None:
        """I3: a watermark never goes back; I2: it moves only over what is durably ours."""
        before, after = change.before or {}, change.after or {}
        for name in ("covered_until", "deleted_until"):
            if before[name] and (not after[name] or after[name] < before[name]):
                raise broken("I3", f"{name} of {after['sobject']} went back to {after[name]}")
        if after["covered_until"] != before["covered_until"]:
            self._durable(str(after["sobject"]), after["covered_until"])

    def _durable(self, sobject: str, covered_until: str) -> None:
        pointer = PARENTS.get(sobject)
        if pointer is None:
            return
        covered = BEGIN.fromisoformat(covered_until + "+00:00")
        in_flight = self.org.earliest_in_flight()
        if in_flight is not None and in_flight < covered:
            raise broken(
                "I2",
                f"{sobject} counts as covered up to {covered}, a transaction of"
                f" {in_flight} is not committed yet",
            )
        known = {
            case_id for (case_id,) in self.observer.rows("SELECT case_id FROM sfsync_caselink")
        }
        for row in self.org.table(sobject):
            stamp, case_id = row["SystemModstamp"], row[pointer]
            is_covered = isinstance(stamp, datetime) and to_second(stamp) < covered
            if is_covered and not row["IsDeleted"] and case_id and case_id not in known:
                raise broken(
                    "I2",
                    f"{sobject} counts as covered up to {covered}, and {case_id} of {stamp} is"
                    " not known",
                )


def _state(row: Mapping[str, object]) -> str:
    if row["ended_at"]:
        return str(row["outcome"])
    if row["held_because"]:
        return "held"
    return "claimed" if row["lease_token"] else "due"


def seconds_of(text: str) -> float:
    """Return the simulated second of a moment as SQLite holds it."""
    return (BEGIN.fromisoformat(text + "+00:00") - BEGIN).total_seconds()
