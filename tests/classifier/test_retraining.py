import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from classifier.engine import artifact
from classifier.engine.cascade import classify
from classifier.engine.errors import NothingToLearn
from classifier.engine.rules import RuleBook
from classifier.engine.text import Transcript as Words
from classifier.errands import run_next
from classifier.models import Category, Comparison, Errand, GoldLabel, ModelVersion
from classifier.models.gold_label import fingerprint
from classifier.retraining import NothingNew, do_train, look_for_news, train_candidate
from tests import factories as make
from tests.classifier.making import (
    LATER,
    NOON,
    TOPICS,
    a_category,
    a_champion,
    a_model_without,
    a_rule,
    gold_labels,
    gold_words,
)

pytestmark = pytest.mark.django_db


def test_gold_labels_become_a_candidate_that_can_be_loaded():
    gold_labels()

    version = train_candidate(at=NOON)

    model = artifact.load(version.artifact.content, version.sha256)
    assert (version.number, version.stage, version.created_at) == (1, "candidate", NOON)
    assert set(model.labels) == set(TOPICS)
    assert version.size_bytes == len(version.artifact.content)


def test_the_held_out_labels_are_measured_on_and_not_learnt_from():
    gold_labels()
    held_out = GoldLabel.objects.filter(split="test").count()

    version = train_candidate(at=NOON)

    assert version.metrics["test"] == version.trained_on["test"] == held_out > 0
    assert version.trained_on["train"] == GoldLabel.objects.count() - held_out
    assert 0.5 < version.metrics["accuracy"] <= 1.0


def test_a_second_training_on_the_same_labels_says_so_by_its_digest():
    gold_labels()
    first, second = train_candidate(at=NOON), train_candidate(at=LATER)

    assert second.number == 2
    assert first.trained_on["digest"] == second.trained_on["digest"]
    assert first.sha256 == second.sha256


def test_the_digest_of_examples_does_not_depend_on_their_order():
    examples = gold_words()

    assert fingerprint(examples) == fingerprint(examples[::-1])
    assert fingerprint(examples) != fingerprint(examples[1:])


def test_the_digest_of_today_is_that_of_the_examples_read_whole():
    gold_labels()
    Category.objects.filter(code="login").update(is_active=False)

    today = GoldLabel.objects.fingerprint(GoldLabel.Split.TRAIN)

    assert today == fingerprint(GoldLabel.objects.examples("train"))


def test_an_errand_trains_a_candidate_and_compares_it_with_the_champion_at_once():
    gold_labels()
    champion = a_champion(1, a_model_without("login"))
    ada = make.make_user(username="ada")
    errand = Errand.objects.ask("train", at=NOON, by=ada)

    run_next({"train": do_train})

    errand.refresh_from_db()
    version, made = ModelVersion.objects.get(stage="candidate"), Comparison.objects.get()
    assert errand.result["model"] == version.pk
    assert (made.candidate, made.champion) == (version, champion)
    assert version.trained_by == "ada"
    assert errand.told == "Model 2 is trained; it is a candidate."


def test_an_errand_done_twice_after_a_kill_makes_one_candidate():
    gold_labels()
    errand = Errand.objects.ask("train", at=NOON)
    train_candidate(at=LATER)  # what the killed worker had come to

    run_next({"train": do_train})

    errand.refresh_from_db()
    assert errand.result["model"] == ModelVersion.objects.get().pk


def test_an_errand_with_too_little_to_learn_from_fails_in_words():
    errand = Errand.objects.ask("train", at=NOON)

    run_next({"train": do_train})

    errand.refresh_from_db()
    assert "too little to learn from" in errand.error


def test_news_is_a_label_that_the_newest_model_has_not_learnt():
    gold_labels()
    look_for_news()
    train_candidate(at=NOON)

    with pytest.raises(NothingNew, match="since model 1 was trained"):
        look_for_news()
    GoldLabel.objects.filter(split="train").first().reasons.all().delete()

    look_for_news()


def test_conversations_of_an_inactive_category_are_not_learnt_from():
    gold_labels()
    Category.objects.filter(code="login").update(is_active=False)

    version = train_candidate(at=NOON)

    model = artifact.load(version.artifact.content, version.sha256)
    assert set(model.labels) == {"refund", "delivery"}


@pytest.mark.parametrize("stream_from", [1, 1_000])
def test_a_category_without_labels_is_suggested_by_what_its_rules_look_for(stream_from):
    gold_labels()
    insurance = a_category("insurance")
    a_rule("insured", insurance, "travel insurance\ninsurance claim")
    a_rule("no joke", a_category("joke"), "very funny", effect="veto")

    version = train_candidate(at=NOON, stream_from=stream_from)

    model = artifact.load(version.artifact.content, version.sha256)
    policy = Category.objects.policy(model.thresholds)
    asked = Words.of("I have a question about a travel insurance claim")
    (verdict,) = classify([asked], RuleBook(), model, policy)
    assert set(model.labels) == {*TOPICS, "insurance"}
    assert verdict.primary is None
    assert verdict.suggestions[0].category == "insurance"


def test_the_rules_of_two_categories_are_enough_to_begin_with():
    a_rule("insured", a_category("insurance"), "travel insurance")
    a_rule("late", a_category("delivery"), "parcel is late")
    look_for_news()

    version = train_candidate(at=NOON)

    model = artifact.load(version.artifact.content, version.sha256)
    assert set(model.labels) == {"insurance", "delivery"}
    assert model.thresholds.accept is None


def test_progress_is_told_and_ends_at_the_whole():
    gold_labels()
    heard: list[float] = []

    train_candidate(at=NOON, on_progress=lambda _doing, share: heard.append(share))

    assert heard == sorted(heard)
    assert heard[-1] == 1.0


def test_too_few_labels_are_a_clear_refusal():
    with pytest.raises(NothingToLearn):
        train_candidate(at=NOON)

    assert not ModelVersion.objects.exists()


def test_the_command_says_what_to_do_when_there_is_too_little():
    with pytest.raises(CommandError, match="import_gold, or begin with load_starter_pack"):
        call_command("train")


def test_the_command_tells_the_measured_figures():
    gold_labels()
    out = StringIO()

    call_command("train", "--json", stdout=out, stderr=StringIO())

    told = json.loads(out.getvalue().splitlines()[-1])
    assert told["model"] == 1
    assert told["metrics"]["accuracy"] > 0.5


def test_a_training_tells_what_it_promises_for_all_and_for_each_category(settings):
    settings.TARGET_PRECISION = 0.9
    gold_labels()
    Category.objects.filter(code="refund").update(is_critical=True)

    version = train_candidate(at=NOON)

    assert version.recipe["target_precision"] == 0.9
    assert version.metrics["promised"]["at_least"] >= 0.9
    reports = {report["category"]: report for report in version.metrics["categories"]}
    assert reports.keys() == set(TOPICS)
    assert sum(report["train"] for report in reports.values()) == version.trained_on["train"]
    assert reports["refund"]["watched"]["bar"]["texts"] > 0
    assert reports["login"]["watched"] is None
    assert json.loads(json.dumps(version.metrics)) == version.metrics


def test_the_share_out_of_scope_that_is_set_is_assumed(settings):
    settings.OUT_OF_SCOPE_SHARE = 0.2
    gold_labels()

    version = train_candidate(at=NOON)

    model = artifact.load(version.artifact.content, version.sha256)
    assert model.thresholds.oos_share == 0.2


def test_many_gold_labels_are_streamed_and_make_a_model_as_well():
    gold_labels()

    version = train_candidate(at=NOON, stream_from=1)

    model = artifact.load(version.artifact.content, version.sha256)
    at_once = train_candidate(at=LATER)
    assert set(model.labels) == set(TOPICS)
    assert version.trained_on["digest"] == at_once.trained_on["digest"]
    assert version.trained_on["train"] == at_once.trained_on["train"]
    assert 0.5 < version.metrics["accuracy"] <= 1.0


def test_a_training_names_the_labels_that_look_wrong_and_those_that_contradict_each_other():
    gold_labels()
    train = GoldLabel.objects.filter(split="train").select_related("transcript").order_by("id")
    wrong = train.filter(reasons__category__code="refund")[0]
    wrong.reasons.update(category=Category.objects.get(code="login"))
    twin = train.exclude(pk=wrong.pk).filter(reasons__category__code="delivery")[0]
    copied = make.make_transcript(*twin.transcript.turns, digest="f" * 64)
    copy = GoldLabel.objects.create(
        transcript=copied, split="train", source="test", settled_at=NOON
    )
    copy.reasons.create(category=Category.objects.get(code="login"), rank=0)

    told = train_candidate(at=NOON).trained_on

    assert sorted(told["contradictions"][0]) == sorted([twin.transcript.digest, "f" * 64])
    assert {"suspects", "contradictions"} <= told.keys()
