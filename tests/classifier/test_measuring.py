import pytest

from classifier.errands import run_next
from classifier.measuring import (
    Together,
    measure_changed,
    measure_rules,
    measure_together,
    together,
)
from classifier.models import Category, Errand, GoldLabel, KeywordRule
from classifier.models.gold_label import Settled
from classifier.tasks import ERRANDS
from tests.classifier.making import (
    LATER,
    NOON,
    Words,
    a_category,
    a_champion,
    a_rule,
    gold_labels,
    gold_words,
)

pytestmark = pytest.mark.django_db


def keep(split: str, *said: tuple[str, str]) -> None:
    """Keep labelled conversations of one split: what was said, and its category."""
    settled = [Settled(Words.of(text), (a_category(code),)) for text, code in said]
    GoldLabel.objects.keep_all(settled, source="test", at=NOON)
    digests = [one.digest for one in settled]
    GoldLabel.objects.filter(transcript__digest__in=digests).update(split=split)


def measured(name: str) -> KeywordRule:
    measure_rules(KeywordRule.objects.all(), at=LATER)
    return KeywordRule.objects.get(name=name)


def test_strength_is_counted_on_the_labels_that_are_learnt_from():
    keep("train", ("a refund", "refund"), ("my refund", "refund"), ("no refund", "late"))
    keep("test", ("refund it", "late"))
    a_rule("Refunds", a_category("refund"), "refund")

    rule = measured("Refunds")

    assert (rule.labels_right, rule.labels_found, rule.measured_at) == (2, 3, LATER)
    assert rule.strength == pytest.approx(3 / 5)
    assert rule.to_rule().strength == rule.strength


def test_a_rule_that_finds_no_label_has_no_strength():
    keep("train", ("a refund", "refund"))
    a_rule("Bikes", a_category("refund"), "bicycle")

    rule = measured("Bikes")

    assert (rule.strength, rule.record, rule.measured_at) == (None, None, LATER)


def test_measuring_is_no_change_of_the_rule():
    keep("train", ("a refund", "refund"))
    before = a_rule("Refunds", a_category("refund"), "refund")

    rule = measured("Refunds")

    assert rule.changed_at == before.changed_at
    assert rule.history.count() == 1


def test_a_rule_that_is_changed_meanwhile_stays_unmeasured():
    keep("train", ("a refund", "refund"))
    rule = a_rule("Refunds", a_category("refund"), "refund")
    seen = list(KeywordRule.objects.all())
    rule.any_of = "money"
    rule.save()

    measure_rules(seen, at=LATER)

    rule.refresh_from_db()
    assert rule.measured_at is None


def test_a_rule_that_cannot_be_read_stops_no_other():
    keep("train", ("a refund", "refund"))
    a_rule("Bad", a_category("refund"), "re*fund")
    a_rule("Good", a_category("refund"), "refund")

    assert measured("Good").labels_found == 1
    assert KeywordRule.objects.get(name="Bad").measured_at is None


def test_the_champion_is_set_beside_the_rules_on_what_it_has_not_seen():
    gold_labels()
    a_champion()
    examples = [example for example in gold_words() if "parcel" in str(example.transcript)]
    wrong = a_category("wrong")
    a_rule("Wrong", wrong, "parcel")
    GoldLabel.objects.filter(
        transcript__digest__in=[Settled(one.transcript, ()).digest for one in examples]
    ).update(split="test")

    rule = measured("Wrong")

    assert rule.model_better > 5
    assert rule.model_worse == 0
    assert rule.record is None  # no learning label is left that it finds


def test_a_rule_is_overtaken_where_the_model_does_better_beyond_chance():
    gold_labels()
    a_champion()
    a_rule("Wrong", a_category("wrong"), "thanks")
    half = GoldLabel.objects.order_by("id").values_list("id", flat=True)[::2]
    GoldLabel.objects.filter(pk__in=list(half)).update(split="audit")

    rule = measured("Wrong")

    assert rule.record.is_overtaken
    assert rule.labels_right == 0


def test_without_a_champion_nothing_is_compared():
    gold_labels()
    a_rule("Parcel", Category.objects.get(code="delivery"), "parcel")

    assert measured("Parcel").model_better is None


def test_many_labels_are_measured_on_by_a_worker():
    keep("train", ("a refund", "refund"), ("my refund", "refund"))
    rule = a_rule("Refunds", a_category("refund"), "refund")

    assert measure_changed(rule, at=NOON, at_once=1) is False
    assert KeywordRule.objects.get().measured_at is None
    run_next(ERRANDS)

    assert KeywordRule.objects.get().labels_found == 2
    assert Errand.objects.get().told == "1 rule is measured on gold labels."


def test_rules_and_champion_are_tried_together_as_they_are_served():
    gold_labels()
    a_champion()
    held_out = GoldLabel.objects.exclude(split="train").count()
    a_rule("Everything is late", a_category("delivery"), "i\nmy\nthe\nwhere")

    found = measure_together()

    assert found == together()
    assert found.texts == held_out
    assert found.decided >= found.right > 0
    assert (found.model, found.target, found.is_today) == (1, 0.95, True)


def test_a_change_of_rules_is_told_until_they_are_tried_again():
    gold_labels()
    a_champion()
    rule = a_rule("Refunds", a_category("refund"), "refund")
    measure_together()
    before = together().is_today
    rule.is_active = False
    rule.save()
    changed = together().is_today
    Errand.objects.ask("measure", at=NOON)

    run_next(ERRANDS)

    assert (before, changed, together().is_today) == (True, False, True)


def test_rules_that_are_wrong_beyond_chance_make_the_whole_fall_short():
    wrong = Together(texts=100, decided=80, right=60, rulebook="", model=1, target=0.95)
    lucky = Together(texts=10, decided=5, right=4, rulebook="", model=1, target=0.95)
    mute = Together(texts=10, decided=0, right=0, rulebook="", model=1, target=0.95)

    assert wrong.falls_short
    assert not lucky.falls_short
    assert (mute.falls_short, mute.precision, mute.coverage) == (False, None, 0.0)


def test_without_a_champion_there_is_nothing_to_try_together():
    gold_labels()

    assert measure_together() is None
    assert together() is None
