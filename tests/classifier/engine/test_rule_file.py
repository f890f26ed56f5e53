"""Promises of a file of rules: what it says is what is measured, and mistakes name their rule."""

import json
from pathlib import Path

import pytest

from classifier.engine.rule_file import RuleFileInvalid, read_rules
from classifier.engine.rules import RuleBook
from classifier.engine.taxonomy import Taxonomy
from classifier.engine.text import Speaker, Transcript, Turn

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks" / "rules"
TREE = Taxonomy.of_paths([("Billing", "Refund"), ("Delivery",)])
REFUND = {"name": "refunds", "category": "billing.refund", "any_of": ["refund"]}


def written(tmp_path, *rules):
    path = tmp_path / "rules.json"
    path.write_text(json.dumps({"rules": rules}), encoding="utf-8")
    return path


def test_rules_are_read_with_codes_or_paths_of_labels(tmp_path):
    late = {"name": "late", "category": "Delivery", "any_of": ["late", "where is"]}

    rules = read_rules(written(tmp_path, REFUND | {"category": "Billing > Refund"}, late), TREE)

    assert [rule.category for rule in rules] == ["billing.refund", "delivery"]
    hits = RuleBook(rules).match(Transcript.of("Where is my refund?"))
    assert [hit.rule.name for hit in hits] == ["refunds", "late"]


def test_a_rule_listens_to_whom_it_says(tmp_path):
    rule = REFUND | {"speaker": "representative"}

    book = RuleBook(read_rules(written(tmp_path, rule), TREE))

    assert not book.match(Transcript.of("refund"))
    assert book.match(Transcript((Turn(Speaker.REPRESENTATIVE, "refund"),)))


def test_a_rule_in_the_rule_language_is_read_and_an_old_strength_is_not(tmp_path):
    rule = {
        "name": "late refund",
        "category": "Billing > Refund",
        "expression": 'near("refund", "late", 3)',
        "certain": True,
        "strength": 0.9,
    }

    (read,) = read_rules(written(tmp_path, rule), TREE)

    assert (read.is_certain, read.strength) == (True, None)
    assert RuleBook([read]).match(Transcript.of("My refund is late"))
    assert not RuleBook([read]).match(Transcript.of("Where is my refund?"))


def test_a_rule_that_is_switched_off_is_left_out(tmp_path):
    assert read_rules(written(tmp_path, REFUND | {"active": False}), TREE) == []


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        ({"category": "Rain"}, "rule 1 .refunds.: there is no category “Rain”"),
        ({"any_of": []}, "at least one phrase"),
        ({"weight": 3}, "unknown key 'weight'"),
        ({"expression": '"money"'}, "not both"),
        ({"any_of": [], "expression": 'near("a"'}, "expected"),
        ({"effect": "explode"}, "explode"),
        ({"must_match": ["money back"]}, "does not find “money back”"),
        ({"must_not_match": ["no refund"]}, "finds “no refund”"),
    ],
)
def test_a_mistake_names_the_rule(tmp_path, change, mistake):
    with pytest.raises(RuleFileInvalid, match=mistake):
        read_rules(written(tmp_path, REFUND | change), TREE)


def test_two_rules_of_one_name_are_refused(tmp_path):
    with pytest.raises(RuleFileInvalid, match="two rules “refunds”"):
        read_rules(written(tmp_path, REFUND, REFUND), TREE)


@pytest.mark.parametrize("content", ["nonsense", "[]", '{"rules": 3}', '{"rules": ["refund"]}'])
def test_a_file_without_rules_is_refused(tmp_path, content):
    path = tmp_path / "rules.json"
    path.write_text(content)

    with pytest.raises(RuleFileInvalid):
        read_rules(path, TREE)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(RuleFileInvalid, match="check the path"):
        read_rules(tmp_path / "none.json", TREE)


@pytest.mark.parametrize("name", ["star", "banking77"])
def test_the_rules_for_measuring_are_sixty_and_do_what_their_examples_say(name):
    path = BENCHMARKS / f"{name}.json"
    found = json.loads(path.read_text(encoding="utf-8"))["rules"]
    tree = Taxonomy.of_paths(sorted({(rule["category"],) for rule in found}))

    rules = read_rules(path, tree)

    assert len(rules) == 60
    assert all(rule["must_match"] and rule["must_not_match"] for rule in found)
    assert not any(rule.is_certain for rule in rules)
