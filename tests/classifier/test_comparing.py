import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from classifier.comparing import (
    CannotCompare,
    compare_with_champion,
    do_compare,
    whats_changed,
)
from classifier.engine.comparison import Outcome
from classifier.errands import run_next
from classifier.models import Category, Comparison, Errand, GoldLabel, ModelArtifact, Transcript
from tests.classifier.making import NOON, a_champion, a_model_without, a_rule, gold_labels

pytestmark = pytest.mark.django_db


@pytest.fixture
def rivals():
    """A candidate that knows all topics, and a champion that never learnt of logins."""
    gold_labels()
    candidate = a_champion(2)
    type(candidate).objects.update(stage="candidate")
    champion = a_champion(1, a_model_without("login"))
    candidate.refresh_from_db()
    return candidate, champion


def test_a_candidate_is_compared_on_labels_that_no_model_learns_from(rivals):
    candidate, champion = rivals
    heard = []

    made = compare_with_champion(
        candidate, at=NOON, on_progress=lambda _said, share: heard.append(share)
    )

    found = made.found
    assert (made.candidate, made.champion) == (candidate, champion)
    assert found.texts == GoldLabel.objects.exclude(split="train").count()
    assert found.rights.better > 0
    assert {line.category for line in found.lines} == {"refund", "delivery", "login"}
    assert heard[-1] == 1.0


def test_blind_audit_labels_count_and_training_labels_do_not(rivals):
    before = compare_with_champion(rivals[0], at=NOON).found.texts
    moved = GoldLabel.objects.filter(split="train").first()
    GoldLabel.objects.filter(pk=moved.pk).update(split="audit")

    assert compare_with_champion(rivals[0], at=NOON).found.texts == before + 1


def test_each_text_that_flips_can_be_found_again(rivals):
    found = compare_with_champion(rivals[0], at=NOON).found

    for flip in found.flips:
        label = Transcript.objects.get(pk=int(flip.key)).gold_label
        assert {reason.category.code for reason in label.reasons.all()} == set(flip.truths)


def test_the_rules_of_the_day_speak_as_they_would_when_serving(rivals):
    login = Category.objects.get(code="login")
    a_rule("Login", login, "password\nlogin\naccount\nlocked\nusername\ncode\nsigned")

    found = compare_with_champion(rivals[0], at=NOON).found

    line = next(line for line in found.lines if line.category == "login")
    assert line.champion.recall.value > 0.5  # the rules know what it never learnt


def test_a_comparison_is_out_of_date_once_what_it_rests_on_changed(rivals):
    candidate, champion = rivals
    made = compare_with_champion(candidate, at=NOON)
    assert whats_changed(made) == ()

    a_rule("Parcel", Category.objects.get(code="delivery"), "parcel")
    GoldLabel.objects.filter(split="test").first().reasons.all().delete()
    type(champion).objects.champions().update(stage="retired")
    a_champion(3)

    assert whats_changed(made) == (
        "another model is the champion",
        "held-out gold labels were added or changed",
        "the keyword rules changed",
    )


def test_a_comparison_still_holds_when_its_candidate_was_promoted(rivals):
    candidate, champion = rivals
    made = compare_with_champion(candidate, at=NOON)
    type(champion).objects.filter(pk=champion.pk).update(stage="retired")
    type(champion).objects.filter(pk=candidate.pk).update(stage="champion")

    assert whats_changed(made) == ()


def test_without_champion_the_candidate_is_measured_alone():
    gold_labels()
    candidate = a_champion(1)
    type(candidate).objects.update(stage="candidate")

    made = compare_with_champion(candidate, at=NOON)

    assert (made.champion, made.found.outcome) == (None, Outcome.ALONE)


def test_without_held_out_labels_it_says_so():
    candidate = a_champion(1)
    type(candidate).objects.update(stage="candidate")

    assert compare_with_champion(candidate, at=NOON).found.outcome is Outcome.NO_TEXTS


def test_the_champion_is_not_compared_with_itself(rivals):
    with pytest.raises(CannotCompare, match="is the champion itself"):
        compare_with_champion(rivals[1], at=NOON)


def test_an_errand_for_a_damaged_model_fails_in_words(rivals):
    candidate = rivals[0]
    ModelArtifact.objects.filter(version=candidate).update(content=b"?")
    errand = Errand.objects.ask("compare", at=NOON, parameters={"model": candidate.pk})

    run_next({"compare": do_compare})

    errand.refresh_from_db()
    assert "Model 2 cannot be asked" in errand.error
    assert not Comparison.objects.exists()


def test_the_command_tells_the_same_in_words_and_as_json(rivals):
    words, figures = StringIO(), StringIO()

    call_command("compare", stdout=words)
    call_command("compare", "--json", stdout=figures, stderr=StringIO())

    told = json.loads(figures.getvalue())
    assert (told["candidate"], told["champion"]) == (2, 1)
    assert told["figures"]["texts"] == told["figures"]["candidate"]["right"]["of"]
    assert "unseen texts" in words.getvalue()
    assert "Right without a person" in words.getvalue()


def test_the_command_names_the_model_that_there_is_not(rivals):
    with pytest.raises(CommandError, match="There is no model 9"):
        call_command("compare", "9")
