"""Promises of the class report: every category on its own, the rare ones first."""

import pytest

from classifier.engine.class_report import RARE, class_reports
from classifier.engine.example import Example
from classifier.engine.policy import Policy
from classifier.engine.proof import at_least
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.text import Transcript
from classifier.engine.thresholds import Bar, Proof, ProvenBy, Thresholds
from classifier.engine.verdict import Doubt, Ground, Reason, Verdict

TREE = Taxonomy.of_paths([("a", "x"), ("a", "y"), ("b",)])
WORDS = Transcript.of("words")


def texts(*codes):
    return [Example(WORDS, frozenset([code]), str(place)) for place, code in enumerate(codes)]


def said(*codes):
    return Verdict(tuple(Reason(code, 0.9, None, 0.9, Ground.MODEL) for code in codes))


UNSURE, ALARM = Verdict(doubt=Doubt.UNSURE), Verdict(doubt=Doubt.CRITICAL)


def test_each_category_is_counted_with_what_lies_below_it():
    test = texts("a.x", "a.x", "a.x", "a.y", "b")
    verdicts = [said("a.x"), said("a"), UNSURE, said("a.x"), said("b")]

    found = class_reports(texts("a.x", "a.y"), test, verdicts, Policy(TREE))

    by_code = {report.category: report for report in found}
    parent, child = by_code["a"], by_code["a.x"]
    assert (parent.train, parent.test, parent.decided, parent.right) == (2, 4, 1, 1)
    assert parent.found == 3
    assert (child.test, child.decided, child.right, child.found) == (3, 2, 1, 1)


def test_rare_categories_come_first_and_are_called_so():
    train = texts(*["b"] * RARE, *["a.x"] * (RARE - 1))

    found = class_reports(train, [], [], Policy(TREE))

    assert [(report.category, report.is_rare) for report in found] == [
        ("a", True),
        ("a.x", True),
        ("b", False),
    ]


def test_a_critical_category_is_caught_where_it_is_tagged_or_asked_about_first():
    bar = Bar(0.95, 0.05, 0.96, 200, 0.1)
    policy = Policy(TREE, Thresholds(bars={"b": (bar,)}), critical={"b": 0.95})

    (report,) = class_reports(
        [], texts("b", "b", "b", "b"), [said("b"), ALARM, UNSURE, said("a", "b")], policy
    )

    assert (report.watched.bar, report.watched.caught) == (bar, 3)
    assert report.watched.at_least == pytest.approx(float(at_least(3, 4)))


def test_a_category_tells_whose_texts_prove_it():
    proof = Proof(ProvenBy.SIBLINGS, 10, 10, 0.96, 12, 0.8, 0.9)

    found = class_reports(texts("a.x"), [], [], Policy(TREE, Thresholds(proofs={"a.x": proof})))

    assert {report.category: report.proof for report in found} == {"a": None, "a.x": proof}
