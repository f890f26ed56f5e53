"""The nouns of the edge: what we read of a Case, what we ask to write, what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from classifier.engine.text import Turn

CASE_PREFIX = "500"
"""Ids of Cases begin so; a call or a file may hang on any record."""
FieldValue = str | float | None
"""A value as it travels in JSON to and from a Case field."""


@dataclass(frozen=True, slots=True)
class CaseSnapshot:
    """A Case's own fields as read at one moment."""

    case_id: str
    case_number: str
    subject: str
    description: str
    status: str
    is_closed: bool
    origin: str
    priority: str
    record_type: str
    owner_id: str
    owner_name: str
    queue: str
    """Name of the queue that owns the Case; empty where a person does."""
    team: str
    """Role of the person who owns the Case; empty where a queue does, or they have none."""
    language: str
    product: str
    created_at: datetime
    modstamp: datetime
    extra: Mapping[str, str] = field(default_factory=dict)
    """Case fields that an admin named, API name → value as text."""


@dataclass(frozen=True, slots=True)
class SourcedTurn:
    """A turn with the place it came from, so that turns of all sources sort into one story."""

    turn: Turn
    source: str
    record_id: str
    subject: str = ""
    """The subject line, with which the turn's text begins; it becomes a turn of its own."""

    @property
    def told(self) -> tuple[Turn, ...]:
        """The turn as the story tells it: its subject line and then its body, where it has both."""
        if not self.subject:
            return (self.turn,)
        body = self.turn.text[len(self.subject) :].strip()
        subject = replace(self.turn, text=self.subject, is_subject=True)
        return (subject, replace(self.turn, text=body)) if body else (subject,)


@dataclass(frozen=True, slots=True)
class Changes:
    """Ids that changed in a window, and up to when Salesforce says the window is complete."""

    ids: tuple[str, ...]
    covered_until: datetime


@dataclass(frozen=True, slots=True)
class EventAccess:
    """What the Pub/Sub API asks for with every call. The token stays out of ``repr``."""

    access_token: str = field(repr=False)
    instance_url: str
    org_id: str
    """18 characters."""


@dataclass(frozen=True, slots=True)
class OrgIdentity:
    """Which org this is, and as whom we are there."""

    org_id: str
    org_name: str
    user_id: str
    instance_host: str
    is_sandbox: bool


@dataclass(frozen=True, slots=True)
class CaseUpdate:
    """Fields to write to one Case."""

    case_id: str
    fields: Mapping[str, FieldValue]
    unmodified_since: datetime | None = None
    """Write only if nobody has changed the Case after this second; None: whatever happened."""


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """What became of one CaseUpdate, in the order given."""

    case_id: str
    success: bool
    error_code: str = ""
    error_text: str = ""
    error_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Looked:
    """Cases as we saw them just now; one that is gone is absent."""

    values: Mapping[str, Mapping[str, FieldValue]]
    """Case id → field → value."""
    modified: Mapping[str, datetime]
    """Case id → LastModifiedDate, whole seconds."""
    since: datetime
    """The org's time when we began to look, or a little before: what was changed in an earlier
    second was there to be seen."""
    began: float
    """The same moment by ``gateway.seconds``."""


@dataclass(frozen=True, slots=True)
class ApiUse:
    """Calls of the whole org in 24 hours, as the last answer's header said."""

    used: int
    allowed: int


@dataclass(frozen=True, slots=True)
class PicklistEntry:
    """One value of a picklist, as the org's people see it."""

    value: str
    label: str
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class FieldDescription:
    """One field of an object, as our user sees it."""

    name: str
    type: str
    length: int
    is_updateable: bool
    """False: our user's permissions do not let us write it."""
    is_restricted: bool
    """True: the picklist takes no value but its active ones."""
    picklist_values: tuple[str, ...] = ()
    """Active values, as the API writes them (labels may differ)."""
    label: str = ""
    entries: tuple[PicklistEntry, ...] = ()
    """All values of a picklist, inactive ones too."""
    controller: str = ""
    """API name of the field that a dependent picklist depends on."""
    is_filterable: bool = True


@dataclass(frozen=True, slots=True)
class SObjectDescription:
    """What an object of the org looks like to our user; a field we may not read is absent."""

    name: str
    fields: Mapping[str, FieldDescription]
    is_replicateable: bool = True
    """Whether Salesforce itself lists what changed (getUpdated)."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One row of a Case's field history: who changed a field, when, and to what."""

    history_id: str
    case_id: str
    field: str
    """API name."""
    old: str | None
    new: str | None
    """Both None: Salesforce does not tell (long text, multi-select), or it is blank."""
    by: str
    """Id of the user."""
    at: datetime


@dataclass(frozen=True, slots=True)
class User:
    """Somebody, or something, that can change a Case."""

    user_id: str
    name: str
    username: str
    kind: str
    """``UserType``; empty: we may not see it."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a record last changed, and which Case it belongs to (its own id for a Case)."""

    record_id: str
    case_id: str
    modstamp: datetime
