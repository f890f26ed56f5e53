import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client, RequestFactory
from rest_framework.authtoken.models import Token
from rest_framework.throttling import UserRateThrottle

from contactreason import problems


@pytest.fixture
def token(db) -> str:
    return Token.objects.create(user=User.objects.create_superuser("boss")).key


def test_an_unknown_address_of_the_api_is_a_problem(db):
    answer = Client().get("/api/v1/nowhere")

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert answer.json() == {
        "type": "urn:contact-reason:problem:not_found",
        "title": "Not Found",
        "status": 404,
        "detail": "There is nothing at this address; see /api/v1/docs.",
    }


def test_an_unknown_address_elsewhere_is_a_page(db):
    answer = Client().get("/nowhere")

    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("answer_of", "status"),
    [
        (lambda request: problems.bad_request(request, ValueError()), 400),
        (lambda request: problems.permission_denied(request, ValueError()), 403),
        (problems.server_error, 500),
    ],
)
def test_errors_outside_any_view_are_problems_under_api_and_pages_elsewhere(answer_of, status):
    under_api = answer_of(RequestFactory().get("/api/v1/decisions"))
    elsewhere = answer_of(RequestFactory().get("/admin/"))

    assert (under_api.status_code, elsewhere.status_code) == (status, status)
    assert under_api["Content-Type"] == "application/problem+json"
    assert elsewhere["Content-Type"].startswith("text/html")


def test_an_error_of_our_own_is_a_problem_without_its_words(token):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE classifier_feedback RENAME TO gone")
    client = Client(raise_request_exception=False)

    answer = client.get("/api/v1/feedback", headers={"Authorization": f"Token {token}"})

    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert "classifier_feedback" not in answer.content.decode()


def test_a_method_that_is_not_offered_is_a_problem(token):
    answer = Client().delete("/api/v1/decisions", headers={"Authorization": f"Token {token}"})

    assert answer.status_code == 405
    assert answer.json()["type"] == "urn:contact-reason:problem:method_not_allowed"


def test_who_asks_too_often_is_told_how_long_to_wait(token, monkeypatch):
    cache.clear()
    monkeypatch.setitem(UserRateThrottle.THROTTLE_RATES, "user", "2/min")
    asked = [
        Client().get("/api/v1/categories", headers={"Authorization": f"Token {token}"})
        for _ in range(3)
    ]
    cache.clear()

    assert [answer.status_code for answer in asked] == [200, 200, 429]
    assert int(asked[-1]["Retry-After"]) > 0
    assert asked[-1].json()["type"] == "urn:contact-reason:problem:throttled"
