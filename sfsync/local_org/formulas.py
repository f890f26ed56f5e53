"""Formulas of validation rules and flows: read once, worked out for each row that is saved.

Understood are text in quotes, ``TRUE`` and ``FALSE``, fields (bare in a rule, ``{!$Record.X}``
in a flow), ``$Permission.X``, ``=``, ``<>`` and the functions below. Anything else is refused
when it is deployed, so that no rule is silently ignored.
"""

import re
from collections.abc import Callable, Container
from dataclasses import dataclass, field

from sfsync.local_org.moments import Value
from sfsync.local_org.tables import Row

_TOKEN = re.compile(
    r"\s*(?:"
    r"(?P<text>\"[^\"]*\"|'[^']*')"
    r"|\{!\s*(?P<merged>\$?[\w.$]+)\s*\}"
    r"|(?P<name>\$?[A-Za-z_][\w.]*)"
    r"|(?P<mark><>|!=|&&|\|\||[=(),!])"
    r")"
)
PERMISSION, RECORD = "$permission.", "$record."


@dataclass(frozen=True, slots=True)
class Saving:
    """A row that is being saved, and who saves it."""

    before: Row | None
    """None: the row is new."""
    after: Row
    """All fields as they will be."""
    permissions: Container[str]
    """Custom permissions of the user."""

    def has_changed(self, name: str) -> bool:
        return self.before is not None and self.before.get(name) != self.after.get(name)

    def prior(self, name: str) -> Value:
        return self.after.get(name) if self.before is None else self.before.get(name)


Work = Callable[[Saving], Value]


@dataclass(slots=True)
class Formula:
    """A formula that can be worked out. ``fields`` and ``permissions`` are what it names."""

    text: str
    fields: set[str] = field(default_factory=set)
    permissions: set[str] = field(default_factory=set)
    _work: Work = field(default=lambda _: None)

    @classmethod
    def parse(cls, text: str) -> "Formula":
        """Return the formula of a text.

        Raises:
            ValueError: it is not one that this org understands.
        """
        formula = cls(text)
        reader = _Reader(formula, _tokens(text))
        formula._work = reader.alternatives()
        reader.end()
        return formula

    def holds(self, saving: Saving) -> bool:
        """Return whether the formula is true of a row that is being saved."""
        return self._work(saving) is True


class _Reader:
    """Reads a formula by descent; notes in it what it names."""

    def __init__(self, formula: Formula, tokens: list[tuple[str, str]]) -> None:
        self._formula = formula
        self._tokens = tokens
        self._at = 0

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise ValueError(f"Syntax error near {self._tokens[self._at][1]}")

    def alternatives(self) -> Work:
        parts = [self._all()]
        while self._skip("||"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else _or(parts)

    def _all(self) -> Work:
        parts = [self._comparison()]
        while self._skip("&&"):
            parts.append(self._comparison())
        return parts[0] if len(parts) == 1 else _and(parts)

    def _comparison(self) -> Work:
        left = self._value()
        if self._skip("="):
            right = self._value()
            return lambda saving: _text(left(saving)) == _text(right(saving))
        if self._skip("<>") or self._skip("!="):
            right = self._value()
            return lambda saving: _text(left(saving)) != _text(right(saving))
        return left

    def _value(self) -> Work:
        if self._skip("!"):
            inner = self._value()
            return lambda saving: inner(saving) is not True
        if self._skip("("):
            inner = self.alternatives()
            self._wanted(")")
            return inner
        kind, token = self._next()
        if kind == "text":
            return lambda _: token[1:-1]
        if kind == "name" and self._skip("("):
            return self._call(token.upper())
        if kind in {"name", "merged"}:
            return self._named(token)
        raise ValueError(f"Syntax error near {token}")

    def _call(self, function: str) -> Work:
        if function in _OF_FIELD:
            name = self._field(self._next()[1])
            self._wanted(")")
            return _OF_FIELD[function](name)
        parts: list[Work] = []
        if not self._skip(")"):
            parts.append(self.alternatives())
            while self._skip(","):
                parts.append(self.alternatives())
            self._wanted(")")
        if function not in _FUNCTIONS:
            raise ValueError(f"Unknown function {function}")
        return _FUNCTIONS[function](parts)

    def _named(self, token: str) -> Work:
        if token.upper() in {"TRUE", "FALSE"}:
            return lambda _: token.upper() == "TRUE"
        if token.lower().startswith(PERMISSION):
            permission = token[len(PERMISSION) :]
            self._formula.permissions.add(permission)
            return lambda saving: permission in saving.permissions
        name = self._field(token)
        return lambda saving: saving.after.get(name)

    def _field(self, token: str) -> str:
        name = token[len(RECORD) :] if token.lower().startswith(RECORD) else token
        if not name.isidentifier():
            raise ValueError(f"Field {token} does not exist")
        self._formula.fields.add(name)
        return name

    def _next(self) -> tuple[str, str]:
        if self._at == len(self._tokens):
            raise ValueError("Syntax error: the formula ends too soon")
        self._at += 1
        return self._tokens[self._at - 1]

    def _skip(self, mark: str) -> bool:
        is_there = self._at < len(self._tokens) and self._tokens[self._at] == ("mark", mark)
        self._at += is_there
        return is_there

    def _wanted(self, mark: str) -> None:
        if not self._skip(mark):
            raise ValueError(f"Syntax error: {mark} is missing")


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"Syntax error near {text[at : at + 20].strip()}")
        kind = str(match.lastgroup)
        found.append((kind, match[kind]))
        at = match.end()
    return found


def _text(value: Value) -> Value:
    """Return a value for comparing: a blank field equals an empty text."""
    return "" if value is None else value


def _or(parts: list[Work]) -> Work:
    return lambda saving: any(part(saving) is True for part in parts)


def _and(parts: list[Work]) -> Work:
    return lambda saving: all(part(saving) is True for part in parts)


def _not(parts: list[Work]) -> Work:
    (part,) = parts
    return lambda saving: part(saving) is not True


def _if(parts: list[Work]) -> Work:
    test, one, other = parts
    return lambda saving: one(saving) if test(saving) is True else other(saving)


def _is_blank(parts: list[Work]) -> Work:
    (part,) = parts
    return lambda saving: _text(part(saving)) == ""


def _same(parts: list[Work]) -> Work:
    (part,) = parts
    return lambda saving: _text(part(saving))


def _is_picked(parts: list[Work]) -> Work:
    picklist, value = parts
    return lambda saving: _text(picklist(saving)) == _text(value(saving))


def _is_new(parts: list[Work]) -> Work:
    if parts:
        raise ValueError("ISNEW takes nothing")
    return lambda saving: saving.before is None


_FUNCTIONS: dict[str, Callable[[list[Work]], Work]] = {
    "AND": _and,
    "OR": _or,
    "NOT": _not,
    "IF": _if,
    "ISBLANK": _is_blank,
    "ISPICKVAL": _is_picked,
    "TEXT": _same,
    "ISNEW": _is_new,
}
_OF_FIELD: dict[str, Callable[[str], Work]] = {
    "ISCHANGED": lambda name: lambda saving: saving.has_changed(name),
    "PRIORVALUE": lambda name: lambda saving: saving.prior(name),
}
