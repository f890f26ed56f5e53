"""The canonical form: equal for expressions that say the same, however they were typed."""

import json

from classifier.engine.folding import fold
from classifier.engine.rulelang.json_form import plain
from classifier.engine.rulelang.literal import Literal
from classifier.engine.rulelang.nodes import Expression

_PHRASES = {"phrase", "fuzzy", "tag"}
_LISTS = {"words", "units", "is", "not_inside"}
_EXAMPLES = "similar_to"  # whole sentences: a star is no ending there, and length no fault
_PARTS = {"any", "all", "none", "of"}


def canonical(expression: Expression) -> object:
    """Return JSON values: phrases folded, lists whose order says nothing sorted."""
    return _canonical(plain(expression))


def _canonical(found: object) -> object:
    if not isinstance(found, dict):
        return found
    return {key: _value(key, found[key]) for key in sorted(found)}


def _value(key: str, value: object) -> object:
    if key in _PHRASES:
        return _folded(value)
    if key in _LISTS and isinstance(value, list):
        return sorted({_folded(phrase) for phrase in value})
    if key == _EXAMPLES and isinstance(value, list):
        return sorted({fold(example).text for example in value})
    if key == "near" and isinstance(value, list):
        return [sorted({_folded(phrase) for phrase in side}) for side in value]
    if key in _PARTS and isinstance(value, list):
        return sorted(map(_canonical, value), key=json.dumps)
    return _canonical(value)


def _folded(phrase: object) -> str:
    return str(Literal.parsed(str(phrase)))
