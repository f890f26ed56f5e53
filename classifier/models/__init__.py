"""Tables, one module per aggregate; constraints before code."""

from classifier.models.category import Category
from classifier.models.decision import Decision, DecisionReason
from classifier.models.feedback import Feedback
from classifier.models.gold_label import GoldLabel, GoldReason
from classifier.models.keyword_rule import KeywordRule
from classifier.models.model_version import ModelArtifact, ModelVersion
from classifier.models.prediction import Prediction
from classifier.models.transcript import Transcript

__all__ = [
    "Category",
    "Decision",
    "DecisionReason",
    "Feedback",
    "GoldLabel",
    "GoldReason",
    "KeywordRule",
    "ModelArtifact",
    "ModelVersion",
    "Prediction",
    "Transcript",
]
