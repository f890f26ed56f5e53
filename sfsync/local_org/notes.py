"""Calls that somebody or something wrote down in the org itself: tasks, own rows, a field."""

from collections.abc import Sequence
from datetime import timedelta

from sfsync.local_org.drafts import Draft, pieces
from sfsync.local_org.records import Said
from sfsync.local_org.spoken_objects import CALL_NOTE
from sfsync.local_org.standard_objects import CALL_TRANSCRIPT

LONGEST_NOTE = 32_000
LONGEST_OWN_ROW = 32_768
LONGEST_CASE_FIELD = 131_072
SPEAKERS = {"customer": "Customer", "representative": "Agent", "bot": "Bot"}
_SHARE_WITH_OTHER_TASK = 0.5
_CALL = timedelta(minutes=6)


def lines(turns: Sequence[Said]) -> str:
    """Return turns as lines, each beginning with its speaker."""
    return "\n".join(f"{speaker(turn)}: {turn.text}" for turn in turns)


def speaker(turn: Said) -> str:
    """Return what this org's notes call a speaker."""
    return SPEAKERS.get(turn.speaker, "Bot")


def as_call_log(draft: Draft, turns: Sequence[Said]) -> None:
    """A representative logs a call when it is over; other tasks hang on the Case as well."""
    at = draft.at(max(0, len(turns) - 1))
    user = draft.writer_of("representative")
    for piece in pieces(lines(turns), LONGEST_NOTE):
        draft.add(
            "Task",
            at,
            user,
            OwnerId=user,
            Subject="Call",
            TaskSubtype="Call",
            CallType=draft.dice.choice(("Inbound", "Inbound", "Outbound")),
            CallDurationInSeconds=int(_CALL.total_seconds()) + draft.dice.randrange(600),
            CallDisposition="Answered",
            CallObject=draft.uuid(),
            Description=piece or None,
            Status="Completed",
            Priority="Normal",
            IsClosed=True,
            ActivityDate=at.date(),
            CompletedDateTime=at,
        )
    if draft.dice.random() < _SHARE_WITH_OTHER_TASK:
        draft.add(
            "Task",
            at,
            user,
            OwnerId=user,
            Subject="Other",
            TaskSubtype="Task",
            Description="Look at this again before the end of the week.",
            Status="Not Started",
            Priority="Normal",
            IsClosed=False,
            ActivityDate=(at + timedelta(days=3)).date(),
        )


def as_own_rows(draft: Draft, turns: Sequence[Said]) -> None:
    """The org's own object has a row for each turn."""
    for number, turn in enumerate(turns):
        at = draft.at(number)
        for piece in pieces(turn.text, LONGEST_OWN_ROW):
            draft.add(
                CALL_NOTE,
                at,
                draft.org.founders.automation,
                Name=f"CN-{draft.dice.randrange(10**6):06d}",
                OwnerId=draft.writer_of("representative"),
                Words__c=piece or None,
                Speaker__c=speaker(turn),
                Said_At__c=at,
            )


def as_case_field(draft: Draft, turns: Sequence[Said]) -> None:
    """The telephone system writes the whole call into one field; what is over is a note."""
    draft.at(max(0, len(turns) - 1))
    first, *rest = pieces(lines(turns), LONGEST_CASE_FIELD)
    draft.of_case[CALL_TRANSCRIPT] = first or None
    if rest:
        draft.description = "".join(rest)[:LONGEST_NOTE]
