"""The simple form of a rule: three boxes of phrases; and what a rule says, in plain words.

The whole language is in ``rulelang``; a ``Condition`` is an expression typed into boxes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from classifier.engine.errors import RuleInvalid
from classifier.engine.rulelang import (
    Expression,
    Group,
    Join,
    Where,
    Words,
    echo,
)
from classifier.engine.rulelang import Phrase as PhraseLeaf
from classifier.engine.rulelang.literal import PHRASE_CHARACTERS
from classifier.engine.rulelang.literal import Literal as Phrase
from classifier.engine.text import Speaker

__all__ = [
    "ANYBODY",
    "CONDITION_PHRASES",
    "PHRASES_TOLD",
    "PHRASE_CHARACTERS",
    "Condition",
    "Effect",
    "Phrase",
    "explain",
]

CONDITION_PHRASES = 500  # more is a model's work; the rule's form stays readable and quick
PHRASES_TOLD = 10  # explain() names this many of a list, then counts the rest
ANYBODY = "anybody"
"""What the form sends for "whoever says it": ``Condition.speaker`` is None then."""


class Effect(StrEnum):
    """What a rule does to its category when its condition holds."""

    ASSIGN = "assign"
    BOOST = "boost"
    PENALISE = "penalise"
    VETO = "veto"
    REVIEW = "review"
    """A person must look, whatever rules and model say; the category is what to look for."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What must be said, and by whom, for a rule to hold.

    It holds when at least one of ``any_of`` (if it names any), every one of ``all_of`` and none
    of ``none_of`` is said by ``speaker`` (None: by anybody), anywhere in the conversation, each
    phrase within one turn. Phrases are as typed: case, accents and white space do not matter,
    and a star at the end stands for any ending.

    Raises:
        RuleInvalid: no phrase that must be said, a phrase that says nothing, or too many.
    """

    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    speaker: Speaker | None = Speaker.CUSTOMER
    whole_word: bool = True
    """Whether "fee" is not said in "coffee"."""

    def __post_init__(self) -> None:
        self._refuse_wrong_size()
        for phrase in (*self.any_of, *self.all_of, *self.none_of):
            _parsed(phrase, f"“{phrase[:40]}”")

    @classmethod
    def from_lines(
        cls, any_of: str, all_of: str, none_of: str, speaker: str, *, whole_word: bool
    ) -> Self:
        """Return the condition of three text boxes with one phrase per line.

        Blank lines are ignored and repeated phrases kept once. ``speaker`` is a ``Speaker`` or
        ``ANYBODY``.

        Raises:
            RuleInvalid: with the box, the line and what to do.
        """
        return cls(
            any_of=_lines(any_of, "any of"),
            all_of=_lines(all_of, "all of"),
            none_of=_lines(none_of, "none of"),
            speaker=_speaker(speaker),
            whole_word=whole_word,
        )

    def to_expression(self) -> Expression:
        """Return the same in the rule language."""
        where = Where(speaker=self.speaker, whole_word=self.whole_word)
        parts: list[Expression] = []
        if self.any_of:
            parts.append(_one_of(self.any_of, where))
        parts.extend(PhraseLeaf(phrase, where) for phrase in self.all_of)
        if self.none_of:
            parts.append(Group(Join.NONE, (_one_of(self.none_of, where),)))
        return parts[0] if len(parts) == 1 else Group(Join.ALL, tuple(parts))

    def _refuse_wrong_size(self) -> None:
        if not self.any_of and not self.all_of:
            raise RuleInvalid(
                "a rule needs at least one phrase that must be said: write it under “any of” or "
                "“all of”" + (" (“none of” alone would hold for silence)" * bool(self.none_of))
            )
        count = len(self.any_of) + len(self.all_of) + len(self.none_of)
        if count > CONDITION_PHRASES:
            raise RuleInvalid(
                f"the rule has {count} phrases; at most {CONDITION_PHRASES} fit, so split it"
            )


def explain(condition: Condition | Expression, effect: Effect, category_label: str) -> str:
    """Return one plain English sentence that says when the rule holds and what it does then."""
    if not isinstance(condition, Condition):
        return f"When {echo(condition)}: {_CONSEQUENCE[effect]} {category_label}."
    who = "anybody" if condition.speaker is None else f"the {condition.speaker}"
    clauses = []
    if condition.any_of:
        clauses.append(f"says {_told(condition.any_of, 'or')}")
    if condition.all_of:
        clauses.append(f"says {_told(condition.all_of, 'and')}")
    if condition.none_of:
        clauses.append(f"does not say {_told(condition.none_of, 'or')}")
    where = "" if condition.whole_word else " (also inside longer words)"
    return (
        f"When {who} {', and '.join(clauses)}{where}: {_CONSEQUENCE[effect]} {category_label}."
    )


_CONSEQUENCE = {
    Effect.ASSIGN: "assign",
    Effect.BOOST: "count it in favour of",
    Effect.PENALISE: "count it against",
    Effect.VETO: "never assign",
    Effect.REVIEW: "let a person look, who may find",
}


def _one_of(phrases: tuple[str, ...], where: Where) -> Expression:
    return PhraseLeaf(phrases[0], where) if len(phrases) == 1 else Words(phrases, where)


def _told(phrases: Sequence[str], joint: str) -> str:
    """Return ``“a”, “b” or “c”``; a long list is cut and the rest counted."""
    quoted = [_quoted(phrase) for phrase in phrases[:PHRASES_TOLD]]
    rest = len(phrases) - len(quoted)
    if rest:
        quoted.append(f"{rest} other phrase{'s' * (rest > 1)}")
    if len(quoted) == 1:
        return quoted[0]
    return f"{', '.join(quoted[:-1])} {joint} {quoted[-1]}"


def _quoted(phrase: str) -> str:
    words = " ".join(phrase.split())
    if words.endswith("*"):
        return f"“{words.removesuffix('*').rstrip()}…” with any ending"
    return f"“{words}”"


def _lines(typed: str, box: str) -> tuple[str, ...]:
    """Return the phrases of one box, each once, in the order typed."""
    phrases: dict[str, str] = {}
    for number, line in enumerate(typed.splitlines(), 1):
        if line.strip():
            phrase = _parsed(line, f"line {number} of “{box}”")
            phrases.setdefault(str(phrase), " ".join(line.split()))
    return tuple(phrases.values())


def _parsed(typed: str, place: str) -> Phrase:
    try:
        return Phrase.parsed(typed)
    except RuleInvalid as refusal:
        raise RuleInvalid(f"{place}: {refusal}") from refusal


def _speaker(typed: str) -> Speaker | None:
    if typed == ANYBODY:
        return None
    try:
        return Speaker(typed)
    except ValueError as unknown:
        raise RuleInvalid(f"choose who says it: {_told_speakers(Speaker)}") from unknown


def _told_speakers(speakers: Iterable[Speaker]) -> str:
    return f"{', '.join(speakers)} or {ANYBODY}"
