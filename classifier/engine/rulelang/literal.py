"""A literal: words to look for, folded, with or without a star at the end."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from classifier.engine.errors import RuleInvalid
from classifier.engine.folding import fold
from classifier.engine.redaction import PLACEHOLDER_FILL

PHRASE_CHARACTERS = 200  # a longer "phrase" is a pasted message, and would never be said again


@dataclass(frozen=True, slots=True)
class Literal:
    """Words to look for, folded; ``any_ending`` when typed with a star (``refund*``)."""

    folded: str
    any_ending: bool = False

    @classmethod
    def parsed(cls, typed: str) -> Self:
        """Return the literal that a typed phrase means.

        Raises:
            RuleInvalid: nothing left after folding, too long, or a star before the end.
        """
        return cls(*_parsed(typed))

    def __str__(self) -> str:
        return f"{self.folded}*" if self.any_ending else self.folded


@lru_cache(maxsize=65_536)  # a rule is read several times: checked, written down, compiled
def _parsed(typed: str) -> tuple[str, bool]:
    """Return the folded words of a typed phrase, and whether it had a star at the end."""
    if len(typed.strip()) > PHRASE_CHARACTERS:
        raise RuleInvalid(
            f"the phrase has {len(typed.strip())} characters; write at most "
            f"{PHRASE_CHARACTERS}, only the words that matter"
        )
    folded = fold(typed).text
    words = folded.removesuffix("*").rstrip(" ")
    if "*" in words:
        raise RuleInvalid("a star may only stand at the end of a phrase, as in refund*")
    if PLACEHOLDER_FILL in words:
        raise RuleInvalid(f"{PLACEHOLDER_FILL} stands for hidden words; leave it out")
    if not words:
        raise RuleInvalid("the phrase has no letters, digits or signs; write a word or drop it")
    return words, folded.endswith("*")
