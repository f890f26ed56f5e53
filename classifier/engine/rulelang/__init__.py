"""The rule language: one grammar as values, JSON (stored), text (typed) and plain English (shown).

    parse('all("refund", none("policy" by representative))')   text → Expression
    to_text(expression)                                        and back
    to_json(expression), from_json(found)                      the stored form, versioned, strict
    echo(expression)                                           what it means, in plain English
    costs(expression)                                          what makes it slow, if anything
    wording(expression)                                        texts as a customer may say them

``Expression`` is a ``Group`` (any, all, none, at_least) or a leaf (``nodes``). ``rules.RuleBook``
matches them. docs/rules.md tells the language to admins.
"""

from classifier.engine.rulelang.echo import costs, echo
from classifier.engine.rulelang.json_form import VERSION, from_json, to_json
from classifier.engine.rulelang.nodes import (
    ANY_PLACE,
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
    all_of,
    any_of,
    at_least,
    none_of,
    says,
)
from classifier.engine.rulelang.parsing import RuleUnreadable, parse
from classifier.engine.rulelang.wording import wording
from classifier.engine.rulelang.writing import to_text

__all__ = [
    "ANY_PLACE",
    "VERSION",
    "Expression",
    "Field",
    "Fuzzy",
    "Group",
    "Join",
    "Leaf",
    "Near",
    "Number",
    "Part",
    "Phrase",
    "Regex",
    "RuleUnreadable",
    "Scope",
    "SimilarTo",
    "Tag",
    "Where",
    "Words",
    "all_of",
    "any_of",
    "at_least",
    "costs",
    "echo",
    "from_json",
    "none_of",
    "parse",
    "says",
    "to_json",
    "to_text",
    "wording",
]
