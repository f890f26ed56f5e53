"""Tables of the Salesforce side, one module per aggregate; constraints before code."""

from sfsync.field_map import Mode
from sfsync.models.alarm import Alarm
from sfsync.models.api_spending import ApiSpending
from sfsync.models.assessment import AssessedCase, Assessment
from sfsync.models.backfill import Backfill, BackfillCase, BulkWriting, StepTakenOver
from sfsync.models.breaker import Breaker
from sfsync.models.case_event import CaseEvent
from sfsync.models.case_link import CaseLink
from sfsync.models.category_mapping import CategoryMapping
from sfsync.models.connection import Connection
from sfsync.models.doorbell import Doorbell
from sfsync.models.event_subscription import EventSubscription
from sfsync.models.field_mapping import FieldMapping
from sfsync.models.notice import Notice
from sfsync.models.reconciliation import Reconciliation
from sfsync.models.source import Source
from sfsync.models.watermark import Watermark
from sfsync.models.write_back import WriteBack
from sfsync.models.writer import Writer, WritingPace

__all__ = [
    "Alarm",
    "ApiSpending",
    "AssessedCase",
    "Assessment",
    "Backfill",
    "BackfillCase",
    "Breaker",
    "BulkWriting",
    "CaseEvent",
    "CaseLink",
    "CategoryMapping",
    "Connection",
    "Doorbell",
    "EventSubscription",
    "FieldMapping",
    "Mode",
    "Notice",
    "Reconciliation",
    "Source",
    "StepTakenOver",
    "Watermark",
    "WriteBack",
    "Writer",
    "WritingPace",
]
