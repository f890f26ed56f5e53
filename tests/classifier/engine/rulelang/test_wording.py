"""What a rule looks for, as short texts that a model can learn from."""

import pytest
from hypothesis import given

from classifier.engine.rulelang import parse, wording
from classifier.engine.rulelang.wording import MOST
from tests.classifier.engine.rulelang.making import expressions


@pytest.mark.parametrize(
    ("typed", "texts"),
    [
        ('"refund*"', ("refund",)),
        ('words("refund", "money back")', ("refund", "money back")),
        ('any("refund", "money back")', ("refund", "money back")),
        ('all("card", words("lost", "stolen"))', ("card lost", "card stolen")),
        ('at_least(2, "card", "lost", "stolen")', ("card lost",)),
        ('near("card", words("lost", "stolen"), 5)', ("card lost", "card stolen")),
        ('all("refund", none("policy"))', ("refund",)),
        ('all("refund", field("channel", "chat"))', ("refund",)),
        ('any("refund", "sorry" by representative)', ("refund",)),
        ('similar_to("I want my money back", 0.6)', ("I want my money back",)),
        ('fuzzy("cancellation", 2)', ("cancellation",)),
        (r'regex("order \\d{6}")', ()),
        ('tag("billing.*")', ()),
    ],
)
def test_a_rule_is_worded_by_what_a_customer_must_say(typed, texts):
    assert wording(parse(typed)) == texts


def test_a_long_list_is_worded_in_part():
    listed = ", ".join(f'"word{number}"' for number in range(MOST + 5))

    assert len(wording(parse(f"words({listed})"))) == MOST


@given(expressions())
def test_any_rule_is_worded_in_few_texts_each_said_once(expression):
    texts = wording(expression)

    assert len(texts) == len(set(texts)) <= MOST
    assert all(texts)
