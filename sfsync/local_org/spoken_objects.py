"""The sObjects that hold what was said in chats and calls, posted, or attached as a file.

Each is a feature that an org may lack (``OrgState.remove_sobject``). Which of them
getUpdated lists is as the vendor's pages say: not ContentVersion, not ContentDocumentLink.
"""

from sfsync.local_org.field_makers import (
    area,
    flag,
    moment,
    parent,
    picklist,
    read_only,
    text,
    whole,
    with_stamps,
)
from sfsync.local_org.schema import Field, Kind, SObject

CALL_NOTE = "Call_Note__c"
"""A custom object of this org: a line of a call each, as an admin may have built it."""
_OWNER = ("Group", "User")


def spoken_objects() -> tuple[SObject, ...]:
    """Return fresh definitions."""
    return (_chat(), _call(), _task(), *_posts(), *_documents(), _call_note())


def _chat() -> SObject:
    return with_stamps(
        SObject("LiveChatTranscript", "570", "Chat Transcript", is_replicateable=True),
        read_only("Name", Kind.STRING, 255),
        parent("CaseId", "Case"),
        parent("ContactId", "Contact"),
        parent("OwnerId", *_OWNER),
        text("ChatKey", 765, "Chat Key"),
        area("Body", 2_000_000),
        picklist("Status", "Waiting", "InProgress", "Completed", "Missed", "Blocked"),
        moment("RequestTime", "Request Time"),
        moment("StartTime", "Start Time"),
        moment("EndTime", "End Time"),
        whole("ChatDuration", "Chat Duration (sec)"),
        whole("WaitTime", "Wait Time"),
        picklist("EndedBy", "Visitor", "Agent"),
        text("Browser", 200),
    )


def _call() -> SObject:
    return with_stamps(
        SObject("VoiceCall", "0LQ", "Voice Call", is_replicateable=True),
        parent("RelatedRecordId", "Case", "Contact"),
        parent("ConversationId", "Conversation"),
        parent("OwnerId", *_OWNER),
        parent("UserId", "User"),
        picklist("CallType", "Inbound", "Outbound", "Callback", "Transfer", "Internal"),
        picklist("CallDisposition", "new", "in-progress", "completed", "Missed", length=255),
        moment("CallStartDateTime", "Call Started"),
        moment("CallEndDateTime", "Call Ended"),
        whole("CallDurationInSeconds", "Call Duration in Seconds"),
        Field("FromPhoneNumber", Kind.PHONE, label="Caller Number", length=255),
        Field("ToPhoneNumber", Kind.PHONE, label="Recipient Number", length=255),
        text("VendorCallKey", 200, "Vendor Call Key"),
        picklist("VendorType", "ContactCenter"),
    )


def _task() -> SObject:
    return with_stamps(
        SObject("Task", "00T", is_replicateable=True),
        parent("WhatId", "Case", "Product2"),
        parent("WhoId", "Contact"),
        parent("OwnerId", *_OWNER),
        picklist("Subject", "Call", "Email", "Send Quote", "Other", length=255),
        area("Description", 32_000, "Comments"),
        Field("ActivityDate", Kind.DATE, label="Due Date Only"),
        picklist("Status", "Not Started", "In Progress", "Completed", length=255),
        picklist("Priority", "High", "Normal", "Low", length=255),
        picklist("TaskSubtype", "Task", "Email", "ListEmail", "Cadence", "Call"),
        picklist("CallType", "Internal", "Inbound", "Outbound"),
        whole("CallDurationInSeconds", "Call Duration"),
        text("CallDisposition", 255, "Call Result"),
        text("CallObject", 255, "Call Object Identifier"),
        read_only("IsClosed", Kind.BOOLEAN),
        moment("CompletedDateTime", "Completed Date"),
    )


def _posts() -> tuple[SObject, SObject]:
    post = with_stamps(
        SObject("SocialPost", "0ST", "Social Post", is_replicateable=True),
        text("Name", 240),
        parent("ParentId", "Case", "Contact"),
        parent("OwnerId", *_OWNER),
        parent("PersonaId", "SocialPersona"),
        area("Content", 10_000),
        text("Headline", 255),
        text("Handle", 200, "Social Handle"),
        picklist("Provider", "Facebook", "Instagram", "Twitter", "WhatsApp", "Other"),
        picklist("MessageType", "Post", "Comment", "Reply", "Direct", "Private", "Tweet"),
        flag("IsOutbound", "Outbound"),
        moment("Posted", "Posted"),
        picklist("Status", "SENT", "PENDING", "FAILED", "None", length=255),
        Field("PostUrl", Kind.URL, label="Post URL", length=1_333),
        text("ExternalPostId", 200, "External Post Id"),
        text("Language", 200),
    )
    persona = with_stamps(
        SObject("SocialPersona", "0SP", "Social Persona", is_replicateable=True),
        text("Name", 255),
        parent("ParentId", "Contact"),
        picklist("Provider", "Facebook", "Instagram", "Twitter", "WhatsApp", "Other"),
        text("RealName", 255, "Real Name"),
    )
    return post, persona


def _documents() -> tuple[SObject, ...]:
    """Documents come in by people only: nobody can upload through this org's API."""
    document = with_stamps(
        SObject("ContentDocument", "069", is_replicateable=True, is_createable=False),
        text("Title"),
        parent("OwnerId", "User"),
        parent("LatestPublishedVersionId", "ContentVersion"),
        text("FileExtension", 40, "File Extension"),
        text("FileType", 20, "File Type"),
        whole("ContentSize", "Size"),
        moment("ContentModifiedDate", "Content Modified Date"),
    )
    version = with_stamps(
        SObject("ContentVersion", "068", is_createable=False, is_deletable=False),
        parent("ContentDocumentId", "ContentDocument"),
        parent("FirstPublishLocationId", "Case", "User"),
        parent("OwnerId", "User"),
        flag("IsLatest", "Is Latest"),
        text("VersionNumber", 20, "Version Number"),
        text("Title"),
        text("PathOnClient", 500, "Path On Client"),
        text("FileExtension", 40, "File Extension"),
        text("FileType", 20, "File Type"),
        whole("ContentSize", "Size"),
        text("Checksum", 50),
        moment("ContentModifiedDate", "Content Modified Date"),
        Field("VersionData", Kind.BASE64, label="Version Data", is_updateable=False),
    )
    link = SObject("ContentDocumentLink", "06A", is_createable=False, key_filters=_LINK_FILTERS)
    link.add(
        (
            read_only("Id", Kind.ID, 18),
            parent("LinkedEntityId", "Case", "User"),
            parent("ContentDocumentId", "ContentDocument"),
            read_only("IsDeleted", Kind.BOOLEAN),
            read_only("SystemModstamp", Kind.DATETIME),
            picklist("ShareType", "V", "C", "I"),
            picklist("Visibility", "AllUsers", "InternalUsers", "SharedUsers"),
        )
    )
    return document, version, link


_LINK_FILTERS = ("ContentDocumentId", "LinkedEntityId")


def _call_note() -> SObject:
    return with_stamps(
        SObject(CALL_NOTE, "a01", "Call Note", is_replicateable=True),
        read_only("Name", Kind.STRING, 80),
        parent("OwnerId", *_OWNER),
        parent("Case__c", "Case", label="Case"),
        area("Words__c", 32_768, "Words"),
        text("Speaker__c", 80, "Speaker"),
        moment("Said_At__c", "Said At"),
    )
