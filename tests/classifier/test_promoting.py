import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from classifier.deciding import decide_waiting
from classifier.errands import run_next
from classifier.models import Decision, Errand, ModelArtifact, ModelVersion, Transcript
from classifier.promoting import (
    CannotPromote,
    CannotServe,
    NeedsSecondPerson,
    NothingToPromote,
    NothingToRollBack,
    do_redecide,
    promote,
    promote_newest,
    propose,
    roll_back,
)
from tests import factories as make
from tests.classifier.making import (
    LATER,
    NOON,
    TOPICS,
    a_category,
    a_champion,
    a_person,
    a_transcript,
)

pytestmark = pytest.mark.django_db


def a_candidate(number: int) -> ModelVersion:
    version = a_champion(number) if not ModelVersion.objects.champions() else None
    if version is None:
        ModelVersion.objects.champions().update(stage="challenger")
        version = a_champion(number)
        ModelVersion.objects.filter(pk=version.pk).update(stage="candidate")
        ModelVersion.objects.filter(stage="challenger").update(stage="champion")
    else:
        ModelVersion.objects.filter(pk=version.pk).update(stage="candidate")
    version.refresh_from_db()
    return version


def a_line_of(*numbers: int) -> list[ModelVersion]:
    """Return versions that were champions one after the other; the last one still is."""
    versions = []
    for number in numbers:
        ModelVersion.objects.champions().update(stage="retired")
        version = a_champion(number)
        version.promoted_at = NOON + timedelta(minutes=number)
        version.save()
        versions.append(version)
    return versions


def test_the_first_candidate_becomes_champion_without_asking():
    candidate = a_candidate(1)

    promoted = promote_newest(at=NOON, by="ada")

    candidate.refresh_from_db()
    assert promoted.champion == candidate
    assert (candidate.stage, candidate.promoted_at, candidate.promoted_by) == (
        "champion",
        NOON,
        "ada",
    )


def test_one_person_proposes_another_promotes_and_the_old_champion_retires():
    old = a_champion(1)
    new = propose(a_candidate(2), at=NOON, by="ada")

    promoted = promote(new, at=LATER, by="bo")

    old.refresh_from_db()
    assert (promoted.champion, promoted.retired, old.stage) == (new, old, "retired")
    assert (old.retired_at, old.retired_by) == (LATER, "bo")
    assert (promoted.champion.proposed_by, promoted.champion.promoted_by) == ("ada", "bo")


@pytest.mark.parametrize(
    ("proposed_by", "by", "told"),
    [
        ("", "bo", "Nobody has proposed it yet"),
        ("ada", "ada", "somebody else who may change models"),
        ("ada", "", "say who promotes it"),
    ],
)
def test_one_person_alone_never_replaces_a_champion(proposed_by, by, told):
    a_champion(1)
    new = a_candidate(2)
    if proposed_by:
        propose(new, at=NOON, by=proposed_by)

    with pytest.raises(NeedsSecondPerson, match=told):
        promote_newest(at=LATER, by=by)

    assert ModelVersion.objects.champions().get().number == 1


def test_the_second_person_can_be_switched_off(settings):
    settings.PROMOTION_NEEDS_SECOND_PERSON = False
    a_champion(1)
    a_candidate(2)

    assert promote_newest(at=NOON, by="ada").champion.number == 2


def test_a_proposal_is_used_up_by_its_promotion():
    a_line_of(1)
    new = propose(a_candidate(2), at=NOON, by="ada")
    promote(new, at=LATER, by="bo")
    roll_back(at=LATER, by="cy")
    new.refresh_from_db()

    with pytest.raises(NeedsSecondPerson, match="Nobody has proposed it yet"):
        promote(new, at=LATER, by="bo")


def test_the_champion_cannot_be_proposed():
    with pytest.raises(CannotPromote, match="is the champion already"):
        propose(a_champion(1), at=NOON, by="ada")


def test_the_newest_of_several_candidates_is_taken():
    a_candidate(1)
    a_candidate(2)

    assert promote_newest(at=NOON).champion.number == 2


def test_an_older_candidate_is_not_slipped_in_as_if_it_were_news():
    a_candidate(1)
    a_candidate(2)
    promote_newest(at=NOON)

    with pytest.raises(NothingToPromote, match="Model 2 is the champion"):
        promote_newest(at=LATER)


def test_a_rollback_brings_the_champion_before_back_and_asks_nobody_else():
    first, second = a_line_of(1, 2)

    done = roll_back(at=LATER, by="ada")

    assert (done.champion, done.retired) == (first, second)
    assert ModelVersion.objects.champions().get() == first
    assert (done.champion.restored_at, done.champion.restored_by) == (LATER, "ada")
    assert (done.retired.retired_at, done.retired.retired_by) == (LATER, "ada")


def test_rolling_back_twice_goes_two_models_back():
    first, _second, _third = a_line_of(1, 2, 3)

    roll_back(at=LATER, by="ada")

    assert roll_back(at=LATER, by="ada").champion == first
    with pytest.raises(NothingToRollBack, match="is the first champion"):
        roll_back(at=LATER, by="ada")


def test_a_second_click_on_the_same_button_goes_no_further_back():
    _first, second, third = a_line_of(1, 2, 3)
    roll_back(at=LATER, by="ada", away_from=third)

    with pytest.raises(NothingToRollBack, match="Model 2 is the champion already"):
        roll_back(at=LATER, by="bo", away_from=third)

    assert ModelVersion.objects.champions().get() == second


def test_a_rollback_to_a_damaged_model_leaves_all_as_it_was():
    first, second = a_line_of(1, 2)
    ModelArtifact.objects.filter(version=first).delete()

    with pytest.raises(CannotServe, match="Model 1 cannot serve"):
        roll_back(at=LATER, by="ada")

    assert ModelVersion.objects.champions().get() == second


def test_without_champion_there_is_nothing_to_roll_back():
    with pytest.raises(NothingToRollBack, match="no champion"):
        roll_back(at=LATER, by="ada")


PARCEL = "the courier lost my parcel, tracking says nothing"


def test_what_the_bad_model_decided_is_decided_again_even_where_the_old_one_is_unsure():
    first, second = a_line_of(1, 2)
    login = a_category("login")
    for thread, text in (
        ("sure", PARCEL),
        ("unsure", "hm"),
        ("said", PARCEL),
        ("fine", PARCEL),
    ):
        words = a_transcript(thread, text, decided_at=NOON)
        version = first if thread == "fine" else second
        make.make_decision(
            transcript=words, category=login, source="model", model_version=version
        )
    make.make_feedback(thread="said", transcript=Transcript.objects.get(thread="said"))
    done = roll_back(at=LATER, by="ada")

    errand = Errand.objects.ask("redecide", at=LATER, parameters={"model": second.pk})
    run_next({"redecide": do_redecide})
    decide_waiting(limit=10)

    errand.refresh_from_db()
    assert done.decided == 2
    assert errand.told.startswith("2 conversations that model 2 decided are decided again")
    standing = {d.thread: d.category and d.category.code for d in Decision.objects.standing()}
    assert standing == {"sure": "delivery", "unsure": None, "said": "login", "fine": "login"}


def test_what_the_champion_itself_decided_is_not_decided_again():
    champion = a_champion(1)

    errand = Errand.objects.ask("redecide", at=NOON, parameters={"model": champion.pk})
    run_next({"redecide": do_redecide})

    errand.refresh_from_db()
    assert "is the champion" in errand.error


def test_promoting_the_champion_again_changes_nothing():
    champion = a_champion(1)

    assert promote(champion, at=LATER).retired is None

    champion.refresh_from_db()
    assert champion.promoted_at is None


@pytest.mark.parametrize("is_missing", [True, False])
def test_a_model_that_could_not_be_served_is_never_promoted(is_missing):
    a_champion(1)
    broken = a_candidate(2)
    artifact = ModelArtifact.objects.filter(version=broken)
    artifact.delete() if is_missing else artifact.update(content=b"not what was stored")

    with pytest.raises(CannotServe):
        promote_newest(at=NOON)

    assert ModelVersion.objects.champions().get().number == 1


def test_the_database_knows_one_champion_only():
    a_champion(1)
    second = a_candidate(2)

    with pytest.raises(IntegrityError), transaction.atomic():
        ModelVersion.objects.filter(pk=second.pk).update(stage="champion")


def test_what_lacked_a_model_is_decided_again_and_what_a_person_said_is_not():
    for code in TOPICS:
        a_category(code)
    for thread in ("t1", "t2"):
        a_transcript(thread, "the courier lost my parcel, tracking says nothing")
    decide_waiting(limit=10)
    Decision.objects.stand_by_person(
        "t2", [a_category("login")], at=NOON, decided_by=a_person()
    )
    a_candidate(1)

    promoted = promote_newest(at=LATER)
    decide_waiting(limit=10)

    assert promoted.waiting_again == 1
    standing = {d.thread: d.category.code for d in Decision.objects.standing()}
    assert standing == {"t1": "delivery", "t2": "login"}
    assert not Transcript.objects.waiting().exists()


def test_the_command_tells_who_is_champion_now():
    a_candidate(1)
    out = StringIO()

    call_command("promote", "--json", stdout=out, stderr=StringIO())

    assert json.loads(out.getvalue()) == {"champion": 1, "retired": None, "waiting_again": 0}


def test_the_command_without_candidates_says_what_to_do():
    with pytest.raises(CommandError, match="run train first"):
        call_command("promote")


def test_the_commands_obey_the_second_person_rule_by_names_that_may():
    a_champion(1)
    a_candidate(2)
    for name in ("ada", "bo"):
        make.make_user("classifier.change_modelversion", username=name)
    call_command("promote", "--propose", "--by", "ada", stdout=StringIO())

    with pytest.raises(CommandError, match="ada proposed it"):
        call_command("promote", "--by", "ada")
    call_command("promote", "--by", "bo", stdout=StringIO())

    assert ModelVersion.objects.champions().get().number == 2


@pytest.mark.parametrize("name", ["nobody", "cy"])
def test_the_command_takes_no_name_that_may_not_promote(name):
    a_candidate(1)
    make.make_user(username="cy")

    with pytest.raises(CommandError, match=f"{name} may not change models"):
        call_command("promote", "--by", name)


def test_the_rollback_command_tells_what_stands_and_what_may_be_decided_again():
    first, second = a_line_of(1, 2)
    words = a_transcript("t", PARCEL, decided_at=NOON)
    make.make_decision(transcript=words, source="model", model_version=second)
    out = StringIO()

    call_command("rollback", "--decide-again", "--json", stdout=out, stderr=StringIO())

    assert json.loads(out.getvalue()) == {
        "champion": 1, "retired": 2, "decided": 1, "deciding_again": 1,
    }  # fmt: skip
    assert Errand.objects.get().kind == "redecide"
    assert ModelVersion.objects.champions().get() == first


def test_the_rollback_command_without_an_earlier_champion_says_so():
    a_champion(1)

    with pytest.raises(CommandError, match="first champion"):
        call_command("rollback")
