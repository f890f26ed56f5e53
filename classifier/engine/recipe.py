"""Recipe: how to train a model, as a value that can be stored beside it."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from classifier.engine.augmenting import Copy
from classifier.engine.features import NGrams
from classifier.engine.text import Speaker

_MEANINGS = ((50, 1.0), (15, 1.5), (1, 2.0), (0, 3.0))
"""From so many examples of a category on, on average, the vectors' block has this length."""
_WHOLES = ((15, 2.0), (1, 3.0), (0, 5.0))
"""The same of the encoder's block."""
_WHOLES_OF_SEVERAL = ((50, 1.5), *_WHOLES)
"""The same where a text may have several categories: its one vector is shared between them."""


def _length(steps: Sequence[tuple[int, float]], examples: int, labels: int) -> float:
    each = examples / max(1, labels)
    return next(length for fewest, length in steps if each >= fewest)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train; equal recipes on equal examples make equal models, byte for byte.

    The defaults were chosen out-of-fold on the training parts of public data sets.
    """

    speakers: tuple[Speaker, ...] = (Speaker.CUSTOMER,)
    """Whose turns are read; where they said nothing, everybody's are."""
    ngrams: NGrams = field(default_factory=NGrams)
    min_texts: int | None = None
    """How many texts must say a group of words or letters for it to count; None: 2, or 1 where
    examples are few (below 3,000; 150 to 400 short texts: a point of accuracy, 4 to 8 of coverage)."""
    most_features: int = 200_000
    meaning: float | None = None
    """Length of the static vectors' block beside the words' and the letters', which have 1; 0
    leaves them out (one point of accuracy on BANKING77, docs/decisions/0021). None: 1, and up to 3
    where categories have few examples (``meaning_for``)."""
    encoder: bool = False
    """Whether the sentence encoder of ENCODER_PATH is asked where the cheap part is unsure."""
    whole: float | None = None
    """Length of the encoder's block; None: 1.5 or 2, and up to 5 where categories have few examples
    (``whole_for``)."""
    penalty: float = 1.0
    """LinearSVC's C: higher follows the examples more closely."""
    balance: float = 0.0
    """How much more the few examples of a rare label count than those of a common one: 0 the
    same, 1 so that all labels weigh alike, 0.5 in between."""
    copies: tuple[Copy, ...] = ()
    """Copies with flaws that are learnt besides the examples; never scored."""
    names_below: int = 50
    """A label with fewer examples gets its name as one more; 0 turns that off. (Out-of-fold, 10 →
    all labels: curekart 89.7 → 90.3, BANKING77 and NLU++ the same.)"""
    folds: int | None = None
    """Parts for out-of-fold scores; None: 10, 5 or 3, fewer the more examples there are."""
    target_precision: float = 0.95
    """Share of automatic decisions that shall be right."""
    oos_share: float | None = None
    """Share of the traffic that is assumed to be out of scope; None: as in the labels."""
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.speakers:
            raise ValueError("a recipe names at least one speaker")
        if not 0 < self.target_precision < 1:
            raise ValueError(f"not a share: target_precision={self.target_precision}")
        if self.oos_share is not None and not 0 <= self.oos_share < 1:
            raise ValueError(f"not a share: oos_share={self.oos_share}")
        if self.penalty <= 0 or self.most_features < 1:
            raise ValueError("penalty and most_features are positive numbers")
        if not 0 <= (self.meaning or 0) < math.inf:
            raise ValueError(f"not a length: meaning={self.meaning}")
        if self.whole is not None and not 0 < self.whole < math.inf:
            raise ValueError(f"not a length: whole={self.whole}")
        if not 0 <= self.balance <= 1:
            raise ValueError(f"not between 0 and 1: balance={self.balance}")
        if self.min_texts is not None and self.min_texts < 1:
            raise ValueError("min_texts counts texts, from one on")
        if self.folds is not None and self.folds <= 1:
            raise ValueError("out-of-fold scores need two folds or more")

    def meaning_for(self, examples: int, labels: int) -> float:
        """Return the length of the vectors' block for so many examples of so many labels.

        The fewer texts a category has, the more of its words are met for the first time, and the
        more it helps to know words that mean the same. Accuracy on BANKING77's train, % (texts per
        category: names alone · 1 · 5 · 10 · 20 · 40):

        - length 1: 38.6 · 50.8 · 68.1 · 73.9 · 82.3 · 87.6
        - length 1.5: 42.0 · 53.1 · 69.5 · 75.2 · 82.6 · 87.9
        - length 2: 43.8 · 53.6 · 69.9 · 75.8 · 82.5 · 87.6
        - length 3: 45.2 · 53.4 · 69.2 · 75.1 · 81.9 · 87.0
        """
        if self.meaning is not None:
            return self.meaning
        return _length(_MEANINGS, examples, labels)

    def whole_for(self, examples: int, labels: int, *, exclusive: bool) -> float:
        """Return the length of the encoder's block for so many examples of so many labels.

        Accuracy on BANKING77's train, % (texts per category: names alone · 1 · 5 · 20), where the
        vectors' block has the length that it would have without the encoder:

        - length 1.5: 48.6 · 59.9 · 75.2 · 86.8
        - length 2: 50.9 · 62.2 · 76.5 · 87.2
        - length 3: 53.5 · 64.0 · 77.6 · 87.3
        - length 5: 55.7 · 64.9 · 77.7 · 86.9

        All of it, length 1.5 · 2 · 3: BANKING77 92.8 · 93.0 · 92.9; NLU++, where labels do not
        exclude each other, micro-F1 88.2 · 87.8 · 86.7. Of curekart's 21 texts per category 91.5 ·
        91.5 · 91.7; the longer, the closer come strangers (MCC 0.748 · 0.750 · 0.743).
        """
        if self.whole is not None:
            return self.whole
        return _length(_WHOLES if exclusive else _WHOLES_OF_SEVERAL, examples, labels)

    def to_json(self) -> str:
        """Return the recipe as one JSON object with sorted keys."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Recipe":
        """Return the recipe that ``to_json`` wrote; keys left out keep their default.

        Raises:
            ValueError: not an object, an unknown key, or a value that makes no sense.
        """
        found = json.loads(text)
        if not isinstance(found, dict):
            raise ValueError("a recipe is a JSON object")
        unknown = found.keys() - {known.name for known in fields(cls)}
        if unknown:
            raise ValueError(f"a recipe does not know {', '.join(sorted(unknown))}")
        return cls(**{name: _value(name, value) for name, value in found.items()})


def _value(name: str, value: Any) -> Any:
    if name == "speakers":
        return tuple(Speaker(speaker) for speaker in value)
    if name == "copies":
        return tuple(Copy(kind) for kind in value)
    if name == "ngrams":
        return NGrams(**{part: (int(low), int(high)) for part, (low, high) in value.items()})
    return value
