"""The expressions of the rule language as values: groups, leaves, and where a leaf may stand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from classifier.engine.errors import RuleInvalid
from classifier.engine.rulelang.literal import Literal
from classifier.engine.rulelang.patterns import compiled
from classifier.engine.text import Speaker

LEAVES = 500  # more is a model's work; the rule's form stays readable and quick
DEPTH = 12  # groups within groups; nobody reads deeper
TURNS = 1_000  # the most that "in first … turns" counts
COUNT = 50  # the most that "at least … times" asks for
NEAR_WORDS = 50  # farther apart, words are not near one another
FUZZY_CHARACTERS = {1: 4, 2: 8}
"""The fewest characters of a fuzzy phrase, by distance: a shorter one is like too many words."""
FUZZY_LONGEST = 60  # an edit or two in more is a sentence, which similar_to is for
EXAMPLES = 20  # of one similar_to
EXAMPLE_CHARACTERS = 500
SIMILARITY = 0.6
LEAST_SIMILARITY = 0.1  # below, any two sentences of one language are alike
LARGEST_NUMBER = 1e15  # up to here every whole number is exact


class Join(StrEnum):
    """How many parts of a group must hold."""

    ANY = "any"
    ALL = "all"
    NONE = "none"
    AT_LEAST = "at_least"


class Scope(StrEnum):
    """The stretch of a conversation in which things must stand together."""

    SENTENCE = "sentence"
    TURN = "turn"
    CONVERSATION = "conversation"


class Part(StrEnum):
    """A part of what was written."""

    SUBJECT = "subject"
    BODY = "body"


@dataclass(frozen=True, slots=True)
class Where:
    """Where, by whom and how often a leaf must be said; as default: by the customer, anywhere.

    Raises:
        RuleInvalid: a number out of range, or a phrase that says nothing.
    """

    speaker: Speaker | None = Speaker.CUSTOMER
    """None: whoever says it. The subject of a message counts as said by who wrote it."""
    first: int | None = None
    """Only in the first so many turns of that speaker (of the conversation, for anybody)."""
    last: int | None = None
    """Only in the last so many turns of that speaker (of the conversation, for anybody)."""
    part: Part | None = None
    scope: Scope | None = None
    """Where ``count``, ``before``, ``after`` and the two sides of ``near`` must stand together.

    None: in one turn for ``near``, a sentence at a time for ``similar_to``, else anywhere in the
    conversation.
    """
    before: "Leaf | None" = None
    """Only where another leaf stands later."""
    after: "Leaf | None" = None
    """Only where another leaf stands earlier."""
    count: int = 1
    """At least so many times."""
    language: str | None = None
    """Only in conversations of this language (``de`` is also ``de-AT``); unknown is another."""
    not_inside: tuple[str, ...] = ()
    """Not as part of one of these phrases: ``credit``, but not in ``credit card``."""
    whole_word: bool = True
    """Whether "fee" is not said in "coffee"."""

    def __post_init__(self) -> None:
        for turns in (self.first, self.last):
            if turns is not None and not 1 <= turns <= TURNS:
                raise RuleInvalid(f"count 1 to {TURNS:,} turns, not {turns}")
        if self.first and self.last:
            raise RuleInvalid("choose the first turns or the last turns, not both")
        if not 1 <= self.count <= COUNT:
            raise RuleInvalid(f"ask for at least 1 to {COUNT} times, not {self.count}")
        if self.language is not None and not _is_language(self.language):
            raise RuleInvalid(f"“{self.language[:20]}” is no language code, as in de or pt-BR")
        for phrase in self.not_inside:
            _literal(phrase)
        for other in (self.before, self.after):
            if other is not None and not has_place(other):
                raise RuleInvalid("a field or a tag has no place to stand before or after")


ANY_PLACE = Where(speaker=None)
_DEFAULT = Where()


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase is said; a star at its end stands for any ending."""

    phrase: str
    where: Where = _DEFAULT

    def __post_init__(self) -> None:
        _literal(self.phrase)


@dataclass(frozen=True, slots=True)
class Words:
    """At least one of several phrases is said."""

    phrases: tuple[str, ...]
    where: Where = _DEFAULT

    def __post_init__(self) -> None:
        _phrases(self.phrases)


@dataclass(frozen=True, slots=True)
class Near:
    """Of two lists of phrases one each is said with at most so many words between them.

    In scripts without blanks between words, each character counts as a word.
    """

    one: tuple[str, ...]
    other: tuple[str, ...]
    words: int
    """How many words may stand between, 0 to ``NEAR_WORDS``."""
    ordered: bool = False
    """Whether ``one`` must stand first."""
    where: Where = _DEFAULT

    def __post_init__(self) -> None:
        _phrases(self.one)
        _phrases(self.other)
        if not 0 <= self.words <= NEAR_WORDS:
            raise RuleInvalid(f"allow 0 to {NEAR_WORDS} words between, not {self.words}")


@dataclass(frozen=True, slots=True)
class Regex:
    """A regular expression (RE2) is found in the folded text: no capitals, no accents.

    Raises:
        RuleInvalid: RE2 does not take it, or it is found in nothing at all.
    """

    pattern: str
    where: Where = _DEFAULT

    def __post_init__(self) -> None:
        compiled(self.pattern)
        if not self.where.whole_word or self.where.not_inside:
            raise RuleInvalid(
                "a regex says itself where words begin (\\b) and what stands around it"
            )


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """A phrase is said with at most so many wrong, missing, extra or swapped characters."""

    phrase: str
    distance: int = 1
    where: Where = _DEFAULT

    def __post_init__(self) -> None:
        if self.distance not in FUZZY_CHARACTERS:
            raise RuleInvalid(f"a fuzzy phrase differs by 1 or 2, not {self.distance}")
        literal = _literal(self.phrase)
        if literal.any_ending:
            raise RuleInvalid("a fuzzy phrase takes no star")
        least = FUZZY_CHARACTERS[self.distance]
        if not least <= len(literal.folded) <= FUZZY_LONGEST:
            raise RuleInvalid(
                f"a phrase that may differ by {self.distance} has {least} to {FUZZY_LONGEST} "
                f"characters, not {len(literal.folded)}"
            )


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a range is said, with one of the units beside it if any is named."""

    minimum: float | None = None
    maximum: float | None = None
    units: tuple[str, ...] = ()
    """Words or signs right before or after the number: ``€``, ``days``."""
    where: Where = _DEFAULT

    def __post_init__(self) -> None:
        if self.minimum is None and self.maximum is None:
            raise RuleInvalid("a number needs a smallest or a largest value, as in 50..100")
        for bound in (self.minimum, self.maximum):
            if bound is not None and not 0 <= bound <= LARGEST_NUMBER:
                raise RuleInvalid("a number lies between 0 and 1,000,000,000,000,000")
        if None not in (self.minimum, self.maximum) and (self.minimum or 0) > (
            self.maximum or 0
        ):
            raise RuleInvalid("the smallest number stands first, as in 50..100")
        if self.units:
            _phrases(self.units)


@dataclass(frozen=True, slots=True)
class Field:
    """A fact about the conversation is one of several values; a star stands for any ending.

    Names: ``channel``, ``language``, ``queue``, or any field that was mapped.
    """

    name: str
    values: tuple[str, ...]
    where: Where = _DEFAULT

    def __post_init__(self) -> None:
        _literal(self.name)
        _phrases(self.values)
        _refuse_place(self.where, "a field")


@dataclass(frozen=True, slots=True)
class Tag:
    """An earlier reason of the same Case is this category's code; a star: any ending."""

    code: str
    where: Where = _DEFAULT

    def __post_init__(self) -> None:
        _literal(self.code)
        _refuse_place(self.where, "a tag")


@dataclass(frozen=True, slots=True)
class SimilarTo:
    """A sentence (or turn, by ``where.scope``) is as similar to one of the examples as asked.

    Similarity is the cosine of what words and groups of letters two texts share, in [0, 1].
    """

    examples: tuple[str, ...]
    minimum: float = SIMILARITY
    where: Where = _DEFAULT

    def __post_init__(self) -> None:
        if not 1 <= len(self.examples) <= EXAMPLES:
            raise RuleInvalid(f"give 1 to {EXAMPLES} examples, not {len(self.examples)}")
        if not LEAST_SIMILARITY <= self.minimum <= 1:
            raise RuleInvalid(
                f"a least similarity lies between {LEAST_SIMILARITY} and 1, not {self.minimum}"
            )
        for example in self.examples:
            if not any(char.isalnum() for char in example):
                raise RuleInvalid("an example needs words")
            if len(example) > EXAMPLE_CHARACTERS:
                raise RuleInvalid(f"an example has at most {EXAMPLE_CHARACTERS} characters")
        if not self.where.whole_word or self.where.not_inside:
            raise RuleInvalid("similar_to compares whole sentences, not words inside them")


Leaf: TypeAlias = Phrase | Words | Near | Regex | Fuzzy | Number | Field | Tag | SimilarTo


@dataclass(frozen=True, slots=True)
class Group:
    """Parts of which any, all, none or at least so many must hold.

    With ``scope`` they must hold within one and the same sentence or turn.

    Raises:
        RuleInvalid: no parts, too many, too deep, or a number that does not fit them.
    """

    join: Join
    parts: "tuple[Expression, ...]"
    least: int = 0
    """Of ``AT_LEAST``: how many; else 0."""
    scope: Scope = Scope.CONVERSATION

    def __post_init__(self) -> None:
        if not self.parts:
            raise RuleInvalid(f"{self.join} needs something in its brackets")
        if self.join is Join.AT_LEAST and not 1 <= self.least <= len(self.parts):
            raise RuleInvalid(
                f"at_least asks for 1 to {len(self.parts)} of its {len(self.parts)} parts, "
                f"not {self.least}"
            )
        if self.join is not Join.AT_LEAST and self.least:
            raise RuleInvalid("only at_least asks for a number of parts")
        if depth_of(self) > DEPTH:
            raise RuleInvalid(f"brackets stand at most {DEPTH} deep; split the rule")


Expression: TypeAlias = Group | Leaf


def any_of(*parts: Expression) -> Group:
    return Group(Join.ANY, parts)


def all_of(*parts: Expression, scope: Scope = Scope.CONVERSATION) -> Group:
    return Group(Join.ALL, parts, scope=scope)


def none_of(*parts: Expression) -> Group:
    return Group(Join.NONE, parts)


def at_least(least: int, *parts: Expression, scope: Scope = Scope.CONVERSATION) -> Group:
    return Group(Join.AT_LEAST, parts, least, scope)


def has_place(leaf: Leaf) -> bool:
    """Say whether a leaf speaks of words, which stand somewhere, and not of a fact."""
    return not isinstance(leaf, (Field, Tag))


def leaves(expression: Expression) -> Iterator[Leaf]:
    """Yield every leaf, those of ``before`` and ``after`` included, in the order written."""
    if isinstance(expression, Group):
        for part in expression.parts:
            yield from leaves(part)
        return
    yield expression
    for other in (expression.where.before, expression.where.after):
        if other is not None:
            yield from leaves(other)


def depth_of(expression: Expression) -> int:
    """Return how many brackets stand within one another; a leaf alone has none."""
    if isinstance(expression, Group):
        return 1 + max(depth_of(part) for part in expression.parts)
    others = (expression.where.before, expression.where.after)
    return max((1 + depth_of(other) for other in others if other is not None), default=0)


def says(expression: Expression) -> Expression:
    """Return the expression, made sure that a rule may have it.

    Raises:
        RuleInvalid: it would hold for silence, or has more phrases than a rule may.
    """
    if is_silent(expression):
        raise RuleInvalid(
            "the rule would hold for silence; name something that must be said, "
            'as in all("refund", none("policy"))'
        )
    count = sum(phrases_in(leaf) for leaf in leaves(expression))
    if count > LEAVES:
        raise RuleInvalid(f"the rule has {count} phrases; at most {LEAVES} fit, so split it")
    return expression


def is_silent(expression: Expression) -> bool:
    """Say whether an expression holds where none of its leaves does."""
    if not isinstance(expression, Group):
        return False
    silent = [is_silent(part) for part in expression.parts]
    match expression.join:
        case Join.ANY:
            return any(silent)
        case Join.ALL:
            return all(silent)
        case Join.NONE:
            return not any(silent)
        case Join.AT_LEAST:
            return sum(silent) >= expression.least


def phrases_in(leaf: Leaf) -> int:
    """Return how many phrases a leaf looks for, at least one."""
    match leaf:
        case Words():
            own = len(leaf.phrases)
        case Near():
            own = len(leaf.one) + len(leaf.other)
        case Number():
            own = max(1, len(leaf.units))
        case SimilarTo():
            own = len(leaf.examples)
        case Field():
            own = len(leaf.values)
        case _:
            own = 1
    return own + len(leaf.where.not_inside)


def _phrases(phrases: Sequence[str]) -> None:
    if not phrases:
        raise RuleInvalid('name at least one phrase, as in words("refund", "money back")')
    for phrase in phrases:
        _literal(phrase)


def _literal(typed: str) -> Literal:
    try:
        return Literal.parsed(typed)
    except RuleInvalid as refusal:
        raise RuleInvalid(f"“{typed[:40]}”: {refusal}") from refusal


def _is_language(code: str) -> bool:
    primary, *rest = code.split("-")
    return (
        code.isascii()
        and primary.isalpha()
        and 2 <= len(primary) <= 3  # noqa: PLR2004  ISO 639
        and all(subtag.isalnum() and len(subtag) <= 8 for subtag in rest)  # noqa: PLR2004  BCP 47
    )


def _refuse_place(where: Where, what: str) -> None:
    if where != Where(language=where.language):
        raise RuleInvalid(f"{what} has no speaker and no place: only a language may follow it")
