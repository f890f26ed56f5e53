"""The starter pack: a general service desk's taxonomy, keyword rules and labelled conversations."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from classifier.engine.datasets import Record, read_records
from classifier.engine.grammar import Condition, Effect
from classifier.engine.rules import Rule
from classifier.engine.taxonomy import Taxonomy, split_path
from classifier.engine.text import Speaker

__all__ = ["StarterCategory", "StarterPack", "StarterRule", "conversations_path", "load"]

_ANYONE = "anyone"  # how the file says that it does not matter who speaks


@dataclass(frozen=True, slots=True)
class StarterCategory:
    """One category: the labels from the top, and one sentence on what belongs there."""

    path: tuple[str, ...]
    guideline: str


@dataclass(frozen=True, slots=True)
class StarterRule:
    """One keyword rule, and sentences that show what it is for."""

    name: str
    category: tuple[str, ...]
    """The category's path."""
    condition: Condition
    effect: Effect
    is_certain: bool
    """Whether it decides alone from the first day, before labels say how often it is right."""
    must: tuple[str, ...]
    """Sentences for which the rule must hold."""
    must_not: tuple[str, ...]
    """Sentences for which it must not hold."""

    def to_rule(self, taxonomy: Taxonomy) -> Rule:
        """Return the rule as the engine compiles it, on the code that the tree gives its path.

        Raises:
            ValueError: the tree has no such path.
        """
        code = taxonomy.code_at(self.category)
        if code is None:
            raise ValueError(f"no category {' > '.join(self.category)} for rule {self.name}")
        return Rule(self.name, code, self.condition, self.effect, is_certain=self.is_certain)


@dataclass(frozen=True, slots=True)
class StarterPack:
    """Everything a desk without data of its own can begin with."""

    categories: tuple[StarterCategory, ...]
    """Parents before their children."""
    rules: tuple[StarterRule, ...]
    conversations: tuple[Record, ...]
    """Both splits; only ``train`` may become gold labels, ``test`` is what the demo's org holds."""

    def taxonomy(self) -> Taxonomy:
        """Return the tree of all categories."""
        return Taxonomy.of_paths(category.path for category in self.categories)


def load() -> StarterPack:
    """Return the pack, read from its files."""
    return StarterPack(
        tuple(_category(found) for found in _rows("taxonomy.json")),
        tuple(_rule(found) for found in _rows("rules.json")),
        tuple(read_records(conversations_path())),
    )


def conversations_path() -> Path:
    """Return where the conversations lie: JSON lines, with channel and subject of each."""
    return _file("conversations.jsonl")


def _file(name: str) -> Path:
    return Path(str(resources.files(__name__) / name))


def _rows(name: str) -> Iterator[Mapping[str, Any]]:
    yield from json.loads(_file(name).read_text(encoding="utf-8"))


def _category(found: Mapping[str, Any]) -> StarterCategory:
    return StarterCategory(split_path(found["path"]), found["guideline"])


def _rule(found: Mapping[str, Any]) -> StarterRule:
    speaker = found["speaker"]
    condition = Condition(
        any_of=tuple(found["any_of"]),
        all_of=tuple(found["all_of"]),
        none_of=tuple(found["none_of"]),
        speaker=None if speaker == _ANYONE else Speaker(speaker),
        whole_word=found["whole_word"],
    )
    return StarterRule(
        name=found["name"],
        category=split_path(found["category"]),
        condition=condition,
        effect=Effect(found["effect"]),
        is_certain=found["certain"],
        must=tuple(found["must"]),
        must_not=tuple(found["must_not"]),
    )
