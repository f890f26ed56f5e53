"""What a model learns from; apart from the learning, which takes seconds to import."""

from dataclasses import dataclass

from classifier.engine.text import Transcript


@dataclass(frozen=True, slots=True)
class Example:
    """One transcript with its true categories; none means: out of scope."""

    transcript: Transcript
    categories: frozenset[str]
    key: str
    """What tells examples apart and orders them: training does not depend on their order."""
