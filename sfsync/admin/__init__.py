"""The pages of the Salesforce side, and what it adds to the pages of contact reasons."""

from sfsync.admin.assessment import AssessmentAdmin
from sfsync.admin.backfill import BackfillAdmin
from sfsync.admin.case_link import CaseLinkAdmin
from sfsync.admin.category import MappedCategoryAdmin
from sfsync.admin.connection import ConnectionAdmin
from sfsync.admin.conversation import CaseDecisionAdmin, CaseFeedbackAdmin, CaseTranscriptAdmin
from sfsync.admin.doorbell import DoorbellAdmin
from sfsync.admin.mapping import FieldMappingAdmin
from sfsync.admin.notice import NoticeAdmin
from sfsync.admin.reconciliation import ReconciliationAdmin
from sfsync.admin.review import CaseReviewAdmin
from sfsync.admin.source import SourceAdmin
from sfsync.admin.write_back import WriteBackAdmin

__all__ = [
    "AssessmentAdmin",
    "BackfillAdmin",
    "CaseDecisionAdmin",
    "CaseFeedbackAdmin",
    "CaseLinkAdmin",
    "CaseReviewAdmin",
    "CaseTranscriptAdmin",
    "ConnectionAdmin",
    "DoorbellAdmin",
    "FieldMappingAdmin",
    "MappedCategoryAdmin",
    "NoticeAdmin",
    "ReconciliationAdmin",
    "SourceAdmin",
    "WriteBackAdmin",
]
