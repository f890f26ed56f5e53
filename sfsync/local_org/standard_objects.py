"""The sObjects a service org comes with, as far as a contact-reason product meets them.

Names, lengths and picklists are those of a standard org. Left out: fields nobody here
reads (addresses, milestones, entitlements) and objects that only serve them. Objects that
hold words of calls, chats, posts and files are in ``spoken_objects``.
"""

from dataclasses import replace

from sfsync.local_org.field_makers import (
    area,
    audit,
    parent,
    picklist,
    read_only,
    text,
    with_stamps,
)
from sfsync.local_org.schema import Field, Kind, PicklistValue, SObject
from sfsync.local_org.spoken_objects import CALL_NOTE, spoken_objects

ORIGINS = ("Email", "Web", "Phone", "Chat", "Messaging", "Social", "Portal")
CALL_TRANSCRIPT = "Call_Transcript__c"
"""A long text field of Case into which this org's telephone system writes what was said."""


def _case() -> SObject:
    children = {
        "CaseComments": ("CaseComment", "ParentId"),
        "EmailMessages": ("EmailMessage", "ParentId"),
        "Histories": ("CaseHistory", "CaseId"),
        "MessagingSessions": ("MessagingSession", "CaseId"),
        "LiveChatTranscripts": ("LiveChatTranscript", "CaseId"),
        "VoiceCalls": ("VoiceCall", "RelatedRecordId"),
        "Tasks": ("Task", "WhatId"),
        "ContentDocumentLinks": ("ContentDocumentLink", "LinkedEntityId"),
        "Posts": ("SocialPost", "ParentId"),
        "Call_Notes__r": (CALL_NOTE, "Case__c"),
    }
    case = SObject(
        "Case",
        "500",
        is_replicateable=True,
        children=children,
        cascades=("CaseComments", "EmailMessages", "Tasks", "ContentDocumentLinks"),
    )
    return with_stamps(
        case,
        read_only("CaseNumber", Kind.STRING, 30),
        parent("ContactId", "Contact"),
        parent("ParentId", "Case"),
        replace(parent("MasterRecordId", "Case"), is_createable=False, is_updateable=False),
        parent("ProductId", "Product2"),
        parent("RecordTypeId", "RecordType"),
        parent("OwnerId", "Group", "User", tracked=True),
        text("SuppliedName", 80, "Web Name"),
        Field("SuppliedEmail", Kind.EMAIL, label="Web Email", length=80),
        Field("SuppliedPhone", Kind.PHONE, label="Web Phone", length=40),
        text("SuppliedCompany", 80, "Web Company"),
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
        picklist("Origin", *ORIGINS, label="Case Origin"),
        picklist("Language", "en_US", "de", "es", "fr", "it", "nl_NL"),
        Field(
            "Priority",
            Kind.PICKLIST,
            label="Priority",
            length=40,
            values=tuple(map(PicklistValue, ("High", "Medium", "Low"))),
            is_tracked=True,
        ),
        text("Subject", 255),
        area("Description", 32000),
        read_only("IsClosed", Kind.BOOLEAN),
        read_only("ClosedDate", Kind.DATETIME),
        Field("IsEscalated", Kind.BOOLEAN, label="Escalated"),
        area("Comments", 4000, "Internal Comments"),
        area(CALL_TRANSCRIPT, 131072, "Call Transcript"),
    )


def _email_message() -> SObject:
    return with_stamps(
        SObject("EmailMessage", "02s", "Email Message", is_replicateable=True),
        parent("ParentId", "Case"),
        parent("RelatedToId", "Case"),
        area("TextBody", 131072, "Text Body"),
        area("HtmlBody", 131072, "HTML Body"),
        area("Headers", 32000),
        text("Subject", 3000),
        text("FromName", 1000, "From Name"),
        Field("FromAddress", Kind.EMAIL, label="From Address", length=1000),
        text("ToAddress", 4000, "To Address"),
        Field("Incoming", Kind.BOOLEAN, label="Is Incoming"),
        read_only("HasAttachment", Kind.BOOLEAN),
        picklist("Status", "0", "1", "2", "3", "4", "5", length=255),
        Field("MessageDate", Kind.DATETIME, label="Message Date"),
        text("MessageIdentifier", 765),
        text("ThreadIdentifier", 765),
    )


def _case_comment() -> SObject:
    return with_stamps(
        SObject("CaseComment", "00a", "Case Comment", is_replicateable=True),
        parent("ParentId", "Case", required=True),
        area("CommentBody", 4000, "Body"),
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
    history.add(field for field in audit() if field.name in _HISTORY_AUDIT)
    history.add(
        (
            parent("CaseId", "Case"),
            picklist("Field", length=255),
            picklist("DataType", length=40),
            read_only("OldValue", Kind.ANYTYPE, 255, is_sortable_only=True),
            read_only("NewValue", Kind.ANYTYPE, 255, is_sortable_only=True),
        )
    )
    return history


_HISTORY_AUDIT = frozenset({"Id", "IsDeleted", "CreatedDate", "CreatedById"})
"""CaseHistory has no SystemModstamp and is never modified."""


def _messaging() -> tuple[SObject, ...]:
    session = with_stamps(
        SObject("MessagingSession", "0Mw", "Messaging Session", is_replicateable=True),
        read_only("Name", Kind.STRING, 255),
        parent("CaseId", "Case"),
        parent("ConversationId", "Conversation"),
        parent("MessagingEndUserId", "MessagingEndUser"),
        parent("OwnerId", "Group", "User"),
        picklist("ChannelType", "EmbeddedMessaging", "WhatsApp", "Text"),
        picklist("AgentType", "Agent", "Bot", "BotToAgent"),
        picklist("Status", "Active", "Inactive", "Ended", "New", "Waiting"),
        Field("StartTime", Kind.DATETIME, label="Start Time"),
        Field("EndTime", Kind.DATETIME, label="End Time"),
    )
    conversation = with_stamps(
        SObject("Conversation", "0dw"),
        text("ConversationIdentifier", 255, "Conversation Identifier"),
        text("ConversationChannelId", 18),
        Field("StartTime", Kind.DATETIME, label="Start Time"),
        Field("EndTime", Kind.DATETIME, label="End Time"),
    )
    entry = with_stamps(
        SObject("ConversationEntry", "0yb", "Conversation Entry", is_createable=False),
        parent("ConversationId", "Conversation"),
        picklist("ActorType", "Agent", "Bot", "EndUser", "Supervisor", "System"),
        picklist("EntryType", "Text"),
        Field("EntryTime", Kind.DATETIME, label="Entry Time"),
        area("Message", 32000),
    )
    end_user = with_stamps(
        SObject("MessagingEndUser", "0PA", "Messaging User"),
        text("Name", 255),
        picklist("MessageType", "EmbeddedMessaging", "WhatsApp", "Text"),
    )
    return session, conversation, entry, end_user


def _people() -> tuple[SObject, ...]:
    user = with_stamps(
        SObject("User", "005", is_replicateable=True, is_deletable=False),
        text("Username", 80),
        text("Name", 121, "Full Name"),
        text("FirstName", 40, "First Name"),
        text("LastName", 80, "Last Name"),
        Field("Email", Kind.EMAIL, label="Email", length=128),
        text("Alias", 8),
        Field("IsActive", Kind.BOOLEAN, label="Active"),
        parent("UserRoleId", "UserRole"),
        picklist("UserType", "Standard", "CspLitePortal", "Guest", "AutomatedProcess"),
        picklist("LanguageLocaleKey", "en_US", "de", "fr"),
        picklist("TimeZoneSidKey", "Europe/London"),
    )
    group = with_stamps(
        SObject("Group", "00G", is_replicateable=True),
        text("Name", 40),
        text("DeveloperName", 80),
        picklist("Type", "Queue", "Regular"),
    )
    contact = with_stamps(
        SObject("Contact", "003", is_replicateable=True),
        text("FirstName", 40),
        text("LastName", 80, is_required=True),
        text("Name", 121),
        Field("Email", Kind.EMAIL, label="Email", length=80),
    )
    return user, group, contact


def _around() -> tuple[SObject, ...]:
    role = with_stamps(
        SObject("UserRole", "00E", "Role", is_replicateable=True),
        text("Name", 80),
        text("DeveloperName", 80),
        parent("ParentRoleId", "UserRole"),
    )
    record_type = with_stamps(
        SObject("RecordType", "012", "Record Type", is_createable=False, is_deletable=False),
        text("Name", 80),
        text("DeveloperName", 80),
        text("SobjectType", 40),
        Field("IsActive", Kind.BOOLEAN, label="Active"),
    )
    product = with_stamps(
        SObject("Product2", "01t", "Product", is_replicateable=True),
        text("Name", 255),
        Field("IsActive", Kind.BOOLEAN, label="Active"),
    )
    organization = with_stamps(
        SObject("Organization", "00D", is_createable=False, is_deletable=False),
        text("Name", 80),
        Field("IsSandbox", Kind.BOOLEAN, label="Is Sandbox"),
        text("InstanceName", 5),
        picklist("OrganizationType", "Enterprise Edition", "Developer Edition"),
        picklist("LanguageLocaleKey", "en_US"),
    )
    return role, record_type, product, organization


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
        *spoken_objects(),
    )
