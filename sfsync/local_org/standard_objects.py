"""The sObjects a service org comes with, as far as a contact-reason product meets them.

Names, lengths and picklists are those of a standard org. Left out: fields nobody here
reads (addresses, milestones, entitlements) and objects that only serve them.
"""

from sfsync.local_org.schema import Field, Kind, PicklistValue, SObject

MULTIPICKLIST_LENGTH = 4099
"""Describe gives this length for every multi-select picklist."""
_USERS = ("User",)


def picklist(name: str, *values: str, length: int = 40, label: str = "") -> Field:
    """Return an unrestricted picklist, as the standard ones of Case are."""
    options = tuple(PicklistValue(value, value) for value in values)
    return Field(name, Kind.PICKLIST, label=label or name, length=length, values=options)


def _text(name: str, length: int = 255, label: str = "", *, is_required: bool = False) -> Field:
    return Field(name, Kind.STRING, label=label or name, length=length, is_required=is_required)


def _area(name: str, length: int, label: str = "") -> Field:
    return Field(name, Kind.TEXTAREA, label=label or name, length=length)


def _parent(
    name: str, *references: str, tracked: bool = False, required: bool = False
) -> Field:
    return Field(
        name,
        Kind.REFERENCE,
        label=name,
        length=18,
        references=references,
        relationship=name.removesuffix("Id"),
        is_tracked=tracked,
        is_required=required,
    )


def _read_only(
    name: str, kind: Kind, length: int = 0, *, is_sortable_only: bool = False
) -> Field:
    return Field(
        name,
        kind,
        label=name,
        length=length,
        is_createable=False,
        is_updateable=False,
        is_sortable_only=is_sortable_only,
    )


def _user(name: str) -> Field:
    return Field(
        name,
        Kind.REFERENCE,
        label=name,
        length=18,
        references=_USERS,
        relationship=name.removesuffix("Id"),
        is_createable=False,
        is_updateable=False,
    )


def _audit() -> tuple[Field, ...]:
    return (
        _read_only("Id", Kind.ID, 18),
        _read_only("IsDeleted", Kind.BOOLEAN),
        _read_only("CreatedDate", Kind.DATETIME),
        _user("CreatedById"),
        _read_only("LastModifiedDate", Kind.DATETIME),
        _user("LastModifiedById"),
        _read_only("SystemModstamp", Kind.DATETIME),
    )


def _sobject(sobject: SObject, *fields: Field) -> SObject:
    sobject.add(_audit())
    sobject.add(fields)
    return sobject


def _case() -> SObject:
    children = {
        "CaseComments": ("CaseComment", "ParentId"),
        "EmailMessages": ("EmailMessage", "ParentId"),
        "Histories": ("CaseHistory", "CaseId"),
        "MessagingSessions": ("MessagingSession", "CaseId"),
    }
    case = SObject(
        "Case",
        "500",
        is_replicateable=True,
        children=children,
        cascades=("CaseComments", "EmailMessages"),
    )
    return _sobject(
        case,
        _read_only("CaseNumber", Kind.STRING, 30),
        _parent("ContactId", "Contact"),
        _parent("ParentId", "Case"),
        _parent("ProductId", "Product2"),
        _parent("RecordTypeId", "RecordType"),
        _parent("OwnerId", "Group", "User", tracked=True),
        _text("SuppliedName", 80, "Web Name"),
        Field("SuppliedEmail", Kind.EMAIL, label="Web Email", length=80),
        picklist("Type", "Problem", "Feature Request", "Question", label="Case Type"),
        Field(
            "Status",
            Kind.PICKLIST,
            label="Status",
            length=40,
            values=tuple(map(PicklistValue, ("New", "Working", "Escalated", "Closed"))),
            is_tracked=True,
        ),
        picklist("Reason", "Complex functionality", "Other", label="Case Reason"),
        picklist("Origin", "Email", "Web", "Phone", "Chat", "Portal", label="Case Origin"),
        picklist("Language", "en_US", "de", "es", "fr", "it", "nl_NL"),
        Field(
            "Priority",
            Kind.PICKLIST,
            label="Priority",
            length=40,
            values=tuple(map(PicklistValue, ("High", "Medium", "Low"))),
            is_tracked=True,
        ),
        _text("Subject", 255),
        _area("Description", 32000),
        _read_only("IsClosed", Kind.BOOLEAN),
        _read_only("ClosedDate", Kind.DATETIME),
        Field("IsEscalated", Kind.BOOLEAN, label="Escalated"),
        _area("Comments", 4000, "Internal Comments"),
    )


def _email_message() -> SObject:
    return _sobject(
        SObject("EmailMessage", "02s", "Email Message", is_replicateable=True),
        _parent("ParentId", "Case"),
        _parent("RelatedToId", "Case"),
        _area("TextBody", 131072, "Text Body"),
        _area("HtmlBody", 131072, "HTML Body"),
        _area("Headers", 32000),
        _text("Subject", 3000),
        _text("FromName", 1000, "From Name"),
        Field("FromAddress", Kind.EMAIL, label="From Address", length=1000),
        _text("ToAddress", 4000, "To Address"),
        Field("Incoming", Kind.BOOLEAN, label="Is Incoming"),
        _read_only("HasAttachment", Kind.BOOLEAN),
        picklist("Status", "0", "1", "2", "3", "4", "5", length=255),
        Field("MessageDate", Kind.DATETIME, label="Message Date"),
        _text("MessageIdentifier", 765),
        _text("ThreadIdentifier", 765),
    )


def _case_comment() -> SObject:
    return _sobject(
        SObject("CaseComment", "00a", "Case Comment", is_replicateable=True),
        _parent("ParentId", "Case", required=True),
        _area("CommentBody", 4000, "Body"),
        Field("IsPublished", Kind.BOOLEAN, label="Published"),
    )


def _case_history() -> SObject:
    history = SObject(
        "CaseHistory",
        "017",
        "Case History",
        is_replicateable=True,
        is_createable=False,
        is_updateable=False,
        is_deletable=False,
    )
    history.add(field for field in _audit() if field.name in _HISTORY_AUDIT)
    history.add(
        (
            _parent("CaseId", "Case"),
            picklist("Field", length=255),
            picklist("DataType", length=40),
            _read_only("OldValue", Kind.ANYTYPE, 255, is_sortable_only=True),
            _read_only("NewValue", Kind.ANYTYPE, 255, is_sortable_only=True),
        )
    )
    return history


_HISTORY_AUDIT = frozenset({"Id", "IsDeleted", "CreatedDate", "CreatedById"})
"""CaseHistory has no SystemModstamp and is never modified."""


def _messaging() -> tuple[SObject, ...]:
    session = _sobject(
        SObject("MessagingSession", "0Mw", "Messaging Session", is_replicateable=True),
        _read_only("Name", Kind.STRING, 255),
        _parent("CaseId", "Case"),
        _parent("ConversationId", "Conversation"),
        _parent("MessagingEndUserId", "MessagingEndUser"),
        _parent("OwnerId", "Group", "User"),
        picklist("ChannelType", "EmbeddedMessaging", "WhatsApp", "Text"),
        picklist("AgentType", "Agent", "Bot", "BotToAgent"),
        picklist("Status", "Active", "Inactive", "Ended", "New", "Waiting"),
        Field("StartTime", Kind.DATETIME, label="Start Time"),
        Field("EndTime", Kind.DATETIME, label="End Time"),
    )
    conversation = _sobject(
        SObject("Conversation", "0dw"),
        _text("ConversationIdentifier", 255, "Conversation Identifier"),
        _text("ConversationChannelId", 18),
        Field("StartTime", Kind.DATETIME, label="Start Time"),
        Field("EndTime", Kind.DATETIME, label="End Time"),
    )
    entry = _sobject(
        SObject("ConversationEntry", "0yb", "Conversation Entry", is_createable=False),
        _parent("ConversationId", "Conversation"),
        picklist("ActorType", "Agent", "Bot", "EndUser", "Supervisor", "System"),
        picklist("EntryType", "Text"),
        Field("EntryTime", Kind.DATETIME, label="Entry Time"),
        _area("Message", 32000),
    )
    end_user = _sobject(
        SObject("MessagingEndUser", "0PA", "Messaging User"),
        _text("Name", 255),
        picklist("MessageType", "EmbeddedMessaging", "WhatsApp", "Text"),
    )
    return session, conversation, entry, end_user


def _people() -> tuple[SObject, ...]:
    user = _sobject(
        SObject("User", "005", is_replicateable=True, is_deletable=False),
        _text("Username", 80),
        _text("Name", 121, "Full Name"),
        _text("FirstName", 40, "First Name"),
        _text("LastName", 80, "Last Name"),
        Field("Email", Kind.EMAIL, label="Email", length=128),
        _text("Alias", 8),
        Field("IsActive", Kind.BOOLEAN, label="Active"),
        picklist("UserType", "Standard", "CspLitePortal", "Guest", "AutomatedProcess"),
        picklist("LanguageLocaleKey", "en_US", "de", "fr"),
        picklist("TimeZoneSidKey", "Europe/London"),
    )
    group = _sobject(
        SObject("Group", "00G", is_replicateable=True),
        _text("Name", 40),
        _text("DeveloperName", 80),
        picklist("Type", "Queue", "Regular"),
    )
    contact = _sobject(
        SObject("Contact", "003", is_replicateable=True),
        _text("FirstName", 40),
        _text("LastName", 80, is_required=True),
        _text("Name", 121),
        Field("Email", Kind.EMAIL, label="Email", length=80),
    )
    return user, group, contact


def _around() -> tuple[SObject, ...]:
    record_type = _sobject(
        SObject("RecordType", "012", "Record Type", is_createable=False, is_deletable=False),
        _text("Name", 80),
        _text("DeveloperName", 80),
        _text("SobjectType", 40),
        Field("IsActive", Kind.BOOLEAN, label="Active"),
    )
    product = _sobject(
        SObject("Product2", "01t", "Product", is_replicateable=True),
        _text("Name", 255),
        Field("IsActive", Kind.BOOLEAN, label="Active"),
    )
    organization = _sobject(
        SObject("Organization", "00D", is_createable=False, is_deletable=False),
        _text("Name", 80),
        Field("IsSandbox", Kind.BOOLEAN, label="Is Sandbox"),
        _text("InstanceName", 5),
        picklist("OrganizationType", "Enterprise Edition", "Developer Edition"),
        picklist("LanguageLocaleKey", "en_US"),
    )
    return record_type, product, organization


def standard_objects() -> tuple[SObject, ...]:
    """Return fresh definitions, so that two orgs in one process share nothing."""
    return (
        _case(),
        _email_message(),
        _case_comment(),
        _case_history(),
        *_messaging(),
        *_people(),
        *_around(),
    )
