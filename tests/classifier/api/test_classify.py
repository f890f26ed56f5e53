import json

import pytest
from rest_framework.test import APIClient

from classifier.engine.intake import TRANSCRIPT_TURNS
from classifier.models import Category, Decision, Transcript
from tests.classifier.making import a_champion, a_rule

pytestmark = pytest.mark.django_db
URL = "/api/v1/classify"
PARCEL = "my parcel has not arrived, the tracking says nothing"


@pytest.fixture
def client(client_who_may) -> APIClient:
    return client_who_may("view_category")


def test_a_text_gets_its_reasons_with_scores_apart_and_evidence(client):
    a_champion(7)
    a_rule("Lost parcel", Category.objects.get(code="delivery"), "parcel", strength=0.95)

    told = client.post(URL, {"text": PARCEL}).json()

    (reason,) = told["reasons"]
    assert (reason["code"], reason["label"], reason["ground"]) == (
        "delivery",
        "delivery",
        "both",
    )
    assert reason["rule_score"] == 0.95
    assert 0 < reason["model_score"] <= 1
    assert (told["abstained"], told["doubt"], told["model"]) == (False, None, 7)
    assert told["latency_ms"] > 0
    assert len(told["rulebook"]) == 64


def test_evidence_names_the_words_where_they_stand(client):
    a_champion()
    a_rule("Lost parcel", Category.objects.get(code="delivery"), "parcel")

    (reason,) = client.post(URL, {"text": PARCEL}).json()["reasons"]

    by_rule = next(span for span in reason["evidence"] if span["rule"])
    assert (by_rule["rule"], by_rule["words"], by_rule["turn"]) == ("Lost parcel", "parcel", 0)
    for span in reason["evidence"]:
        assert PARCEL[span["start"] : span["end"]] == span["words"]


def test_turns_are_read_by_speaker(client):
    a_rule("Parcel", Category.objects.at_path(["Delivery"], create=True), "parcel")
    by_bot = {"turns": [{"speaker": "bot", "text": "Is it about a parcel?"}]}
    by_customer = {"turns": [{"speaker": "customer", "text": "It is about a parcel."}]}

    assert client.post(URL, by_bot).json()["abstained"] is True
    assert client.post(URL, by_customer).json()["reasons"][0]["code"] == "delivery"


def test_the_label_is_the_whole_path(client):
    category = Category.objects.at_path(["Orders", "Delivery"], create=True)
    a_rule("Parcel", category, "parcel")

    assert client.post(URL, {"text": "parcel"}).json()["reasons"][0]["label"] == (
        "Orders > Delivery"
    )


def test_without_model_and_rules_it_abstains_and_says_why(client):
    told = client.post(URL, {"text": PARCEL}).json()

    assert (told["reasons"], told["abstained"], told["doubt"]) == ([], True, "no_model")
    assert told["model"] is None


def test_nothing_is_stored(client):
    a_champion()

    client.post(URL, {"text": PARCEL})

    assert not Transcript.objects.exists()
    assert not Decision.objects.exists()


def test_personal_numbers_do_not_come_back_in_evidence(client):
    a_rule("Card", Category.objects.at_path(["Card"], create=True), "card")

    answer = client.post(URL, {"text": "my card is 4111 1111 1111 1111"})

    assert "1111" not in answer.content.decode()


@pytest.mark.parametrize(
    "text", ["", " ", "a\0b", "\ud83d", "\u202eabc", "<p>hi</p>", "x" * 1_000_000]
)
def test_any_text_gets_an_answer(client, text):
    answer = client.generic("POST", URL, json.dumps({"text": text}), "application/json")

    assert answer.status_code == 200
    assert answer.json()["abstained"] is True


def test_five_thousand_turns_get_an_answer(client):
    turns = [{"speaker": "customer", "text": "hello"}] * 5_000

    assert client.post(URL, {"turns": turns}).status_code == 200


def test_ten_megabytes_of_text_get_an_answer(client):
    a_champion()

    answer = client.post(URL, {"text": f"{PARCEL}. " + "blah " * 2_000_000})

    assert answer.status_code == 200
    assert answer.json()["reasons"] or answer.json()["doubt"]


def test_more_turns_than_are_read_are_refused_by_name(client):
    turns = [{"speaker": "customer", "text": "x"}] * (TRANSCRIPT_TURNS + 1)

    answer = client.post(URL, {"turns": turns})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "turns"


def test_a_body_larger_than_the_limit_is_refused_by_name(client):
    answer = client.post(URL, {"text": "x" * 20_000_000})

    assert answer.status_code == 413
    assert answer.json()["type"].endswith("body_too_large")
    assert "20 MB" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, ""),
        ({"text": "a", "turns": []}, ""),
        ({"text": 5}, "text"),
        ({"text": None}, "text"),
        ({"text": "a", "Text": "b"}, "Text"),
        ({"turns": "a"}, "turns"),
        ({"turns": [{"speaker": "customer"}]}, "turns.0.text"),
        ({"turns": [{"speaker": "clown", "text": "a"}]}, "turns.0.speaker"),
        ({"turns": [{"speaker": "bot", "text": "a", "mood": "b"}]}, "turns.0.mood"),
        ([1], ""),
    ],
)
def test_what_makes_no_sense_is_named_by_its_field(client, asked, field):
    answer = client.post(URL, asked)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("body", ["{", "\xff", "[" * 100_000, '{"text": NaN}', ""])
def test_a_body_that_is_no_json_is_a_problem_and_no_crash(client, body):
    answer = client.generic("POST", URL, body.encode("latin-1"), "application/json")

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_a_form_is_not_understood(client):
    answer = client.post(URL, "text=a", content_type="application/x-www-form-urlencoded")

    assert answer.status_code == 415
    assert answer.json()["type"].endswith("unsupported_media_type")


def test_who_has_no_token_is_asked_for_one(db):
    answer = APIClient().post(URL, {"text": "hi"}, format="json")

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Token"
    assert answer.json()["type"].endswith("not_authenticated")


def test_who_may_not_see_categories_may_not_classify(client_who_may):
    answer = client_who_may("view_decision").post(URL, {"text": "hi"})

    assert answer.status_code == 403
    assert answer.json()["type"].endswith("permission_denied")


def test_asked_to_explain_it_tells_without_which_words_the_answer_is_another(client):
    a_rule("Parcel", Category.objects.at_path(["Delivery"], create=True), "parcel")

    told = client.post(URL, {"text": "It is about a Parcel.", "explain": True}).json()

    assert told["change"] == {
        "words": ["Parcel"],
        "code": None,
        "label": None,
        "confidence": None,
        "is_smallest": True,
        "words_tried": 0,
    }


def test_without_the_words_told_the_answer_is_the_one_told(client):
    a_champion()
    a_rule("Parcel", Category.objects.get(code="delivery"), "parcel")

    told = client.post(URL, {"text": PARCEL, "explain": True}).json()

    rest = PARCEL
    for words in told["change"]["words"]:
        rest = rest.replace(words, "")
    reasons = client.post(URL, {"text": rest}).json()["reasons"]
    assert told["reasons"][0]["code"] != told["change"]["code"]
    assert told["change"]["code"] == (reasons[0]["code"] if reasons else None)


def test_unasked_it_does_not_try_what_would_change_the_answer(client):
    assert client.post(URL, {"text": PARCEL}).json()["change"] is None
