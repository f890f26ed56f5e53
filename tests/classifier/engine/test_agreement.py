import pytest

from classifier.engine.agreement import Agreement, Outcome, Voice, agree, is_tested

UNKNOWN = 0.8


def said(*reasons, by="ada", weight=UNKNOWN, **more):
    return Voice(by, weight, reasons, **more)


def unclear(by="ada"):
    return Voice(by, UNKNOWN, None)


@pytest.mark.parametrize(
    ("voices", "outcome"),
    [
        pytest.param([], Outcome.NOTHING, id="silence"),
        pytest.param([unclear()], Outcome.NOTHING, id="cannot tell"),
        pytest.param([said("a")], Outcome.AGREED, id="one person"),
        pytest.param([said("a", weight=0.6)], Outcome.CONFLICT, id="one who is often wrong"),
        pytest.param([said("a", weight=0)], Outcome.NOTHING, id="one who never counts"),
        pytest.param(
            [said("a", weight=0.4), said("a", by="bo", weight=0.4)],
            Outcome.AGREED,
            id="two who are often wrong",
        ),
        pytest.param([said("a"), said("b", by="bo")], Outcome.CONFLICT, id="one to one"),
        pytest.param(
            [said("a"), said("a", by="bo"), said("b", by="cy")], Outcome.CONFLICT, id="2 : 1"
        ),
        pytest.param(
            [said("a"), said("a", by="bo"), said("a", by="cy"), said("b", by="di")],
            Outcome.AGREED,
            id="3 : 1",
        ),
        pytest.param(
            [said("a", "b"), said("b", "a", by="bo")], Outcome.AGREED, id="another order"
        ),
        pytest.param(
            [said("a", "b"), said("a", by="bo")], Outcome.CONFLICT, id="half the same"
        ),
        pytest.param([said("a"), unclear(by="bo")], Outcome.AGREED, id="one cannot tell"),
        pytest.param(
            [said("a"), Voice("bo", UNKNOWN, None, is_adjudication=True)],
            Outcome.NOTHING,
            id="the judge cannot tell",
        ),
    ],
)
def test_what_voices_come_to(voices, outcome):
    assert agree(voices).outcome is outcome


def test_an_adjudication_stands_alone():
    voices = [said("a"), said("a", by="bo"), said("b", by="cy", is_adjudication=True)]

    assert agree(voices) == Agreement(Outcome.AGREED, ("b",), 1.0)


def test_out_of_scope_is_a_truth():
    assert agree([said(), said(by="bo")]) == Agreement(Outcome.AGREED, (), 1.0)


def test_the_reason_that_most_put_first_is_the_primary_one():
    voices = [said("b", "a"), said("a", "b", by="bo"), said("b", "a", by="cy")]

    assert agree(voices).reasons == ("b", "a")


def test_who_is_alone_is_not_tested_by_their_own_word():
    alone, seconded = said("a"), [said("a"), said("a", by="bo")]

    assert not is_tested(alone, ("a",), [alone])
    assert is_tested(alone, ("b",), [alone])
    assert is_tested(alone, ("a",), seconded)
