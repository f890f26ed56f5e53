"""What the signed webhook lets in, and what it keeps of it."""

import json
import logging
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection
from standardwebhooks import Webhook

from sfsync.doors import limits
from sfsync.models import CaseLink, Doorbell
from sfsync.ringing import heed_rings
from tests.sfsync.doors.conftest import ORG, case_ids

SECRET, NEXT, FOREIGN = (
    "whsec_" + b64encode(word * 8).decode() for word in (b"now!", b"next", b"evil")
)
ADDRESS = "/doors/webhook"


@pytest.fixture(autouse=True)
def _secrets(settings):
    settings.WEBHOOK_SECRETS = [SECRET, NEXT]


@pytest.fixture
def call(client):
    def called(
        body=None,
        *,
        secret=SECRET,
        msg_id="msg_1",
        at=None,
        content_type="application/json",
        **headers,
    ):
        told = json.dumps({"case_ids": case_ids(2)}) if body is None else body
        raw = told if isinstance(told, bytes) else told.encode()
        moment = at or datetime.now(UTC)
        signed = {
            "HTTP_WEBHOOK_ID": msg_id,
            "HTTP_WEBHOOK_TIMESTAMP": str(int(moment.timestamp())),
            "HTTP_WEBHOOK_SIGNATURE": Webhook(secret).sign(
                msg_id, moment, raw.decode("latin-1")
            ),
        }
        return client.post(ADDRESS, raw, content_type=content_type, **{**signed, **headers})

    return called


def refused(answer, status, code):
    problem = answer.json()
    return (
        answer.status_code == status == problem["status"]
        and answer["Content-Type"] == "application/problem+json"
        and problem["type"].endswith(f":{code}")
        and not Doorbell.objects.exists()
        and not CaseLink.objects.exists()
    )


def test_signed_case_ids_are_kept_and_their_cases_become_due(call):
    answer = call()

    assert (answer.status_code, answer.json()) == (202, {"accepted": 2})
    assert set(Doorbell.objects.values_list("case_id", "source", "org_id")) == {
        (case_id, "webhook", ORG) for case_id in case_ids(2)
    }
    heed_rings()
    assert CaseLink.objects.filter(read_due_at__isnull=False).count() == 2


@pytest.mark.parametrize("secret", [SECRET, NEXT])
def test_while_a_secret_is_replaced_both_are_good(call, secret):
    assert call(secret=secret).status_code == 202


def test_a_hundred_replays_are_one_effect(call):
    body = json.dumps({"case_ids": case_ids(1)})
    call(body)
    heed_rings()
    CaseLink.objects.update(read_due_at=None)

    answers = {call(body).json()["accepted"] for _ in range(100)}
    heed_rings()

    assert answers == {0}
    assert Doorbell.objects.count() == 1
    assert not CaseLink.objects.filter(read_due_at__isnull=False).exists()


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_call_from_outside_five_minutes_is_refused(call, minutes):
    at = datetime.now(UTC) + timedelta(minutes=minutes)

    assert refused(call(at=at), 401, "bad_signature")


@pytest.mark.parametrize(
    "spoiled",
    [
        {"secret": FOREIGN},
        {"HTTP_WEBHOOK_ID": "msg_2"},
        {"HTTP_WEBHOOK_TIMESTAMP": "0"},
        {"HTTP_WEBHOOK_TIMESTAMP": "nan"},
        {"HTTP_WEBHOOK_TIMESTAMP": "9" * 40},
        {"HTTP_WEBHOOK_SIGNATURE": ""},
        {"HTTP_WEBHOOK_SIGNATURE": "v1"},
        {"HTTP_WEBHOOK_SIGNATURE": "v1,not base64!"},
        {"HTTP_WEBHOOK_SIGNATURE": "v2,abcd"},
        {"HTTP_WEBHOOK_SIGNATURE": "a,b,c"},
        {"HTTP_WEBHOOK_SIGNATURE": "v1,é"},
        {"body": b"\xff\xfe"},
    ],
    ids=str,
)
def test_what_is_not_signed_by_us_is_refused_and_nothing_is_written(call, spoiled):
    assert refused(call(**spoiled), 401, "bad_signature")


def test_one_bit_of_the_body_is_enough_to_refuse_it(call, client):
    body = json.dumps({"case_ids": case_ids(1)}).encode()
    at = datetime.now(UTC)
    signature = Webhook(SECRET).sign("msg_1", at, body.decode())
    turned = bytes([body[0], body[1] ^ 1, *body[2:]])

    answer = client.post(
        ADDRESS,
        turned,
        content_type="application/json",
        HTTP_WEBHOOK_ID="msg_1",
        HTTP_WEBHOOK_TIMESTAMP=str(int(at.timestamp())),
        HTTP_WEBHOOK_SIGNATURE=signature,
    )

    assert refused(answer, 401, "bad_signature")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("", 400, "parse_error"),
        ("no json", 400, "parse_error"),
        ("[" * 100_000, 400, "parse_error"),
        ("[]", 400, "invalid"),
        ("{}", 400, "invalid"),
        ('{"case_ids": []}', 400, "invalid"),
        ('{"case_ids": ["001000000000001AAA"]}', 400, "invalid"),
        ('{"case_ids": ["500\\u0000"]}', 400, "invalid"),
        ('{"case_ids": "500000000000001AAA"}', 400, "invalid"),
        (json.dumps({"case_ids": ["500000000000001"] * 201}), 400, "invalid"),
        ('{"case_ids": ["500000000000001"], "case": 1}', 400, "invalid"),
        ('{"case_ids": ["500000000000001"], "changed_at": "soon"}', 400, "invalid"),
    ],
)
def test_a_signed_body_of_another_shape_is_a_problem(call, body, status, code):
    assert refused(call(body), status, code)


def test_an_id_that_is_no_id_is_refused(call):
    assert refused(call(msg_id="x" * 101), 400, "parse_error")


def test_a_body_above_the_limit_is_refused_before_its_signature_is_looked_at(call):
    assert refused(call("x" * (limits.BODY_BYTES + 1)), 413, "body_too_large")


def test_only_json_is_taken_in(call):
    assert refused(call(content_type="text/plain"), 415, "unsupported_media_type")


def test_without_secrets_the_door_is_shut(call, settings):
    settings.WEBHOOK_SECRETS = []

    assert refused(call(), 404, "not_found")


def test_one_door_does_not_answer_more_than_its_rate(call):
    for _ in range(limits.REQUESTS_PER_MINUTE):
        limits.is_crowded("webhook")

    answer = call()

    assert refused(answer, 429, "throttled")
    assert answer["Retry-After"] == "60"


def test_while_the_database_refuses_the_sender_is_told_to_send_again(call):
    def refuse(execute, sql, params, many, context):
        raise DatabaseError("the disk is full")

    with connection.execute_wrapper(refuse):
        answer = call()

    assert refused(answer, 503, "unavailable")
    assert answer["Retry-After"] == "60"


def test_no_secret_and_no_signature_is_ever_logged(call, caplog):
    caplog.set_level(logging.DEBUG)

    call(secret=FOREIGN)
    call("no json")

    assert "v1," not in caplog.text
    assert "whsec_" not in caplog.text
