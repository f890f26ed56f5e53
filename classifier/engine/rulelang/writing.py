"""The text form of an expression, as an admin would type it; ``parse`` reads it back."""

from decimal import Decimal

from classifier.engine.rulelang.nodes import (
    Expression,
    Field,
    Fuzzy,
    Group,
    Join,
    Leaf,
    Near,
    Number,
    Phrase,
    Regex,
    Scope,
    SimilarTo,
    Tag,
    Where,
    Words,
)
from classifier.engine.text import Speaker


def to_text(expression: Expression) -> str:
    """Return the text form; ``parse`` returns an equal expression. Defaults are left out."""
    if isinstance(expression, Group):
        parts = [to_text(part) for part in expression.parts]
        if expression.join is Join.AT_LEAST:
            parts.insert(0, str(expression.least))
        text = f"{expression.join}({', '.join(parts)})"
        if expression.scope is not Scope.CONVERSATION:
            text += f" in one {expression.scope}"
        return text
    return " ".join([_own(expression), *_modifiers(expression.where)])


def quoted(text: str) -> str:
    """Return a text in quotes; quotes and backslashes in it get a backslash."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def number_text(value: float) -> str:
    """Return a number without exponent, exactly."""
    text = format(Decimal(repr(value)), "f")
    return text.removesuffix(".0")


def _own(leaf: Leaf) -> str:  # noqa: PLR0911  one for each kind
    match leaf:
        case Phrase():
            return quoted(leaf.phrase)
        case Words():
            return _call("words", leaf.phrases)
        case Near():
            order = ", ordered" if leaf.ordered else ""
            return f"near({_side(leaf.one)}, {_side(leaf.other)}, {leaf.words}{order})"
        case Regex():
            return _call("regex", (leaf.pattern,))
        case Fuzzy():
            return f"fuzzy({quoted(leaf.phrase)}, {leaf.distance})"
        case Number():
            least, most = (
                "" if bound is None else number_text(bound)
                for bound in (leaf.minimum, leaf.maximum)
            )
            units = "".join(f", {quoted(unit)}" for unit in leaf.units)
            return f"number({least}..{most}{units})"
        case Field():
            return _call("field", (leaf.name, *leaf.values))
        case Tag():
            return _call("tag", (leaf.code,))
        case SimilarTo():
            examples = ", ".join(map(quoted, leaf.examples))
            return f"similar_to({examples}, {number_text(leaf.minimum)})"


def _call(name: str, texts: tuple[str, ...]) -> str:
    return f"{name}({', '.join(map(quoted, texts))})"


def _side(phrases: tuple[str, ...]) -> str:
    return quoted(phrases[0]) if len(phrases) == 1 else _call("words", phrases)


def _modifiers(where: Where) -> list[str]:
    told = []
    if where.speaker is not Speaker.CUSTOMER:
        told.append(f"by {where.speaker or 'anybody'}")
    if where.first is not None:
        told.append(f"in first {where.first} turns")
    if where.last is not None:
        told.append(f"in last {where.last} turns")
    if where.part is not None:
        told.append(f"in {where.part}")
    if where.scope is not None:
        told.append(f"in one {where.scope}")
    if where.before is not None:
        told.append(f"before {_bracketed(where.before)}")
    if where.after is not None:
        told.append(f"after {_bracketed(where.after)}")
    if where.count != 1:
        told.append(f"at least {where.count} times")
    if where.language is not None:
        told.append(f"in language {quoted(where.language)}")
    told.extend(f"not inside {quoted(phrase)}" for phrase in where.not_inside)
    if not where.whole_word:
        told.append("inside words")
    return told


def _bracketed(leaf: Leaf) -> str:
    """Return another leaf so that what follows it stays with the first."""
    text = to_text(leaf)
    return text if leaf.where == Where() else f"({text})"
