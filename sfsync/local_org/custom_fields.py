"""The custom fields of the product, for tests that need no package to deploy."""

from collections.abc import Iterable

from sfsync.local_org.field_makers import MULTIPICKLIST_LENGTH
from sfsync.local_org.schema import Field, Kind, PicklistValue


def contact_reason_fields(codes: Iterable[str]) -> tuple[Field, ...]:
    """Return the Case fields that the product writes, their picklists holding these codes."""
    values = tuple(PicklistValue(code, code) for code in codes)
    return (
        Field(
            "Contact_Reason__c",
            Kind.PICKLIST,
            label="Contact Reason",
            length=255,
            values=values,
            is_restricted=True,
            is_tracked=True,
        ),
        Field(
            "Contact_Reasons__c",
            Kind.MULTIPICKLIST,
            label="Contact Reasons",
            length=MULTIPICKLIST_LENGTH,
            values=values,
            is_restricted=True,
            is_tracked=True,
        ),
        _text("Contact_Reason_Suggestion__c", "Contact Reason Suggestion"),
        Field(
            "Contact_Reason_Confidence__c",
            Kind.PERCENT,
            label="Contact Reason Confidence",
            precision=5,
            scale=2,
        ),
        _text("Contact_Reason_Source__c", "Contact Reason Source"),
        Field(
            "Contact_Reason_Evidence__c",
            Kind.TEXTAREA,
            label="Contact Reason Evidence",
            length=32768,
        ),
        _text("Contact_Reason_Model__c", "Contact Reason Model"),
        _text("Contact_Reason_Change__c", "Contact Reason Change"),
        Field("Contact_Reason_At__c", Kind.DATETIME, label="Contact Reason At"),
    )


def _text(name: str, label: str) -> Field:
    return Field(name, Kind.STRING, label=label, length=255)
