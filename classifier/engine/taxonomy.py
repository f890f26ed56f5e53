"""The tree of categories as a value, and the codes that its label paths become."""

import hashlib
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

CODE_CHARACTERS = 80  # what the issue allows; a Salesforce picklist value holds 255
_DIGEST_CHARACTERS = 8
_PATH_SEPARATOR = " > "  # as written in data files
_SHOWN_SEPARATOR = " › "
# Nukta, kana voicing and virama are parts of letters, not accents on them (Unicode classes).
_LETTER_PARTS = frozenset({7, 8, 9})


@dataclass(frozen=True, slots=True)
class Node:
    """One category of the tree."""

    code: str
    label: str
    parent: str | None = None
    """The parent's code; None at the top."""


@dataclass(frozen=True)
class Taxonomy:
    """All categories that may be answered, as a forest.

    Raises:
        ValueError: two nodes of one code, a parent that is missing, or a ring of parents.
    """

    nodes: tuple[Node, ...] = ()

    def __post_init__(self) -> None:
        if len(self._by_code) != len(self.nodes):
            raise ValueError("two categories have one code")
        for node in self.nodes:
            if node.parent is not None and node.parent not in self._by_code:
                raise ValueError(f"the parent of {node.code} is missing: {node.parent}")
        for node in self.nodes:
            self._lineage(node)

    @classmethod
    def of_paths(cls, paths: Iterable[Sequence[str]]) -> "Taxonomy":
        """Return the tree of label paths; every level of a path becomes a category."""
        codes: dict[tuple[str, ...], str] = {}
        nodes: list[Node] = []
        for path in paths:
            for depth in range(1, len(path) + 1):
                key = tuple(path[:depth])
                if key in codes:
                    continue
                codes[key] = code_of(key, set(codes.values()))
                nodes.append(Node(codes[key], key[-1], codes.get(key[:-1])))
        return cls(tuple(nodes))

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    @property
    def codes(self) -> Set[str]:
        """The codes of all categories."""
        return self._by_code.keys()

    @cached_property
    def is_tree(self) -> bool:
        """Whether any category has others below it."""
        return any(node.parent is not None for node in self.nodes)

    def ancestors(self, code: str) -> tuple[str, ...]:
        """Return the codes above a category, nearest first."""
        return self._ancestors[code]

    def children(self, code: str | None) -> tuple[str, ...]:
        """Return the codes right below a category (None: those at the top), in given order."""
        return tuple(node.code for node in self.nodes if node.parent == code)

    def family(self, code: str) -> frozenset[str]:
        """Return the category and everything below it."""
        return self._families[code]

    def are_related(self, one: str, other: str) -> bool:
        """Say whether one is the other, or above or below it."""
        return other in self.family(one) or one in self.family(other)

    def is_right(self, answer: str, truths: Collection[str]) -> bool:
        """Say whether an answer is a true category or an ancestor of one."""
        return not self.family(answer).isdisjoint(truths)

    def deepest(self, codes: Collection[str]) -> list[str]:
        """Return the codes that have none of the others below them, in the order given."""
        return [
            code
            for code in dict.fromkeys(codes)
            if not any(other != code and other in self.family(code) for other in codes)
        ]

    def label(self, code: str) -> str:
        """Return the whole path as people read it: ``Billing › Refund``."""
        return _SHOWN_SEPARATOR.join(self._labels(code))

    def code_at(self, path: Sequence[str]) -> str | None:
        """Return the code of the category with these labels from the top; None: there is none."""
        return self._by_path.get(tuple(path))

    @cached_property
    def _by_path(self) -> Mapping[tuple[str, ...], str]:
        return {self._labels(node.code): node.code for node in self.nodes}

    @cached_property
    def _by_code(self) -> Mapping[str, Node]:
        return {node.code: node for node in self.nodes}

    @cached_property
    def _ancestors(self) -> Mapping[str, tuple[str, ...]]:
        return {node.code: self._lineage(node) for node in self.nodes}

    @cached_property
    def _families(self) -> Mapping[str, frozenset[str]]:
        families: dict[str, set[str]] = {node.code: {node.code} for node in self.nodes}
        for code, ancestors in self._ancestors.items():
            for ancestor in ancestors:
                families[ancestor].add(code)
        return {code: frozenset(family) for code, family in families.items()}

    def _labels(self, code: str) -> tuple[str, ...]:
        line = (code, *self.ancestors(code))
        return tuple(self._by_code[step].label for step in reversed(line))

    def _lineage(self, node: Node) -> tuple[str, ...]:
        lineage: list[str] = []
        parent = node.parent
        while parent is not None:
            if parent in lineage or parent == node.code:
                raise ValueError(f"{node.code} is its own ancestor")
            lineage.append(parent)
            parent = self._by_code[parent].parent
        return tuple(lineage)


def split_path(label: str) -> tuple[str, ...]:
    """Return the levels of a label as data files write it: ``Billing > Refund``."""
    return tuple(level for level in map(str.strip, label.split(_PATH_SEPARATOR)) if level)


def code_of(path: Sequence[str], taken: Collection[str] = ()) -> str:
    """Return the code of a label path: ``("Billing", "Refund")`` becomes ``billing.refund``.

    Lower case, levels joined by dots, every run of other than letters and digits one ``_`` (none
    at the ends), accents dropped, other scripts kept. A code longer than ``CODE_CHARACTERS``, in
    ``taken`` or without any letter is cut and ended by 8 digits of the path's SHA-256.
    """
    code = ".".join(level for level in map(_plain, path) if level)
    if code and len(code) <= CODE_CHARACTERS and code not in taken:
        return code
    digest = hashlib.sha256(_PATH_SEPARATOR.join(path).encode("utf-8", "surrogatepass"))
    room = CODE_CHARACTERS - _DIGEST_CHARACTERS - 1
    cut = code[:room].rstrip("_.")
    ending = digest.hexdigest()[:_DIGEST_CHARACTERS]
    return f"{cut}_{ending}" if cut else ending


def _plain(level: str) -> str:
    """Return one level in lower case, without accents, with ``_`` for all that is no letter."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", level).lower())
    kept = "".join(char for char in decomposed if not _is_accent(char))
    composed = unicodedata.normalize("NFC", kept)
    blanked = "".join(char if _belongs_to_a_word(char) else " " for char in composed)
    return "_".join(blanked.split())


def _is_accent(char: str) -> bool:
    return unicodedata.combining(char) not in _LETTER_PARTS | {0}


def _belongs_to_a_word(char: str) -> bool:
    # Vowel signs of Indic and Thai scripts are marks, yet the word cannot be read without them.
    return char.isalnum() or unicodedata.category(char) in {"Mn", "Mc"}
