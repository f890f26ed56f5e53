"""Promises of the words beside a comparison: who reads them need know no statistics."""

import pytest

from classifier.engine.comparison import Comparison
from classifier.engine.findings import Tone, findings, headline
from tests.classifier.engine.test_contest import DELIVERY, FEE, NONE, REFUND, TREE, contest


def words(found: Comparison) -> list[str]:
    return [finding.words for finding in findings(found, TREE)]


@pytest.mark.parametrize(
    ("ours", "theirs", "tone", "said"),
    [
        ([REFUND] * 8, [FEE] * 8, Tone.GOOD, "Better beyond chance on 8 unseen texts: 8 now"),
        ([FEE] * 8, [REFUND] * 8, Tone.BAD, "Worse beyond chance on 8 unseen texts: 0 now"),
        ([REFUND] * 8, [REFUND] * 8, Tone.CALM, "No difference that 8 unseen texts can show"),
    ],
)
def test_the_headline_says_better_worse_or_nothing_that_so_few_can_show(
    ours, theirs, tone, said
):
    told = headline(contest([REFUND] * 8, ours, theirs))

    assert told.tone is tone
    assert told.words.startswith(said)


def test_a_category_that_lost_is_named_by_its_label_before_anything_else():
    rows = [REFUND] * 20 + [DELIVERY] * 20

    told = words(contest(rows, [FEE] * 20 + [DELIVERY] * 20, [REFUND] * 20 + [DELIVERY] * 20))

    assert told[0].startswith("It makes more mistakes by itself, beyond chance: 20 new ones")
    assert "Worse on Billing › Refund: F1 fell by 100 points on 20 texts." in told
    assert told[-1].startswith("40 texts are few")


def test_few_texts_of_a_category_are_said_to_prove_little():
    told = words(contest([REFUND] * 3, [FEE] * 3, [REFUND] * 3))

    assert any("on 3 texts. So few may be chance" in each for each in told)


def test_fewer_mistakes_are_praised():
    told = words(contest([REFUND] * 8, [NONE] * 8, [FEE] * 8))

    assert "It makes fewer mistakes by itself, beyond chance: 8 are gone, 0 are new." in told


def test_without_texts_it_says_what_to_do():
    assert "settle or import more" in headline(Comparison(0, None)).words
    assert findings(Comparison(0, None), TREE) == ()
