import json

import pytest
from rest_framework.test import APIClient

from classifier.models import Category, Decision, Feedback
from tests.classifier.making import NOON, a_category, a_transcript, sure_of

pytestmark = pytest.mark.django_db
URL = "/api/v1/feedback"


@pytest.fixture
def client(client_who_may) -> APIClient:
    return client_who_may("add_feedback")


@pytest.fixture(autouse=True)
def decided() -> Decision:
    a_category("delivery")
    a_category("refund")
    return Decision.objects.stand(a_transcript("t1"), sure_of("refund"), at=NOON)


def said(**more: object) -> dict[str, object]:
    return {"thread": "t1", "verdict": "corrected", "category": "delivery", **more}


def standing() -> Decision:
    return Decision.objects.standing().get(thread="t1")


def test_a_correction_is_kept_and_stands(client, decided):
    answer = client.post(URL, said(note="It was the courier."))

    feedback = Feedback.objects.get()
    assert answer.status_code == 201
    assert (answer.json()["category"], answer.json()["person"]) == ("delivery", "robot")
    assert (feedback.decision, feedback.source) == (decided, "api")
    assert (standing().source, standing().category.code) == ("person", "delivery")
    assert standing().decided_by.username == "robot"


def test_a_confirmation_makes_the_decision_a_persons(client):
    client.post(URL, said(verdict="confirmed", category="refund"))

    assert (standing().source, standing().category.code) == ("person", "refund")


@pytest.mark.parametrize(
    "word",
    [{"verdict": "unclear", "category": None}, {"verdict": "corrected", "category": None}],
)
def test_a_word_without_a_category_is_kept_and_changes_no_decision(client, decided, word):
    assert client.post(URL, said(**word)).status_code == 201

    assert standing() == decided


def test_the_same_reference_counts_once(client):
    first = client.post(URL, said(reference="crm-1"))
    again = client.post(URL, said(reference="crm-1"))

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert Feedback.objects.count() == 1


def test_an_old_word_repeated_does_not_beat_a_newer_one(client):
    client.post(URL, said(reference="crm-1"))
    client.post(URL, said(reference="crm-2", category="refund"))

    client.post(URL, said(reference="crm-1"))

    assert standing().category.code == "refund"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"thread": "nowhere"}, "thread"),
        ({"thread": "x" * 65}, "thread"),
        ({"category": "nowhere"}, "category"),
        ({"verdict": "maybe"}, "verdict"),
        ({"verdict": "confirmed", "category": None}, "category"),
        ({"colour": "red"}, "colour"),
        ({"note": "a\0b"}, "note"),
    ],
)
def test_what_makes_no_sense_is_named_by_its_field(client, wrong, field):
    answer = client.post(URL, said(**wrong))

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not Feedback.objects.exists()


def test_half_a_character_is_named_by_its_field_too(client):
    body = json.dumps(said(note="\ud83d"))

    answer = client.generic("POST", URL, body, "application/json")

    assert [error["field"] for error in answer.json()["errors"]] == ["note"]


def test_a_note_of_megabytes_is_refused_by_name(client):
    answer = client.post(URL, said(note="x" * 1_000_000))

    assert answer.json()["type"].endswith("body_too_large")


def test_the_category_must_be_said_even_when_it_is_none(client):
    answer = client.post(URL, {"thread": "t1", "verdict": "unclear"})

    assert answer.json()["errors"][0]["field"] == "category"


def test_an_inactive_category_cannot_be_named(client):
    Category.objects.filter(code="delivery").update(is_active=False)

    assert client.post(URL, said()).status_code == 400


def test_who_may_only_look_may_not_say(client_who_may):
    assert client_who_may("view_feedback", name="looker").post(URL, said()).status_code == 403
