import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from classifier.deciding import decide_waiting
from classifier.models import Decision, ModelArtifact, ModelVersion, Transcript
from classifier.promoting import CannotServe, NothingToPromote, promote, promote_newest
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


def test_the_old_champion_retires():
    old = a_champion(1)
    new = a_candidate(2)

    promoted = promote_newest(at=NOON)

    old.refresh_from_db()
    assert (promoted.champion, promoted.retired, old.stage) == (new, old, "retired")


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


def test_a_rollback_names_the_version():
    old = a_candidate(1)
    a_candidate(2)
    promote_newest(at=NOON)

    assert promote(old, at=LATER).champion == old

    assert ModelVersion.objects.champions().get() == old


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
