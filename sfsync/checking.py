"""Checking the connection: what works, what is missing, and how to mend it, in plain words."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings

from classifier.models import Category
from sfsync import gateway as gateways
from sfsync import protection, tracking
from sfsync.cases import ApiUse, SObjectDescription
from sfsync.errors import NotConfigured, ObjectMissing, SalesforceError, WrongOrg
from sfsync.field_map import Slot
from sfsync.gateway import SalesforceGateway
from sfsync.metadata.fields import MetadataProblem, entries_of
from sfsync.models import CategoryMapping, Connection, FieldMapping, Source
from sfsync.protection import Protection
from sfsync.source_switch import known_readers, obstacle_to, reader_for
from sfsync.sources import READERS
from sfsync.sources.source import DESCRIPTION

SECONDS_A_DAY = 86_400
PULL_SECONDS = 30
"""The timetable's pace; a source that is asked with every pull is asked so often."""
ASKED_ALWAYS = 2
"""Each pull asks which Cases changed, and which were deleted."""
VALUES_NAMED = 5
BUILT_IN = {reader.code for reader in READERS}
TEXT = {"string", "textarea"}
TYPES = {
    Slot.PRIMARY: {"picklist", "string"},
    Slot.ALL_REASONS: {"multipicklist", "textarea"},
    Slot.LEVEL_1: {"picklist", "string"},
    Slot.LEVEL_2: {"picklist", "string"},
    Slot.LEVEL_3: {"picklist", "string"},
    Slot.CONFIDENCE: {"percent", "double"},
    Slot.DECIDED_AT: {"datetime"},
    Slot.SUGGESTION: TEXT,
    Slot.CHANGE: TEXT,
    Slot.SOURCE: TEXT,
    Slot.EVIDENCE: TEXT,
    Slot.MODEL: TEXT,
}
"""Slot → field types, as describe names them, that can hold its value."""
DEPLOY = (
    "Run `python manage.py salesforce_metadata DIR`, deploy what it writes, and assign its"
    " permission set to the integration user."
)


class Grade(StrEnum):
    """How bad a finding is."""

    GOOD = "good"
    NOTE = "note"
    """Works without it; worth knowing."""
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what we found, and what to do where it is not as it should be."""

    topic: str
    grade: Grade
    sentence: str
    remedy: str = ""


def check() -> list[Finding]:
    """Return all findings, in the order in which one would set things up.

    What cannot be looked at because something before it is missing is left out. Costs about
    ten API calls and writes nothing, neither here nor there.
    """
    try:
        gateway = gateways.open()
    except NotConfigured as error:
        remedy = "Set the variables in the environment or in .env; .env.example describes each."
        return [Finding("settings", Grade.MISSING, str(error), remedy)]
    return check_org(gateway)


def check_org(gateway: SalesforceGateway) -> list[Finding]:
    """Return what ``check`` finds once there are settings."""
    version = settings.SALESFORCE_API_VERSION
    found = [_good("settings", f"All settings are there; API version {version} is spoken.")]
    try:
        found.append(_login(gateway))
        found.append(_org(gateway))
        if found[-1].grade is not Grade.MISSING:
            found.extend(_sources(gateway))
            found.extend(_fields(gateway))
            found.extend(_history(gateway))
            found.append(_protection())
            found.append(of_allowance(gateway.api_use()))
    except SalesforceError as error:
        found.append(Finding("connection", Grade.MISSING, str(error)))
    return found


def is_ready(findings: list[Finding]) -> bool:
    return all(finding.grade is not Grade.MISSING for finding in findings)


def _login(gateway: SalesforceGateway) -> Finding:
    identity = gateway.identity()
    return _good(
        "login", f"The login works: user {identity.user_id} on {identity.instance_host}."
    )


def _org(gateway: SalesforceGateway) -> Finding:
    identity = gateway.identity()
    pinned = Connection.current().org_id
    kind = "a sandbox" if identity.is_sandbox else "not a sandbox"
    if pinned and pinned != identity.org_id:
        return Finding("org", Grade.MISSING, str(WrongOrg(pinned=pinned, met=identity.org_id)))
    belongs = "this database belongs to it" if pinned else "the first pull will pin it"
    return _good("org", f"{identity.org_name} ({identity.org_id}), {kind}; {belongs}.")


def _sources(gateway: SalesforceGateway) -> Iterator[Finding]:
    for reader in known_readers():
        obstacle = obstacle_to(gateway, reader)
        if obstacle is None:
            yield _good(f"source {reader.code}", f"{reader.name}: readable.")
            continue
        is_own = reader.code not in BUILT_IN
        is_optional = reader.code != DESCRIPTION and not obstacle.hidden and not is_own
        grade = Grade.NOTE if is_optional else Grade.MISSING
        yield Finding(f"source {reader.code}", grade, f"{reader.name}: {obstacle}")


def _fields(gateway: SalesforceGateway) -> Iterator[Finding]:
    try:
        case = gateway.describe("Case")
    except ObjectMissing as error:
        yield Finding("Case", Grade.MISSING, str(error), "The org needs Service Cloud.")
        return
    yield from _context(case)
    mapping = FieldMapping.objects.active()
    if not mapping:
        sentence = "No Case field is mapped, so nothing can be written."
        yield Finding("field mapping", Grade.MISSING, sentence, "Switch one on in the admin.")
    for row in mapping:
        yield _field(row, case)


def _history(gateway: SalesforceGateway) -> Iterator[Finding]:
    """Look whether what people change can be heard; of tracking, our own writes have told."""
    try:
        gateway.describe("CaseHistory")
    except ObjectMissing as error:
        remedy = "Turn on the field history of Case, and let our user read it."
        yield Finding("field history", Grade.NOTE, str(error), remedy)
        return
    off = tracking.untracked()
    for name in off:
        yield Finding(
            f"field history {name}",
            Grade.NOTE,
            f"{name} has no field history: our own writes leave no trace there.",
            tracking.advice(name),
        )
    if not off:
        yield _good("field history", "What people change in the reason fields can be heard.")


def _protection() -> Finding:
    way, remark = protection.told(Connection.current())
    topic = "a person's word"
    if way is Protection.GUARD:
        return _good(topic, "The guard in the org keeps a person's reason from being changed.")
    if way is Protection.LOOK:
        return Finding(topic, Grade.NOTE, f"{way.label}.", remark)
    return _good(topic, f"{way.label}. {remark}" if way else remark)


def _context(case: SObjectDescription) -> Iterator[Finding]:
    for name in Connection.current().extra_case_fields:
        if name not in case.fields:
            sentence = f"Case has no field {name}, or our user may not read it: it is left out."
            remedy = (
                "Correct its API name under Connection in the admin, or let the user read it."
            )
            yield Finding(f"context {name}", Grade.MISSING, sentence, remedy)


def _field(row: FieldMapping, case: SObjectDescription) -> Finding:
    topic = f"field {row.field}"
    if because := row.obstacle(case):
        return Finding(topic, Grade.MISSING, because, DEPLOY)
    described, slot = case.fields[row.field], Slot(row.slot)
    if described.type not in TYPES[slot]:
        right = " or ".join(sorted(TYPES[slot]))
        sentence = f"{row.field} is of type {described.type}, and {slot.label} needs {right}."
        return Finding(topic, Grade.MISSING, sentence, "Map another field in the admin.")
    if described.is_restricted and (missing := _missing_values(row, described.picklist_values)):
        return missing
    return _good(topic, f"{row.field} can be written.")


def _missing_values(row: FieldMapping, present: tuple[str, ...]) -> Finding | None:
    codes = Category.objects.filter(is_active=True).values_list("code", flat=True)
    topic = f"field {row.field}"
    try:
        wanted = entries_of(Slot(row.slot), list(codes), CategoryMapping.book())
    except MetadataProblem as error:
        return Finding(topic, Grade.MISSING, str(error))
    missing = [entry.value for entry in wanted if entry.value not in present]
    if not missing:
        return None
    named = ", ".join(missing[:VALUES_NAMED])
    more = f" and {len(missing) - VALUES_NAMED} more" if len(missing) > VALUES_NAMED else ""
    sentence = (
        f"{row.field} lacks {len(missing)} of {len(wanted)} values: {named}{more}. Cases of"
        " these categories wait."
    )
    return Finding(topic, Grade.MISSING, sentence, DEPLOY)


def of_allowance(use: ApiUse | None) -> Finding:
    """Return whether the org's API calls suffice for us."""
    topic = "API calls"
    if use is None:
        return Finding(topic, Grade.NOTE, "Salesforce did not say how many calls are left.")
    sentence = f"{use.used:,} of {use.allowed:,} API calls of the last 24 hours are used."
    needed = calls_a_day()
    if use.used >= use.allowed:
        remedy = "Wait, buy more API calls, or let other integrations make fewer."
        return Finding(topic, Grade.MISSING, sentence, remedy)
    if use.allowed - use.used < needed:
        remedy = (
            f"We make some {needed:,} calls a day: let “Pull changed Cases” run less often"
            " under Schedules in the admin."
        )
        return Finding(topic, Grade.NOTE, sentence, remedy)
    return _good(topic, sentence)


def calls_a_day() -> int:
    """Return how many API calls the questions what is new take, when nothing ever is."""
    pauses: dict[str, int] = {}
    for source in Source.objects.filter(is_enabled=True):
        reader = reader_for(source)
        if reader is not None and reader.watched.sobject != "Case":
            sobject, wanted = reader.watched.sobject, source.interval_seconds
            pauses[sobject] = min(pauses.get(sobject, wanted), wanted)
    each = [SECONDS_A_DAY // max(PULL_SECONDS, pause) for pause in pauses.values()]
    return ASKED_ALWAYS * SECONDS_A_DAY // PULL_SECONDS + sum(each)


def _good(topic: str, sentence: str) -> Finding:
    return Finding(topic, Grade.GOOD, sentence)
