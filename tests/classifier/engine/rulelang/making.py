"""Hypothesis strategies: any expression that the language can say."""

from hypothesis import assume
from hypothesis import strategies as st

from classifier.engine.errors import RuleInvalid
from classifier.engine.rulelang import (
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

PATTERNS = ["order \\d{6}", '"quoted"', "a|bc", "caf(é|e)s?", "\\\\", "[^a]x", "(?i)ab+c"]
TYPED = ["refund", "money back", "credit*", "a, b", 'say "no"', "back\\slash", "退錢", "“x”"]

_phrases = st.sampled_from(TYPED) | st.text(min_size=1, max_size=8)
_several = st.lists(_phrases, min_size=1, max_size=3).map(tuple)
_counts = st.none() | st.integers(1, 6)
_bounds = st.none() | st.integers(0, 10**15).map(float) | st.floats(0, 1e15)
_modifiers = st.fixed_dictionaries(
    {},
    optional={
        "speaker": st.sampled_from([None, *Speaker]),
        "first": _counts,
        "last": _counts,
        "part": st.sampled_from(Part),
        "scope": st.sampled_from(Scope),
        "count": st.integers(1, 6),
        "language": st.sampled_from(["de", "pt-BR"]),
        "not_inside": _several,
        "whole_word": st.booleans(),
    },
)


@st.composite
def expressions(draw, depth: int = 2) -> Expression:
    """Draw an expression; what the language refuses is drawn anew."""
    try:
        if depth and draw(st.booleans()):
            join = draw(st.sampled_from(Join))
            parts = draw(st.lists(expressions(depth - 1), min_size=1, max_size=3).map(tuple))
            least = draw(st.integers(1, len(parts))) if join is Join.AT_LEAST else 0
            return Group(join, parts, least, draw(st.sampled_from(Scope)))
        return draw(leaves())
    except RuleInvalid:
        assume(False)
        raise


@st.composite
def leaves(draw, depth: int = 1) -> Leaf:  # noqa: PLR0911  one for each kind
    kind = draw(st.integers(0, 8))
    if kind == 0:
        return Field(
            draw(_phrases), draw(_several), Where(language=draw(st.none() | st.just("de")))
        )
    if kind == 1:
        return Tag(draw(_phrases))
    where = Where(**draw(_modifiers))
    if depth and draw(st.integers(0, 3)) == 0:
        other = draw(leaves(depth - 1))
        where = Where(before=other) if draw(st.booleans()) else Where(after=other, speaker=None)
    if kind == 2:
        return Words(draw(_several), where)
    if kind == 3:
        ordered = draw(st.booleans())
        return Near(draw(_several), draw(_several), draw(st.integers(0, 50)), ordered, where)
    if kind == 4:
        return Regex(draw(st.sampled_from(PATTERNS)), where)
    if kind == 5:
        return Fuzzy(draw(st.sampled_from(TYPED[:2])), draw(st.integers(1, 2)), where)
    if kind == 6:
        units = draw(st.just(()) | _several)
        return Number(draw(_bounds), draw(_bounds), units, where)
    if kind == 7:
        return SimilarTo(draw(_several), draw(st.floats(0.1, 1)), where)
    return Phrase(draw(_phrases), where)
