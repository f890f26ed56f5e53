"""The pages of contact reasons, one module per table."""

from classifier.admin.category import CategoryAdmin
from classifier.admin.comparison import ComparisonAdmin
from classifier.admin.decision import DecisionAdmin
from classifier.admin.errand import ErrandAdmin
from classifier.admin.feedback import FeedbackAdmin
from classifier.admin.gold_label import GoldLabelAdmin
from classifier.admin.keyword_rule import KeywordRuleAdmin
from classifier.admin.model_version import ModelVersionAdmin
from classifier.admin.review import ReviewAdmin
from classifier.admin.transcript import Link, TranscriptAdmin
from classifier.admin.trust import TrustAdmin

__all__ = [
    "CategoryAdmin",
    "ComparisonAdmin",
    "DecisionAdmin",
    "ErrandAdmin",
    "FeedbackAdmin",
    "GoldLabelAdmin",
    "KeywordRuleAdmin",
    "Link",
    "ModelVersionAdmin",
    "ReviewAdmin",
    "TranscriptAdmin",
    "TrustAdmin",
]
