"""The engine's error tree, sorted by who can mend it.

    EngineError
    ├── TranscriptTooLarge   give up: these words will never fit; shown on the row
    ├── RuleInvalid          tell the admin who typed the rule
    ├── NothingToLearn       tell the admin: more labelled transcripts are needed
    ├── SearchInvalid        tell who typed the search: no recipes, or no cluster to try them on
    ├── EncoderUnusable      tell an operator: ENCODER_PATH names nothing that can be run
    └── ArtifactRefused      tell an operator: this is not a model that we wrote

``code`` is stable: it is stored on rows and answered by the API, so it may be compared; the
message is for people and may change. No message carries a customer's words.
"""

from typing import ClassVar


class EngineError(Exception):
    """Anything the engine refuses; never raised itself."""

    code: ClassVar[str] = "engine_error"


class TranscriptTooLarge(EngineError):
    """A transcript has more characters or turns than the engine reads."""

    code = "transcript_too_large"


class RuleInvalid(EngineError):
    """A keyword rule says nothing, or something that the rule language does not know."""

    code = "rule_invalid"


class NothingToLearn(EngineError):
    """There are too few labelled transcripts, or fewer than two categories, to fit a model."""

    code = "nothing_to_learn"


class SearchInvalid(EngineError):
    """A search names no recipes, impossible ones, or a cluster that is not there."""

    code = "search_invalid"


class EncoderUnusable(EngineError):
    """The sentence encoder that is asked for is missing, damaged, or lacks its packages."""

    code = "encoder_unusable"


class ArtifactRefused(EngineError):
    """A stored model is damaged, was not written by us, or needs another version."""

    code = "artifact_refused"
