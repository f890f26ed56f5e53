"""SOQL: the text of a query parsed into a tree, or refused with the place of the mistake.

A subset: no aliases of objects, TYPEOF, HAVING, FOR VIEW, WITH, date functions or geography;
of the date literals only TODAY, YESTERDAY, TOMORROW, LAST_N_DAYS and NEXT_N_DAYS.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sfsync.local_org.errors import Refusal
from sfsync.local_org.moments import parsed
from sfsync.local_org.soql_tree import (
    Aggregate,
    Comparison,
    Condition,
    Every,
    Literal,
    Membership,
    MultiPick,
    Negation,
    Order,
    Path,
    Query,
    Some,
    pointed,
)

MOST_CHARACTERS = 100_000
LONGEST_LITERAL = 4_000
"""Characters in one text literal of a WHERE clause."""
AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "MIN", "MAX", "SUM", "AVG"})
DAY_LITERALS = {"TODAY": 0, "YESTERDAY": -1, "TOMORROW": 1}
_COUNTED_DAYS = {"LAST_N_DAYS": -1, "NEXT_N_DAYS": 1}

_TOKEN = re.compile(
    r"""\s+
    |(?P<string>'(?:[^'\\]|\\.)*')
    |(?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    |(?P<date>\d{4}-\d\d-\d\d)
    |(?P<number>[+-]?\d+(?:\.\d+)?)
    |(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
    |(?P<mark><=|>=|!=|<>|[=<>(),:])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Query:
    """Return the tree of a query.

    Raises:
        Refusal: MALFORMED_QUERY, or QUERY_TOO_COMPLICATED for one that is too long.
    """
    if len(text) > MOST_CHARACTERS:
        raise Refusal(400, "QUERY_TOO_COMPLICATED", "SOQL statement is too long")
    parser = _Parser(text)
    query = parser.query()
    parser.expect_end()
    return query


def _tokens(text: str) -> list[_Token]:
    tokens, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise pointed(text, at, "MALFORMED_QUERY", f"unexpected character: '{text[at]}'")
        if match.lastgroup:
            tokens.append(_Token(match.lastgroup, match.group(), at))
        at = match.end()
    tokens.append(_Token("end", "<EOF>", len(text)))
    return tokens


class _Parser:
    """Recursive descent, because every keyword may also be a name (``FROM Group``)."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.place = 0

    # Tokens

    @property
    def token(self) -> _Token:
        return self.tokens[self.place]

    def advance(self) -> _Token:
        token = self.token
        self.place += 1
        return token

    def sees(self, *words: str) -> bool:
        """Return whether the next tokens are these words or marks."""
        ahead = self.tokens[self.place : self.place + len(words)]
        return [one.text.upper() for one in ahead if one.kind != "string"] == list(words)

    def accepts(self, *words: str) -> bool:
        if not self.sees(*words):
            return False
        self.place += len(words)
        return True

    def expect(self, word: str) -> None:
        if not self.accepts(word):
            raise self.unexpected(f"expecting '{word}'")

    def expect_end(self) -> None:
        if self.token.kind != "end":
            raise self.unexpected()

    def unexpected(self, wanted: str = "") -> Refusal:
        token = self.token
        message = f"unexpected token: '{token.text}'" + (f" ({wanted})" if wanted else "")
        return pointed(self.text, token.at, "MALFORMED_QUERY", message)

    def name(self) -> _Token:
        if self.token.kind != "name":
            raise self.unexpected("expecting a name")
        return self.advance()

    def path(self) -> Path:
        token = self.name()
        return Path(tuple(token.text.split(".")), token.at)

    # Clauses

    def query(self) -> Query:
        self.expect("SELECT")
        columns = [self.column()]
        while self.accepts(","):
            columns.append(self.column())
        self.expect("FROM")
        source = self.name()
        where = self.any_condition() if self.accepts("WHERE") else None
        grouping = self.paths() if self.accepts("GROUP", "BY") else ()
        order = self.order() if self.accepts("ORDER", "BY") else ()
        limit = self.whole_number() if self.accepts("LIMIT") else None
        offset = self.whole_number() if self.accepts("OFFSET") else 0
        return Query(
            self.text,
            tuple(columns),
            source.text,
            source.at,
            where,
            grouping,
            order,
            limit,
            offset,
        )

    def column(self) -> "Path | Aggregate | Query":
        if self.accepts("("):
            inner = self.query()
            self.expect(")")
            return inner
        path = self.path()
        if not self.sees("("):
            return path
        function = str(path).upper()
        if function not in AGGREGATES:
            raise self.unexpected()
        return self.aggregate(function, path.at)

    def aggregate(self, function: str, at: int) -> Aggregate:
        self.expect("(")
        path = None if self.sees(")") else self.path()
        self.expect(")")
        alias = ""
        if self.token.kind == "name" and not self.sees("FROM"):
            alias = self.advance().text
        return Aggregate(function, path, alias, at)

    def paths(self) -> tuple[Path, ...]:
        paths = [self.path()]
        while self.accepts(","):
            paths.append(self.path())
        return tuple(paths)

    def order(self) -> tuple[Order, ...]:
        keys = [self.order_key()]
        while self.accepts(","):
            keys.append(self.order_key())
        return tuple(keys)

    def order_key(self) -> Order:
        path = self.path()
        is_descending = self.accepts("DESC")
        if not is_descending:
            self.accepts("ASC")
        has_nulls_last = self.accepts("NULLS", "LAST")
        if not has_nulls_last:
            self.accepts("NULLS", "FIRST")
        return Order(path, is_descending, has_nulls_last)

    def whole_number(self) -> int:
        if self.token.kind != "number" or not self.token.text.isdigit():
            raise self.unexpected("expecting a whole number")
        return int(self.advance().text)

    # Conditions

    def any_condition(self) -> Condition:
        """Read conditions joined by AND alone or by OR alone; a mixture needs parentheses."""
        parts = [self.condition()]
        word = next((one for one in ("AND", "OR") if self.sees(one)), None)
        if word is None:
            return parts[0]
        while self.accepts(word):
            parts.append(self.condition())
        if self.sees("AND") or self.sees("OR"):
            raise self.unexpected("parentheses are needed between AND and OR")
        return Every(tuple(parts)) if word == "AND" else Some(tuple(parts))

    def condition(self) -> Condition:
        if self.accepts("NOT"):
            return Negation(self.condition())
        if self.accepts("("):
            inner = self.any_condition()
            self.expect(")")
            return inner
        return self.test()

    def test(self) -> Condition:
        path = self.path()
        for words, is_negated in ((("IN",), False), (("NOT", "IN"), True)):
            if self.accepts(*words):
                return Membership(path, is_negated, self.options())
        for word, is_negated in (("INCLUDES", False), ("EXCLUDES", True)):
            if self.accepts(word):
                return MultiPick(path, is_negated, self.literals())
        if self.accepts("LIKE"):
            return Comparison(path, "LIKE", self.literal())
        if self.token.kind != "mark" or self.token.text in "(),:":
            raise self.unexpected("expecting an operator")
        operator = self.advance().text.replace("<>", "!=")
        return Comparison(path, operator, self.literal())

    def options(self) -> "tuple[Literal, ...] | Query":
        if self.tokens[self.place + 1].text.upper() != "SELECT":
            return self.literals()
        self.expect("(")
        inner = self.query()
        self.expect(")")
        return inner

    def literals(self) -> tuple[Literal, ...]:
        self.expect("(")
        found = [self.literal()]
        while self.accepts(","):
            found.append(self.literal())
        self.expect(")")
        return tuple(found)

    def literal(self) -> Literal:
        token = self.advance()
        if token.kind == "string":
            return self.string(token)
        if token.kind == "number":
            return Literal("number", float(token.text), token.text, token.at)
        if token.kind in {"date", "datetime"}:
            return self.moment(token)
        word = token.text.upper()
        if token.kind == "name" and word in {"TRUE", "FALSE"}:
            return Literal("boolean", word == "TRUE", token.text, token.at)
        if token.kind == "name" and word == "NULL":
            return Literal("null", None, token.text, token.at)
        if token.kind == "name" and (word in DAY_LITERALS or word in _COUNTED_DAYS):
            return Literal("days", self.days(word), token.text, token.at)
        self.place -= 1
        raise self.unexpected("expecting a value")

    def days(self, word: str) -> float:
        if word in DAY_LITERALS:
            return DAY_LITERALS[word]
        self.expect(":")
        return _COUNTED_DAYS[word] * self.whole_number()

    def string(self, token: _Token) -> Literal:
        value = _unescaped(token.text[1:-1])
        if len(value) > LONGEST_LITERAL:
            message = f"maximum length of a literal is {LONGEST_LITERAL} characters"
            raise pointed(self.text, token.at, "MALFORMED_QUERY", message)
        return Literal("string", value, token.text, token.at)

    def moment(self, token: _Token) -> Literal:
        try:
            if token.kind == "date":
                return Literal("date", date.fromisoformat(token.text), token.text, token.at)
            # Parts of a second are ignored: audit fields hold whole seconds.
            value = parsed(token.text).replace(microsecond=0)
        except ValueError:
            message = f"Invalid date: {token.text}"
            raise pointed(self.text, token.at, "MALFORMED_QUERY", message) from None
        return Literal("datetime", value, token.text, token.at)


def _unescaped(body: str) -> str:
    r"""Return the text of a literal; ``\_`` and ``\%`` keep their backslash for LIKE."""
    return _ESCAPE.sub(
        lambda match: match[0] if match[1] in "_%" else _ESCAPED.get(match[1], match[1]), body
    )


def like_pattern(value: str) -> re.Pattern[str]:
    """Return LIKE's pattern: ``%`` any text, ``_`` one character, case ignored."""
    parts: Sequence[str] = re.split(r"(\\[_%]|%|_)", value)
    wild = {"%": ".*", "_": "."}
    body = "".join(
        wild[part] if part in wild else re.escape(part[1:] if part[:1] == "\\" else part)
        for part in parts
    )
    return re.compile(body, re.IGNORECASE | re.DOTALL)
