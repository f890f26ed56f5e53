"""Features: the words, word pairs and letter groups of a conversation, weighted and counted."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from classifier.engine.folding import Folded, fold
from classifier.engine.redaction import without_placeholders
from classifier.engine.text import Speaker, Transcript

WORD_CHARACTERS = 40  # a longer run is no word but noise, or a sentence written without blanks
_WORDS_REMEMBERED = 50_000  # whose letter groups are kept at hand, about 20 MB at most

_TEXTS_AT_ONCE = 1_000  # of a matrix being made; of 1 kB each they need 120 MB

Block = TypeVar("Block")
Floats = NDArray[np.float32]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Reading:
    """The turns of one transcript that a model reads, folded."""

    turns: tuple[int, ...]
    """Their places in the transcript."""
    folded: tuple[Folded, ...]

    @classmethod
    def of(
        cls,
        transcript: Transcript,
        speakers: Sequence[Speaker],
        folded: Sequence[Folded] | None = None,
    ) -> "Reading":
        """Return what the speakers said; where they said nothing, what anybody said.

        ``folded[i]`` is ``fold(transcript.turns[i].text)``, where the caller has it already.
        """
        wanted = frozenset(speakers)
        spoken = [
            i
            for i, turn in enumerate(transcript.turns)
            if turn.text and not turn.text.isspace()
        ]
        chosen = [i for i in spoken if transcript.turns[i].speaker in wanted] or spoken
        return cls(
            tuple(chosen),
            tuple(folded[i] if folded else fold(transcript.turns[i].text) for i in chosen),
        )

    def words(self) -> list[list[str]]:
        """Return the words of each turn, in order."""
        return [words_of(folded.text) for folded in self.folded]

    def placed_words(self) -> Iterator[list[tuple[int, int, int, str]]]:
        """Yield for each turn its words as (turn, start, end, word), offsets in folded text."""
        for turn, folded in zip(self.turns, self.folded, strict=True):
            found = _pattern(folded.text).finditer(without_placeholders(folded.text))
            yield [(turn, *match.span(), match[0]) for match in found]


def words_of(folded: str) -> list[str]:
    """Return the words of a folded text; what was redacted is none."""
    return _pattern(folded).findall(without_placeholders(folded))


def _pattern(text: str) -> "re.Pattern[str]":
    return _ASCII_WORD if text.isascii() else _word_of_any_script()


_ASCII_WORD = re.compile(rf"\w{{1,{WORD_CHARACTERS}}}", re.ASCII)


@lru_cache(maxsize=1)
def _word_of_any_script() -> "re.Pattern[str]":
    """Return the pattern of a word; the vowel signs of Hindi are letters here, unlike in re."""
    marks = "".join(
        char for char in map(chr, range(0x300, 0x10000)) if unicodedata.category(char)[0] == "M"
    )
    return re.compile(rf"[\w{re.escape(marks)}]{{1,{WORD_CHARACTERS}}}")


@dataclass(frozen=True, slots=True)
class NGrams:
    """How long the word and letter groups are; both bounds are included."""

    words: tuple[int, int] = (1, 2)
    letters: tuple[int, int] = (2, 5)

    def of_words(self, words: Sequence[str]) -> Iterator[list[str]]:
        """Yield, for each length, the groups of neighbouring words in order."""
        for length in range(self.words[0], self.words[1] + 1):
            shifted = (words[start:] for start in range(length))
            yield list(map(" ".join, zip(*shifted, strict=False)))

    def of_letters(self, word: str) -> list[str]:
        """Return the letter groups of one word, whose ends count as blanks."""
        padded = f" {word} "
        return [
            padded[start : start + length]
            for length in range(self.letters[0], min(self.letters[1], len(padded)) + 1)
            for start in range(len(padded) - length + 1)
        ]


class WordVectors(Protocol):
    """Vectors of words, shared by all models: a third block beside words and letter groups.

    What a text adds is linear in its words, so that evidence stays exact: the block of a text is
    the sum over its distinct words of (1 + ln count) times the word's vector, brought to length
    1 and times the block's share. ``Features.fit(texts, ngrams, …, vectors=…, share=…)`` appends
    ``width`` columns to ``Features.matrix``; rows ``len(features) - width`` and up of a model's
    weights are theirs. A model's file holds their digest, never the vectors.
    """

    width: int
    """Numbers of a vector."""
    digest: str
    """SHA-256 (hexadecimal) of all that the vectors come from."""

    def of(self, words: Sequence[str]) -> Floats:
        """Return words × width: each word's vector, weighed by how much the word tells.

        A word that is unknown in every piece has the zero vector. Deterministic; words come
        folded, are distinct and at most ``WORD_CHARACTERS`` long. Asked once per word.
        """
        ...


@dataclass(frozen=True, slots=True)
class Features:
    """A fitted vocabulary: row numbers and rarity of each word group and letter group.

    Rows ``0 .. len(words) - 1`` are word groups, the following are letter groups. Each of the two
    blocks of a vector has length 1, so neither drowns the other.
    """

    ngrams: NGrams
    words: Mapping[str, int]
    letters: Mapping[str, int]
    rarity: Floats
    """Inverse document frequency of each row, at least 1."""
    _known: dict[str, tuple[int, ...]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def fit(
        cls, texts: Iterable[list[list[str]]], ngrams: NGrams, *, min_texts: int, most: int
    ) -> "Features":
        """Return the groups said in at least ``min_texts`` texts, the ``most`` frequent ones.

        Each text is the words of each of its turns.
        """
        said: Counter[str] = Counter()
        spelt: Counter[str] = Counter()
        count = 0
        remembered: dict[str, list[str]] = {}
        for turns in texts:
            count += 1
            said.update(
                {g for words in turns for groups in ngrams.of_words(words) for g in groups}
            )
            letters_said: set[str] = set()
            for word in {word for words in turns for word in words}:
                if word not in remembered:
                    remembered[word] = ngrams.of_letters(word)
                letters_said.update(remembered[word])
            spelt.update(letters_said)
        words = _frequent(said, min_texts, most // 2)
        letters = _frequent(spelt, min_texts, most // 2)
        frequency = np.array(
            [*(said[group] for group in words), *(spelt[group] for group in letters)],
            dtype=np.float64,
        )
        rarity = np.log((1 + count) / (1 + frequency)) + 1
        return cls.of_groups(ngrams, words, letters, rarity.astype(np.float32))

    @classmethod
    def of_groups(
        cls, ngrams: NGrams, words: Sequence[str], letters: Sequence[str], rarity: Floats
    ) -> "Features":
        """Return the vocabulary whose rows are these groups, in this order."""
        return cls(
            ngrams,
            {group: row for row, group in enumerate(words)},
            {group: row for row, group in enumerate(letters, len(words))},
            rarity,
        )

    def __len__(self) -> int:
        return len(self.words) + len(self.letters)

    def vector(self, turns: Iterable[Sequence[str]]) -> tuple[Whole, Floats]:
        """Return the rows that one text touches, ascending, and their values."""
        rows, counts = np.unique(
            np.array(self._rows(turns), dtype=np.int64), return_counts=True
        )
        values = self._weighed(rows, counts)
        border = int(np.searchsorted(rows, len(self.words)))
        return rows, np.concatenate([_unit(values[:border]), _unit(values[border:])])

    def matrix(self, texts: Iterable[Iterable[Sequence[str]]]) -> csr_matrix:
        """Return texts × rows; each line is what ``vector`` returns for that text.

        Made block by block: 50,000 texts of 1 kB would need 6 GB at once on the way.
        """
        values: list[Floats] = []
        rows: list[NDArray[np.int32]] = []
        sizes: list[Whole] = []
        for block in _in_blocks(texts):
            found = self._block(block)
            values.append(found[0])
            rows.append(found[1])
            sizes.append(found[2])
        if not sizes:
            return csr_matrix((0, len(self)), dtype=np.float32)
        starts = np.concatenate([[0], np.cumsum(np.concatenate(sizes))])
        columns = np.concatenate(rows)
        rows.clear()  # the parts and the whole beside each other would be half as much again
        return csr_matrix(
            (np.concatenate(values), columns, starts), shape=(len(starts) - 1, len(self))
        )

    def _block(
        self, texts: Sequence[Iterable[Sequence[str]]]
    ) -> tuple[Floats, NDArray[np.int32], Whole]:
        """Return values and rows of some texts, one text after the other, and how many each has."""
        found = [np.array(self._rows(turns), dtype=np.int64) for turns in texts]
        lines = np.repeat(np.arange(len(found)), [len(rows) for rows in found])
        keys, counts = np.unique(lines * len(self) + np.concatenate(found), return_counts=True)
        lines, rows = np.divmod(keys, max(len(self), 1))
        values = self._weighed(rows, counts)
        blocks = 2 * lines + (rows >= len(self.words))
        squares = np.bincount(blocks, weights=values.astype(np.float64) ** 2)
        values /= np.sqrt(squares)[blocks].astype(np.float32)
        sizes = np.bincount(lines, minlength=len(found))
        return values, rows.astype(np.int32), sizes.astype(np.int64)

    def _weighed(self, rows: Whole, counts: Whole) -> Floats:
        """Return damped counts times rarity: the tenth "refund" says less than the first."""
        damped: Floats = (1 + np.log(counts)).astype(np.float32) * self.rarity[rows]
        return damped

    def _rows(self, turns: Iterable[Sequence[str]]) -> list[int]:
        rows: list[int] = []
        get = self.words.get
        for words in turns:
            for groups in self.ngrams.of_words(words):
                rows += [row for row in map(get, groups) if row is not None]
            for word in words:
                rows += self.letters_of(word)
        return rows

    def letters_of(self, word: str) -> tuple[int, ...]:
        """Return the rows of a word's letter groups, in order, with repeats."""
        rows = self._known.get(word)
        if rows is None:
            get = self.letters.get
            found = map(get, self.ngrams.of_letters(word))
            rows = tuple(row for row in found if row is not None)
            if len(self._known) >= _WORDS_REMEMBERED:
                self._known.clear()
            self._known[word] = rows
        return rows


def _in_blocks(texts: Iterable[Block]) -> Iterator[list[Block]]:
    rest = iter(texts)
    while block := list(islice(rest, _TEXTS_AT_ONCE)):
        yield block


def _unit(block: Floats) -> Floats:
    """Return the block with length 1; an empty one stays empty."""
    unit: Floats = block / np.sqrt(block @ block) if block.size else block
    return unit


def _frequent(counted: Counter[str], at_least: int, most: int) -> list[str]:
    """Return the most frequent groups in alphabetical order; ties fall alphabetically."""
    kept = [group for group, count in counted.items() if count >= at_least]
    if len(kept) > most:
        kept = sorted(kept, key=lambda group: (-counted[group], group))[:most]
    return sorted(kept)
