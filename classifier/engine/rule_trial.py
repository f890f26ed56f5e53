"""Whether a rule does what its example sentences say, and what is wrong in a box of phrases."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from classifier.engine.errors import RuleInvalid
from classifier.engine.grammar import Condition, Phrase
from classifier.engine.rulelang import Expression, Group
from classifier.engine.rules import Rule, RuleBook
from classifier.engine.text import Speaker, Transcript, Turn

SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Failure:
    """An example sentence that the rule does not treat as it must."""

    must_match: bool
    line: int
    sentence: str

    def __str__(self) -> str:
        shown = self.sentence[:SHOWN_CHARACTERS] + "…" * (len(self.sentence) > SHOWN_CHARACTERS)
        if self.must_match:
            return f"Line {self.line}: the rule does not find “{shown}”, which it must."
        return f"Line {self.line}: the rule finds “{shown}”, which it must leave alone."


def mistakes_in(box: str) -> list[str]:
    """Return what is wrong in one box of phrases, line by line."""
    mistakes = []
    for number, line in enumerate(box.splitlines(), 1):
        if not line.strip():
            continue
        try:
            Phrase.parsed(line)
        except RuleInvalid as refusal:
            mistakes.append(f"Line {number}: {refusal}.")
    return mistakes


def failures(rule: Rule, must_match: str, must_not_match: str) -> Iterator[Failure]:
    """Yield the examples (one sentence per line) that the rule fails.

    A sentence counts as said by whomever the rule listens to.
    """
    examples = [*_examples(must_match, is_must=True), *_examples(must_not_match, is_must=False)]
    if not examples:
        return
    book = RuleBook([rule])
    speaker = listens_to(rule.condition)
    for must, number, sentence in examples:
        if bool(book.match(Transcript((Turn(speaker, sentence),)))) is not must:
            yield Failure(must, number, sentence)


def listens_to(condition: Condition | Expression) -> Speaker:
    """Return by whom an example counts as said: the first speaker that the rule listens to."""
    if isinstance(condition, Condition):
        return condition.speaker or Speaker.CUSTOMER
    first = condition
    while isinstance(first, Group):
        first = first.parts[0]
    return first.where.speaker or Speaker.CUSTOMER


def _examples(box: str, *, is_must: bool) -> Sequence[tuple[bool, int, str]]:
    return [
        (is_must, number, line.strip())
        for number, line in enumerate(box.splitlines(), 1)
        if line.strip()
    ]
