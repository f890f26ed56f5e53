from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from classifier.models import Category, Decision, Feedback
from tests import factories as make
from tests.classifier.making import (
    LATER,
    NOON,
    a_category,
    a_champion,
    a_transcript,
    sure_of,
    unsure,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client_who_may) -> APIClient:
    return client_who_may("view_category", "view_decision", "view_feedback")


@pytest.fixture
def three_decisions() -> list[Decision]:
    a_category("refund")
    a_category("delivery")
    verdicts = [sure_of("refund", "delivery"), sure_of("delivery"), unsure("refund")]
    return [
        Decision.objects.stand(
            a_transcript(f"t{number}"), verdict, at=NOON + timedelta(hours=number)
        )
        for number, verdict in enumerate(verdicts)
    ]


def rows(client: APIClient, url: str, **filters: str) -> list[dict[str, object]]:
    answer = client.get(url, filters)
    assert answer.status_code == 200, answer.json()
    return answer.json()["results"]


def test_categories_come_with_their_paths(client):
    Category.objects.at_path(["Billing", "Refund"], create=True)

    told = rows(client, "/api/v1/categories")

    assert [(row["code"], row["path"], row["parent"]) for row in told] == [
        ("billing", "Billing", None),
        ("billing.refund", "Billing > Refund", "billing"),
    ]


def test_decisions_come_newest_first_with_reasons_and_words(client, three_decisions):
    told = rows(client, "/api/v1/decisions")

    assert [row["thread"] for row in told] == ["t2", "t1", "t0"]
    first = told[-1]
    assert (first["code"], first["source"], first["confidence"]) == ("refund", "model", 0.97)
    assert [reason["code"] for reason in first["reasons"]] == ["refund", "delivery"]
    assert first["reasons"][0]["evidence"][0]["words"] == "Where"


def test_an_abstention_comes_with_its_doubt_and_its_guesses(client, three_decisions):
    (told,) = rows(client, "/api/v1/decisions", source="nobody")

    assert (told["code"], told["doubt"], told["reasons"]) == (None, "unsure", [])
    assert [guess["code"] for guess in told["suggestions"]] == ["refund"]


@pytest.mark.parametrize(
    ("filters", "threads"),
    [
        ({"category": "delivery"}, ["t1"]),
        ({"source": "model"}, ["t1", "t0"]),
        ({"thread": "t0"}, ["t0"]),
        ({"decided_after": NOON.isoformat()}, ["t2", "t1"]),
        ({"category": "nowhere"}, []),
    ],
)
def test_decisions_can_be_narrowed(client, three_decisions, filters, threads):
    assert [row["thread"] for row in rows(client, "/api/v1/decisions", **filters)] == threads


def test_a_replaced_decision_is_shown_only_when_asked_for(client, three_decisions):
    Decision.objects.stand_by_person("t0", [a_category("delivery")], at=LATER)

    standing = rows(client, "/api/v1/decisions", thread="t0")
    all_of_them = rows(client, "/api/v1/decisions", thread="t0", superseded="true")

    assert [row["source"] for row in standing] == ["person"]
    assert [row["source"] for row in all_of_them] == ["person", "model"]


def test_a_reviewer_is_not_told_what_waits_for_a_blind_answer(client_who_may, three_decisions):
    make.make_review(kind="audit", decision=three_decisions[1])
    reviewer = client_who_may("view_decision", "change_review")

    assert [row["thread"] for row in rows(reviewer, "/api/v1/decisions")] == ["t2", "t0"]


@pytest.mark.parametrize(
    "filters",
    [{"source": "magic"}, {"decided_after": "yesterday"}, {"souce": "model"}, {"cursor": "x"}],
)
def test_a_filter_that_makes_no_sense_is_refused_not_ignored(client, filters):
    answer = client.get("/api/v1/decisions", filters)

    assert answer.status_code in {400, 404}
    assert answer["Content-Type"] == "application/problem+json"


def test_pages_follow_each_other_without_gaps_while_new_rows_come_in(client, three_decisions):
    first = client.get("/api/v1/decisions", {"page_size": 2}).json()
    Decision.objects.stand(a_transcript("new"), unsure(), at=LATER)

    second = client.get(first["next"]).json()

    seen = [row["thread"] for row in first["results"] + second["results"]]
    assert seen == ["t2", "t1", "t0"]
    assert second["next"] is None


def test_a_list_of_decisions_costs_no_query_per_row(
    client, three_decisions, django_assert_max_num_queries
):
    version = a_champion()
    for number in range(30):
        Decision.objects.stand(
            a_transcript(f"more{number}"),
            sure_of("refund", "delivery"),
            at=LATER,
            model_version=version,
        )

    with django_assert_max_num_queries(7):
        assert len(rows(client, "/api/v1/decisions")) == 33


def test_feedback_is_listed_and_narrowed(client):
    refund = a_category("refund")
    for number, verdict in enumerate(["confirmed", "corrected"]):
        Feedback.objects.hear(
            thread=f"t{number}",
            verdict=verdict,
            source="desk",
            said_at=NOON,
            categories=[refund],
        )

    told = rows(client, "/api/v1/feedback", verdict="corrected")

    assert [(row["thread"], row["category"], row["source"]) for row in told] == [
        ("t1", "refund", "desk")
    ]


@pytest.mark.parametrize("name", ["categories", "decisions", "feedback"])
def test_a_list_needs_the_permission_to_view_it(client_who_may, name):
    answer = client_who_may("add_feedback").get(f"/api/v1/{name}")

    assert answer.status_code == 403


@pytest.mark.parametrize("name", ["categories", "decisions"])
def test_machine_made_rows_cannot_be_posted(client, name):
    answer = client.post(f"/api/v1/{name}", {})

    assert answer.status_code in {403, 405}
