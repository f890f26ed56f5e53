"""Text whose lines begin with their speaker (“Agent: …”), in time linear in its length."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from classifier.engine.text import Speaker
from sfsync.sources import speakers

_CLOCK = r"[\[(]?\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,6})?\s?(?:[AaPp][Mm])?[\])]?"
_DAY = r"[\[(]?\d{1,4}[-./]\d{1,2}[-./]\d{1,4}[T,]?\s?"
LINE = re.compile(
    rf"""(?x) \s{{0,20}} (?: [-*•]\s )?
        (?: (?:{_DAY})? {_CLOCK} \s{{0,9}} [-–|]? \s{{0,9}} )?  # 10:15:02, [00:01:23] or with a day
        [*_]{{0,2}} (?P<label> [^\s:：*][^:：\n]{{0,59}}? ) [*_]{{0,2}}
        \s{{0,5}} (?: {_CLOCK} )? \s{{0,5}} [:：] [*_]{{0,2}}
        (?![/\\]) \s? (?P<words> .* )
    """
)
NAME = re.compile(r"\w[\w'’.-]*(?:\s\w[\w'’.-]*){0,3}")
FORM_WORDS = speakers.listed(
    "subject order note notes date time phone email e-mail address name number case ticket issue"
    " summary status url link price total amount product account question answer reason topic"
    " action duration outcome result resolution next today ps re fw fwd betreff datum hinweis"
    " notiz asunto fecha nota objet"
)
"""What stands before a colon in everyday text; nobody is called so."""
LINES_OF_A_SPEAKER = 2
"""So often must a name stand before a colon to be a speaker's and not a word of the text."""


@dataclass(frozen=True, slots=True)
class Line:
    """What one speaker said without a break."""

    speaker: Speaker
    text: str


def read(
    text: str, customer_names: Iterable[str] = (), *, preamble: Speaker | None = None
) -> list[Line]:
    """Return who said what; empty where no line names a speaker that we know.

    A line without a speaker goes on with what the last one said. ``preamble`` says the lines
    before the first speaker's; None: nobody does, as with a heading.
    """
    names = list(customer_names)
    rows = [(line, LINE.match(line)) for line in text.split("\n")]
    cast = _cast([found["label"] for _, found in rows if found], names)
    if not cast:
        return []
    said: list[tuple[Speaker | None, list[str]]] = [(preamble, [])]
    for line, found in rows:
        label = found["label"].strip() if found else ""
        if found and (label in cast or speakers.is_nobody(label)):
            said.append((cast.get(label), [found["words"]]))
        else:
            said[-1][1].append(line)
    lines = [(speaker, "\n".join(words).strip()) for speaker, words in said]
    return [Line(speaker, words) for speaker, words in lines if speaker is not None and words]


def may_be_speaker(label: str) -> bool:
    """Return whether what stands before a colon may be somebody who speaks."""
    is_told = speakers.known(label) is not None or speakers.is_nobody(label)
    return is_told or _is_name(label)


def is_form(text: str) -> bool:
    """Return whether lines begin with other words and a colon than speakers: “Address: …”."""
    found = (LINE.match(line) for line in text.split("\n"))
    return any(one is not None and not may_be_speaker(one["label"].strip()) for one in found)


def _cast(labels: Iterable[str], customer_names: list[str]) -> dict[str, Speaker]:
    """Return label → speaker of those labels that are speakers and not words of the text."""
    counted = Counter(label.strip() for label in labels)
    wanted = {name.strip().casefold() for name in customer_names}
    speaking = [
        label
        for label, times in counted.items()
        if speakers.known(label) is not None
        or label.casefold() in wanted
        or (times >= LINES_OF_A_SPEAKER and _is_name(label))
    ]
    is_anybody_known = any(
        speakers.known(label) is not None or label.casefold() in wanted for label in speaking
    )
    return dict(speakers.cast(speaking, customer_names)) if is_anybody_known else {}


def _is_name(label: str) -> bool:
    """Return whether this may be a person's name: few words, each with a capital letter."""
    if label.casefold() in FORM_WORDS or not NAME.fullmatch(label):
        return False
    return all(word[0].isupper() or not word[0].isascii() for word in label.split())
