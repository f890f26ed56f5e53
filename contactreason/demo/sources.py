"""What an admin of the demo's org would name: its own object of call notes, its own Case field."""

from sfsync.local_org.spoken_objects import CALL_NOTE
from sfsync.local_org.standard_objects import CALL_TRANSCRIPT
from sfsync.models import Source


def name_own() -> None:
    """Let both be read, so that words come in by every channel."""
    Source.objects.update_or_create(
        code="call-notes",
        defaults={
            "name": "Call notes",
            "kind": Source.Kind.OBJECT,
            "sobject": CALL_NOTE,
            "case_field": "Case__c",
            "text_field": "Words__c",
            "time_field": "Said_At__c",
            "speaker_rule": Source.SpeakerRule.FIELD,
            "speaker_field": "Speaker__c",
            "customer_names": ["Customer"],
        },
    )
    Source.objects.update_or_create(
        code="call-transcript",
        defaults={
            "name": "Call transcript on the Case",
            "kind": Source.Kind.CASE_FIELD,
            "sobject": "Case",
            "text_field": CALL_TRANSCRIPT,
            "speaker_rule": Source.SpeakerRule.LINES,
            "customer_names": ["Customer"],
        },
    )
    # The demo pulls every other second, and nobody there wants to wait for a slow source.
    Source.objects.update(interval_seconds=0)
