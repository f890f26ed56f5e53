"""Noise: what recognisers of speech and hurried hands do to words, made on purpose, repeatably."""

import hashlib
import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from classifier.engine.example import Example
from classifier.engine.text import Transcript, Turn

# One ideograph is as much as a word: a recogniser mistakes it alone.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")
_SHARES = (0.6, 0.2, 0.2)
"""Of the wrong words: heard as another, not heard, cut in two. Roughly what recognisers of
telephone speech do (substitutions outnumber deletions and insertions about three to one)."""
_SHORTEST_CUT = 4  # letters; shorter words are not heard as two
_CANDIDATES = 12  # sound-alikes of one word that are looked at
_SOUNDS = str.maketrans(
    {
        **dict.fromkeys("bfpvw", "f"), **dict.fromkeys("cgjkqsxz", "s"), **dict.fromkeys("dt", "t"),
        "l": "l", **dict.fromkeys("mn", "m"), "r": "r", **dict.fromkeys("aeiouyh", ""),
    }
)  # fmt: skip
"""Letters that are taken for each other, as in Soundex (Russell 1918); vowels are unsure."""
_MISHEARD = (
    ("ph", "f"), ("th", "d"), ("ck", "k"), ("tion", "shun"), ("ee", "i"), ("ou", "ow"), ("ing", "in"),
    ("ay", "ey"), ("b", "p"), ("d", "t"), ("g", "k"), ("v", "f"), ("z", "s"), ("m", "n"), ("c", "k"),
    ("s", "f"), ("t", "d"), ("p", "b"), ("k", "g"), ("f", "v"), ("n", "m"), ("e", "a"), ("i", "e"),
    ("a", "o"), ("o", "u"), ("u", "o"), ("y", "i"),
)  # fmt: skip
_KEYS = {
    letter: near
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for place, letter in enumerate(row)
    for near in [row[place - 1 : place] + row[place + 1 : place + 2]]
}
"""The neighbours of each key."""


@dataclass(frozen=True)
class Recogniser:
    """Mishears words as words that it knows and that sound alike; else as something near."""

    by_sound: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, transcripts: Iterable[Transcript]) -> "Recogniser":
        """Return a recogniser that knows the words of these transcripts."""
        known = {
            word.lower()
            for transcript in transcripts
            for turn in transcript.turns
            for word in _WORD.findall(turn.text)
        }
        by_sound: dict[str, list[str]] = {}
        for word in sorted(known):
            by_sound.setdefault(_sound(word), []).append(word)
        return cls(by_sound)

    def hear(self, transcript: Transcript, share: float, seed: int = 0) -> Transcript:
        """Return the transcript with ``share`` in [0, 1] of its words wrong (a word error rate).

        The same words and seed give the same errors; ``seed`` gives others. Of a few words the
        share is met on average.
        """
        chance = _chance(transcript, seed)
        return _changed(transcript, share, chance, lambda word: self._heard(word, chance))

    def _heard(self, word: str, chance: random.Random) -> str:
        (kind,) = chance.choices(("other", "lost", "cut"), _SHARES)
        if kind == "lost":
            return ""
        if kind == "cut" and len(word) >= _SHORTEST_CUT:
            place = chance.randint(2, len(word) - 2)
            return f"{word[:place]} {word[place:]}"
        return self._alike(word.lower(), chance)

    def _alike(self, word: str, chance: random.Random) -> str:
        known = [other for other in self.by_sound.get(_sound(word), ()) if other != word]
        if known:
            near = sorted(known, key=lambda other: (abs(len(other) - len(word)), other))
            return chance.choice(near[:_CANDIDATES])
        fitting = [(said, heard) for said, heard in _MISHEARD if said in word]
        if not fitting:
            return ""
        said, heard = chance.choice(fitting)
        return word.replace(said, heard, 1)


def mistyped(transcript: Transcript, share: float, seed: int = 0) -> Transcript:
    """Return the transcript with a slip of the keyboard in ``share`` of its words."""
    chance = _chance(transcript, seed)
    return _changed(transcript, share, chance, lambda word: _slip(word, chance))


def shouted(transcript: Transcript) -> Transcript:
    """Return the transcript in capitals."""
    turns = (replace(turn, text=turn.text.upper()) for turn in transcript.turns)
    return Transcript(tuple(turns))


def cut_short(transcript: Transcript, turns: int) -> Transcript:
    """Return the first turns of a transcript: what is known when a decision cannot wait."""
    return Transcript(transcript.turns[:turns])


def joined(examples: Sequence[Example], count: int) -> list[Example]:
    """Return each ``count`` examples as one long call that is about all that they are about.

    Which ones come together is drawn by their keys, so neighbours in a file do not. What is
    left over at the end is a shorter call.
    """
    rest = iter(sorted(examples, key=lambda example: _digest(example.key)))
    calls = []
    while parts := list(islice(rest, count)):
        turns = tuple(turn for part in parts for turn in part.transcript.turns)
        categories = frozenset().union(*(part.categories for part in parts))
        calls.append(Example(Transcript(turns), categories, f"joined-{parts[0].key}"))
    return calls


def word_count(transcript: Transcript) -> int:
    """Return how many words a transcript has; an ideograph is one."""
    return sum(len(_WORD.findall(turn.text)) for turn in transcript.turns)


def _changed(
    transcript: Transcript, share: float, chance: random.Random, change: Callable[[str], str]
) -> Transcript:
    if not 0 <= share <= 1:
        raise ValueError(f"not a share: {share}")
    total = word_count(transcript)
    wrong = int(share * total + chance.random())
    chosen = set(chance.sample(range(total), min(wrong, total)))
    turns: list[Turn] = []
    seen = 0
    for turn in transcript.turns:
        pieces: list[str] = []
        end = 0
        for match in _WORD.finditer(turn.text):
            pieces.append(turn.text[end : match.start()])
            pieces.append(change(match[0]) if seen in chosen else match[0])
            end = match.end()
            seen += 1
        turns.append(replace(turn, text="".join([*pieces, turn.text[end:]])))
    return Transcript(tuple(turns))


def _slip(word: str, chance: random.Random) -> str:
    place = chance.randrange(len(word))
    letter = word[place]
    kinds = [
        word[:place] + word[place + 1 :],  # left out
        word[: place + 1] + word[place:],  # struck twice
        word[:place] + chance.choice(_KEYS.get(letter.lower(), letter)) + word[place + 1 :],
    ]
    if place + 1 < len(word):
        kinds.append(word[:place] + word[place + 1] + letter + word[place + 2 :])
    return chance.choice(kinds)


def _sound(word: str) -> str:
    """Return the consonants that are heard, doubles once."""
    heard = word[:1] + word[1:].translate(_SOUNDS)
    heard = heard[:1].translate(_SOUNDS) + heard[1:]
    return "".join(
        letter for place, letter in enumerate(heard) if letter != heard[place - 1 : place]
    )


def _chance(transcript: Transcript, seed: int) -> random.Random:
    return random.Random(
        _digest(f"{seed}\n" + "\n".join(turn.text for turn in transcript.turns))
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
