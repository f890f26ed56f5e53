"""Rules read from a JSON file: the same that the exchange writes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from classifier.engine.errors import EngineError, RuleInvalid
from classifier.engine.grammar import ANYBODY, Condition, Effect
from classifier.engine.rule_trial import failures
from classifier.engine.rulelang import Expression, parse, says
from classifier.engine.rules import Rule
from classifier.engine.taxonomy import Taxonomy, split_path
from classifier.engine.text import Speaker

_KEYS = frozenset(
    {"name", "category", "effect", "any_of", "all_of", "none_of", "speaker", "whole_word"}
    | {"must_match", "must_not_match", "active", "expression", "certain", "strength"}
)
_PHRASES = ("any_of", "all_of", "none_of")


class RuleFileInvalid(EngineError):
    """A file of rules cannot be used; the message names the rule and the remedy."""

    code: ClassVar[str] = "rule_file_invalid"


def read_rules(path: Path | str, taxonomy: Taxonomy) -> list[Rule]:
    """Return the active rules of a file, every one tried on its examples.

    A strength in it is left out: what another desk measured says nothing of these texts.

    The file is ``{"rules": [{"name", "category", "expression", …}]}``, as the exchange writes it.
    A category is a code or a path of labels.

    Raises:
        RuleFileInvalid: no such file, not JSON, an unknown key or category, a mistake in the rule
            language, two rules of one name, or an example that its rule fails.
    """
    file = Path(path)
    rules: dict[str, Rule] = {}
    for number, entry in enumerate(_entries(file), 1):
        place = f"{file.name}, rule {number}"
        if not isinstance(entry, dict):
            raise RuleFileInvalid(f'{place}: not an object; write {{"name": …}}')
        rule = _rule(entry, taxonomy, f"{place} ({entry.get('name', 'without a name')})")
        if rule.name in rules:
            raise RuleFileInvalid(f"{place}: there are two rules “{rule.name}”; rename one")
        if entry.get("active", True):
            rules[rule.name] = rule
    return list(rules.values())


def _entries(file: Path) -> list[Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise RuleFileInvalid(f"{file}: {error.strerror}; check the path") from error
    except (ValueError, RecursionError) as error:
        raise RuleFileInvalid(
            f"{file.name}: not JSON in UTF-8; export the rules anew"
        ) from error
    entries = found.get("rules") if isinstance(found, dict) else None
    if not isinstance(entries, list):
        raise RuleFileInvalid(f'{file.name}: no list of "rules"; export the rules as JSON')
    return entries


def _rule(entry: Mapping[str, Any], taxonomy: Taxonomy, place: str) -> Rule:
    if unknown := entry.keys() - _KEYS:
        raise RuleFileInvalid(f"{place}: unknown key {min(unknown)!r}; take it out")
    category = str(entry.get("category", ""))
    code = category if category in taxonomy else taxonomy.code_at(split_path(category))
    if code is None:
        raise RuleFileInvalid(
            f"{place}: there is no category “{category}”; write its code or path"
        )
    try:
        rule = Rule(
            name=str(entry.get("name", "")),
            category=code,
            condition=_condition(entry),
            effect=Effect(entry.get("effect", Effect.ASSIGN)),
            is_certain=entry.get("certain") is True,
        )
        failed = list(
            failures(rule, _lines(entry, "must_match"), _lines(entry, "must_not_match"))
        )
    except (RuleInvalid, ValueError) as error:
        raise RuleFileInvalid(f"{place}: {error}") from error
    if failed:
        raise RuleFileInvalid(f"{place}: {failed[0]}")
    return rule


def _condition(entry: Mapping[str, Any]) -> Condition | Expression:
    if text := entry.get("expression"):
        if any(entry.get(box) for box in _PHRASES):
            raise RuleInvalid("write an expression or phrases in boxes, not both")
        return says(parse(str(text)))
    speaker = entry.get("speaker", Speaker.CUSTOMER)
    return Condition.from_lines(
        _lines(entry, "any_of"),
        _lines(entry, "all_of"),
        _lines(entry, "none_of"),
        ANYBODY if speaker in {"", "anyone"} else str(speaker),
        whole_word=entry.get("whole_word", True) is not False,
    )


def _lines(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key, [])
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)
