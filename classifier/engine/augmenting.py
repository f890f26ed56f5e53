"""Augmenting: copies of labelled texts with the flaws that the next texts may have."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum

from classifier.engine.example import Example
from classifier.engine.noise import Recogniser, cut_short, mistyped
from classifier.engine.text import Transcript

Further = Callable[[Sequence[Example]], Sequence[Example]]
"""Gives what is to be learnt besides some examples, from nothing else than these."""

WRONG_WORDS = 0.15
"""Share of a copy's words that are mistyped or misheard."""
_FEWEST_TURNS = 3  # of fewer there is nothing to leave out


class Copy(StrEnum):
    """What kind of copies a recipe adds to its examples.

    Case is not among them: it is folded away before anything is read.
    """

    MISTYPED = "mistyped"
    MISHEARD = "misheard"
    FIRST_TURNS = "first_turns"


def copies_of(examples: Sequence[Example], kinds: Sequence[Copy]) -> list[Example]:
    """Return a copy of each kind of each example, where it differs from the example.

    Made from these examples alone (a recogniser knows their words only), so that the copies of
    a fold's training part never hold anything of the part that is scored.
    """
    made: list[Example] = []
    for kind in kinds:
        change = _change(kind, examples)
        for example in examples:
            changed = change(example.transcript)
            if changed != example.transcript:
                made.append(
                    replace(example, transcript=changed, key=f"{example.key} {kind.value}")
                )
    return made


def _change(kind: Copy, examples: Sequence[Example]) -> Callable[[Transcript], Transcript]:
    if kind is Copy.MISTYPED:
        return lambda transcript: mistyped(transcript, WRONG_WORDS)
    if kind is Copy.MISHEARD:
        recogniser = Recogniser.of(example.transcript for example in examples)
        return lambda transcript: recogniser.hear(transcript, WRONG_WORDS)
    return _first_half


def _first_half(transcript: Transcript) -> Transcript:
    turns = len(transcript.turns)
    return cut_short(transcript, turns // 2) if turns >= _FEWEST_TURNS else transcript
