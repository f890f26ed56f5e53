"""Where a Case is, told in one way: from its rows in the three trays to a stage and a sentence."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from classifier.models import Decision, Feedback, Transcript
from sfsync.models import CaseEvent, CaseLink, Connection, WriteBack

Outcome, Hold = WriteBack.Outcome, WriteBack.Hold


class Stage(StrEnum):
    """The states of a Case, in the words that people read."""

    TO_READ = "waiting to be read"
    READING = "being read"
    UNREADABLE = "could not be read"
    TO_DECIDE = "waiting to be decided"
    DECIDING = "being decided"
    IN_REVIEW = "waiting for a person"
    DECIDED = "decided"
    TO_WRITE = "waiting to be written"
    WRITING = "being written"
    UNKNOWN = "written or not, to be looked at"
    WRITTEN = "written"
    CONFIRMED = "confirmed"
    CORRECTED = "corrected by a person"
    CEDED = "ceded"
    HELD = "held back"
    FAILED = "given up"
    GONE = "gone"
    ERASED = "erased"


class Tone(StrEnum):
    GOOD = "good"
    CALM = "calm"
    WARN = "warn"
    BAD = "bad"
    PLAIN = "plain"


TONES = {
    Stage.WRITTEN: Tone.GOOD,
    Stage.CONFIRMED: Tone.GOOD,
    Stage.CORRECTED: Tone.CALM,
    Stage.CEDED: Tone.CALM,
    Stage.IN_REVIEW: Tone.WARN,
    Stage.HELD: Tone.WARN,
    Stage.UNKNOWN: Tone.WARN,
    Stage.UNREADABLE: Tone.BAD,
    Stage.FAILED: Tone.BAD,
    Stage.GONE: Tone.PLAIN,
    Stage.ERASED: Tone.PLAIN,
}
ON_THE_WAY_IN = {
    Stage.TO_READ,
    Stage.READING,
    Stage.UNREADABLE,
    Stage.TO_DECIDE,
    Stage.DECIDING,
}
HOLDS = {
    Hold.SHADOW: "shadow mode decides and writes nothing. Change the mode under Connection or at"
    " the category.",
    Hold.SCOPE: "it is outside the scope set under Connection.",
    Hold.PICKLIST: "the org’s picklist lacks the value. It is written by itself once it is there.",
    Hold.FIELD: "no mapped Case field can be written: removed, renamed, or hidden from our user."
    " See Field mapping.",
    Hold.BACKFILL: "its backfill waits for somebody to approve it. See Backfill.",
}


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where one Case is."""

    stage: Stage
    told: str
    """One or two full sentences; no word of a customer, and no reason that was decided."""
    since: datetime | None = None

    @property
    def tone(self) -> Tone:
        return TONES.get(self.stage, Tone.CALM)


@dataclass(frozen=True, slots=True)
class Rows:
    """All that tells where a Case is. None: there is no such row."""

    link: CaseLink
    transcript: Transcript | None = None
    """The words as last read, without the words."""
    decision: Decision | None = None
    """What stands."""
    write_back: WriteBack | None = None
    """The write-back of that decision."""
    said: str = ""
    """The verdict of the last word that people said in Salesforce."""
    by_automation: bool = False
    """Whether it was another integration that wrote the reason last."""
    master: str = ""
    """How people call the Case that this one was merged into."""
    is_paused: bool = False
    """Whether all writing is paused."""


def whereabouts(rows: Rows, moment: datetime) -> Whereabouts:
    """Return where a Case is at ``moment``, by the first thing that is true of it.

    Gone before all else; then what is under way or waits on its way (words that came in anew
    before what was decided about the older ones); then how it ended.
    """
    looks = (_gone, _on_the_way_in, _decided, _on_the_way_out, _ended, _just_decided)
    found = next(filter(None, (look(rows, moment) for look in looks)))
    changed_at = rows.link.read_due_at
    if changed_at is None or rows.link.gone_at or found.stage in ON_THE_WAY_IN:
        return found
    return replace(found, told=f"{found.told} It changed since then and is read again shortly.")


def located(links: Sequence[CaseLink], moment: datetime) -> dict[int, Whereabouts]:
    """Return id of the CaseLink → where it is, for all of these in six queries."""
    threads = [link.case_id for link in links]
    transcripts = {
        row.thread: row
        for row in Transcript.objects.current()
        .filter(thread__in=threads)
        .defer("turns", "context")
    }
    decisions = {
        row.thread: row
        for row in Decision.objects.standing()
        .filter(thread__in=threads)
        .select_related("write_back")
    }
    said = _last_words(threads)
    automations = _last_automations(links)
    masters = CaseLink.numbers_of([link.merged_into for link in links if link.merged_into])
    is_paused = Connection.objects.filter(paused_at__isnull=False).exists()
    return {
        link.pk: whereabouts(
            Rows(
                link,
                transcripts.get(link.case_id),
                decision := decisions.get(link.case_id),
                getattr(decision, "write_back", None),
                said.get(link.case_id, ("", None))[0],
                _is_later(automations.get(link.pk), said.get(link.case_id)),
                masters.get(link.merged_into) or link.merged_into,
                is_paused,
            ),
            moment,
        )
        for link in links
    }


def _last_words(threads: Sequence[str]) -> dict[str, tuple[str, datetime]]:
    heard = Feedback.objects.counted().filter(
        thread__in=threads, source=Feedback.Source.SALESFORCE
    )
    rows = heard.order_by("said_at", "id").values_list("thread", "verdict", "said_at")
    return {thread: (verdict, at) for thread, verdict, at in rows}


def _last_automations(links: Iterable[CaseLink]) -> dict[int, datetime]:
    noted = CaseEvent.objects.filter(case_link__in=links, kind=CaseEvent.Kind.AUTOMATION)
    return dict(noted.order_by("at").values_list("case_link", "at"))


def _is_later(automation: datetime | None, said: tuple[str, datetime] | None) -> bool:
    return automation is not None and (said is None or automation > said[1])


def _gone(rows: Rows, _: datetime) -> Whereabouts | None:
    link = rows.link
    if link.gone_at is None:
        return None
    if link.read_at is not None and rows.transcript is None:
        told = "Its words were erased here. What is left tells only that there was such a Case."
        return Whereabouts(Stage.ERASED, told, link.gone_at)
    if link.merged_into:
        told = f"It was merged in Salesforce into Case {rows.master}, where its story goes on."
    elif link.fate == CaseLink.Fate.DELETED:
        told = (
            "It was deleted in Salesforce. If it is taken out of the recycle bin, it goes on."
        )
    else:
        told = (
            "Salesforce does not show it to us: it is deleted for good, or not shared with our"
            " user any more. If it can be seen again, it goes on."
        )
    return Whereabouts(Stage.GONE, told, link.gone_at)


def _on_the_way_in(rows: Rows, moment: datetime) -> Whereabouts | None:
    link, transcript = rows.link, rows.transcript
    again = "" if rows.decision is None else " What was decided stands until then."
    if link.read_due_at is not None and _is_leased(link, moment):
        return Whereabouts(Stage.READING, f"Its words are being read.{again}", link.read_due_at)
    if link.read_error:
        told = f"It could not be read, and is tried again: {link.read_error}"
        return Whereabouts(Stage.UNREADABLE, told, link.read_at)
    if link.read_due_at is not None and transcript is None:
        return Whereabouts(Stage.TO_READ, "It changed and waits to be read.", link.read_due_at)
    if transcript is None:
        told = "It belongs to a backfill" if link.backfill_id else "Its words are not here yet"
        return Whereabouts(Stage.TO_READ, f"{told} and waits to be read.", None)
    if transcript.decided_at is None:
        if _is_leased(transcript, moment):
            told = f"Its words are being decided on.{again}"
            return Whereabouts(Stage.DECIDING, told, transcript.received_at)
        told = f"Its words were read and wait to be decided on.{again}"
        return Whereabouts(Stage.TO_DECIDE, told, transcript.received_at)
    return None


def _decided(rows: Rows, _: datetime) -> Whereabouts | None:
    decision = rows.decision
    if decision is None:
        told = "Its words were given back to be decided on again."
        return Whereabouts(Stage.TO_DECIDE, told, None)
    if decision.category_id is None and rows.link.ceded_at is None:
        why = decision.get_doubt_display() or "nobody was sure"
        told = f"It waits for a person: {why}."
        return Whereabouts(Stage.IN_REVIEW, told, decision.decided_at)
    return None


def _on_the_way_out(rows: Rows, moment: datetime) -> Whereabouts | None:
    row = rows.write_back
    if row is None or row.outcome:
        return None
    if row.held_because:
        why = HOLDS[Hold(row.held_because)]
        return Whereabouts(Stage.HELD, f"It is decided, and not written: {why}", row.staged_at)
    if _is_leased(row, moment):
        return Whereabouts(Stage.WRITING, "It is being written to Salesforce.", row.due_at)
    if row.sent_fields:
        told = "It was sent, and no answer came: the Case is looked at before anything is sent again."
        return Whereabouts(Stage.UNKNOWN, told, row.first_failed_at or row.due_at)
    told = "It is decided and waits to be written."
    if rows.is_paused:
        told += " All writing is paused; it goes on when somebody resumes it on the dashboard."
    elif row.error_code:
        told += f" The last try failed ({row.error_code}); it is tried again by itself."
    return Whereabouts(Stage.TO_WRITE, told, row.first_failed_at or row.staged_at)


def _ended(rows: Rows, _: datetime) -> Whereabouts | None:
    row, link = rows.write_back, rows.link
    if link.ceded_at is not None:
        return _of_somebody_else(rows)
    if row is None:
        return None
    end = ENDS.get(Outcome(row.outcome))
    return end(row) if end else None


def _just_decided(rows: Rows, _: datetime) -> Whereabouts:
    told = "It is decided and about to be taken over for writing."
    return Whereabouts(Stage.DECIDED, told, rows.decision.decided_at if rows.decision else None)


def _of_somebody_else(rows: Rows) -> Whereabouts:
    link = rows.link
    if rows.by_automation:
        told = (
            "Another integration wrote the reason in Salesforce; what it wrote is left alone."
        )
        return Whereabouts(Stage.CEDED, told, link.ceded_at)
    if rows.said == Feedback.Verdict.CONFIRMED:
        told = "A person in Salesforce chose the same reason. From then on it is theirs."
        return Whereabouts(Stage.CONFIRMED, told, link.ceded_at)
    if link.delivered:
        told = (
            "A person in Salesforce changed the reason that we had written; their word stands."
        )
        return Whereabouts(Stage.CORRECTED, told, link.ceded_at)
    told = "A person had set the reason in Salesforce before we wrote; their word stands."
    return Whereabouts(Stage.CEDED, told, link.ceded_at)


def _written(row: WriteBack) -> Whereabouts:
    if row.confirmed_at is not None:
        told = "It was written, and Salesforce showed it when the Case was read again."
        return Whereabouts(Stage.CONFIRMED, told, row.confirmed_at)
    told = "It was written; the Case was not read again since."
    return Whereabouts(Stage.WRITTEN, told, row.ended_at)


def _unchanged(row: WriteBack) -> Whereabouts:
    told = "Salesforce said so already: nothing had to be written."
    return Whereabouts(Stage.CONFIRMED, told, row.ended_at)


def _failed(row: WriteBack) -> Whereabouts:
    code = row.error_code or "an unknown cause"
    if row.closed_at is not None:
        who = row.closed_by or "somebody"
        told = f"Salesforce refused it ({code}), and {who} closed it: it is not written."
        return Whereabouts(Stage.FAILED, told, row.closed_at)
    told = f"Salesforce refused it for good ({code}). Mend the cause, then send it again."
    return Whereabouts(Stage.FAILED, told, row.ended_at)


def _was_gone(row: WriteBack) -> Whereabouts:
    told = "The Case was gone when it was to be written, and came back: it is read again."
    return Whereabouts(Stage.TO_READ, told, row.ended_at)


def _was_ceded(row: WriteBack) -> Whereabouts:
    told = "It was left to a person, and given back to automation since."
    return Whereabouts(Stage.CEDED, told, row.ended_at)


ENDS: Mapping[WriteBack.Outcome, Callable[[WriteBack], Whereabouts]] = {
    Outcome.DELIVERED: _written,
    Outcome.UNCHANGED: _unchanged,
    Outcome.DEAD: _failed,
    Outcome.GONE: _was_gone,
    Outcome.CEDED: _was_ceded,
}


def _is_leased(row: CaseLink | Transcript | WriteBack, moment: datetime) -> bool:
    return row.leased_until is not None and row.leased_until >= moment
