"""Codes of the tables in plain words, and which colour they get."""

from classifier.engine.verdict import Ground
from classifier.models import Decision, Feedback, ModelVersion
from classifier.models.decision import BY_PERSON

DOUBTS: dict[str, str] = {
    Decision.DoubtCode.NO_WORDS: "The customer has not said anything we could read.",
    Decision.DoubtCode.NO_MODEL: "No rule matched, and there is no trained model yet.",
    Decision.DoubtCode.UNSURE: "Nothing was sure enough. The best guesses are below.",
    Decision.DoubtCode.RULES_CONTRADICT: "Strong rules contradict each other, so a person must "
    "choose.",
    Decision.DoubtCode.RULE_ASKS: "A rule asks that a person looks at what it found.",
    Decision.DoubtCode.OUT_OF_SCOPE: "This seems to be about something that no category covers.",
    Decision.DoubtCode.CRITICAL: "This may be about something critical: please look at it first.",
    Decision.DoubtCode.TOO_LARGE: "The conversation is too long to be read.",
    Decision.DoubtCode.SET_ASIDE: "Deciding it failed three times, so it was set aside.",
}
GROUNDS = {
    Ground.RULES: "rules",
    Ground.MODEL: "model",
    Ground.BOTH: "rules and model",
    Ground.NOTHING: "a guess",
    BY_PERSON: "said by a person",
}
SPEAKERS = {"customer": "Customer", "representative": "Representative", "bot": "Bot"}

SOURCE_TONES = {
    Decision.Source.RULES: "rule",
    Decision.Source.MODEL: "model",
    Decision.Source.BOTH: "both",
    Decision.Source.PERSON: "good",
    Decision.Source.NOBODY: "warn",
}
VERDICT_TONES = {
    Feedback.Verdict.CONFIRMED: "good",
    Feedback.Verdict.CORRECTED: "warn",
    Feedback.Verdict.UNCLEAR: "plain",
}
STAGE_TONES = {
    ModelVersion.Stage.CHAMPION: "good",
    ModelVersion.Stage.CHALLENGER: "calm",
    ModelVersion.Stage.CANDIDATE: "warn",
    ModelVersion.Stage.RETIRED: "plain",
}


def doubt_in_words(code: str) -> str:
    """Return why nobody decided, as a sentence, also for a code that is new to this page."""
    return DOUBTS.get(code, f"It could not be decided ({code}).")
