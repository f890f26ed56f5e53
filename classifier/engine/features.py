"""Features: the words, word groups and letter groups of a text, hashed, weighed and counted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from classifier.engine import hashing
from classifier.engine.counting import Tally, TextBlock, distinct, in_blocks, lengths_of
from classifier.engine.hashing import KeyTable, Whole
from classifier.engine.reading import WORD_CHARACTERS, Reading, words_of

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = [
    "WORD_CHARACTERS",
    "Features",
    "Floats",
    "NGrams",
    "Reading",
    "Spelling",
    "Whole",
    "WordVectors",
    "damped",
    "words_of",
]

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class NGrams:
    """How long the word and letter groups are; both bounds are included."""

    words: tuple[int, int] = (1, 2)
    letters: tuple[int, int] = (1, 5)


class WordVectors(Protocol):
    """Vectors of words, shared by all models: a third block beside words and letter groups.

    What a text adds is linear in its words, so that evidence stays exact: the block of a text is
    the sum over its distinct words of (1 + ln count) times the word's vector, divided by the root
    of the sum of these vectors' squared lengths, and times the block's share.
    ``Features.fit(texts, ngrams, …, vectors=…, share=…)`` appends ``width`` columns to
    ``Features.matrix``; rows ``len(features) - width`` and up of a model's weights are theirs. A
    model's file holds their digest, never the vectors.
    """

    @property
    def width(self) -> int:
        """Numbers of a vector."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 (hexadecimal) of all that the vectors come from."""
        ...

    def of(self, words: Sequence[str]) -> tuple[Floats, NDArray[np.float64]]:
        """Return words × width: each word's vector, weighed by how much the word tells.

        And the square of the length that each word counts with, its vector's or more. A word that
        is unknown in every piece has the zero vector. Deterministic; words come
        folded, are distinct and at most ``WORD_CHARACTERS`` long. Asked once per word.
        """
        ...


@dataclass(frozen=True, slots=True)
class Spelling:
    """The known letter groups of some distinct words.

    Word ``i`` has those at ``starts[i]:starts[i + 1]``, ascending.
    """

    starts: Whole
    rows: Whole
    """Rows of the features."""
    counts: Whole
    """How often the word holds the group."""


@dataclass(frozen=True)
class Features:
    """A fitted vocabulary: the keys of word groups and letter groups, and how rare they are.

    Rows ``0 .. len(words) - 1`` are word groups, the following are letter groups, then come the
    numbers of the words' vectors, where there are any. A text has a vector of three blocks:

    - word groups: (1 + ln count) times rarity, brought to length 1;
    - letter groups: the sum over the distinct words of (1 + ln count of the word) times the
      word's own letter groups (count in the word times rarity), divided by the root of the sum of
      the words' squared lengths. So what a word adds depends on the text by two numbers alone,
      and is worked out once per distinct word. As accurate out-of-fold as TF-IDF of all letter
      groups together (decision 23);
    - vectors: see ``WordVectors``.
    """

    ngrams: NGrams
    words: KeyTable
    letters: KeyTable
    rarity: Floats
    """Inverse document frequency of each row of the first two blocks, at least 1."""
    vectors: WordVectors | None = None
    share: float = 1.0
    """Length of the vectors' block where words have nothing in common; that of the words is 1."""

    @classmethod
    def fit(
        cls,
        texts: Iterable[list[list[str]]],
        ngrams: NGrams,
        *,
        min_texts: int,
        most: int,
        vectors: WordVectors | None = None,
        share: float = 1.0,
    ) -> "Features":
        """Return the groups said in at least ``min_texts`` texts, the ``most`` frequent ones.

        Each text is the words of each of its turns. Texts are taken 1,000 at a time.
        """
        said, spelt = Tally(), Tally()
        count = 0
        for some in in_blocks(texts):
            block = TextBlock.of(some, ngrams.words)
            count += block.size
            said.add(block.word_keys(ngrams.words)[1])
            spelt.add(block.letter_keys(ngrams.letters)[1])
        kept = [tally.kept(min_texts, most // 2) for tally in (said, spelt)]
        frequency = np.concatenate([texts_with for _, texts_with in kept])
        return cls(
            ngrams,
            KeyTable(kept[0][0]),
            KeyTable(kept[1][0]),
            rarity_of(frequency, count),
            vectors,
            share,
        )

    def __len__(self) -> int:
        return self.hashed + (self.vectors.width if self.vectors else 0)

    @property
    def hashed(self) -> int:
        """How many rows are hashed groups."""
        return len(self.words) + len(self.letters)

    @cached_property
    def factors(self) -> Floats:
        """What a count of 1 is worth in each row, before lengths are brought to 1."""
        width = len(self) - self.hashed
        return np.concatenate([self.rarity, np.full(width, self.share, dtype=np.float32)])

    def spelling(self, words: Sequence[str]) -> Spelling:
        """Return the known letter groups of distinct words, all worked out at once."""
        owners, keys = hashing.letter_keys_of_all(words, self.ngrams.letters)
        rows = self.letters.rows(keys)
        known = rows >= 0
        size = max(1, len(self.letters))
        pairs, counts = np.unique(owners[known] * size + rows[known], return_counts=True)
        owners, rows = np.divmod(pairs, size)
        starts = np.searchsorted(owners, np.arange(len(words) + 1))
        return Spelling(starts, rows + len(self.words), counts)

    def spelling_of(self, word: str) -> Spelling:
        """Return what ``spelling`` does, of one word: quicker for a few."""
        row_of = self.letters.row_of
        counts: dict[int, int] = {}
        for key in hashing.letter_keys(word, self.ngrams.letters):
            row = row_of.get(key)
            if row is not None:
                counts[row] = counts.get(row, 0) + 1
        rows = sorted(counts)
        return Spelling(
            np.array([0, len(rows)]),
            np.array(rows, dtype=np.int64) + len(self.words),
            np.array([counts[row] for row in rows], dtype=np.int64),
        )

    def vector(self, turns: list[list[str]]) -> tuple[Whole, Floats]:
        """Return the rows that one text touches, ascending, and their values."""
        line = self.matrix([turns])
        return line.indices.astype(np.int64), line.data

    def matrix(self, texts: Iterable[list[list[str]]]) -> "csr_matrix":
        """Return texts × rows (float32), to learn from; each text is the words of each turn."""
        from scipy.sparse import csr_matrix, vstack  # noqa: PLC0415 - only a training needs it

        blocks = [
            self._lines(TextBlock.of(some, self.ngrams.words)) for some in in_blocks(texts)
        ]
        if not blocks:
            return csr_matrix((0, len(self)), dtype=np.float32)
        return vstack(blocks, format="csr")

    def _lines(self, block: TextBlock) -> "csr_matrix":
        """Return the vectors of some texts."""
        from scipy.sparse import csr_matrix, diags, hstack  # noqa: PLC0415 - as above

        lines, rows, values = self._said(block)
        said = csr_matrix(
            (values / lengths_of(lines, values**2, block.size)[lines], (lines, rows)),
            shape=(block.size, len(self.words)),
        )
        spelling = self.spelling(block.words)
        weighed = spelling.counts * self.rarity[spelling.rows].astype(np.float64)
        letters = csr_matrix(
            (weighed, spelling.rows - len(self.words), spelling.starts),
            shape=(len(block.words), len(self.letters)),
        )
        times = damped(block.counts)
        squares = squared_lengths(spelling, self.rarity)[block.ids] * times**2
        uses = csr_matrix(
            (times, (block.lines, block.ids)), shape=(block.size, len(block.words))
        )
        spelt = diags(1 / lengths_of(block.lines, squares, block.size)) @ (uses @ letters)
        parts = [said, spelt]
        if self.vectors:
            vectors, squared = self.vectors.of(block.words)
            squares = squared[block.ids] * times**2
            lengths = lengths_of(block.lines, squares, block.size)
            sums = uses @ vectors.astype(np.float64)
            parts.append(csr_matrix(sums * (self.share / lengths)[:, None]))
        made = hstack(parts, format="csr", dtype=np.float32)
        made.sort_indices()
        return made

    def _said(self, block: TextBlock) -> tuple[Whole, Whole, NDArray[np.float64]]:
        """Return text, row and value of each word group that is said and known."""
        rows = self.words.rows(block.group_keys)
        lines, group_rows, counts = distinct(block.group_lines[rows >= 0], rows[rows >= 0])
        word_rows = self.words.rows(hashing.keys_of(block.hashes))[block.ids]
        known = word_rows >= 0
        all_rows = np.concatenate([word_rows[known], group_rows])
        times = damped(np.concatenate([block.counts[known], counts]))
        all_lines = np.concatenate([block.lines[known], lines])
        return all_lines, all_rows, times * self.rarity[all_rows]


def rarity_of(frequency: Whole, texts: int) -> Floats:
    """Return the inverse document frequency of groups said in so many of the texts."""
    rarity: Floats = (np.log((1 + texts) / (1 + frequency)) + 1).astype(np.float32)
    return rarity


def damped(counts: Whole) -> NDArray[np.float64]:
    """Return 1 + ln count: the tenth "refund" says less than the first."""
    times: NDArray[np.float64] = 1 + np.log(counts)
    return times


def squared_lengths(spelling: Spelling, rarity: Floats) -> NDArray[np.float64]:
    """Return for each word the sum of the squares of its letter groups' values."""
    weighed = spelling.counts * rarity[spelling.rows].astype(np.float64)
    sums = np.concatenate([weighed**2, [0.0]])  # so that every start is within
    found: NDArray[np.float64] = np.add.reduceat(sums, spelling.starts[:-1])
    found[spelling.starts[:-1] == spelling.starts[1:]] = 0
    return found
