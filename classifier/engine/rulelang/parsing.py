"""Parsing the text form: what an admin types becomes an expression, or a mistake with its place."""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import NoReturn, TypeVar

from classifier.engine.errors import RuleInvalid
from classifier.engine.rulelang.nodes import (
    DEPTH,
    SIMILARITY,
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

TEXT_CHARACTERS = 50_000  # 500 phrases of 100 characters; a longer "rule" is a pasted file
_T = TypeVar("_T")


class RuleUnreadable(RuleInvalid):
    """A typed rule has a mistake, at a place that can be shown.

    ``position`` is the code-point offset of the mistake in what was typed, ``expected`` says what
    could stand there or what is wrong, ``example`` shows how it is right.
    """

    def __init__(self, text: str, position: int, expected: str, example: str) -> None:
        line_begins = text.rfind("\n", 0, position) + 1
        line = text.count("\n", 0, position) + 1
        place = f"line {line}, character" if line > 1 else "character"
        super().__init__(f"{place} {position - line_begins + 1}: {expected}, as in {example}")
        self.position = position
        self.expected = expected
        self.example = example


def parse(text: str) -> Expression:
    """Return the expression that a text means.

    ``and``, ``or`` and ``not`` (``not`` binds closest, then ``and``) are taken as well as
    ``all(…)``, ``any(…)`` and ``none(…)``; capitals of these words do not matter. Commas, quotes
    and words of the language are data within quotes.

    Raises:
        RuleUnreadable: with the position, what was expected there and an example.
    """
    if len(text) > TEXT_CHARACTERS:
        raise RuleInvalid(f"a rule has at most {TEXT_CHARACTERS:,} characters; split it")
    parser = _Parser(text)
    expression = parser.alternatives(0)
    parser.expect_end()
    return expression


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    """string, number, range, word, sign, end or wrong."""
    value: str
    position: int


_TOKEN = re.compile(
    r"(?P<blank>\s++)"
    r"|(?P<range>\.\.)"
    r"|(?P<number>\d++(?:\.\d++)?+)"
    r"|(?P<word>[^\W\d]\w*+)"
    r"|(?P<sign>[(),])"
)
_CLOSING = {'"': '"', "“": "”", "„": "“", "«": "»", "「": "」"}
"""What opens a text in quotes, and what ends it; word processors make curly ones."""

_PHRASE_EXAMPLE = 'all("refund", none("policy"))'
_EXAMPLES = {
    "words": 'words("refund", "money back")',
    "near": 'near("card", words("lost", "stolen"), 5, ordered)',
    "regex": 'regex("order \\d{6}")',
    "fuzzy": 'fuzzy("cancellation", 2)',
    "number": 'number(50..100, "€", "euros")',
    "field": 'field("channel", "chat", "email")',
    "tag": 'tag("billing.refund")',
    "similar_to": 'similar_to("I want my money back", 0.6)',
    "at_least": 'at_least(2, "card", "lost", "stolen")',
}


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(text):
        if text[at] in _CLOSING:
            value, end = _quoted(text, at)
            tokens.append(_Token("string", value, at))
            at = end
            continue
        found = _TOKEN.match(text, at)
        if found is None:
            tokens.append(_Token("wrong", text[at], at))
            at += 1
            continue
        kind = found.lastgroup or ""
        if kind != "blank":
            tokens.append(_Token(kind, found[0], at))
        at = found.end()
    tokens.append(_Token("end", "", len(text)))
    return tokens


def _quoted(text: str, opens: int) -> tuple[str, int]:
    """Return the text in the quotes that open there, and where they end."""
    closing = _CLOSING[text[opens]]
    pieces = []
    at = opens + 1
    while at < len(text) and text[at] != closing:
        at += text[at] == "\\" and at + 1 < len(text) and text[at + 1] in ("\\", closing)
        pieces.append(text[at])
        at += 1
    if at >= len(text):
        _fail(
            text,
            opens,
            f"expected {closing} at the end of the text that begins here",
            _PHRASE_EXAMPLE,
        )
    return "".join(pieces), at + 1


def _fail(text: str, position: int, expected: str, example: str) -> NoReturn:
    raise RuleUnreadable(text, position, expected, example)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._at = 0

    # Groups: or, and, not, brackets.

    def alternatives(self, depth: int) -> Expression:
        begins = self._token
        parts = [self._together(depth)]
        while self._word("or"):
            parts.append(self._together(depth))
        return self._joined(Join.ANY, parts, begins)

    def _together(self, depth: int) -> Expression:
        begins = self._token
        parts = [self._one(depth)]
        while self._word("and"):
            parts.append(self._one(depth))
        return self._joined(Join.ALL, parts, begins)

    def _joined(self, join: Join, parts: list[Expression], begins: _Token) -> Expression:
        if len(parts) == 1:
            return parts[0]
        return self._made(begins, lambda: Group(join, tuple(parts)))

    def _one(self, depth: int) -> Expression:
        begins = self._token
        if depth > DEPTH:
            self._fail(begins, f"at most {DEPTH} brackets within one another", _PHRASE_EXAMPLE)
        if self._word("not"):
            part = self._one(depth + 1)
            return self._made(begins, lambda: Group(Join.NONE, (part,)))
        if self._sign("("):
            inner = self.alternatives(depth + 1)
            self._need_sign(")", "after what stands in brackets")
            return self._modified_group(inner, begins)
        if begins.kind == "word" and begins.value.lower() in set(Join):
            return self._group(Join(begins.value.lower()), depth)
        return self._leaf(depth)

    def _group(self, join: Join, depth: int) -> Expression:
        begins = self._next()
        self._need_sign("(", f"after {join}")
        least = 0
        if join is Join.AT_LEAST:
            least = self._whole_number("how many must hold", "at_least")
            self._need_sign(",", "and then the parts", "at_least")
        parts = [self.alternatives(depth + 1)]
        while self._sign(","):
            if self._token.value == ")":  # a comma left over at the end does no harm
                break
            parts.append(self.alternatives(depth + 1))
        self._need_sign(")", "or a comma and another part")
        group = self._made(begins, lambda: Group(join, tuple(parts), least))
        return self._modified_group(group, begins)

    def _modified_group(self, inner: Expression, begins: _Token) -> Expression:
        """Return what stands in brackets with ``in one sentence`` after it, if that is there."""
        if not isinstance(inner, Group):
            # Brackets around a leaf: what follows them may still say where it stands.
            return self._modified(inner, begins, 0)
        if self._words("in", "one"):
            scope = self._choice(Scope, 'all("lost", "card") in one sentence')
            return self._made(begins, lambda: replace(inner, scope=scope))
        return inner

    # Leaves.

    def _leaf(self, depth: int) -> Leaf:
        begins = self._token
        return self._modified(self._bare(begins), begins, depth)

    def _bare(self, begins: _Token) -> Leaf:
        if begins.kind == "string":
            self._next()
            return self._made(begins, lambda: Phrase(begins.value))
        read = _LEAVES.get(begins.value.lower()) if begins.kind == "word" else None
        if read is None:
            self._fail(
                begins,
                "a phrase in quotes, or one of "
                f"{', '.join([*(join.value for join in Join), *_LEAVES])}",
                f'"{begins.value}"' if begins.kind == "word" else _PHRASE_EXAMPLE,
            )
        self._next()
        self._need_sign("(", f"after {begins.value}", begins.value)
        leaf = read(self, begins)
        self._need_sign(")", "at its end", begins.value)
        return leaf

    def words(self, begins: _Token) -> Leaf:
        phrases = self._strings("words")
        return self._made(begins, lambda: Words(phrases))

    def near(self, begins: _Token) -> Leaf:
        one = self._side()
        self._need_sign(",", "between the two", "near")
        other = self._side()
        self._need_sign(",", "and how many words may stand between", "near")
        words = self._whole_number("how many words may stand between", "near")
        ordered = False
        if self._sign(","):
            if not self._word("ordered"):
                self._fail(self._token, "ordered", _EXAMPLES["near"])
            ordered = True
        return self._made(begins, lambda: Near(one, other, words, ordered))

    def _side(self) -> tuple[str, ...]:
        if self._token.kind == "string":
            return (self._next().value,)
        if self._word("words"):
            self._need_sign("(", "after words", "near")
            phrases = self._strings("near")
            self._need_sign(")", "at its end", "near")
            return phrases
        return self._fail(self._token, "a phrase in quotes or words(…)", _EXAMPLES["near"])

    def regex(self, begins: _Token) -> Leaf:
        pattern = self._string("a pattern in quotes", "regex")
        return self._made(begins, lambda: Regex(pattern))

    def fuzzy(self, begins: _Token) -> Leaf:
        phrase = self._string("a phrase in quotes", "fuzzy")
        distance = 1
        if self._sign(","):
            distance = self._whole_number("1 or 2", "fuzzy")
        return self._made(begins, lambda: Fuzzy(phrase, distance))

    def number(self, begins: _Token) -> Leaf:
        least = self._value() if self._token.kind == "number" else None
        if self._token.kind != "range":
            self._fail(
                self._token, "two dots between the smallest and the largest", "number(50..)"
            )
        self._next()
        most = self._value() if self._token.kind == "number" else None
        units = self._strings("number") if self._sign(",") else ()
        return self._made(begins, lambda: Number(least, most, units))

    def field(self, begins: _Token) -> Leaf:
        name = self._string("the field's name in quotes", "field")
        self._need_sign(",", "and its value", "field")
        values = self._strings("field")
        return self._made(begins, lambda: Field(name, values))

    def tag(self, begins: _Token) -> Leaf:
        code = self._string("a category's code in quotes", "tag")
        return self._made(begins, lambda: Tag(code))

    def similar_to(self, begins: _Token) -> Leaf:
        examples = [self._string("an example in quotes", "similar_to")]
        minimum = SIMILARITY
        while self._sign(","):
            if self._token.kind == "number":
                minimum = self._value()
                break
            examples.append(self._string("an example in quotes, or a number", "similar_to"))
        return self._made(begins, lambda: SimilarTo(tuple(examples), minimum))

    # What may follow a leaf.

    def _modified(self, leaf: Leaf, begins: _Token, depth: int) -> Leaf:
        where = leaf.where
        changed = True
        while changed:
            at = self._token
            found = self._modifier(where, depth)
            changed = found is not None
            if found is not None:
                if _contradicts(where, found):
                    self._fail(at, "nothing that was said otherwise before", _PHRASE_EXAMPLE)
                where = found
        if where is leaf.where:
            return leaf
        return self._made(begins, lambda: replace(leaf, where=where))

    def _modifier(self, where: Where, depth: int) -> Where | None:  # noqa: C901, PLR0911  one branch each
        at = self._token
        if self._word("by"):
            speaker = self._speaker()
            return self._made(at, lambda: replace(where, speaker=speaker))
        if self._words("in", "first"):
            turns = self._turns('"refund" in first 2 turns')
            return self._made(at, lambda: replace(where, first=turns))
        if self._words("in", "last"):
            turns = self._turns('"refund" in last 2 turns')
            return self._made(at, lambda: replace(where, last=turns))
        if self._words("in", "one"):
            scope = self._choice(Scope, '"refund" in one turn')
            return self._made(at, lambda: replace(where, scope=scope))
        if self._words("in", "language"):
            code = self._string("a language's code in quotes", "language")
            return self._made(at, lambda: replace(where, language=code))
        if self._word("in"):
            part = self._choice(Part, '"refund" in subject')
            return self._made(at, lambda: replace(where, part=part))
        if self._word("before"):
            other = self._other(depth)
            return self._made(at, lambda: replace(where, before=other))
        if self._word("after"):
            other = self._other(depth)
            return self._made(at, lambda: replace(where, after=other))
        if self._words("at", "least"):
            count = self._whole_number("how many times", "times")
            if not (self._word("times") or self._word("time")):
                self._fail(self._token, "times", '"refund" at least 2 times')
            return self._made(at, lambda: replace(where, count=count))
        if self._words("not", "inside"):
            phrase = self._string("a phrase in quotes", "inside")
            return self._made(
                at, lambda: replace(where, not_inside=(*where.not_inside, phrase))
            )
        if self._words("inside", "words"):
            return replace(where, whole_word=False)
        return None

    def _speaker(self) -> Speaker | None:
        return (
            None
            if self._word("anybody")
            else self._choice(Speaker, '"refund" by representative', "anybody")
        )

    def _turns(self, example: str) -> int:
        turns = self._whole_number("how many turns", "turns")
        if not (self._word("turns") or self._word("turn")):
            self._fail(self._token, "turns", example)
        return turns

    def _other(self, depth: int) -> Leaf:
        begins = self._token
        if depth >= DEPTH:
            self._fail(begins, f"at most {DEPTH} things before one another", _PHRASE_EXAMPLE)
        if self._sign("("):
            leaf = self._leaf(depth + 1)
            self._need_sign(")", "at its end")
            return leaf
        return self._bare(begins)

    # Pieces.

    @property
    def _token(self) -> _Token:
        return self._tokens[self._at]

    def _next(self) -> _Token:
        token = self._token
        self._at += token.kind != "end"
        return token

    def _word(self, word: str) -> bool:
        token = self._token
        if token.kind != "word" or token.value.lower() != word:
            return False
        self._at += 1
        return True

    def _words(self, one: str, two: str) -> bool:
        begun = self._at
        if self._word(one) and self._word(two):
            return True
        self._at = begun
        return False

    def _sign(self, sign: str) -> bool:
        if self._token.kind != "sign" or self._token.value != sign:
            return False
        self._at += 1
        return True

    def _need_sign(self, sign: str, why: str, example: str = "") -> None:
        if not self._sign(sign):
            self._fail(self._token, f"{sign} {why}", _EXAMPLES.get(example, _PHRASE_EXAMPLE))

    def _string(self, what: str, example: str) -> str:
        if self._token.kind != "string":
            self._fail(
                self._token, what, _EXAMPLES.get(example, _SMALL_EXAMPLES.get(example, ""))
            )
        return self._next().value

    def _strings(self, example: str) -> tuple[str, ...]:
        found = [self._string("a phrase in quotes", example)]
        while self._sign(","):
            found.append(self._string("a phrase in quotes", example))
        return tuple(found)

    def _whole_number(self, what: str, example: str) -> int:
        token = self._token
        if token.kind != "number" or not (token.value.isascii() and token.value.isdecimal()):
            self._fail(token, what, _EXAMPLES.get(example, _SMALL_EXAMPLES.get(example, "")))
        if len(token.value) > _DIGITS:
            self._fail(token, "a smaller number", _EXAMPLES.get(example, _PHRASE_EXAMPLE))
        self._next()
        return int(token.value)

    def _value(self) -> float:
        return float(self._next().value)

    def _choice(self, kind: type[_T], example: str, *others: str) -> _T:
        token = self._token
        choices = [str(each) for each in kind]  # type: ignore[attr-defined]  # an enum
        if token.kind != "word" or token.value.lower() not in choices:
            self._fail(token, " or ".join([*choices, *others]), example)
        self._next()
        return kind(token.value.lower())  # type: ignore[call-arg]  # an enum

    def _made(self, begins: _Token, make: Callable[[], _T]) -> _T:
        """Return what is made; what refuses itself is told with the place where it begins."""
        try:
            return make()
        except RuleUnreadable:
            raise
        except RuleInvalid as refusal:
            _fail(self._text, begins.position, str(refusal), _example_for(begins.value))

    def expect_end(self) -> None:
        if self._token.kind != "end":
            self._fail(self._token, "and, or, or the end of the rule", _PHRASE_EXAMPLE)

    def _fail(self, token: _Token, expected: str, example: str) -> NoReturn:
        _fail(self._text, token.position, f"expected {expected}", example or _PHRASE_EXAMPLE)


def _contradicts(before: Where, after: Where) -> bool:
    """Say whether a modifier takes back what another one said."""
    return any(
        getattr(after, each.name) != getattr(before, each.name) != getattr(_ANYWHERE, each.name)
        for each in fields(Where)
        if each.name != "not_inside"  # of which there may be several
    )


_ANYWHERE = Where()
_DIGITS = 15
_SMALL_EXAMPLES = {
    "turns": '"refund" in first 2 turns',
    "times": '"refund" at least 2 times',
    "inside": '"credit" not inside "credit card"',
    "language": '"Konto" in language "de"',
}


def _example_for(word: str) -> str:
    return _EXAMPLES.get(word.lower(), _PHRASE_EXAMPLE)


_LEAVES: dict[str, Callable[[_Parser, _Token], Leaf]] = {
    "words": _Parser.words,
    "near": _Parser.near,
    "regex": _Parser.regex,
    "fuzzy": _Parser.fuzzy,
    "number": _Parser.number,
    "field": _Parser.field,
    "tag": _Parser.tag,
    "similar_to": _Parser.similar_to,
}
