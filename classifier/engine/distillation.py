"""Distillation: a sentence encoder becomes a table of static vectors, one for each piece.

A table whose weighted means come as close as they can to what the encoder says of whole
sentences (ridge regression), starting from what it says of each piece alone. The sentences are
WordNet's examples and definitions, and requests put together of its frequent words: no text of
any data set that the engine is measured on.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from classifier.engine.features import words_of
from classifier.engine.folding import fold
from classifier.engine.vectors import Pieces

Floats = NDArray[np.float32]

WIDTH = 256
SENTENCES = 88_000
"""Of about 145,000; 20 minutes of one core."""
STIFFNESS = 0.3
"""How much a piece keeps to its own vector: as much as some 20 sentences weigh."""
_STEPS = 20  # of conjugate gradients; the fit changes in the third digit after ten
_SPECIAL = (
    994  # BERT's vocabulary begins with so many pieces that are no words, then by frequency
)
_SVD_EACH = 4  # every fourth sentence is enough to find the 256 widest directions
_SHORTEST = 3  # letters of a word that requests are put together of
_LEAST = 1e-9
_INNER = "##"


@dataclass(frozen=True, slots=True)
class WordNet:
    """The files of WordNet 3.0 (``data.verb``, ``index.verb``, …), read."""

    examples: tuple[str, ...]
    definitions: tuple[tuple[tuple[str, ...], str], ...]
    """Each after the words that it defines."""
    frequent: dict[str, tuple[str, ...]]
    """By part of speech, the words that WordNet's own annotated texts hold."""

    @classmethod
    def of(cls, folder: Path) -> "WordNet":
        """Return what is read from a folder.

        Raises:
            OSError: a file is missing.
        """
        examples: list[str] = []
        definitions: list[tuple[tuple[str, ...], str]] = []
        for part in ("verb", "noun", "adj", "adv"):
            for head, gloss in _lines(folder / f"data.{part}"):
                examples += re.findall(r'"([^"]{6,160})"', gloss)
                said = re.sub(r'"[^"]*"?', "", gloss).strip(" ;")
                definitions.append((_defined(head), said[:120]))
        frequent = {
            part: _frequent(folder / f"index.{part}") for part in ("verb", "noun", "adj")
        }
        return cls(tuple(examples), tuple(definitions), frequent)


def sentences(wordnet: WordNet, vocabulary: Sequence[str], most: int = SENTENCES) -> list[str]:
    """Return sentences to distil from; the same ones each time.

    ``vocabulary``: the encoder's pieces, most frequent first.
    """
    rank = {word: place for place, word in enumerate(vocabulary)}
    chance = random.Random(7)
    words = {
        part: _ranked(found, rank)[:limit]
        for (part, found), limit in zip(
            wordnet.frequent.items(), (2_500, 6_000, 2_000), strict=True
        )
    }

    def one(part: str) -> str:
        """Draw a word, frequent ones more often."""
        among = words[part]
        return among[min(int(len(among) * chance.random() ** 2), len(among) - 1)]

    requests = [
        chance.choice(_REQUESTS).format(
            v=one("verb"), n=one("noun"), m=one("noun"), a=one("adj")
        )
        for _ in range(60_000)
    ]
    ranked = [
        (min(places), f"{words_defined[0]}: {said}")
        for words_defined, said in wordnet.definitions
        if said and (places := [rank[word] for word in words_defined if word in rank])
    ]
    explained = [text for _, text in sorted(ranked)[:40_000]]
    texts = list(dict.fromkeys([*wordnet.examples, *requests, *explained]))
    chance.shuffle(texts)
    return texts[:most]


def _ranked(words: Sequence[str], rank: Mapping[str, int]) -> list[str]:
    """Return the words that are whole pieces, frequent ones first."""
    known = [word for word in words if word in rank and len(word) >= _SHORTEST]
    return sorted(known, key=rank.__getitem__)


def distil(
    vocabulary: Sequence[str], alone: Floats, texts: Sequence[str], encoded: Floats
) -> tuple[list[str], Floats]:
    """Return the pieces that folded words can hold, and their vectors (pieces × ``WIDTH``).

    ``alone``: what the encoder says of each piece by itself (pieces × numbers); ``encoded``: of
    each text (texts × numbers).
    """
    kept = [place for place, piece in enumerate(vocabulary) if _is_sayable(piece)]
    pieces = [vocabulary[place] for place in kept]
    targets, single = _unit(encoded), _unit(alone[kept])
    targets -= targets.mean(axis=0)
    directions = np.linalg.svd(targets[::_SVD_EACH], full_matrices=False)[2][:WIDTH].T
    targets = targets @ directions
    # Zipf: a piece's place in the vocabulary tells how rare, so how telling, it is.
    rarity = np.log(1 + np.maximum(np.array(kept) - _SPECIAL, 1))
    start = (single - single.mean(axis=0)) @ directions * rarity[:, None]
    said = _said(Pieces(pieces), len(pieces), texts)
    first = said @ start
    start *= (first * targets).sum() / (first * first).sum()
    missing = targets - said @ start
    return pieces, np.asarray(start + _ridge(said, missing), dtype=np.float32)


def _ridge(said: csr_matrix, wanted: Floats) -> Floats:
    """Return the X that brings ``said @ X`` close to ``wanted``, by conjugate gradients."""
    turned = said.T.tocsr()

    def product(vectors: Floats) -> Floats:
        found: Floats = turned @ (said @ vectors) + STIFFNESS * vectors
        return found

    residual = turned @ wanted
    solution, direction = np.zeros_like(residual), residual.copy()
    squares = (residual**2).sum(axis=0)
    for _ in range(_STEPS):
        pushed = product(direction)
        step = squares / np.maximum((direction * pushed).sum(axis=0), _LEAST)
        solution += step * direction
        residual -= step * pushed
        now = (residual**2).sum(axis=0)
        direction = residual + now / np.maximum(squares, _LEAST) * direction
        squares = now
    return np.asarray(solution, dtype=np.float32)


def _said(pieces: Pieces, width: int, texts: Sequence[str]) -> csr_matrix:
    """Return texts × pieces: damped counts of words as the model has them, each row summing to 1."""
    columns: list[int] = []
    values: list[float] = []
    starts = [0]
    for text in texts:
        for word, count in Counter(words_of(fold(text).text)).items():
            rows = pieces.rows_of(word)
            columns += rows
            values += [1 + float(np.log(count))] * len(rows)
        starts.append(len(columns))
    said = csr_matrix((values, columns, starts), shape=(len(texts), width))
    said.sum_duplicates()
    sums = np.asarray(said.sum(axis=1)).ravel()
    said.data /= np.repeat(np.maximum(sums, _LEAST), np.diff(said.indptr))
    return said


def _is_sayable(piece: str) -> bool:
    """Say whether a folded word can hold a piece; accents and marks are folded away."""
    core = piece.removeprefix(_INNER)
    return bool(core) and words_of(fold(core).text) == [core]


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = vectors / np.maximum(lengths, _LEAST)
    return unit


def _lines(file: Path) -> Iterator[tuple[str, str]]:
    with file.open(encoding="latin-1") as lines:
        for line in lines:
            head, bar, gloss = line.partition("|")
            if bar and not line.startswith(" "):  # the licence is indented
                yield head, gloss.strip()


def _defined(head: str) -> tuple[str, ...]:
    """Return the words of a synset (wndb(5WN): their number is hexadecimal)."""
    found = head.split()
    return tuple(
        found[4 + 2 * place].replace("_", " ").lower() for place in range(int(found[3], 16))
    )


def _frequent(file: Path) -> tuple[str, ...]:
    """Return the words of an index that have a sense which is tagged in WordNet's texts."""
    words: list[str] = []
    with file.open(encoding="latin-1") as lines:
        for line in lines:
            found = line.split()
            if not line.startswith(" ") and int(found[5 + int(found[3])]) > 0:
                words.append(found[0])
    return tuple(words)


_REQUESTS = (
    "i want to {v} my {n}",
    "how do i {v} a {n}",
    "why was my {n} not {a}",
    "my {n} is {a}",
    "can you {v} the {n} for my {m}",
    "what is the {n} for {m}",
    "where can i {v} {n}",
    "the {n} did not {v}",
    "i need help with my {a} {n}",
    "is there a {a} {n}",
    "please {v} the {n} and the {m}",
    "i can not {v} the {n}",
    "there is a {n} on my {m}",
    "how long does the {n} {v}",
    "do you {v} {a} {n}",
    "when will my {n} {v}",
    "{v} {n} {m}",
    "{n} {m}",
    "{a} {n}",
    "i have {v} the {a} {n} but the {m} is missing",
    "who can {v} a {n} in {m}",
    "which {n} should i {v}",
    "it says {a} {n} when i {v}",
    "how much is a {n} {m}",
    "i was charged for the {n}",
    "tell me about {n} and {m}",
    "set the {n} to {a}",
    "what does {n} mean",
    "thanks the {n} is {a} now",
    "no i did not {v} any {n}",
    "could you explain the {n}",
    "yes {v} it to the {m}",
)
