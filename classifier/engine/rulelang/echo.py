"""The echo: what an expression means, in plain English, and what makes it slow to match."""

from collections.abc import Iterable, Sequence

from classifier.engine.rulelang.nodes import (
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
    Words,
    leaves,
)
from classifier.engine.rulelang.patterns import required_literals
from classifier.engine.rulelang.writing import number_text
from classifier.engine.text import Speaker

PHRASES_TOLD = 10  # this many of a list are named, then the rest is counted


def echo(expression: Expression) -> str:
    """Return when the expression holds: a clause to stand after "when", without a full stop."""
    if not isinstance(expression, Group):
        return _leaf(expression)
    parts = [_bracketed(part) for part in expression.parts]
    where = {
        Scope.SENTENCE: " within one sentence",
        Scope.TURN: " within one turn",
        Scope.CONVERSATION: "",
    }[expression.scope]
    match expression.join:
        case Join.ALL:
            told = _joined(parts, "and")
        case Join.ANY:
            told = _joined(parts, "or")
        case Join.NONE:
            told = f"it does not hold that {_joined(parts, 'or')}"
        case Join.AT_LEAST:
            told = f"at least {expression.least} of these hold: {'; '.join(parts)}"
    return told + where


def costs(expression: Expression) -> tuple[str, ...]:
    """Return in sentences what makes matching slow; nothing for most rules.

    Everything is matched in linear time. But a phrase is found among ten thousand others for
    nothing, where these read every conversation once more.
    """
    told = []
    for leaf in leaves(expression):
        match leaf:
            case Regex() if not required_literals(leaf.pattern):
                told.append(
                    f"The regex {_quote(leaf.pattern)} has no fixed words, so every conversation "
                    "is read for it once more."
                )
            case Number() if not leaf.units:
                told.append(
                    "A number without a unit: every conversation with a digit is read for it "
                    "once more."
                )
            case SimilarTo():
                told.append(
                    "Similarity is measured for every sentence, which takes some fifty times as "
                    "long as looking for a phrase."
                )
    return tuple(dict.fromkeys(told))


def _leaf(leaf: Leaf) -> str:
    where = leaf.where
    told = _fact(leaf)
    if told is None:
        told = f"{_who(where.speaker)} {_said(leaf)}{_reach(leaf)}"
    if where.language is not None:
        told += f" in a conversation of language {where.language}"
    return told


def _fact(leaf: Leaf) -> str | None:
    """Return what a leaf says of facts instead of words."""
    match leaf:
        case Field():
            return f"{_quote(leaf.name)} is {_list(leaf.values, 'or')}"
        case Tag():
            return f"an earlier reason of this Case is {_quoted(leaf.code)}"
        case _:
            return None


def _said(leaf: Leaf) -> str:
    match leaf:
        case Phrase():
            return f"says {_quoted(leaf.phrase)}"
        case Words():
            return f"says {_list(leaf.phrases, 'or')}"
        case Near():
            order = "before" if leaf.ordered else "near"
            return (
                f"says {_list(leaf.one, 'or')} {order} {_list(leaf.other, 'or')}, "
                f"{_count(leaf.words, 'word')} or fewer between them"
                if leaf.words
                else f"says {_list(leaf.one, 'or')} right {'before' if leaf.ordered else 'beside'} "
                f"{_list(leaf.other, 'or')}"
            )
        case Regex():
            return f"says what the pattern {_quote(leaf.pattern)} describes"
        case Fuzzy():
            return f"says {_quote(leaf.phrase)} or the like ({_count(leaf.distance, 'typo')})"
        case Number():
            units = f" with {_list(leaf.units, 'or')} beside it" if leaf.units else ""
            return f"says a number {_range(leaf)}{units}"
        case SimilarTo():
            return (
                f"says something like {_list(leaf.examples, 'or')} "
                f"(similarity {number_text(leaf.minimum)} or more)"
            )
        case _:
            raise AssertionError(leaf)


def _range(leaf: Number) -> str:
    least, most = (
        None if bound is None else number_text(bound) for bound in (leaf.minimum, leaf.maximum)
    )
    if least is None:
        return f"up to {most}"
    if most is None:
        return f"from {least} up"
    return f"from {least} to {most}" if least != most else f"{least}"


def _reach(leaf: Leaf) -> str:
    where = leaf.where
    told = []
    if not where.whole_word:
        told.append("(also inside longer words)")
    if where.not_inside:
        told.append(f"but not as part of {_list(where.not_inside, 'or')}")
    if where.count > 1:
        told.append(f"at least {where.count} times")
    whose = "the conversation’s" if where.speaker is None else "their"
    if where.first is not None:
        told.append(f"in {whose} first {_count(where.first, 'turn')}")
    if where.last is not None:
        told.append(f"in {whose} last {_count(where.last, 'turn')}")
    if where.part is not None:
        told.append("in the subject" if where.part is Part.SUBJECT else "outside the subject")
    if where.before is not None:
        told.append(f"before {_leaf(where.before)}")
    if where.after is not None:
        told.append(f"after {_leaf(where.after)}")
    if where.scope is not None:
        told.append(
            "anywhere in the conversation"
            if where.scope is Scope.CONVERSATION
            else f"within one {where.scope}"
        )
    return "".join(f" {each}" for each in told)


def _who(speaker: Speaker | None) -> str:
    return "anybody" if speaker is None else f"the {speaker}"


def _bracketed(part: Expression) -> str:
    """Return a part of a group; a group of several parts stands in brackets."""
    told = echo(part)
    return f"({told})" if isinstance(part, Group) and len(part.parts) > 1 else told


def _list(phrases: Sequence[str], joint: str) -> str:
    """Return ``“a”, “b” or “c”``; a long list is cut and the rest counted."""
    told = [_quoted(phrase) for phrase in phrases[:PHRASES_TOLD]]
    if rest := len(phrases) - len(told):
        told.append(f"{rest} other phrase{'s' * (rest > 1)}")
    return _joined(told, joint)


def _joined(parts: Iterable[str], joint: str) -> str:
    *most, last = parts
    return f"{', '.join(most)} {joint} {last}" if most else last


def _quoted(phrase: str) -> str:
    words = " ".join(phrase.split())
    if words.endswith("*"):
        return f"“{words.removesuffix('*').rstrip()}…” with any ending"
    return f"“{words}”"


def _quote(text: str) -> str:
    return f"“{' '.join(text.split())}”"


def _count(count: int, thing: str) -> str:
    return f"{count} {thing}{'s' * (count != 1)}"
