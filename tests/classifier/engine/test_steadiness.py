"""A reason that stands gives way only to a clearly better one."""

import pytest

from classifier.engine.steadiness import steadied
from classifier.engine.taxonomy import Node, Taxonomy
from classifier.engine.verdict import Doubt, Ground, Reason, Verdict

TREE = Taxonomy(
    (
        Node("billing", "Billing"),
        Node("billing.refund", "Refund", "billing"),
        Node("delivery", "Delivery"),
        Node("login", "Login"),
    )
)


def reason(code, score=0.97, ground=Ground.MODEL, rule_score=None):
    return Reason(code, score, rule_score, score, ground, is_ruled=ground is Ground.RULES)


def verdict(*reasons, suggested=()):
    return Verdict(tuple(reasons), tuple(suggested), None if reasons else Doubt.UNSURE)


def after(found, *standing):
    """Return the codes that stand after a verdict, primary first; None: as before."""
    stands = steadied(found, [reason(code) for code in standing], TREE)
    return stands and [one.category for one in stands.reasons]


@pytest.mark.parametrize(
    ("found", "standing", "stands"),
    [
        pytest.param(verdict(reason("login")), [], ["login"], id="nothing stood"),
        pytest.param(verdict(), ["login"], None, id="not sure now"),
        pytest.param(verdict(reason("login")), ["login"], ["login"], id="the same"),
        pytest.param(verdict(reason("delivery")), ["login"], ["delivery"], id="clearly better"),
        pytest.param(
            verdict(reason("delivery", 0.9), suggested=[reason("login", 0.5)]),
            ["login"],
            None,
            id="a little better",
        ),
        pytest.param(
            verdict(reason("delivery"), reason("login", 0.95)),
            ["login"],
            ["login", "delivery"],
            id="a second matter",
        ),
        pytest.param(
            verdict(reason("delivery", 0.99, Ground.RULES, 0.99), suggested=[reason("login")]),
            ["login"],
            ["delivery"],
            id="a decisive rule",
        ),
        pytest.param(
            verdict(reason("delivery", 0.99, Ground.RULES), reason("login")),
            ["login"],
            ["delivery", "login"],
            id="a decisive rule beside what stands",
        ),
        pytest.param(
            verdict(*(reason(code, 0.99, Ground.RULES) for code in ("delivery", "login"))),
            ["login"],
            ["login", "delivery"],
            id="two decisive rules",
        ),
        pytest.param(
            verdict(reason("billing.refund")), ["billing"], ["billing.refund"], id="finer"
        ),
        pytest.param(verdict(reason("billing")), ["billing.refund"], None, id="coarser"),
        pytest.param(
            verdict(reason("login")), ["login", "delivery"], ["login", "delivery"], id="further"
        ),
        pytest.param(
            verdict(reason("delivery")),
            ["login", "billing"],
            ["delivery"],
            id="further ones go with theirs",
        ),
        pytest.param(verdict(reason("login")), ["gone"], ["login"], id="no category any more"),
        pytest.param(
            verdict(reason("login")), ["login", "gone"], ["login"], id="nor a further one"
        ),
    ],
)
def test_what_stands_after_a_verdict(found, standing, stands):
    assert after(found, *standing) == stands


def test_a_further_reason_that_stays_is_no_longer_only_suggested():
    guess = reason("delivery", 0.4)

    stands = steadied(
        verdict(reason("login"), suggested=[guess]), [reason("login"), reason("delivery")], TREE
    )

    assert (stands.reasons[1], stands.suggestions) == (guess, ())


@pytest.mark.parametrize(
    ("suggested", "standing", "stands"),
    [
        pytest.param(["login"], ["delivery"], [], id="something else stands"),
        pytest.param(["billing"], ["billing.refund"], None, id="it stands already, finer"),
        pytest.param(["login"], ["delivery", "login"], None, id="it stands beside another"),
        pytest.param([], ["delivery"], [], id="nobody can tell which"),
    ],
)
def test_what_may_be_critical_takes_down_what_hides_it(suggested, standing, stands):
    alarm = Verdict((), tuple(reason(code, 0.1) for code in suggested), Doubt.CRITICAL)

    assert after(alarm, *standing) == stands
