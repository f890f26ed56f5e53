"""Wording: what examples and names say, word by word, and the vocabulary of any part of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.engine.features import Features
from classifier.engine.recipe import Recipe
from classifier.engine.vectors import shipped

Words = list[list[str]]
"""The words of each turn of a text."""

PHRASES_BELOW = 10  # examples; a category with more is known better than by what rules look for
_FEW = 3_000  # examples; below, a word that only one of them says may be all there is to go by


@dataclass(frozen=True, slots=True)
class Sayings:
    """Texts that stand for categories."""

    names: Mapping[str, str]
    phrases: Mapping[str, Sequence[str]]
    own: frozenset[str]
    """The categories that are learnt even without an example."""

    def of(self, label: str, examples: int, recipe: Recipe) -> list[str]:
        """Return what is said for a category of so many examples; each text once."""
        said = [self.names[label]] if label in self.names else []
        if examples >= recipe.names_below:
            said = []
        if examples < PHRASES_BELOW:
            said += self.phrases.get(label, ())
        return list(dict.fromkeys(said))


def sayings_of(names: Mapping[str, str], phrases: Mapping[str, Sequence[str]]) -> Sayings:
    """Return what ``learn`` takes from names and phrases."""
    own = frozenset(label for label, said in phrases.items() if said)
    return Sayings(names, phrases, own)


@dataclass(frozen=True, slots=True)
class Wording:
    """What is said in examples and names, and how a vocabulary is taken from it."""

    texts: Sequence[Words]
    names: Sequence[Words]
    recipe: Recipe
    min_texts: int
    share: float
    """Length of the vectors' block."""

    @classmethod
    def of(
        cls, texts: Sequence[Words], names: Sequence[Words], recipe: Recipe, labels: int
    ) -> "Wording":
        """Return the wording of texts about so many labels; what it asks for rests on all texts."""
        return cls(
            texts,
            names,
            recipe,
            recipe.min_texts or (1 if len(texts) < _FEW else 2),
            recipe.meaning_for(len(texts), labels),
        )

    def features(self, seen: NDArray[np.bool_] | None = None) -> Features:
        """Return the vocabulary of the texts seen (one mark each; None: all), and of the names."""
        texts = self.texts
        if seen is not None:
            texts = [texts[row] for row in np.flatnonzero(seen).tolist()]
        return Features.fit(
            [*texts, *self.names],
            self.recipe.ngrams,
            min_texts=self.min_texts,
            most=self.recipe.most_features,
            vectors=shipped() if self.share else None,
            share=self.share,
        )
