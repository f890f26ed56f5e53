"""Tables, one module per aggregate; constraints before code."""

from classifier.models.category import Category
from classifier.models.comparison import Comparison
from classifier.models.decision import Decision, DecisionReason
from classifier.models.errand import Errand, ErrandFile
from classifier.models.feedback import Feedback, FeedbackReason
from classifier.models.gold_label import GoldLabel, GoldReason
from classifier.models.keyword_rule import KeywordRule
from classifier.models.model_version import ModelArtifact, ModelVersion
from classifier.models.prediction import Prediction
from classifier.models.remit import Remit
from classifier.models.review import Review
from classifier.models.transcript import Transcript
from classifier.models.trust import Trust

__all__ = [
    "Category",
    "Comparison",
    "Decision",
    "DecisionReason",
    "Errand",
    "ErrandFile",
    "Feedback",
    "FeedbackReason",
    "GoldLabel",
    "GoldReason",
    "KeywordRule",
    "ModelArtifact",
    "ModelVersion",
    "Prediction",
    "Remit",
    "Review",
    "Transcript",
    "Trust",
]
