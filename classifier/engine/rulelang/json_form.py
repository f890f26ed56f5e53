"""The stored form of an expression: JSON, versioned and strict; wrong keys are named by path."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import TypeVar

from classifier.engine.errors import RuleInvalid
from classifier.engine.rulelang.nodes import (
    DEPTH,
    Expression,
    Field,
    Fuzzy,
    Group,
    Join,
    Leaf,
    Near,
    Number,
    Part,
    Phrase,
    Regex,
    Scope,
    SimilarTo,
    Tag,
    Where,
    Words,
)
from classifier.engine.text import Speaker

VERSION = 1
ANYBODY = "anybody"

Json = Mapping[str, object]
_E = TypeVar("_E", bound=StrEnum)
_T = TypeVar("_T")


def to_json(expression: Expression) -> dict[str, object]:
    """Return the stored form; ``from_json`` returns an equal expression. Defaults are left out."""
    return {"version": VERSION, "expression": plain(expression)}


def from_json(found: object) -> Expression:
    """Return the expression of a stored form.

    Raises:
        RuleInvalid: another version, or something that does not belong there, with its path
            (``$.expression.all[1].phrase``).
    """
    top = _Reader(found, "$")
    version = top.need("version", int)
    if version != VERSION:
        raise RuleInvalid(f"$.version: this program reads version {VERSION}, not {version}")
    expression = _expression(top.child("expression"), 0)
    top.done()
    return expression


def plain(expression: Expression) -> dict[str, object]:
    """Return an expression as JSON values, without the version."""
    if isinstance(expression, Group):
        parts = [plain(part) for part in expression.parts]
        found: dict[str, object] = {}
        if expression.join is Join.AT_LEAST:
            found = {"at_least": expression.least, "of": parts}
        else:
            found = {expression.join.value: parts}
        if expression.scope is not Scope.CONVERSATION:
            found["in_one"] = expression.scope.value
        return found
    return _own(expression) | _where(expression.where)


def _own(leaf: Leaf) -> dict[str, object]:  # noqa: PLR0911  one for each kind
    match leaf:
        case Phrase():
            return {"phrase": leaf.phrase}
        case Words():
            return {"words": list(leaf.phrases)}
        case Near():
            found: dict[str, object] = {
                "near": [list(leaf.one), list(leaf.other)],
                "within": leaf.words,
            }
            return found | ({"ordered": True} if leaf.ordered else {})
        case Regex():
            return {"regex": leaf.pattern}
        case Fuzzy():
            return {"fuzzy": leaf.phrase, "distance": leaf.distance}
        case Number():
            bounds = {"from": leaf.minimum, "to": leaf.maximum}
            found = {"number": {key: at for key, at in bounds.items() if at is not None}}
            return found | ({"units": list(leaf.units)} if leaf.units else {})
        case Field():
            return {"field": leaf.name, "is": list(leaf.values)}
        case Tag():
            return {"tag": leaf.code}
        case SimilarTo():
            return {"similar_to": list(leaf.examples), "minimum": leaf.minimum}


def _where(where: Where) -> dict[str, object]:
    told: dict[str, object] = {}
    if where.speaker is not Speaker.CUSTOMER:
        told["by"] = where.speaker.value if where.speaker else ANYBODY
    if where.first is not None:
        told["first_turns"] = where.first
    if where.last is not None:
        told["last_turns"] = where.last
    if where.part is not None:
        told["in"] = where.part.value
    if where.scope is not None:
        told["in_one"] = where.scope.value
    if where.before is not None:
        told["before"] = plain(where.before)
    if where.after is not None:
        told["after"] = plain(where.after)
    if where.count != 1:
        told["times"] = where.count
    if where.language is not None:
        told["language"] = where.language
    if where.not_inside:
        told["not_inside"] = list(where.not_inside)
    if not where.whole_word:
        told["inside_words"] = True
    return told


class _Reader:
    """One JSON object being read: each key is asked for once, and none may be left over."""

    def __init__(self, found: object, path: str) -> None:
        if not isinstance(found, Mapping):
            raise RuleInvalid(
                f"{path}: expected an object in curly brackets, found {_kind(found)}"
            )
        self.path = path
        self._found = dict(found)
        self._known: list[str] = []

    def has(self, key: str) -> bool:
        self._known.append(key)
        return key in self._found

    def need(self, key: str, kind: type[_T]) -> _T:
        if not self.has(key):
            raise RuleInvalid(f"{self.path}: “{key}” is missing")
        return _typed(self._found.pop(key), kind, f"{self.path}.{key}")

    def maybe(self, key: str, kind: type[_T]) -> _T | None:
        return self.need(key, kind) if self.has(key) else None

    def child(self, key: str) -> "_Reader":
        if not self.has(key):
            raise RuleInvalid(f"{self.path}: “{key}” is missing")
        return _Reader(self._found.pop(key), f"{self.path}.{key}")

    def choice(self, key: str, kind: type[_E]) -> _E | None:
        word = self.maybe(key, str)
        return None if word is None else _chosen(word, kind, f"{self.path}.{key}")

    def texts(self, key: str) -> tuple[str, ...]:
        return _texts(self.need(key, list), f"{self.path}.{key}")

    def done(self) -> None:
        for key in self._found:
            known = ", ".join(dict.fromkeys(self._known))
            raise RuleInvalid(f"{self.path}: “{str(key)[:40]}” is unknown here; known: {known}")


def _expression(found: _Reader, depth: int) -> Expression:
    if depth > DEPTH:
        raise RuleInvalid(f"{found.path}: brackets stand at most {DEPTH} deep; split the rule")
    for join in Join:
        if found.has(join.value):
            return _refusing(found.path, partial(_group, found, join, depth))
    for kind, read in _LEAVES.items():
        if found.has(kind):
            where = _refusing(found.path, partial(_read_where, found, depth))
            leaf = _refusing(found.path, partial(read, found, where))
            found.done()
            return leaf
    kinds = ", ".join([*(join.value for join in Join), *_LEAVES])
    raise RuleInvalid(f"{found.path}: says nothing; it needs one of {kinds}")


def _group(found: _Reader, join: Join, depth: int) -> Group:
    key, least = join.value, 0
    if join is Join.AT_LEAST:
        least, key = found.need(key, int), "of"
    parts = found.need(key, list)
    scope = found.choice("in_one", Scope) or Scope.CONVERSATION
    found.done()
    read = tuple(
        _expression(_Reader(part, f"{found.path}.{key}[{at}]"), depth + 1)
        for at, part in enumerate(parts)
    )
    return Group(join, read, least, scope)


def _read_where(found: _Reader, depth: int) -> Where:
    by = found.maybe("by", str)
    speaker: Speaker | None = Speaker.CUSTOMER
    if by is not None:
        speaker = None if by == ANYBODY else _chosen(by, Speaker, f"{found.path}.by", ANYBODY)
    return Where(
        speaker=speaker,
        first=found.maybe("first_turns", int),
        last=found.maybe("last_turns", int),
        part=found.choice("in", Part),
        scope=found.choice("in_one", Scope),
        before=_other(found, "before", depth),
        after=_other(found, "after", depth),
        count=1 if (times := found.maybe("times", int)) is None else times,
        language=found.maybe("language", str),
        not_inside=found.texts("not_inside") if found.has("not_inside") else (),
        whole_word=not found.maybe("inside_words", bool),
    )


def _other(found: _Reader, key: str, depth: int) -> Leaf | None:
    if not found.has(key):
        return None
    child = found.child(key)
    other = _expression(child, depth + 1)
    if isinstance(other, Group):
        raise RuleInvalid(f"{child.path}: one thing stands {key} another; groups do not")
    return other


def _near(found: _Reader, where: Where) -> Near:
    sides = found.need("near", list)
    path = f"{found.path}.near"
    if len(sides) != 2:  # noqa: PLR2004  one and the other
        raise RuleInvalid(f"{path}: expected two lists of phrases")
    one, other = (
        _texts(_typed(side, list, f"{path}[{at}]"), f"{path}[{at}]")
        for at, side in enumerate(sides)
    )
    within = found.need("within", int)
    return Near(one, other, within, found.maybe("ordered", bool) or False, where)


def _number(found: _Reader, where: Where) -> Number:
    bounds = found.child("number")
    least, most = bounds.maybe("from", float), bounds.maybe("to", float)
    bounds.done()
    return Number(least, most, found.texts("units") if found.has("units") else (), where)


_LEAVES: dict[str, Callable[[_Reader, Where], Leaf]] = {
    "phrase": lambda found, where: Phrase(found.need("phrase", str), where),
    "words": lambda found, where: Words(found.texts("words"), where),
    "near": _near,
    "regex": lambda found, where: Regex(found.need("regex", str), where),
    "fuzzy": lambda found, where: Fuzzy(
        found.need("fuzzy", str), found.need("distance", int), where
    ),
    "number": _number,
    "field": lambda found, where: Field(found.need("field", str), found.texts("is"), where),
    "tag": lambda found, where: Tag(found.need("tag", str), where),
    "similar_to": lambda found, where: SimilarTo(
        found.texts("similar_to"), found.need("minimum", float), where
    ),
}


def _refusing(path: str, made: Callable[[], _T]) -> _T:
    """Return what is made; a refusal without a path gets this one."""
    try:
        return made()
    except RuleInvalid as refusal:
        if str(refusal).startswith("$"):
            raise
        raise RuleInvalid(f"{path}: {refusal}") from refusal


def _texts(found: Sequence[object], path: str) -> tuple[str, ...]:
    return tuple(_typed(each, str, f"{path}[{at}]") for at, each in enumerate(found))


def _typed(found: object, kind: type[_T], path: str) -> _T:
    if kind is float and isinstance(found, int) and not isinstance(found, bool):
        found = float(found)
    is_bool = isinstance(found, bool)
    if not isinstance(found, kind) or (is_bool and kind is not bool):
        raise RuleInvalid(f"{path}: expected {_KINDS[kind]}, found {_kind(found)}")
    return found


def _chosen(word: str, kind: type[_E], path: str, *others: str) -> _E:
    try:
        return kind(word)
    except ValueError as unknown:
        choices = ", ".join([*kind, *others])
        raise RuleInvalid(f"{path}: “{word[:40]}” is none of {choices}") from unknown


_KINDS: dict[type, str] = {
    str: "a text in quotes",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list in square brackets",
}


def _kind(found: object) -> str:
    if found is None:
        return "nothing (null)"
    return (
        "an object" if isinstance(found, Mapping) else _KINDS.get(type(found), "something else")
    )
