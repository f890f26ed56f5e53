"""Sampling a source: the last five Cases as it sees them, read now and kept nowhere."""

from dataclasses import dataclass

from classifier.engine.errors import TranscriptTooLarge
from classifier.engine.intake import admitted
from classifier.engine.text import Transcript, Turn
from sfsync import case_rows, soql
from sfsync import gateway as gateways
from sfsync.calls import Purpose, under
from sfsync.case_rows import text
from sfsync.cases import CaseSnapshot
from sfsync.errors import SalesforceError, WrongOrg
from sfsync.gateway import SalesforceGateway
from sfsync.models import Connection
from sfsync.source_switch import obstacle_to
from sfsync.sources import Fetched, SourceReader, merged

CASE = "Case"
CASES = 5
CASES_LOOKED_THROUGH = (50, 2_000)
"""First a few, for most sources find words there; then as many as one call gives, since a long
text is no filter in SOQL and only one Case in hundreds may have been a call."""
ROWS = 200
"""Rows looked through for five different Cases: a custom object may hold a row per sentence."""
MOST_CALLS = 60
"""So many API calls may one test make; five Cases with a file or a conversation each take 15."""
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)
NOTHING = (
    "No Case has words here: {sobject} holds no record of a Case, or none is shared with our"
    " user. If your people do use it ({name}), look at the sharing of {sobject} with the integration"
    " user."
)
NO_CASE = (
    "Salesforce shows our user no Case. Look at the sharing of Case with the integration user."
)
NO_WORDS = (
    "Of the {looked:,} Cases that changed last none has words in {fields}, as far as our user sees."
    " If your people do fill it in, look whether the name is right and whether the integration"
    " user may read it."
)
SILENT = {
    "voice": "The call still runs, or Salesforce made no transcript of it.",
    "messaging": (
        "Nobody has said anything yet; or give the integration user the permission “Access"
        " Conversation Entries”."
    ),
    "attachment": "No attached file is a transcript with a customer and somebody else in it.",
    "chat": "Nobody says anything in it.",
}
SILENT_ELSE = "Its records hold no words."


@dataclass(frozen=True, slots=True)
class SampledCase:
    """One Case, with its words as they would be stored: cleaned and redacted."""

    case_id: str
    number: str
    turns: tuple[Turn, ...] = ()
    problem: str = ""
    """Why this Case has no turns."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a source sees just now."""

    cases: tuple[SampledCase, ...] = ()
    problem: str = ""
    """Why nothing can be read, and what to do about it."""


def sample(reader: SourceReader) -> Sample:
    """Return the last five Cases as this source sees them, or the reason why it sees none.

    Reads at most ``MOST_CALLS`` calls' worth, writes nothing, here or there, except for the
    count of calls. Works for a source that is off or not saved. Call it outside transactions.
    """
    try:
        gateway = gateways.open()
        with under(Purpose.DESCRIBE), gateway.at_most(MOST_CALLS):
            return sample_from(gateway, reader)
    except SalesforceError as error:
        return Sample(problem=str(error))
    except UNREADABLE as error:
        return Sample(
            problem=f"An answer of Salesforce is not as expected ({type(error).__name__}). If"
            " it stays so, the source reads something else than it was made for."
        )


def sample_from(gateway: SalesforceGateway, reader: SourceReader) -> Sample:
    """Return what ``sample`` does, from this gateway.

    Raises:
        SalesforceError: there is no answer.
    """
    pinned, met = Connection.current().org_id, gateway.identity().org_id
    if pinned and pinned != met:
        raise WrongOrg(pinned=pinned, met=met)
    if obstacle := obstacle_to(gateway, reader):
        return Sample(problem=str(obstacle))
    ids = _newest_cases(gateway, reader)
    snapshots = {case.case_id: case for case in gateway.cases(ids)}
    found = [snapshots[case_id] for case_id in ids if case_id in snapshots]
    if not found:
        return Sample(problem=_why_nothing(gateway, reader))
    fetched = reader.fetch(gateway, found)
    return Sample(tuple(_sampled(reader, case, fetched) for case in found))


def _newest_cases(gateway: SalesforceGateway, reader: SourceReader) -> list[str]:
    """Return the ids of the Cases whose words here changed last, newest first."""
    watched = reader.watched
    if watched.sobject == CASE:
        return _newest_with_words(gateway, reader)
    fields = tuple(dict.fromkeys(("Id", watched.case_field, "SystemModstamp")))
    there = soql.is_there(watched.case_field)
    rows = gateway.newest(watched.sobject, fields, there, watched.only, limit=ROWS)
    stamps = [case_rows.to_stamp(row, watched.case_field) for row in rows]
    stamps = watched.stamps_of_cases(gateway, stamps)
    stamps.sort(key=lambda stamp: stamp.modstamp, reverse=True)
    return list(dict.fromkeys(stamp.case_id for stamp in stamps))[:CASES]


def _newest_with_words(gateway: SalesforceGateway, reader: SourceReader) -> list[str]:
    """Return the newest Cases that have words."""
    names, found = reader.text_fields, []
    for limit in CASES_LOOKED_THROUGH:
        rows = gateway.newest(CASE, ("Id", *names), limit=limit)
        found = [row["Id"] for row in rows if any(text(row[name]).strip() for name in names)]
        if len(found) >= CASES or len(rows) < limit:
            break
    return found[:CASES]


def _why_nothing(gateway: SalesforceGateway, reader: SourceReader) -> str:
    watched = reader.watched
    if watched.sobject != CASE:
        return NOTHING.format(name=reader.name, sobject=watched.sobject)
    looked = len(gateway.newest(CASE, ("Id",), limit=CASES_LOOKED_THROUGH[-1]))
    fields = " or ".join(reader.text_fields)
    return NO_WORDS.format(looked=looked, fields=fields) if looked else NO_CASE


def _sampled(reader: SourceReader, case: CaseSnapshot, fetched: Fetched) -> SampledCase:
    def without(problem: str) -> SampledCase:
        return SampledCase(case.case_id, case.case_number, problem=problem)

    if failure := fetched.failed.get(case.case_id):
        return without(str(failure))
    try:
        turns = merged(reader.turns(fetched.rows.get(case.case_id, ())))
        turns = admitted(Transcript(turns)).turns
    except TranscriptTooLarge as error:
        return without(f"It is too long to be read: {error}.")
    except UNREADABLE as error:
        return without(f"A record of it is not as expected ({type(error).__name__}).")
    if not turns:
        return without(SILENT.get(reader.code, SILENT_ELSE))
    return SampledCase(case.case_id, case.case_number, turns)
