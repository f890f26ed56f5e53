"""What must hold for each change of a row that is committed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from classifier.deciding import MOST_ATTEMPTS
from sfsync.local_org.moments import to_second
from sfsync.local_org.org import LocalOrg
from tests.simulation.breaking import broken, moment_of, seconds_of
from tests.simulation.watching import Change, Observer

PARENTS = {"Case": "Id", "EmailMessage": "ParentId", "CaseComment": "ParentId"}
OF_NOBODY = "superseded"
"""The one outcome that anybody may write: a newer decision stands."""
ENDED = ("delivered", "unchanged", "ceded", "gone", "dead")
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
        for outcome in (*ENDED, OF_NOBODY)
    ),
    ("superseded", "delivered"),
    ("superseded", "superseded"),
    # Again, on somebody's word, or because the org has got the field that was missing.
    *((outcome, "due") for outcome in ENDED),
    *((outcome, outcome) for outcome in ENDED),
}
"""How a write-back may move on."""
SHORTEST_WAIT = 0.4
"""Seconds before what failed is tried again: half of the first second, less what a call takes."""
ANYBODY = ("desk", "web")
"""Fibers that act on a person's word, or on a door's: they may free what they make due."""
Row = Mapping[str, Any]


class RowInvariants:
    """Follows claims, states and watermarks as statements change them.

    ``has_word_of_a_person`` tells whether somebody else wrote a reason on a Case.
    """

    def __init__(self, org: LocalOrg, observer: Observer) -> None:
        self.has_word_of_a_person: Callable[[str], bool] = lambda _: True
        self.poisoned: set[str] = set()
        self.clock_read: dict[str, float] = {}
        """Fiber and run → when it last asked the database what time it is."""
        """Fibers and runs that hold words which kill."""
        self.poison: set[str] = set()
        """Threads whose words kill whoever decides them."""
        self._org = org
        self._observer = observer
        self._changes = 0
        self._claims: dict[tuple[str, int], tuple[str, int]] = {}
        """Row → who claimed it last, and with which change."""
        self._replaced: dict[int, int] = {}
        """Decision → with which change another took its place."""
        self._sent: dict[int, int] = {}
        """Write-back → with which change it was noted that it is sent."""
        self._paused_with: int | None = None
        self._cases: dict[int, str] = {}
        self._customer: dict[str, str] = {}
        """Thread → digest of the customer's words in its newest version."""
        self._checks: dict[str, Callable[[Change, Row, Row], None]] = {
            "sfsync_writeback": self._write_back,
            "sfsync_watermark": self._watermark,
            "sfsync_caselink": self._case_link,
            "sfsync_connection": self._connection,
            "classifier_transcript": self._transcript,
            "classifier_decision": self._decision,
        }

    def on_changes(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self._changes += 1
            self.nothing_vanishes(change)
            if change.after is None:
                continue
            if change.before is None:
                self._born(change, change.after)
                continue
            if "epoch" in change.after:
                self.one_live_lease(change, change.before, change.after)
            self._checks[change.table](change, change.before, change.after)

    def may_be_sent(self, row: int, decision: int) -> None:
        """I4, I20: no replaced decision is sent, and nothing while writing is paused."""
        claimed = self._claims.get(("sfsync_writeback", row), ("", 0))[1]
        if self._replaced.get(decision, claimed) < claimed:
            raise broken("I4", f"write-back {row} was sent for a decision replaced before")
        if self._paused_with is not None and self._sent.get(row, 0) > self._paused_with:
            raise broken("I20", f"write-back {row} was sent although writing is paused")

    def nothing_vanishes(self, change: Change) -> None:
        """I10: no Case, words, decision, write-back or watermark is ever deleted.

        Save a Case that only a ring spoke of, and that the org never showed.
        """
        before = change.before or {}
        was_invented = before.get("gone_at") and before.get("read_at", "") is None
        if change.after is None and not was_invented:
            raise broken(
                "I10", f"row {change.row} of {change.table} was deleted by {change.who}"
            )

    def one_live_lease(self, change: Change, before: Row, after: Row) -> None:
        """I7: one live lease per row at most; a result under an old epoch changes nothing."""
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
        if gave_back and is_theirs and not is_gone and not who.startswith(ANYBODY):
            raise broken("I7", f"{who} settled {key}, which {self._claims.get(key)} holds")

    def moves_are_in_the_table(self, change: Change, before: Row, after: Row) -> None:
        """I8: a write-back moves as the table says, and in no other way."""
        move = _state(before), _state(after)
        if move not in MOVES:
            raise broken("I8", f"write-back {change.row} went from {move[0]} to {move[1]}")

    def what_failed_waits(self, change: Change, before: Row, after: Row) -> None:
        """L3: what failed is tried again after a wait, never at once."""
        was_put_off = before["lease_token"] and _state(after) == "due" and after["error_code"]
        if (
            not was_put_off
            or after["lease_token"]
            or after["error_code"] == before["error_code"]
        ):
            return
        # It may have stood still between the clock and the statement.
        wait = seconds_of(after["due_at"]) - self.clock_read.get(change.who, change.at)
        if wait < SHORTEST_WAIT:
            raise broken(
                "L3", f"write-back {change.row} failed and is due again in {wait:.2f} s"
            )

    def only_to_a_person(self, row: int, link: int) -> None:
        """I5: a Case is ceded to somebody who wrote something there, never to nobody."""
        case_id = self._cases.get(link, "")
        if not self.has_word_of_a_person(case_id):
            raise broken(
                "I5", f"{case_id} was ceded (row {row}), and nobody wrote a reason there"
            )

    # By table

    def _born(self, change: Change, after: Row) -> None:
        if change.table == "sfsync_caselink":
            self._cases[change.row] = after["case_id"]
        if change.table == "classifier_transcript":
            self._new_words(change, after)

    def _new_words(self, change: Change, after: Row) -> None:
        """I1: what a customer says anew waits for a decision."""
        before = self._customer.get(after["thread"])
        is_news = before != after["customer_digest"]
        self._customer[after["thread"]] = after["customer_digest"]
        if is_news and after["decided_at"] and not after["refused"]:
            raise broken("I1", f"the new words of {after['thread']} wait for no decision")

    def _write_back(self, change: Change, before: Row, after: Row) -> None:
        self.moves_are_in_the_table(change, before, after)
        self.what_failed_waits(change, before, after)
        if after["sent_fields"] not in {"{}", before["sent_fields"]}:
            self._sent[change.row] = self._changes
        ended = after["ended_at"] and after["outcome"] != before["outcome"]
        owner = self._claims.get((change.table, change.row), ("", 0))[0]
        if ended and after["outcome"] != OF_NOBODY and owner != change.who:
            raise broken(
                "I7",
                f"{change.who} ended write-back {change.row} as {after['outcome']}, which"
                f" {owner or 'nobody'} holds",
            )
        if ended and after["outcome"] == "ceded":
            self.only_to_a_person(change.row, after["case_link_id"])

    def _case_link(self, change: Change, before: Row, after: Row) -> None:
        if after["ceded_at"] and not before["ceded_at"]:
            self.only_to_a_person(change.row, change.row)

    def _connection(self, change: Change, before: Row, after: Row) -> None:
        if after["paused_at"] != before["paused_at"]:
            self._paused_with = self._changes if after["paused_at"] else None

    def _decision(self, change: Change, before: Row, after: Row) -> None:
        if after["superseded_at"] and not before["superseded_at"]:
            self._replaced[change.row] = self._changes

    def _transcript(self, change: Change, before: Row, after: Row) -> None:
        """I9: words that kill their worker are tried a few times, then set aside."""
        attempts = after["attempts"]
        if attempts > MOST_ATTEMPTS + 1:
            raise broken("I9", f"transcript {change.row} was claimed {attempts} times")
        if after["epoch"] > before["epoch"] and after["thread"] in self.poison:
            mark = self.poisoned.add if attempts <= MOST_ATTEMPTS else self.poisoned.discard
            mark(change.who)

    def _watermark(self, change: Change, before: Row, after: Row) -> None:
        """I3: a watermark never goes back; I2: it moves only over what is durably ours."""
        for name in ("covered_until", "deleted_until"):
            if before[name] and (not after[name] or after[name] < before[name]):
                raise broken("I3", f"{name} of {after['sobject']} went back to {after[name]}")
        if after["covered_until"] != before["covered_until"]:
            self._durable(str(after["sobject"]), moment_of(after["covered_until"]))

    def _durable(self, sobject: str, covered: datetime) -> None:
        pointer = PARENTS.get(sobject)
        if pointer is None:
            return
        in_flight = self._org.earliest_in_flight()
        if in_flight is not None and in_flight < covered:
            raise broken(
                "I2",
                f"{sobject} counts as covered up to {covered}, a transaction of {in_flight} is"
                " not committed yet",
            )
        rows = self._observer.rows("SELECT case_id FROM sfsync_caselink")
        known = {case_id for (case_id,) in rows}
        for row in self._org.table(sobject):
            stamp, case_id = row["SystemModstamp"], row[pointer]
            is_covered = isinstance(stamp, datetime) and to_second(stamp) < covered
            if is_covered and not row["IsDeleted"] and case_id and case_id not in known:
                raise broken(
                    "I2",
                    f"{sobject} counts as covered up to {covered}, and {case_id} of {stamp} is"
                    " not known",
                )


def _state(row: Row) -> str:
    if row["ended_at"]:
        return str(row["outcome"])
    if row["held_because"]:
        return "held"
    return "claimed" if row["lease_token"] else "due"
