"""What must be true when the faults have stopped and everybody has come to rest."""

import json
from collections.abc import Mapping

from sfsync.local_org.org import LocalOrg
from tests.simulation.breaking import REASONS, broken, seconds_of
from tests.simulation.watching import Observer
from tests.simulation.world import World

ASKED = ("Case", "EmailMessage", "CaseComment", "CaseHistory")
UNREST = {
    "transcripts that wait for a decision": (
        "SELECT count(*) FROM classifier_transcript WHERE decided_at IS NULL AND superseded_at"
        " IS NULL AND purpose = 'decide'"
    ),
    "decisions that nobody staged": (
        "SELECT count(*) FROM classifier_decision WHERE staged_at IS NULL AND superseded_at IS"
        " NULL"
    ),
    "write-backs that are due": (
        "SELECT count(*) FROM sfsync_writeback WHERE ended_at IS NULL AND due_at IS NOT NULL"
    ),
    "Cases to be read": (
        "SELECT count(*) FROM sfsync_caselink WHERE read_due_at IS NOT NULL AND gone_at IS NULL"
    ),
}


class Ending:
    """Looks at the org and the database from outside, once all is quiet."""

    def __init__(
        self, org: LocalOrg, world: World, observer: Observer, accepted: set[str]
    ) -> None:
        self._org = org
        self._world = world
        self._accepted = accepted
        self._observer = observer

    def unrest(self) -> dict[str, int]:
        """Return what still waits, and how many; empty: all rows are terminal."""
        counts = {name: self._observer.rows(sql)[0][0] for name, sql in UNREST.items()}
        return {name: count for name, count in counts.items() if count}

    def asked_at(self) -> float:
        """Return the simulated second up to which all questions to Salesforce were answered."""
        asked = dict(self._observer.rows("SELECT sobject, pulled_at FROM sfsync_watermark"))
        return min(seconds_of(asked[name]) if asked.get(name) else 0.0 for name in ASKED)

    def refuse_unrest(self) -> None:
        """L1: after the faults stop, all rows are terminal in bounded time."""
        left = ", ".join(f"{count} {name}" for name, count in self.unrest().items())
        raise broken("L1", f"not at rest in time: {left or 'Salesforce was not asked again'}")

    def check(self) -> None:
        links = {
            row[0]: row[1:]
            for row in self._observer.rows(
                "SELECT case_id, gone_at, ceded_at, id FROM sfsync_caselink"
            )
        }
        self.every_case_is_seen(links)
        self.every_word_is_in_the_transcript()
        self.every_decision_is_written(links)
        self.nothing_was_lost_between_trays()
        self.every_ring_is_kept()

    def every_case_is_seen(self, links: Mapping[str, tuple[object, ...]]) -> None:
        """I1: every Case visible in the org is known, every deleted one known to be gone."""
        for row in self._org.table("Case"):
            link = links.get(str(row["Id"]))
            if row["IsDeleted"]:
                if link and not link[0]:
                    raise broken("I1", f"{row['Id']} is deleted, and we do not know")
            elif link is None or link[0]:
                raise broken("I1", f"{row['Id']} is there, and we do not know it")

    def every_word_is_in_the_transcript(self) -> None:
        """I1: every word of a customer is in the newest version of the conversation."""
        current = dict(
            self._observer.rows(
                "SELECT thread, turns FROM classifier_transcript WHERE superseded_at IS NULL"
            )
        )
        for row in self._org.table("Case"):
            if row["IsDeleted"]:
                continue
            case_id = str(row["Id"])
            turns = json.loads(current.get(case_id, "[]"))
            texts = " ".join(turn["text"] for turn in turns)
            for _, words in self._world.said[case_id]:
                if words not in texts:
                    raise broken("I1", f"{words!r} of {case_id} never reached the transcript")

    def every_decision_is_written(self, links: Mapping[str, tuple[object, ...]]) -> None:
        """L1: a Case that is ours reads as we decided; a person's Case is ceded."""
        decided = self._observer.rows(
            "SELECT d.thread, c.code, w.outcome, d.source FROM classifier_decision d JOIN"
            " classifier_category c ON c.id = d.category_id LEFT JOIN sfsync_writeback w ON"
            " w.decision_id = d.id WHERE d.superseded_at IS NULL"
        )
        for thread, code, outcome, source in decided:
            row = self._org.table("Case").get(thread)
            if row is None or row["IsDeleted"] or outcome == "dead":
                continue
            if outcome not in {"delivered", "unchanged", "ceded"}:
                raise broken("L1", f"the decision on {thread} ended as {outcome!r}")
            is_ceded = outcome == "ceded" or links[thread][1]
            if not is_ceded and row[REASONS[0]] != code:
                raise broken(
                    "L1", f"{thread} reads {row[REASONS[0]]!r}, and {code!r} ({source}) stands"
                )

    def nothing_was_lost_between_trays(self) -> None:
        """I10: every standing decision on a Case has its write-back."""
        lost = self._observer.rows(
            "SELECT d.thread FROM classifier_decision d JOIN sfsync_caselink c ON c.case_id ="
            " d.thread LEFT JOIN sfsync_writeback w ON w.decision_id = d.id WHERE"
            " d.superseded_at IS NULL AND w.id IS NULL"
        )
        if lost:
            raise broken("I10", f"no write-back for the decision on {lost[0][0]}")
        undecided = self._observer.rows(
            "SELECT t.thread FROM classifier_transcript t LEFT JOIN classifier_decision d ON"
            " d.thread = t.thread AND d.superseded_at IS NULL WHERE t.superseded_at IS NULL AND"
            " t.decided_at IS NOT NULL AND d.id IS NULL"
        )
        if undecided:
            raise broken("I10", f"{undecided[0][0]} counts as decided, and no decision stands")

    def every_ring_is_kept(self) -> None:
        """I16: a notification that was accepted is kept, once."""
        kept = [
            one for (one,) in self._observer.rows("SELECT notification_id FROM sfsync_doorbell")
        ]
        lost = self._accepted - set(kept)
        if lost:
            raise broken("I16", f"the ring {min(lost)} was accepted, and is not kept")
        if len(kept) != len(set(kept)):
            raise broken("I16", "a ring is kept twice")
